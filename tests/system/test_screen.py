#!/usr/bin/python3
"""The screen that SeaBIOS writes: read back by foreign and own eyes, as text and to the pixel."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program, need_vmm
from harness.picture import Picture, read_picture
from harness.screen_text import HEIGHT, font, screen_lines, screen_text
from harness.sockets import free_display
from harness.vmm import kind_under_test

suite = Suite(__doc__)

BLACK, GREY = bytes(3), b'\xaa\xaa\xaa'
# A VGA's colours have 6 bits; what the low 2 of 8 bits become is each implementation's own choice.
DAC = 3
# The cursor, up to three scan lines of one cell, blinks.
CURSOR = 9 * 3
# SeaBIOS takes the vapic ROM of QEMU for a disk of its own, and then asks hard disks before floppy disks.
PEER_OPTIONS = ['-cpu', 'host', '-global', 'kvm-apic.vapic=off']


def after_the_bios(context, **settings):
    """A guest without a disk, paused when the BIOS has given up, so that its screen stays."""
    guest = context.vmm(**settings)
    guest.vnc().wait(lambda picture: 'No bootable device.' in screen_text(picture), 'the end of the BIOS')
    guest.qmp.execute('stop')
    return guest


def shared(t):
    return t.shared('bios', after_the_bios)


def drawn(lines, width, height):
    """What a VGA shows for these lines, grey on black: each character 8 pixels of its glyph and, in cells of
    9 pixels, one more that is empty but for the line-drawing characters."""
    cell = width // 80
    rows = []
    for line in range(height // HEIGHT):
        codes = (lines[line] if line < len(lines) else '').ljust(80).encode('cp437')
        for y in range(HEIGHT):
            row = b''
            for code in codes:
                bits = font()[code * HEIGHT + y]
                row += b''.join(GREY if bits >> (7 - x) & 1 else BLACK for x in range(8))
                row += (GREY if 0xc0 <= code <= 0xdf and bits & 1 else BLACK) * (cell - 8)
            rows.append(row)
    return Picture(width, height, b''.join(rows))


def without_cursor(picture):
    """The lines of text; the cursor, behind the last one or below it, may be shown or not."""
    return [line.rstrip('_') for line in screen_lines(picture) if line.strip('_')]


@suite.test
def it_reads_as_the_bios_wrote_it(t):
    lines = without_cursor(shared(t).vnc().wait(lambda picture: True))
    check(lines[0].startswith('SeaBIOS (version 1.'), f'the first line is {lines[0]!r}')
    check('No bootable device.' in lines, lines)


@suite.test
def every_pixel_is_the_vgas(t):
    picture = shared(t).vnc().wait(lambda picture: True)
    equal(picture.height, 400, 'the height of 25 lines')
    check(picture.width in (640, 720), f'the width of 80 columns is {picture.width}')
    expected = drawn(screen_lines(picture), *picture.size)
    differing = picture.differing(expected, DAC)
    check(differing <= CURSOR, f'{differing} pixels differ from what a VGA draws')


@suite.test
def gvnccapture_sees_the_same(t):
    """A foreign client, over TCP."""
    capture = need_program('gvnccapture')
    display = free_display()
    guest = after_the_bios(t, name='tcp', options=['-vnc', f'127.0.0.1:{display}'])
    shown = guest.vnc().wait(lambda picture: True)
    path = t.directory / 'capture.png'
    result = processes.run([capture, f'127.0.0.1:{display}', path])
    equal(result.returncode, 0, f'the exit status of gvnccapture, which said {result.stderr!r}')
    differing = read_picture(path).differing(shown)
    check(differing <= CURSOR, f'gvnccapture saw {differing} pixels otherwise')
    check('No bootable device.' in without_cursor(read_picture(path)), 'the text in what gvnccapture saw')


@suite.test
def text_and_size_are_those_of_qemu(t):
    """The same BIOS on QEMU, the peer, gives the same picture, to the pixel."""
    ours = shared(t)
    need_vmm('qemu')
    if kind_under_test() == 'qemu':
        raise Skip('it is QEMU that is tested')
    peer = after_the_bios(t, kind='qemu', name='peer', options=PEER_OPTIONS)
    mine, its = (guest.vnc().wait(lambda picture: True) for guest in (ours, peer))
    equal(without_cursor(mine), without_cursor(its), 'the text')
    equal(mine.size, its.size, 'the size')
    differing = mine.differing(its, DAC)
    check(differing <= CURSOR, f'{differing} pixels differ from those that QEMU shows')


suite.main()
