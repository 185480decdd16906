#!/usr/bin/python3
"""Disk requests of a stock guest on virtio-blk over a raw image: vitrine and QEMU in one run.

    disk.py [ROUNDS]

fio in the guest reads and writes past the guest's cache, at several depths. Both guests are there from the
start and take turns, ROUNDS times (3), so that what else this machine does is the same for both; medians
count. Runs itself in the lab where this machine's KVM cannot run stock guests; only the ratio says
anything there.
"""

import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Context
from harness.vmm import bed
from lab.disk_tools import initramfs_with_disk_tools
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, enter_the_lab

MIB = 1 << 20
DISK_BYTES = 64 * MIB
SECONDS = 2
LAB_SECONDS = 900
KINDS = ('vitrine', 'qemu')
# Name, what fio does, bytes at a time, requests under way at a time.
MEASURES = (
    ('random read 4k, 1', 'randread', '4k', 1),
    ('random read 4k, 8', 'randread', '4k', 8),
    ('random read 4k, 32', 'randread', '4k', 32),
    ('random write 4k, 1', 'randwrite', '4k', 1),
    ('random write 4k, 8', 'randwrite', '4k', 8),
    ('random write 4k, 32', 'randwrite', '4k', 32),
    ('read 128k, 4', 'read', '128k', 4),
    ('write 128k, 4', 'write', '128k', 4),
)
# Fields of fio's terse output, version 3.
ERROR, READ_IOPS, WRITE_IOPS = 4, 7, 48
SCRIPTS = {
    'measure': f'''
fio --name=m --thread --direct=1 --ioengine=libaio --filename=/dev/vdb --rw=$1 --bs=$2 --iodepth=$3 --time_based \\
	--runtime={SECONDS} --gtod_reduce=1 --output-format=terse --terse-version=3 2>/tmp/fio.err | tr '\\n' ' '
echo "fio ended"
''',
}


class Measured(StockGuest):
    def __init__(self, kind):
        os.environ['VITRINE_TEST_VMM'] = kind
        self.context = Context()
        data = self.context.directory / 'data.img'
        with open(data, 'wb') as image:
            for _ in range(DISK_BYTES // MIB):
                image.write(b'\x55' * MIB)
        super().__init__(self.context, kind, [
            '-drive', f'file={data},format=raw,if=none,id=data', '-device', 'virtio-blk-pci,drive=data',
            '-kernel', images() / 'vmlinuz', '-initrd', initramfs_with_disk_tools(SCRIPTS), '-append', ARGUMENTS])
        self.wait_started()
        self.log_in()

    def requests(self, what, size, depth):
        """Requests each second."""
        self.serial.send(f'measure {what} {size} {depth}\n')
        fields = self.serial.expect(r'3;fio-.*fio ended')[0].split(';')
        self.serial.expect('stock# ')
        if fields[ERROR] != '0':
            raise SystemExit(f'disk.py: fio failed: {fields}')
        return float(fields[READ_IOPS]) + float(fields[WRITE_IOPS])

    def end(self):
        self.context.end(False)


def main():
    if not os.environ.get('LAB'):
        initramfs_with_disk_tools(SCRIPTS)
    if bed() != 'stock guests' and not os.environ.get('LAB'):
        enter_the_lab(LAB_SECONDS)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    sys.stdout.reconfigure(line_buffering=True)
    guests = {}
    try:
        for kind in KINDS:
            guests[kind] = Measured(kind)
        print(f'medians of {rounds} rounds; the number behind the comma is that of requests under way\n')
        print(f"{'requests/s':22}{'vitrine':>10}{'QEMU':>10}{'ratio':>8}")
        for name, *how in MEASURES:
            found = {kind: [] for kind in KINDS}
            for _ in range(rounds):
                for kind in KINDS:
                    found[kind].append(guests[kind].requests(*how))
            ours, theirs = (statistics.median(found[kind]) for kind in KINDS)
            print(f'{name:22}{ours:10.0f}{theirs:10.0f}{ours / theirs:8.2f}')
    finally:
        for guest in guests.values():
            guest.end()
    return 0


if __name__ == '__main__':
    sys.exit(main())
