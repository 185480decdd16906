#!/usr/bin/python3
"""What the firmware tells a stock Linux guest, on both boards: no complaint in its log, and tables that stand up.

The guest copies its ACPI and SMBIOS tables to a disk; iasl takes every ACPI table apart and compiles it again,
dmidecode reads the others. Runs itself in the lab where this machine's KVM cannot run stock guests. With
`--vmm qemu` QEMU stands in for vitrine.
"""

import io
import os
import re
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal, need_program
from harness.vmm import bed
from lab.images import ARGUMENTS, images
from lab.stock import PROMPT, enter_the_lab

LAB_SECONDS = 700
DUMP_BYTES = 4 << 20
COMPLAINTS = re.compile(r'acpi.*(error|warning|bug|invalid|fail)|firmware bug|can.t (assign|claim)|no compatible bridge window|'
                        r'conflicts with|bad checksum|DMI.*broken', re.IGNORECASE)
# What Linux says of every guest that has no such thing.
HARMLESS = re.compile(r'_OSC.*(AE_NOT_FOUND|failed)|Unable to query|tables not found|PM: |hest|ERST|BERT|pci=nocrs|'
                      r'fail to add MMCONFIG', re.IGNORECASE)
BOARDS = {
    'q35': ['-machine', 'q35', '-smp', '2'],
    'pc': ['-machine', 'pc', '-smp', '2'],
}

suite = Suite(__doc__)


class Told:
    """What one guest was told: its log, and its tables by name."""

    def __init__(self, context, board, options):
        dump = context.directory / f'{board}.img'
        with open(dump, 'wb') as image:
            image.truncate(DUMP_BYTES)
        vmm = context.vmm(['-m', '192', *options, '-drive', f'file={dump},format=raw,if=none,id=dump',
                           '-device', 'virtio-blk-pci,drive=dump', '-kernel', images() / 'vmlinuz',
                           '-initrd', images() / 'initramfs', '-append', f'{ARGUMENTS} firmware_tables'],
                          name=board, vnc=False, defaults=False)
        vmm.serial.expect('guest: started')
        vmm.serial.expect('stock login: ')
        vmm.serial.send('root\n')
        vmm.serial.expect('Password: ')
        vmm.serial.send('console\n')
        vmm.serial.expect(PROMPT)
        vmm.serial.send('cd /tmp; mkdir all; cp -r /sys/firmware/acpi/tables all/acpi; cp -r /sys/firmware/dmi/tables all/dmi\n')
        vmm.serial.expect(PROMPT)
        vmm.serial.send('dmesg >all/log; cat /proc/interrupts >all/interrupts; tar c all >/dev/vda; sync; echo copied\n')
        vmm.serial.expect(r'\ncopied')
        vmm.serial.expect(PROMPT)
        vmm.serial.send('poweroff\n')
        check(vmm.qmp.wait_event('SHUTDOWN')['data']['guest'], 'SHUTDOWN does not say that the guest did it')
        equal(vmm.wait_exit(), 0, 'the exit status')
        with tarfile.open(fileobj=io.BytesIO(dump.read_bytes())) as archive:
            self.files = {entry.name.removeprefix('all/'): archive.extractfile(entry).read()
                          for entry in archive if entry.isfile()}
        self.log = self.files['log'].decode(errors='replace')
        keep(self.files, board)

    def tables(self):
        return {name.removeprefix('acpi/'): data for name, data in self.files.items()
                if name.startswith('acpi/') and name.count('/') == 1}


def keep(files, board):
    """Leave them for people to look at."""
    folder = os.environ.get('LAB_OUT')
    for name, data in files.items() if folder else ():
        path = Path(folder) / board / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def check_log(told):
    complaints = [line for line in told.log.splitlines() if COMPLAINTS.search(line) and not HARMLESS.search(line)]
    check(not complaints, 'the guest complains:\n' + '\n'.join(complaints))


def check_acpi(told, directory, expected):
    iasl = need_program('iasl')
    tables = told.tables()
    check(expected <= set(tables), f'tables {sorted(expected - set(tables))} are missing among {sorted(tables)}')
    for name, data in tables.items():
        table = directory / f'{name}.aml'
        table.write_bytes(data)
        for arguments in (['-d', table], ['-vw', '3168', '-oa', table.with_suffix('.dsl')]):
            run = subprocess.run([iasl, *arguments], capture_output=True, text=True, check=False)
            check(run.returncode == 0 and 'Error ' not in run.stdout + run.stderr, f'iasl and {name}: {run.stdout}{run.stderr}')


def check_smbios(told, directory):
    """dmidecode reads a file that begins with the entry point, whose table's address is an offset in the file."""
    entry, tables = bytearray(told.files['dmi/smbios_entry_point']), told.files['dmi/DMI']
    at = 32
    if entry.startswith(b'_SM3_'):
        entry[16:24] = struct.pack('<Q', at)
        entry[5] = (entry[5] - sum(entry)) & 0xff
    else:
        entry[24:28] = struct.pack('<I', at)
        entry[21] = (entry[21] - sum(entry[16:])) & 0xff
        entry[4] = (entry[4] - sum(entry)) & 0xff
    dump = directory / 'dmi.bin'
    dump.write_bytes(bytes(entry).ljust(at, b'\0') + tables)
    run = subprocess.run([need_program('dmidecode'), '--from-dump', dump], capture_output=True, text=True, check=False)
    equal(run.returncode, 0, "dmidecode's exit status")
    text = run.stdout + run.stderr
    check(not re.search(r'broken|truncated|wrong|invalid|bad |mismatch', text, re.IGNORECASE), text)
    for heading in ('BIOS Information', 'System Information', 'Chassis Information', 'Processor Information',
                    'Physical Memory Array', 'Memory Device', 'Memory Array Mapped Address', 'System Boot Information',
                    'End Of Table'):
        check(heading in text, f'no {heading} among: {text}')


def board_test(board, expected):
    def run(t):
        told = Told(t, board, BOARDS[board])
        check_log(told)
        check_acpi(told, t.directory, expected)
        check_smbios(told, t.directory)
    run.__name__ = f'{board}_tells_a_stock_guest_what_it_needs'
    suite.test(run)


board_test('q35', {'APIC', 'DSDT', 'FACP', 'FACS', 'MCFG', 'WAET'})
board_test('pc', {'APIC', 'DSDT', 'FACP', 'FACS', 'WAET'})

if __name__ == '__main__':
    if bed() != 'stock guests' and not os.environ.get('LAB'):
        sys.stdout.flush()
        os.environ.setdefault('VITRINE_TEST_LIMIT', '300')
        enter_the_lab(LAB_SECONDS)
    suite.main()
