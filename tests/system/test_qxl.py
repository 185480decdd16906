#!/usr/bin/python3
"""QXL: its BIOS's text, VBE modes, and what a driver draws with its commands, to the pixel."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, equal
from harness.demo import DemoGuest, pattern
from harness.picture import Picture, read_picture
from harness.screen_text import screen_text
from harness.wait import wait_until

suite = Suite(__doc__)

DEVICES = ['-device', 'qxl-vga', '-device', 'qxl']
WIDTH, HEIGHT, SQUARE = 640, 480, 64


def running(t):
    return t.shared('qxl', lambda context: DemoGuest(context, DEVICES, name='qxl', image='demo.img'))


def picture(t):
    path = t.directory / 'qxl.png'
    running(t).qmp.screendump(path, 'png')
    return read_picture(path)


def squares(count, pixel):
    """The picture with squares filled by pixel(number, x, y), black elsewhere."""
    rows = [[bytes(3)] * WIDTH for _ in range(HEIGHT)]
    for number in range(count):
        left, top = number % 10 * SQUARE, number // 10 % 7 * SQUARE
        for y in range(SQUARE):
            rows[top + y][left:left + SQUARE] = [pixel(number, x, y) for x in range(SQUARE)]
    return rows


def as_picture(rows):
    return Picture(WIDTH, HEIGHT, b''.join(b''.join(row) for row in rows))


def fills(count):
    return squares(count, lambda number, x, y: bytes([number]) * 3)


@suite.test
def its_bios_writes_text(t):
    guest = t.vmm(['-device', 'qxl-vga'], name='bios')
    guest.vnc().wait(lambda shown: 'No bootable device.' in screen_text(shown), 'the end of the BIOS')


@suite.test
def vbe_modes_are_shown(t):
    guest = running(t)
    guest.command('mode 800x600')
    guest.command('pattern')
    equal(picture(t), pattern(800, 600), 'the pattern')


@suite.test
def fills_and_moves_are_drawn(t):
    guest = running(t)
    equal(guest.command('qxl fill 30'), 'drawings done', 'the answer')
    rows = fills(30)
    equal(picture(t), as_picture(rows), 'thirty squares')
    equal(guest.command('qxl scroll 3'), 'drawings done', 'the answer')
    for _ in range(3):
        rows = rows[16:] + rows[-16:]
    equal(picture(t), as_picture(rows), 'them moved up')


@suite.test
def images_are_copied_and_seen_over_vnc(t):
    guest = running(t)
    equal(guest.command('qxl off 0'), 'drawings done', 'the answer')
    equal(guest.command('qxl fill 0'), 'drawings done', 'the answer')
    client = guest.vmm.vnc()
    black = as_picture(fills(0))
    client.wait(lambda shown: shown == black, 'an empty picture')
    equal(guest.command('qxl copy 12'), 'drawings done', 'the answer')
    expected = as_picture(squares(12, lambda number, x, y: bytes([x * 4, y * 4, 0])))
    client.wait(lambda shown: shown == expected, 'twelve images')


@suite.test
def vga_comes_back(t):
    guest = running(t)
    equal(guest.command('qxl fill 5'), 'drawings done', 'the answer')
    equal(guest.command('qxl off 0'), 'drawings done', 'the answer')
    guest.command('mode 640x480')
    guest.command('pattern')
    wait_until(lambda: picture(t) == pattern(640, 480), 'the pattern')


suite.main()
