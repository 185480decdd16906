#!/usr/bin/python3
"""A stock guest's USB: the controller and what hangs on it, keys and lights, positions, a disk, coming and going."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.rfb import QEMU_LIGHTS
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

DISK_BYTES = 16 << 20
EV_KEY, EV_REL, EV_ABS = 1, 2, 3
KEY_B, BTN_LEFT, BTN_RIGHT = 48, 0x110, 0x111
X, Y, WHEEL = 0, 1, 8  # of EV_REL and EV_ABS
ABSOLUTE_MAX = 0x7fff
VNC_LEFT, VNC_RIGHT, VNC_WHEEL_UP, VNC_WHEEL_DOWN = 1, 4, 8, 16
LIGHT_SCROLL = 1

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


def with_old_usb(context):
    guest = StockGuest(context, 'old-usb', [
        '-M', 'pc', '-usb', '-device', 'usb-kbd,id=keys', '-device', 'usb-tablet,id=tablet',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.wait_started()
    guest.log_in()
    return guest


def old_usb(t):
    """A guest on pc with that board's own controller."""
    return t.shared('old-usb', with_old_usb)


def input_of(guest, name):
    """The event device of an input device that is there."""
    command = f'for e in /sys/class/input/event*; do grep -q "{name}" $e/device/name && basename $e; done'
    return wait_until(lambda: guest.run(command).split(), f'{name} as an input device')[-1]


def events(guest, device, act, wanted):
    """What an input device says while act() is done, again until each wanted event is there, a (type, code) or a (type, code,
    value): the first may come before anybody reads."""
    guest.run(f'dd if=/dev/input/{device} of=/tmp/events bs=24 2>/dev/null & reader=$!')

    def read():
        act()
        text = guest.run("hexdump -v -e '24/1 \"%02x\" \"\\n\"' /tmp/events")
        lines = [line for line in text.splitlines() if len(line) == 48]
        found = [struct.unpack('<HHi', bytes.fromhex(line)[16:]) for line in lines]
        return found if all(any(event[:len(want)] == want for event in found) for want in wanted) else None
    found = wait_until(read, f'events {wanted} of {device}')
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


def values(found, kind, code):
    return {event[2] for event in found if event[:2] == (kind, code)}


def keys_arrive(guest):
    found = events(guest, input_of(guest, 'QEMU USB Keyboard'),
                   lambda: guest.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'b'}]}), {(EV_KEY, KEY_B, 1)})
    check(values(found, EV_KEY, KEY_B) <= {0, 1}, found)


@suite.test
def keys_arrive_over_usb_3(t):
    keys_arrive(usb(t))


@suite.test
def lights_come_back(t):
    """What the kernel makes the keyboard show, a VNC client is told."""
    guest = usb(t)
    client = guest.vmm.vnc(pseudo=(QEMU_LIGHTS,))
    light = '/sys/class/input/' + input_of(guest, 'QEMU USB Keyboard') + '/device/input*::scrolllock/brightness'
    client.wait(lambda picture: client.lights is not None)
    for on in (1, 0):
        guest.run(f'echo {on} >$(echo {light})')
        client.wait_lights(client.lights & ~LIGHT_SCROLL | (LIGHT_SCROLL if on else 0))


def positions_are_absolute(guest):
    """Where a VNC client points is where the kernel is told that the pointer is."""
    client = guest.vmm.vnc()
    width, height = client.width, client.height
    # Two places in turn: the kernel says nothing of a position that has not changed.
    places = [((width - 1, height // 4), VNC_WHEEL_UP), ((0, height - 1), VNC_WHEEL_DOWN)]

    def act():
        places.reverse()
        (x, y), wheel = places[0]
        for buttons in (0, VNC_LEFT, 0, wheel, 0):
            client.pointer(x, y, buttons)
    found = events(guest, input_of(guest, 'QEMU USB Tablet'), act,
                   {(EV_ABS, X), (EV_ABS, Y), (EV_KEY, BTN_LEFT, 1), (EV_REL, WHEEL)})
    for code, size in ((X, width), (Y, height)):
        seen = {round(value * (size - 1) / ABSOLUTE_MAX) for value in values(found, EV_ABS, code)}
        check(seen <= {place[code] for place, _ in places}, found)
    check(values(found, EV_REL, WHEEL) <= {1, -1}, found)


@suite.test
def positions_are_absolute_over_usb_3(t):
    positions_are_absolute(usb(t))


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


def products(guest):
    return guest.run('cat /sys/bus/usb/devices/*/product')


@suite.test
def a_mouse_takes_the_place_of_the_tablet(t):
    """A tablet goes, a mouse comes: then a VNC client's moves are relative."""
    guest = usb(t)
    client = guest.vmm.vnc()
    guest.qmp.execute('device_del', {'id': 'tablet'})
    guest.qmp.wait_event('DEVICE_DELETED')
    wait_until(lambda: 'QEMU USB Tablet' not in products(guest), 'the tablet going')
    guest.qmp.execute('device_add', {'driver': 'usb-mouse', 'id': 'mouse', 'bus': 'usb.0'})
    wait_until(lambda: 'QEMU USB Mouse' in products(guest), 'the mouse')

    def act():
        for x, y, buttons in ((100, 50, 0), (107, 47, 0), (107, 47, VNC_RIGHT), (107, 47, 0), (107, 47, VNC_WHEEL_DOWN),
                              (107, 47, 0), (100, 50, 0)):
            client.pointer(x, y, buttons)
    found = events(guest, input_of(guest, 'QEMU USB Mouse'), act,
                   {(EV_REL, X), (EV_REL, Y), (EV_REL, WHEEL), (EV_KEY, BTN_RIGHT, 1)})
    check(values(found, EV_REL, X) <= {7, -7}, found)
    check(values(found, EV_REL, Y) <= {3, -3}, found)
    equal(values(found, EV_REL, WHEEL), {-1}, 'turns of the wheel')
    guest.qmp.execute('device_del', {'id': 'mouse'})
    guest.qmp.wait_event('DEVICE_DELETED')
    wait_until(lambda: 'QEMU USB Mouse' not in products(guest), 'the mouse going')


@suite.test
def the_controller_of_a_pc_is_driven(t):
    guest = old_usb(t)
    check('uhci_hcd' in guest.run('readlink /sys/bus/pci/devices/0000:00:01.2/driver'), 'no uhci_hcd')
    names = products(guest)
    check('QEMU USB Keyboard' in names and 'QEMU USB Tablet' in names, names)
    equal(guest.run('dmesg | grep -iE "uhci|usb" | grep -iE "error|warn|fail|timeout"'), '', 'complaints of the kernel')


@suite.test
def keys_and_positions_arrive_over_usb_1(t):
    keys_arrive(old_usb(t))
    positions_are_absolute(old_usb(t))


if __name__ == '__main__':
    run(suite)
