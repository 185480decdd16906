#!/usr/bin/python3
"""Sleep with memory kept (S3), through SeaBIOS: a boot sector names itself in the FACS as what is to go on, and sleeps.

When it is woken, what it named ends the guest with a number of its own.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal

EXIT_PORT = 0x501
DISK_BYTES = 1 << 20
LOADED = 0x7c00
WAKING = LOADED + 0x100  # a segment begins there
TABLES = 0x7f00000  # in the last of 128 MiB
PM1_CONTROL = 0x604
SLEEP = 1 << 13 | 1 << 10
AWAKE = 7

suite = Suite(__doc__)


def alarm():
    """Every second: alarm registers that match anything, and the alarm's interrupt."""
    return b''.join(bytes((0xb0, register, 0xe6, 0x70, 0xb0, value, 0xe6, 0x71))
                    for register, value in ((1, 0xff), (3, 0xff), (5, 0xff), (0xb, 0x22)))


def boot_sector(before):
    """Protected mode, the FACS's waking vector, sleep; behind it the code that goes on."""
    real = before + b'\xfa\x0f\x01\x16' + struct.pack('<H', LOADED + 0x80) + b'\x0f\x20\xc0\x0c\x01\x0f\x22\xc0'  # cli, lgdt, cr0.pe
    real += b'\xea' + struct.pack('<HH', LOADED + len(real) + 5, 0x08)
    protected = b'\x66\xb8\x10\x00\x8e\xd8\xbf' + struct.pack('<I', TABLES)
    protected += b'\x81\x3fFACS\x74\x05\x83\xc7\x40\xeb\xf3'  # every 64 bytes
    protected += b'\xc7\x47\x0c' + struct.pack('<I', WAKING)
    protected += b'\x66\xba' + struct.pack('<H', PM1_CONTROL) + b'\x66\xb8' + struct.pack('<H', SLEEP) + b'\x66\xef\xf4\xeb\xfd'
    table = struct.pack('<HI', 23, LOADED + 0x88).ljust(8, b'\0') + bytes(8)
    table += bytes.fromhex('ffff0000009acf00 ffff00000092cf00')
    code = (real + protected).ljust(0x80, b'\0') + table
    waking = bytes((0xba, EXIT_PORT & 0xff, EXIT_PORT >> 8, 0xb0, AWAKE, 0xee, 0xf4, 0xeb, 0xfd))
    return (code.ljust(0x100, b'\0') + waking).ljust(510, b'\0') + b'\x55\xaa'


def asleep(t, machine, before=b''):
    disk = t.directory / f'{machine}.img'
    disk.write_bytes(boot_sector(before).ljust(DISK_BYTES, b'\0'))
    vmm = t.vmm(['-machine', machine, '-m', '128', '-device', 'isa-debug-exit', '-drive', f'file={disk},format=raw,if=none,id=d',
                 '-device', 'virtio-blk-pci,drive=d'], name=machine, vnc=False, defaults=False)
    vmm.qmp.wait_event('SUSPEND')
    if before:
        return vmm
    equal(vmm.qmp.execute('query-status'), {'running': False, 'singlestep': False, 'status': 'suspended'}, 'the status')
    return vmm


def on_both_boards(function):
    for machine in ('q35', 'pc'):
        def one(t, machine=machine):
            function(t, machine)
        one.__name__ = f'{function.__name__}_{machine}'
        suite.test(one)


@on_both_boards
def a_guest_goes_on_where_it_said_on(t, machine):
    vmm = asleep(t, machine)
    check(vmm.qmp.execute('query-current-machine')['wakeup-suspend-support'], 'waking is not supported')
    vmm.qmp.execute('system_wakeup')
    vmm.qmp.wait_event('WAKEUP')
    equal(vmm.wait_exit(), 2 * AWAKE + 1, 'the exit status')


@suite.test
def a_key_wakes(t):
    vmm = asleep(t, 'q35')
    vmm.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'a'}]})
    vmm.qmp.wait_event('WAKEUP')
    equal(vmm.wait_exit(), 2 * AWAKE + 1, 'the exit status')


@on_both_boards
def the_alarm_of_the_clock_wakes_on(t, machine):
    vmm = asleep(t, machine, alarm())
    vmm.qmp.wait_event('WAKEUP')
    equal(vmm.wait_exit(), 2 * AWAKE + 1, 'the exit status')


@suite.test
def a_reset_ends_the_sleep(t):
    """The firmware starts the guest as ever, which goes to sleep once more."""
    vmm = asleep(t, 'q35')
    vmm.qmp.execute('system_reset')
    vmm.qmp.wait_event('RESET')
    vmm.qmp.wait_event('SUSPEND')


if __name__ == '__main__':
    suite.main()
