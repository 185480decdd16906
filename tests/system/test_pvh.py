#!/usr/bin/python3
"""An ELF kernel with PVH's entry: what it is given, again after a reset.

The kernel is a few instructions that write command line, ramdisk and the root of the ACPI tables to the serial line.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check

ADDRESS = 0x100000
PHYS32_ENTRY = 18
# 32-bit code; %ebx has the address of hvm_start_info.
KERNEL = bytes.fromhex(
    'fc'  # cld
    '66baf803'  # mov $0x3f8, %dx
    '813b78c56e33 7401 f4'  # cmpl $MAGIC, (%ebx); je 1f; hlt; 1:
    '8b7318'  # mov 0x18(%ebx), %esi: the command line
    'ac 84c0 7403 ee ebf8'  # 1: lodsb; test %al, %al; jz 2f; out %al, %dx; jmp 1b; 2:
    '8b4b10 8b31 8b4908'  # the first module: its address to %esi, its size to %ecx
    'f36e'  # rep outsb
    '8b7320 b908000000 f36e'  # the RSDP's first 8 bytes
    '8b4330 0440 ee'  # the number of its entries as a letter
    'b00a ee'  # the end of the line
    'b0fe e664 f4 ebfd'  # reset by the keyboard controller
)

suite = Suite(__doc__)


def elf(code):
    header, program_header = 64, 56
    notes = struct.pack('<III4sI', 4, 4, PHYS32_ENTRY, b'Xen', ADDRESS)
    start = header + 2 * program_header
    return (b'\x7fELF\2\1\1'.ljust(16, b'\0')
            + struct.pack('<HHIQQQIHHHHHH', 2, 62, 1, 0, header, 0, 0, header, program_header, 2, 0, 0, 0)
            + struct.pack('<IIQQQQQQ', 1, 5, start, ADDRESS, ADDRESS, len(code), len(code), 4)
            + struct.pack('<IIQQQQQQ', 4, 4, start + len(code), 0, 0, len(notes), len(notes), 4) + code + notes)


def start(t, kernel, machine):
    image, ramdisk = t.directory / 'kernel', t.directory / 'ramdisk'
    image.write_bytes(kernel)
    ramdisk.write_bytes(b' the ramdisk ')
    return t.vmm(['-machine', machine, '-m', '64', '-kernel', image, '-initrd', ramdisk, '-append', 'the command line,'],
                 vnc=False, defaults=False)


def check_start(t, machine):
    vmm = start(t, elf(KERNEL), machine)
    for _ in range(2):
        match = vmm.serial.expect(r'the command line, the ramdisk RSD PTR ([A-Z])')
        check(match.group(1) >= 'D', f'the memory map has only {ord(match.group(1)) - 64} entries')


@suite.test
def q35_starts_it_and_again_after_a_reset(t):
    check_start(t, 'q35')


@suite.test
def pc_starts_it_and_again_after_a_reset(t):
    check_start(t, 'pc')


if __name__ == '__main__':
    suite.main()
