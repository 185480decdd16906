#!/usr/bin/python3
"""A stock Debian guest with virtio-gpu: its driver binds, its console is seen, modes are set on each head, heads follow viewers.

Runs itself in the lab where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in
for vitrine, which shows that the tests are right.
"""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal, need_program
from harness.picture import read_picture
from harness.qmp import QmpError
from harness.screen_text import screen_text
from harness.vmm import kind_under_test
from harness.wait import wait_until
from lab.images import ARGUMENTS, Archive, images
from lab.stock import StockGuest, keep, run

HEADS = 2

suite = Suite(__doc__)


def tools(context):
    """The initramfs with modetest of libdrm in it, and what that is linked with."""
    archive = Archive()
    modetest = need_program('modetest')
    lines = subprocess.run(['ldd', modetest], check=True, capture_output=True, text=True).stdout.split()
    archive.file('bin/modetest', Path(modetest).read_bytes(), 0o755)
    folders = set()
    for library in (word for word in lines if word.startswith('/')):
        for folder in reversed(Path(library).parents[:-1]):
            if folder not in folders:
                archive.folder(str(folder)[1:])
            folders.add(folder)
        archive.file(library[1:], Path(library).resolve().read_bytes(), 0o755)
    path = context.directory / 'initramfs'
    path.write_bytes((images() / 'initramfs').read_bytes() + archive.finish())
    return path


def started(context, name, *options):
    guest = StockGuest(context, name, [
        *options, '-kernel', images() / 'vmlinuz', '-initrd', tools(context), '-append', ARGUMENTS])
    guest.wait_started()
    guest.log_in()
    return guest


def with_heads(context):
    return started(context, 'gpu', '-device', f'virtio-gpu-pci,id=gpu,max_outputs={HEADS}')


def with_blobs(context):
    return started(context, 'blob', '-device', 'virtio-gpu-pci,id=gpu,blob=on')


def shown(guest, head=0):
    """What a head shows; None for nothing."""
    path = guest.vmm.directory / f'{guest.vmm.name}-{head}.ppm'
    path.unlink(missing_ok=True)
    try:
        guest.qmp.execute('screendump', {'filename': str(path), 'device': 'gpu', 'head': head})
    except QmpError:
        return None
    return read_picture(path)


def wait_size(guest, head, size):
    def fits():
        picture = shown(guest, head)
        return (picture.size if picture else None) == size
    wait_until(fits, lambda: f'head {head} showing {size}: {picture_size(guest, head)}; the guest: {outputs(guest)}')


def picture_size(guest, head):
    picture = shown(guest, head)
    return picture.size if picture else None


def outputs(guest):
    """Connectors, as the guest's kernel sees them."""
    return guest.run('for c in /sys/class/drm/card0-*; do echo $(basename $c) $(cat $c/status) $(head -1 $c/modes); done')


def wish(guest, head, width, height):
    """What a viewer says of its window, over the display bus."""
    if kind_under_test() == 'qemu':
        raise Skip('QEMU has no display bus here')
    bus = guest.vmm.runtime / guest.vmm.name / 'display.sock'
    # No message bus is between, which gdbus would expect.
    subprocess.run([need_program('dbus-send'), f'--peer=unix:path={bus}', '--print-reply', '--reply-timeout=60000',
                    f'/org/qemu/Display1/Console_{head}', 'org.qemu.Display1.Console.SetUIInfo',
                    'uint16:0', 'uint16:0', 'int32:0', 'int32:0', f'uint32:{width}', f'uint32:{height}'],
                   check=True, stdout=subprocess.DEVNULL)


def modes_of(guest, driver='virtio_gpu'):
    """Each connector's number and the names of its modes, from modetest."""
    found, connector = {}, None
    for line in guest.run(f'modetest -M {driver} -c').splitlines():
        fields = line.split()
        if re.match(r'\d+\t', line):
            connector = found.setdefault(int(fields[0]), [])
        elif connector is not None and re.match(r'\s+#\d+ ', line):
            connector.append(fields[1])
    return {connector: modes for connector, modes in found.items() if modes}


def set_mode(guest, connector, mode):
    """Runs modetest until end_mode()."""
    guest.run('rm -f /tmp/hold; mkfifo /tmp/hold')
    guest.run(f'modetest -M virtio_gpu -s {connector}:{mode} </tmp/hold >/tmp/modetest 2>&1 & exec 3>/tmp/hold')


def end_mode(guest):
    guest.run('exec 3>&-; wait')


