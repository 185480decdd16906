#!/usr/bin/python3
"""Puts the demo's parts together: BOOT SETUP PROGRAM -> DISK BZIMAGE.

The Linux boot image is the set-up part, told how long the program is, and the program. The disk is the boot
sector and the boot image, filled up to a MiB so that the loader may read in large pieces.
"""

import struct
import sys
from pathlib import Path

PARAGRAPH = 16
SYSTEM_PARAGRAPHS = 0x1f4
DISK_BYTES = 1 << 20


def main():
    boot, setup, program = (Path(name).read_bytes() for name in sys.argv[1:4])
    setup = bytearray(setup)
    program += bytes(-len(program) % PARAGRAPH)
    struct.pack_into('<I', setup, SYSTEM_PARAGRAPHS, len(program) // PARAGRAPH)
    image = bytes(setup) + program
    if len(boot) != 512 or len(setup) % 512 or len(boot) + len(image) > DISK_BYTES - 65536:
        sys.exit(f'make-images.py: boot sector of {len(boot)} bytes, set-up of {len(setup)}, '
                 f'all of {len(boot) + len(image)}: must be 512, whole sectors, and fit the disk')
    Path(sys.argv[4]).write_bytes((boot + image).ljust(DISK_BYTES, b'\0'))
    Path(sys.argv[5]).write_bytes(image)


main()
