#!/usr/bin/python3
"""What a stock Debian guest finds on both boards: devices in their places, processors, nodes, tables that stand up.

The guest tells with lspci, dmidecode, acpidump and its own files, on a disk; iasl takes every ACPI table apart and
compiles it again. Then disks come and go, and the guest sleeps and wakes. Runs itself in the lab where this
machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in for vitrine, which shows that the tests
are right.
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
from harness.vmm import kind_under_test
from harness.wait import Timeout, wait_until
from lab.images import ARGUMENTS, TOOLS, images
from lab.stock import PROMPT, StockGuest, run

DUMP_BYTES = 8 << 20
LATE_BYTES = 4 << 20
COMPLAINTS = re.compile(r'acpi.*(error|warning|bug|invalid|fail)|firmware bug|can.t (assign|claim)|no compatible bridge window|'
                        r'conflicts with|bad checksum|DMI.*broken|BAR.*(can.t|no space|failed)', re.IGNORECASE)
# What Linux says of every guest that has no such thing.
HARMLESS = re.compile(r'_OSC.*(AE_NOT_FOUND|failed)|Unable to query|tables not found|PM: |hest|ERST|BERT|pci=nocrs|'
                      r'fail to add MMCONFIG|bridge window \[io  size', re.IGNORECASE)
NODES = ['-object', 'memory-backend-ram,id=near,size=64M', '-object', 'memory-backend-memfd,id=far,size=128M']

suite = Suite(__doc__)


class Board:
    """How a board's guest is made, and what it has to find."""

    def __init__(self, root, options, places, cpus, tables):
        self.root, self.options, self.places, self.cpus, self.tables = root, options, places, cpus, tables


# Places and identities are those of QEMU 7.2 with these options; virtio devices by what they are.
BOARDS = {
    'q35': Board('pcie.0', [
        '-machine', 'q35', '-cpu', 'Skylake-Client', '-smp', '4,sockets=2,cores=1,threads=2', *NODES,
        '-numa', 'node,nodeid=0,cpus=0-1,memdev=near', '-numa', 'node,nodeid=1,cpus=2-3,memdev=far',
        '-numa', 'dist,src=0,dst=1,val=21',
        '-device', 'pcie-root-port,id=port1,chassis=1,slot=1,bus=pcie.0,addr=4.0,multifunction=on',
        '-device', 'pcie-root-port,id=port2,chassis=1,slot=2,bus=pcie.0,addr=4.1',
        '-device', 'pci-bridge,id=bridge,chassis_nr=1,bus=pcie.0,addr=5',
        '-device', 'virtio-rng-pci,bus=bridge,addr=3',
        '-device', 'pxb-pcie,id=expander,bus_nr=0x40,numa_node=1,bus=pcie.0,addr=7',
        '-device', 'pcie-root-port,id=port3,bus=expander,chassis=2,slot=1',
        '-device', 'virtio-balloon-pci,bus=port3'], {
            '00:00.0': '8086:29c0', '00:01.0': '1234:1111', '00:02.0': 'block', '00:03.0': 'block',
            '00:04.0': '1b36:000c', '00:04.1': '1b36:000c', '00:05.0': '1b36:0001', '00:07.0': '1b36:000b',
            '00:08.0': 'console', '00:08.1': 'input', '00:1f.0': '8086:2918', '00:1f.2': '8086:2922',
            '00:1f.3': '8086:2930', '03:03.0': 'rng', '40:00.0': '1b36:000c', '41:00.0': 'balloon'},
        ['0 0 0-1', '0 0 0-1', '1 0 2-3', '1 0 2-3'],
        {'APIC', 'DSDT', 'FACP', 'FACS', 'HPET', 'MCFG', 'SLIT', 'SRAT', 'WAET'}),
    'pc': Board('pci.0', [
        '-machine', 'pc', '-cpu', 'EPYC', '-smp', '2,sockets=1,cores=2,threads=1', *NODES,
        '-numa', 'node,nodeid=0,cpus=0-1,memdev=near', '-numa', 'node,nodeid=1,memdev=far',
        '-numa', 'dist,src=0,dst=1,val=21',
        '-device', 'pci-bridge,id=bridge,chassis_nr=1,bus=pci.0,addr=5',
        '-device', 'virtio-rng-pci,bus=bridge,addr=3',
        '-device', 'pxb,id=expander,bus_nr=0x40,numa_node=1,bus=pci.0,addr=7',
        '-device', 'virtio-balloon-pci,bus=expander,addr=1'], {
            '00:00.0': '8086:1237', '00:01.0': '8086:7000', '00:01.1': '8086:7010', '00:01.3': '8086:7113',
            '00:02.0': '1234:1111', '00:03.0': 'block', '00:04.0': 'block', '00:05.0': '1b36:0001',
            '00:07.0': '1b36:0009', '00:08.0': 'console', '00:08.1': 'input', '01:03.0': 'rng',
            '40:00.0': '1b36:0001', '41:01.0': 'balloon'},
        ['0 0 0', '0 1 1'],
        {'APIC', 'DSDT', 'FACP', 'FACS', 'HPET', 'SLIT', 'SRAT', 'WAET'}),
}
# Of either generation of their interface.
VIRTIO = {'block': {'1af4:1001', '1af4:1042'}, 'console': {'1af4:1003', '1af4:1043'}, 'rng': {'1af4:1005', '1af4:1044'},
          'balloon': {'1af4:1002', '1af4:1045'}, 'input': {'1af4:1052'}}


