#!/usr/bin/python3
"""QXL with a stock Debian kernel: its driver binds, draws its console with QXL's commands, and follows a viewer's size.

Runs itself in the lab where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in
for vitrine, which shows that the tests are right.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check
from harness.screen_text import screen_text
from harness.vmm import kind_under_test
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, keep, run

suite = Suite(__doc__)

SET_DESKTOP_SIZE = 251
MARK = 'drawn by qxl'


def booted(context):
    guest = StockGuest(context, 'qxl', [
        '-device', 'qxl-vga', '-device', 'qxl',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.wait_started()
    guest.log_in()
    return guest


def qxl(t):
    return t.shared('qxl', booted)


@suite.test
def both_devices_are_bound(t):
    guest = qxl(t)
    said = guest.run('dmesg | grep -i -e qxl -e drm')
    print(*(f'# {line}' for line in said.splitlines()), sep='\n', flush=True)
    check(guest.found('display qxl'), guest.facts)
    devices = guest.run('ls -d /sys/bus/pci/drivers/qxl/0000:*').split()
    check(len([name for name in devices if name.startswith('/sys')]) == 2, f'bound are {devices}')
    check('timed out' not in said and 'failed' not in said, said)


@suite.test
def the_console_is_drawn(t):
    guest = qxl(t)
    guest.run(f'echo "{MARK}" >/dev/tty1')
    picture = guest.vmm.vnc().wait(lambda picture: MARK in screen_text(picture), 'what was written to tty1')
    keep(picture, 'qxl-console')
    check(picture.size == (1024, 768), f'the picture has {picture.size} pixels')


@suite.test
def the_guest_follows_the_viewers_size(t):
    if kind_under_test() == 'qemu':
        raise Skip("QEMU's VNC server asks no QXL for a size")
    guest = qxl(t)
    client = guest.vmm.vnc()
    client.wait(lambda picture: True)
    client.send(struct.pack('>BxHHBxIHHHHI', SET_DESKTOP_SIZE, 800, 600, 1, 0, 0, 0, 800, 600, 0))
    picture = client.wait(lambda picture: picture.size == (800, 600), 'a picture of 800 by 600 pixels')
    keep(picture, 'qxl-800x600')
    guest.run(f'echo "again {MARK}" >/dev/tty1')
    client.wait(lambda picture: f'again {MARK}' in screen_text(picture), 'what was written then')


@suite.test
def nothing_was_wrong(t):
    guest = qxl(t)
    said = guest.run('dmesg | grep -i -e qxl -e "*ERROR*"')
    check('ERROR' not in said, said)
    check('is ignored until' not in guest.vmm.program.err(), guest.vmm.program.err())


if __name__ == '__main__':
    run(suite)
