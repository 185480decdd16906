#!/usr/bin/python3
"""A stock Debian kernel as a guest: booted, seen, typed at, logged into, reset and switched off.

Runs itself in the lab where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in
for vitrine, which shows that the tests are right.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal, need_program
from harness.picture import read_picture
from harness.screen_text import screen_text
from harness.terminal import Terminal
from harness.vmm import kind_under_test
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import PROMPT, StockGuest, keep, run

suite = Suite(__doc__)

DATA_BYTES = 8 << 20


def booted_directly(context):
    for name in ('data', 'fixed'):
        with open(context.directory / f'{name}.img', 'wb') as image:
            image.truncate(DATA_BYTES)
    guest = StockGuest(context, 'direct', [
        '-drive', f'file={context.directory}/data.img,format=raw,if=none,id=data,discard=unmap',
        '-device', 'virtio-blk-pci,drive=data',
        '-drive', f'file={context.directory}/fixed.img,format=raw,if=none,id=fixed,readonly=on',
        '-device', 'virtio-blk-pci,drive=fixed',
        '-smp', '2', '-device', 'bochs-display', '-device', 'virtio-rng-pci',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.data = context.directory / 'data.img'
    guest.wait_started()
    return guest


def direct(t):
    return t.shared('direct', booted_directly)


@suite.test
def the_kernel_boots_directly(t):
    guest = direct(t)
    check(guest.found('start 1 from this disk'), f'no start from the disk among: {guest.facts}')


@suite.test
def two_processors_run(t):
    check(direct(t).found('processors 2'), direct(t).facts)


@suite.test
def bochs_drm_binds(t):
    check(direct(t).found('display bochs-drm'), direct(t).facts)


@suite.test
def virtio_rng_gives_entropy(t):
    check(direct(t).found('entropy virtio_rng'), direct(t).facts)


@suite.test
def the_clock_is_the_hosts(t):
    guest = direct(t)
    clock = int(guest.facts.split('guest: clock ')[1].split()[0])
    check(abs(clock - os.stat(guest.disk).st_mtime) < 600, f"the guest's clock says {clock}")


@suite.test
def its_console_is_seen(t):
    guest = direct(t)
    client = guest.vmm.vnc()
    picture = client.wait(lambda picture: 'stock#' in screen_text(picture), 'the shell prompt on tty1')
    keep(picture, 'console')
    check(guest.found(f'framebuffer {picture.width},{picture.height}'), f'{picture.size} is shown: {guest.facts}')


@suite.test
def a_screendump_shows_what_vnc_shows(t):
    guest = direct(t)
    guest.qmp.execute('stop')
    picture = guest.vmm.vnc().wait(lambda picture: True)
    for kind in ('ppm', 'png'):
        path = t.directory / f'dump.{kind}'
        guest.qmp.screendump(path, kind)
        equal(read_picture(path).differing(picture), 0, f'pixels of the {kind} that differ')
    guest.qmp.execute('cont')


@suite.test
def a_login_on_the_serial_line_works(t):
    guest = direct(t)
    if kind_under_test() == 'qemu':
        guest.log_in()
        equal(guest.run('tty'), '/dev/ttyS0', 'the terminal of the login')
        return
    guest.serial.close()
    console = Terminal([need_program('vitrine-console'), '--runtime-dir', guest.vmm.runtime, 'attach', 'direct'])
    t.defer(console.close)
    wait_until(console.raw, 'the raw terminal')
    console.line.send('\n')
    guest.log_in(console.line)
    equal(guest.run('tty', console.line), '/dev/ttyS0', 'the terminal of the login')
    console.line.send('\x1dq')
    equal(console.wait(), 0, "vitrine-console's exit status")
    equal(console.settings(), console.settings_at_start, 'the settings of the terminal afterwards')
    guest.serial = guest.vmm.connect_serial(0)


@suite.test
def a_disk_keeps_what_is_written(t):
    guest = direct(t)
    image, disk = guest.data, 'vdb'
    equal(guest.run(f'cat /sys/block/{disk}/size'), str(DATA_BYTES // 512), 'sectors of the second disk')
    guest.run(f'seq 1 650000 | head -c 4194304 >/tmp/numbers; dd if=/tmp/numbers of=/dev/{disk} bs=1M seek=2 conv=fsync')
    expected = b''.join(b'%d\n' % n for n in range(1, 650001))[:4 << 20]
    with open(image, 'rb') as file:
        file.seek(2 << 20)
        check(file.read(4 << 20) == expected, 'the image has other bytes than the guest wrote')
    guest.run('echo 3 >/proc/sys/vm/drop_caches')
    # A long command wraps on the terminal, so only the last word of the answer counts.
    read_back = f'dd if=/dev/{disk} bs=1M skip=2 count=4 2>/dev/null'
    equal(guest.run(f'{read_back} | cmp - /tmp/numbers && echo same').split()[-1], 'same', 'what the guest reads back')
    before = os.stat(image).st_blocks
    guest.run(f'blkdiscard -o {2 << 20} -l {4 << 20} /dev/{disk}')
    check(os.stat(image).st_blocks < before, f'{before} blocks before and {os.stat(image).st_blocks} after a discard')
    guest.run('echo 3 >/proc/sys/vm/drop_caches')
    equal(guest.run(f'{read_back} | tr -d "\\0" | wc -c').split()[-1], '0', 'bytes left after a discard')


@suite.test
def a_read_only_disk_stays_as_it_is(t):
    guest = direct(t)
    disk = 'vdc'
    equal(guest.run(f'cat /sys/block/{disk}/ro'), '1', 'the third disk being read-only')
    check('ermitted' in guest.run(f'dd if=/dev/zero of=/dev/{disk} bs=512 count=1') or
          'ead-only' in guest.run(f'dd if=/dev/zero of=/dev/{disk} bs=512 count=1'), 'a write to it was not refused')


@suite.test
def typed_text_appears(t):
    guest = direct(t)
    client = guest.vmm.vnc()
    before = client.wait(lambda picture: 'stock#' in screen_text(picture))
    client.type('echo It is $((6 * 7)) | tee /dev/ttyS0\n')
    guest.serial.expect('It is 42')
    after = client.wait(lambda picture: 'It is 42' in screen_text(picture), 'the answer on the screen')
    keep(after, 'typed')
    lines = screen_text(after)
    check('echo It is $((6 * 7)) | tee /dev/ttyS0' in lines, f'the command is not on the screen: {lines}')
    rows = before.changed_rows(after)
    check(rows and rows[-1] - rows[0] < 5 * 16, f'rows {rows[0]} to {rows[-1]} changed for three lines of text')


@suite.test
def stop_and_cont_hold_and_release_it(t):
    guest = direct(t)
    for _ in range(2):
        guest.qmp.execute('stop')
        guest.qmp.wait_event('STOP')
        equal(guest.qmp.status(), 'paused', 'the status after stop')
        guest.serial.drain()
        guest.serial.send('echo still $((40 + 2))\n')
        check(guest.serial.quiet(1), f'a paused guest speaks: {guest.serial.log[-200:]!r}')
        guest.qmp.execute('cont')
        guest.qmp.wait_event('RESUME')
        equal(guest.qmp.status(), 'running', 'the status after cont')
        guest.serial.expect('still 42')
        guest.serial.expect(PROMPT)


@suite.test
def system_reset_works_twice(t):
    guest = direct(t)
    for number in (2, 3):
        guest.qmp.execute('system_reset')
        guest.qmp.wait_event('RESET')
        guest.wait_started()
        check(guest.found(f'start {number} from this disk'), guest.facts)


@suite.test
def the_guest_reboots_itself(t):
    guest = direct(t)
    guest.log_in()
    guest.serial.send('reboot\n')
    guest.serial.expect('guest: stopping')
    guest.qmp.wait_event('RESET')
    guest.wait_started()
    check(guest.found('start 4 from this disk') and guest.found('processors 2'), guest.facts)


@suite.test
def the_power_button_switches_it_off(t):
    guest = direct(t)
    guest.serial.expect('guest: power button at')
    guest.qmp.execute('system_powerdown')
    guest.qmp.wait_event('POWERDOWN')
    guest.serial.expect('guest: power button pressed')
    guest.serial.expect('guest: stopping')
    check(guest.qmp.wait_event('SHUTDOWN')['data']['guest'], 'SHUTDOWN does not say that the guest did it')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


@suite.test
def grub_boots_it_from_its_disk(t):
    guest = StockGuest(t, 'disk', ['-device', 'VGA'])
    guest.serial.expect('Booting `Stock guest')
    guest.serial.expect('GRUB loads the kernel')
    guest.wait_started()
    check(guest.found('start 1 from this disk') and guest.found('display bochs-drm'), guest.facts)
    client = guest.vmm.vnc()
    keep(client.wait(lambda picture: 'stock#' in screen_text(picture), 'the shell prompt on tty1'), 'disk')
    guest.log_in()
    check('booted_by=grub' in guest.run('cat /proc/cmdline'), 'it was not GRUB that loaded the kernel')
    guest.serial.send('poweroff\n')
    guest.serial.expect('guest: stopping')
    check(guest.qmp.wait_event('SHUTDOWN')['data']['guest'], 'SHUTDOWN does not say that the guest did it')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


if __name__ == '__main__':
    run(suite)