class Platform:
    """A guest, and what it told of itself: files by name."""

    def __init__(self, context, name):
        for tool in TOOLS:
            need_program(tool)
        self.board = BOARDS[name]
        self.dump, late, ramdisk = (context.directory / f'{name}.{end}' for end in ('dump', 'late', 'ramdisk'))
        for image, size in ((self.dump, DUMP_BYTES), (late, LATE_BYTES)):
            with open(image, 'wb') as file:
                file.truncate(size)
        ramdisk.write_bytes((images() / 'initramfs').read_bytes() + (images() / 'tools').read_bytes())
        self.guest = StockGuest(context, name, [
            '-drive', f'file={self.dump},format=raw,if=none,id=dump',
            '-device', f'virtio-blk-pci,drive=dump,bus={self.board.root}', *self.board.options,
            '-device', f'virtio-serial-pci,bus={self.board.root},addr=8.0,multifunction=on',
            '-device', f'virtio-keyboard-pci,bus={self.board.root},addr=8.1',
            '-drive', f'file={late},format=raw,if=none,id=late',
            '-kernel', images() / 'vmlinuz', '-initrd', ramdisk, '-append', ARGUMENTS])
        self.run, self.qmp = self.guest.run, self.guest.qmp
        self.guest.wait_started()
        self.guest.log_in()
        self.run('dmesg -n 1')
        equal(self.run('tell >/dev/vdb && sync; echo told $?').split()[-1], '0', 'how telling ended')
        with tarfile.open(fileobj=io.BytesIO(self.dump.read_bytes())) as archive:
            self.files = {entry.name.removeprefix('all/'): archive.extractfile(entry).read()
                          for entry in archive if entry.isfile()}
        keep(self.files, name)

    def text(self, name):
        return self.files[name].decode(errors='replace')

    def lines(self, name):
        return self.text(name).splitlines()

    def there(self, path):
        return self.run(f'[ -e {path} ] && echo there || echo gone').split()[-1] == 'there'


def keep(files, board):
    """Leave them for people to look at."""
    folder = os.environ.get('LAB_OUT')
    for name, data in files.items() if folder else ():
        path = Path(folder) / kind_under_test() / board / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def on_both_boards(function):
    """A test of each board's guest."""
    for name in BOARDS:
        def one(t, name=name):
            function(t, t.shared(name, lambda context: Platform(context, name)))
        one.__name__ = f'{function.__name__}_{name}'
        suite.test(one)


