#!/usr/bin/python3
"""USB as SeaBIOS finds it: a keyboard that types, and a disk that it boots from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check
from harness.wait import wait_until

suite = Suite(__doc__)

HELLO = b'booted from USB'


def boot_sector():
    """Reads the sector after it and writes the text there to the debug console and to the screen; then each character
    that somebody types."""
    code = bytes.fromhex(
        'fa31c08ed88ec08ed0bc007cfb'      # a stack, and all segments at 0
        'b80102bb007eb90200b600cd13'      # int 13: sector 2 of the boot drive to 0x7e00
        'be007e'                          # its text, until a zero:
        'ac84c0740dba0204eeb40ebb0700cd10ebee'  # to port 0x402 and, with int 10, to the screen
        '31c0cd16ba0204eeebf6')           # int 16: a key; to port 0x402; and again
    return code.ljust(510, b'\0') + b'\x55\xaa'


def disk(path):
    """A disk with the boot sector, the text behind it, and a little room."""
    path.write_bytes((boot_sector() + HELLO.ljust(512, b'\0')).ljust(1 << 20, b'\0'))
    return path


def with_log(t, *options, controller=('-device', 'qemu-xhci,id=usb'), **settings):
    """A guest whose firmware writes what it does to the debug console; and that log's path."""
    log = t.directory / 'log'
    guest = t.vmm(['-chardev', f'file,id=debug,path={log}', '-device', 'isa-debugcon,iobase=0x402,chardev=debug',
                   *controller, *options], **settings)
    return guest, log


def wait_log(guest, log, text):
    def there():
        check(guest.program.running(), f'the guest ended: {guest.program.err()}')
        return text in log.read_text(errors='replace')
    wait_until(there, f'{text!r} in the firmware\'s log')


@suite.test
def a_boot_sector_starts_from_storage(t):
    """On a USB 3 port, with the sector behind it read through the firmware's disk calls."""
    path = disk(t.directory / 'disk')
    guest, log = with_log(t, '-drive', f'file={path},format=raw,if=none,id=stick', '-device', 'usb-storage,drive=stick')
    wait_log(guest, log, HELLO.decode())
    text = log.read_text(errors='replace')
    check('USB MSC vendor=\'QEMU\' product=\'QEMU HARDDISK\'' in text, text)
    check('speed 4 [Super]' in text, text)


@suite.test
def a_keyboard_types(t):
    """Keys go to the keyboard that the firmware configured, shifted ones as well, and repeat while they are held."""
    path = disk(t.directory / 'disk')
    guest, log = with_log(t, '-device', 'usb-kbd', '-drive', f'file={path},format=raw,if=none,id=stick',
                          '-device', 'usb-storage,drive=stick,port=4')
    wait_log(guest, log, HELLO.decode())
    check('USB keyboard initialized' in log.read_text(errors='replace'), 'the firmware did not find the keyboard')
    for keys in (['v'], ['shift', 'n'], ['c']):
        guest.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': key} for key in keys]})
    wait_log(guest, log, HELLO.decode() + 'vNc')
    client = guest.vnc()
    client.key(ord('x'), True)
    wait_log(guest, log, 'xxxx')
    client.key(ord('x'), False)


@suite.test
def a_pc_has_a_controller_of_its_own(t):
    """USB 1.1: the disk is booted from and the keyboard types, both at full speed."""
    path = disk(t.directory / 'disk')
    guest, log = with_log(t, '-device', 'usb-kbd', '-drive', f'file={path},format=raw,if=none,id=stick',
                          '-device', 'usb-storage,drive=stick', controller=('-M', 'pc', '-usb'))
    wait_log(guest, log, HELLO.decode())
    text = log.read_text(errors='replace')
    check('UHCI init on dev 00:01.2' in text and 'USB keyboard initialized' in text, text)
    guest.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'u'}]})
    wait_log(guest, log, HELLO.decode() + 'u')


if __name__ == '__main__':
    suite.main()
