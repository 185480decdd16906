#!/usr/bin/python3
"""A stock guest's USB: the controller and what hangs on it, keys, a disk, coming and going."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

DISK_BYTES = 16 << 20
EV_KEY, KEY_B = 1, 48

suite = Suite(__doc__)


def with_usb(context):
    stick = context.directory / 'stick.img'
    with open(stick, 'wb') as image:
        image.truncate(DISK_BYTES)
    guest = StockGuest(context, 'usb', [
        '-device', 'qemu-xhci,id=usb', '-device', 'usb-kbd,id=keys', '-device', 'usb-tablet,id=tablet',
        '-drive', f'file={stick},format=raw,if=none,id=stick', '-device', 'usb-storage,drive=stick',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.stick = stick
    guest.wait_started()
    guest.log_in()
    return guest


def usb(t):
    return t.shared('usb', with_usb)


def input_of(guest, name):
    """The event device of an input device."""
    command = f'for e in /sys/class/input/event*; do grep -q "{name}" $e/device/name && basename $e; done'
    return guest.run(command).split()[-1]


def events(guest, device, act, wanted):
    """What an input device says while act() is done, again until one event is the wanted (type, code): the first may come
    before anybody reads."""
    guest.run(f'dd if=/dev/input/{device} of=/tmp/events bs=24 2>/dev/null & reader=$!')

    def read():
        act()
        text = guest.run("hexdump -v -e '24/1 \"%02x\" \"\\n\"' /tmp/events")
        lines = [line for line in text.splitlines() if len(line) == 48]
        found = [struct.unpack('<HHi', bytes.fromhex(line)[16:]) for line in lines]
        return found if any(event[:2] == wanted for event in found) else None
    found = wait_until(read, f'an event {wanted} of {device}')
    guest.run('kill $reader; wait $reader; rm /tmp/events')
    return found


@suite.test
def the_devices_are_found(t):
    guest = usb(t)
    check('xhci_hcd' in guest.run('readlink /sys/bus/pci/devices/*/usb1/../driver'), 'no xhci_hcd')
    names = guest.run('cat /sys/bus/usb/devices/*/product')
    for name in ('QEMU USB Keyboard', 'QEMU USB Tablet', 'QEMU USB HARDDRIVE'):
        check(name in names, names)
    equal(guest.run('dmesg | grep -iE "xhci|usb" | grep -iE "error|warn|fail|timeout"'), '', 'complaints of the kernel')


@suite.test
def keys_arrive(t):
    guest = usb(t)
    found = events(guest, input_of(guest, 'QEMU USB Keyboard'),
                   lambda: guest.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'b'}]}), (EV_KEY, KEY_B))
    check((EV_KEY, KEY_B, 1) in found, found)


@suite.test
def a_disk_keeps_what_is_written(t):
    guest = usb(t)
    equal(guest.run('cat /sys/block/sda/size'), str(DISK_BYTES // 512), 'sectors of the disk')
    guest.run('seq 1 650000 | head -c 4194304 >/tmp/numbers; dd if=/tmp/numbers of=/dev/sda bs=1M seek=2 conv=fsync')
    expected = b''.join(b'%d\n' % n for n in range(1, 650001))[:4 << 20]
    with open(guest.stick, 'rb') as file:
        file.seek(2 << 20)
        check(file.read(4 << 20) == expected, 'the image has other bytes than the guest wrote')
    guest.run('echo 3 >/proc/sys/vm/drop_caches')
    command = 'dd if=/dev/sda bs=1M skip=2 count=4 2>/dev/null | cmp - /tmp/numbers && echo same'
    equal(guest.run(command).split()[-1], 'same', 'what the guest reads back')


@suite.test
def a_device_comes_and_goes(t):
    guest = usb(t)
    guest.qmp.execute('device_add', {'driver': 'usb-mouse', 'id': 'mouse', 'bus': 'usb.0'})
    wait_until(lambda: 'QEMU USB Mouse' in guest.run('cat /sys/bus/usb/devices/*/product'), 'the mouse')
    guest.qmp.execute('device_del', {'id': 'mouse'})
    guest.qmp.wait_event('DEVICE_DELETED')
    wait_until(lambda: 'QEMU USB Mouse' not in guest.run('cat /sys/bus/usb/devices/*/product'), 'the mouse going')


if __name__ == '__main__':
    run(suite)