def q35(t):
    return t.shared('q35', lambda context: Platform(context, 'q35'))


@on_both_boards
def devices_are_in_their_places_on(_t, platform):
    found = {line.split()[0]: re.search(r'Device \[(....:....)\]', line).group(1) for line in platform.lines('lspci')}
    for place, what in platform.board.places.items():
        check(found.get(place) in VIRTIO.get(what, {what}), f'{place}: {found.get(place)}, expected {what}')
    equal(set(found), set(platform.board.places), 'the places that are taken')
    details = platform.text('lspci-long')
    check(not re.search('unassigned|ignored|access denied|unknown header', details), details)
    equal(details.count('Kernel driver in use: virtio-pci'), 6, 'virtio devices that have a driver')


@on_both_boards
def the_log_has_no_complaint_on(_t, platform):
    complaints = [line for line in platform.lines('log') if COMPLAINTS.search(line) and not HARMLESS.search(line)]
    check(not complaints, 'the guest complains:\n' + '\n'.join(complaints))


@on_both_boards
def acpi_tables_stand_up_on(t, platform):
    iasl = need_program('iasl')
    tables = {name.removeprefix('acpi/'): data for name, data in platform.files.items()
              if name.startswith('acpi/') and name.count('/') == 1}
    check(platform.board.tables <= set(tables), f'tables are missing among {sorted(tables)}')
    for name, data in tables.items():
        table = t.directory / f'{name}.aml'
        table.write_bytes(data)
        for arguments in (['-d', table], ['-vw', '3168', '-oa', table.with_suffix('.dsl')]):
            made = subprocess.run([iasl, *arguments], capture_output=True, text=True, check=False)
            check(made.returncode == 0 and 'Error ' not in made.stdout + made.stderr, f'iasl and {name}: {made.stdout}{made.stderr}')
    for name in sorted(platform.board.tables - {'FACS'}):
        check(f'{name} @ 0x' in platform.text('acpidump'), f'acpidump has no {name}')


@on_both_boards
def dmi_tables_stand_up_on(t, platform):
    """dmidecode reads a file that begins with the entry point, whose table's address is an offset in the file."""
    entry, tables = bytearray(platform.files['dmi/smbios_entry_point']), platform.files['dmi/DMI']
    at = 32
    if entry.startswith(b'_SM3_'):
        entry[16:24] = struct.pack('<Q', at)
        entry[5] = (entry[5] - sum(entry)) & 0xff
    else:
        entry[24:28] = struct.pack('<I', at)
        entry[21] = (entry[21] - sum(entry[16:])) & 0xff
        entry[4] = (entry[4] - sum(entry)) & 0xff
    dump = t.directory / 'dmi.bin'
    dump.write_bytes(bytes(entry).ljust(at, b'\0') + tables)
    made = subprocess.run([need_program('dmidecode'), '--from-dump', dump], capture_output=True, text=True, check=False)
    equal(made.returncode, 0, "dmidecode's exit status")
    for text in (made.stdout + made.stderr, platform.text('dmidecode')):
        check(not re.search(r'broken|truncated|wrong|invalid|bad |mismatch', text, re.IGNORECASE), text)
        for heading in ('BIOS Information', 'System Information', 'Chassis Information', 'Processor Information',
                        'Physical Memory Array', 'Memory Device', 'Memory Array Mapped Address',
                        'System Boot Information', 'End Of Table'):
            check(heading in text, f'no {heading} among: {text}')


