#!/usr/bin/python3
"""Our VGA against QEMU's: what a guest does there is done here, and read and shown alike.

A boot sector sets a mode through the stock VGA BIOS and draws by it, under QEMU with its accesses traced. vga-replay does
the same accesses to our VGA; what it shows is compared with QEMU's screendump.

    test_vga_qemu.py VGA_REPLAY
"""
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.case import Skip, Suite, check, equal, need_program  # noqa: E402
from harness.picture import read_picture  # noqa: E402
from harness.qmp import Qmp  # noqa: E402
from harness.wait import wait_until  # noqa: E402

TOLERANCE = 7  # of 255: QEMU fills up components of five and six bits with zeroes, where we go up to 0xff
VIDEO_MEMORY = 4 << 20
REPLAY = sys.argv.pop(1) if len(sys.argv) > 1 else ''

TEXT, GRAPHICS, VBE = range(3)
MODES = [
    ('text_80x25', TEXT, 0x03, (720, 400)),
    ('cga_320x200', GRAPHICS, 0x04, (640, 400)),
    ('cga_640x200', GRAPHICS, 0x06, (640, 400)),
    ('planar_320x200', GRAPHICS, 0x0d, (640, 400)),
    ('planar_640x350', GRAPHICS, 0x10, (640, 350)),
    ('planar_640x480', GRAPHICS, 0x12, (640, 480)),
    ('palette_320x200', GRAPHICS, 0x13, (640, 400)),
    ('vbe_800x600_8', VBE, 0x103, (800, 600)),
    ('vbe_640x480_15', VBE, 0x110, (640, 480)),
    ('vbe_640x480_16', VBE, 0x111, (640, 480)),
    ('vbe_1024x768_24', VBE, 0x4118, (1024, 768)),
    ('vbe_640x480_32', VBE, 0x4142, None),
]


def boot_sector(kind, mode):
    """Sets the mode, writes a line, draws a diagonal, hides the cursor, says '*' on port 0xe9 and halts."""
    little = mode.to_bytes(2, 'little')
    start = b'\x31\xc0\x8e\xd8'  # ds = 0
    if kind == VBE:
        start += b'\xbb' + little + b'\xb8\x02\x4f\xcd\x10'
    else:
        start += b'\xb8' + little + b'\xcd\x10'
    # Each character of the text by teletype, in light red.
    write = b'\xac\x84\xc0\x74\x09\xb4\x0e\xbb\x0c\x00\xcd\x10\xeb\xf2'
    # Pixel (n, n) in colour n, n from 100 down.
    draw = b'\xb9\x64\x00\xb4\x0c\x88\xc8\x89\xca\xb7\x00\xcd\x10\xe2\xf4' if kind == GRAPHICS else b''
    end = b'\xb4\x01\xb9\x00\x20\xcd\x10' + b'\xb0\x2a\xe6\xe9\xf4\xeb\xfd'
    text_at = 0x7c00 + len(start) + 3 + len(write) + len(draw) + len(end)
    code = start + b'\xbe' + text_at.to_bytes(2, 'little') + write + draw + end
    code += b'A picture!\r\n\xdb\xdb\xc4\xcd\xba\r\n' * 3 + b'\0'
    return code.ljust(510, b'\0') + b'\x55\xaa'


def run_qemu(t, image):
    """Runs until the boot sector is through; leaves trace, video memory and picture in the test's directory."""
    need_program('qemu-system-x86_64')
    folder = t.directory
    marker = folder / 'debug'
    command = ['qemu-system-x86_64', '-nodefaults', '-machine', 'q35,accel=tcg', '-m', '64',
               '-vga', 'std', '-display', 'none', '-qmp', f'unix:{folder}/qmp,server=on,wait=off',
               '-drive', f'file={image},format=raw,if=ide', '-chardev', f'file,id=e9,path={marker}',
               '-device', 'isa-debugcon,iobase=0xe9,chardev=e9', '-D', f'{folder}/trace',
               '-trace', 'memory_region_ops_read', '-trace', 'memory_region_ops_write']
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    t.defer(qemu.wait)
    t.defer(qemu.kill)
    qmp = Qmp(f'{folder}/qmp', alive=lambda: qemu.poll() is None)
    wait_until(lambda: marker.exists() and marker.read_bytes().endswith(b'*'), 'the boot sector to end')
    qmp.execute('stop')
    devices = qmp.execute('human-monitor-command', {'command-line': 'info pci'})
    memory = re.search(r'BAR0: 32 bit prefetchable memory at (0x[0-9a-f]+)', devices)
    qmp.execute('pmemsave', {'val': int(memory.group(1), 16), 'size': VIDEO_MEMORY,
                             'filename': f'{folder}/memory'})
    qmp.execute('screendump', {'filename': f'{folder}/theirs.ppm'})
    qmp.execute('quit')
    qemu.wait()
    qmp.close()


def compare(t, kind, mode, size):
    image = t.directory / 'disk'
    image.write_bytes(boot_sector(kind, mode).ljust(1 << 20, b'\0'))
    run_qemu(t, image)
    trace = t.directory / 'trace'
    if "name 'vga'" not in trace.read_text(errors='replace'):
        raise Skip('this QEMU does not trace what a guest does to VGA')
    with trace.open() as lines:
        replay = subprocess.run([REPLAY, t.directory / 'memory', t.directory / 'ours.ppm'], stdin=lines,
                                stderr=subprocess.PIPE, text=True, check=False)
    equal(replay.returncode, 0, f'vga-replay ({replay.stderr.strip()})')
    theirs = read_picture(t.directory / 'theirs.ppm')
    ours = read_picture(t.directory / 'ours.ppm')
    equal(ours.size, theirs.size, 'size of the picture')
    if size:
        equal(theirs.size, size, "size of QEMU's picture")
    check(not theirs.blank(), 'QEMU shows nothing')
    equal(ours.differing(theirs, TOLERANCE), 0, 'pixels that differ')


suite = Suite(__doc__)
for name, kind, mode, size in MODES:
    def case(t, kind=kind, mode=mode, size=size):
        compare(t, kind, mode, size)
    case.__name__ = name
    suite.test(case)
suite.main()