def check_pattern(guest, head, mode):
    """The colour bars of modetest, in the mode's size."""
    size = tuple(map(int, mode.split('x')))

    def is_there():
        picture = shown(guest, head)
        return picture and picture.size == size and picture.pixel(size[0] // 14, 10) == (192, 192, 192) and \
            picture.pixel(size[0] * 13 // 14, 10) == (0, 0, 192)
    wait_until(is_there, lambda: f'the bars in {mode} on head {head} (it shows {picture_size(guest, head)}); '
               f'modetest: {guest.run("cat /tmp/modetest")}')


@suite.test
def the_driver_binds(t):
    guest = t.shared('heads', with_heads)
    check(guest.found('display virtio-pci') or guest.found('display virtio_gpu'), guest.facts)
    check('Virtual-2' in outputs(guest), outputs(guest))
    check('ERROR' not in guest.run('dmesg | grep drm'), guest.run('dmesg | grep drm'))


@suite.test
def its_console_is_seen(t):
    guest = t.shared('heads', with_heads)
    client = guest.vmm.vnc()
    picture = client.wait(lambda picture: 'stock#' in screen_text(picture), 'the shell prompt on tty1')
    keep(picture, 'virtio-gpu')
    equal(picture.size, (1280, 800), 'the size of the console')
    client.type('echo seen on $((6 * 7))\n')
    client.wait(lambda picture: 'seen on 42' in screen_text(picture), 'what was typed, and its answer')


@suite.test
def heads_come_and_go_as_viewers_wish(t):
    guest = t.shared('heads', with_heads)
    wait_size(guest, 0, (1280, 800))
    if kind_under_test() == 'qemu':
        raise Skip('QEMU has no display bus here')
    equal(picture_size(guest, 1), None, 'the second head before anybody wishes it')
    wish(guest, 1, 1000, 700)
    wait_until(lambda: 'Virtual-2 connected 1000x700' in outputs(guest), lambda: f'the second monitor: {outputs(guest)}')
    wish(guest, 0, 1100, 750)
    wait_until(lambda: 'Virtual-1 connected 1100x750' in outputs(guest), lambda: f'the first monitor: {outputs(guest)}')
    wait_size(guest, 0, (1100, 750))
    wait_size(guest, 1, (1000, 700))
    wish(guest, 1, 0, 0)
    wait_until(lambda: 'Virtual-2 disconnected' in outputs(guest), lambda: f'it going: {outputs(guest)}')
    wait_size(guest, 1, None)
    wish(guest, 0, 1280, 800)
    wait_size(guest, 0, (1280, 800))


@suite.test
def modes_are_set_on_each_head(t):
    guest = t.shared('heads', with_heads)
    if kind_under_test() != 'qemu':
        wish(guest, 1, 1280, 800)
        wait_until(lambda: 'Virtual-2 connected' in outputs(guest), 'the second monitor')
    for head, (connector, modes) in enumerate(sorted(modes_of(guest).items())):
        check('1280x800' in modes and '1920x1080' in modes, f'modes of head {head}: {modes}')
        for mode in ('1280x800', '640x480', '1920x1080'):
            set_mode(guest, connector, mode)
            check_pattern(guest, head, mode)
            end_mode(guest)
    keep(shown(guest), 'virtio-gpu-after')


@suite.test
def blobs_are_seen(t):
    guest = t.shared('blobs', with_blobs)
    check('resource_blob' in guest.run('dmesg | grep -o "+resource_blob"'), guest.run('dmesg | grep drm'))
    client = guest.vmm.vnc()
    client.wait(lambda picture: 'stock#' in screen_text(picture), 'the shell prompt on tty1')
    client.type('echo seen on $((6 * 7))\n')
    client.wait(lambda picture: 'seen on 42' in screen_text(picture), 'what was typed, and its answer')
    connector, modes = sorted(modes_of(guest).items())[0]
    for mode in ('1024x768', '1280x800'):
        check(mode in modes, f'modes: {modes}')
        set_mode(guest, connector, mode)
        check_pattern(guest, 0, mode)
        end_mode(guest)


@suite.test
def virtio_vga_shows_firmware_boot_loader_and_kernel(t):
    guest = StockGuest(t, 'vga', ['-device', 'virtio-vga,id=gpu'])
    client = guest.vmm.vnc()
    client.wait(lambda picture: 'SeaBIOS' in screen_text(picture), 'SeaBIOS on the screen')
    guest.serial.expect('GRUB loads the kernel')
    guest.wait_started()
    check(guest.found('display virtio-pci') or guest.found('display virtio_gpu'), guest.facts)
    keep(client.wait(lambda picture: picture.size == (1280, 800) and 'stock#' in screen_text(picture),
                     'the shell prompt on tty1'), 'virtio-vga')
    guest.qmp.execute('system_reset')
    client.wait(lambda picture: picture.size != (1280, 800) and 'SeaBIOS' in screen_text(picture), 'SeaBIOS after a reset')
    guest.wait_started()
    client.wait(lambda picture: picture.size == (1280, 800) and 'stock#' in screen_text(picture), 'the shell prompt again')


if __name__ == '__main__':
    run(suite)