@on_both_boards
def processors_and_nodes_are_as_said_on(_t, platform):
    equal(platform.lines('topology'), platform.board.cpus, 'socket, core and siblings of each processor')
    nodes = [line.split() for line in platform.lines('nodes')]
    last = len(platform.board.cpus) - 1
    cpus = [f'0-{last // 2}', f'{last // 2 + 1}-{last}'] if last > 1 else [f'0-{last}']
    equal([node[0] for node in nodes if len(node) == 4], cpus, 'the processors of nodes')
    equal([node[-3:-1] for node in nodes], [['10', '21'], ['21', '10']], 'the distances')
    check(int(nodes[0][-1]) < 64 << 10 < int(nodes[1][-1]) < 128 << 10, f"nodes' memory: {nodes}")
    places = dict(line.split() for line in platform.lines('pci-nodes'))
    behind = '41:00.0' if platform.board.root == 'pcie.0' else '41:01.0'
    equal(places[f'0000:{behind}'], '1', 'the node of a device behind the expander')
    equal(places['0000:00:08.0'], '-1', 'the node of a device on the board')


@on_both_boards
def buttons_and_sleep_states_are_there_on(_t, platform):
    inputs = platform.lines('inputs')
    check({'Power Button', 'AT Translated Set 2 keyboard'} <= set(inputs), f'inputs: {inputs}')
    check(kind_under_test() == 'qemu' or 'Sleep Button' in inputs, f'inputs: {inputs}')
    check({'mem', 'disk'} <= set(platform.text('power').split()), f"sleep states: {platform.text('power')}")


def remove(platform, device):
    platform.qmp.execute('device_del', {'id': device})
    while platform.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != device:
        pass


# Native hot-plug of PCI Express on q35; by ACPI on pc, behind a bridge too.
HOT_PLACES = {
    'pcie.0': [({'bus': 'port1'}, '01:00.0'), ({'bus': 'port1'}, '01:00.0')],
    'pci.0': [({'bus': 'pci.0', 'addr': '0xa'}, '00:0a.0'), ({'bus': 'bridge', 'addr': '4'}, '01:04.0'),
              ({'bus': 'pci.0', 'addr': '0xa'}, '00:0a.0')],
}


@on_both_boards
def disks_come_and_go_on(_t, platform):
    for place, address in HOT_PLACES[platform.board.root]:
        platform.qmp.execute('device_add', {'driver': 'virtio-blk-pci', 'id': 'hot', 'drive': 'late', **place})
        wait_until(lambda: platform.there('/dev/vdc'), f'/dev/vdc appearing at {address}')
        equal(platform.run('cat /sys/block/vdc/size').split()[-1], str(LATE_BYTES // 512), 'its sectors')
        platform.run('echo hot | dd of=/dev/vdc conv=fsync')
        bars = platform.run(f'lspci -v -s {address}')
        check('unassigned' not in bars and 'virtio-pci' in bars, f'the disk at {address}: {bars}')
        if address == '00:0a.0':
            check(re.search(r'Memory at [0-9a-f]{9,} \(64-bit, prefetchable\)', bars), f'a BAR above 4 GiB: {bars}')
        remove(platform, 'hot')
        wait_until(lambda: not platform.there('/dev/vdc'), '/dev/vdc going away')


@suite.test
def a_sleeping_guest_is_woken(t):
    """On q35; tests/system/test_sleep.py has both boards."""
    platform = q35(t)
    serial, start = platform.guest.serial, platform.guest.serial.position
    serial.send('echo mem >/sys/power/state; echo awake $?\n')
    try:
        platform.qmp.wait_event('SUSPEND')
        equal(platform.qmp.execute('query-status')['status'], 'suspended', 'the state')
        platform.qmp.execute('system_wakeup')
        platform.qmp.wait_event('WAKEUP')
        serial.expect(r'\nawake 0')
    except Timeout as timeout:
        raise AssertionError(f'{timeout}; the guest said: {serial.log[start:]}') from timeout
    serial.expect(PROMPT)
    equal(platform.run('dd if=/dev/vda of=/dev/null count=1 2>/dev/null; echo read $?').split()[-1], '0', 'reading the disk')
    equal(platform.run('grep -c ^processor /proc/cpuinfo').split()[-1], str(len(platform.board.cpus)), 'processors afterwards')


if __name__ == '__main__':
    run(suite)
