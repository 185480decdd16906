#!/usr/bin/python3
"""A guest's screen as other people's VNC clients see it, and what is typed and pointed at in them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal, need_program
from harness.demo import DemoGuest, pattern
from harness.picture import read_picture
from harness.processes import run
from harness.sockets import free_display
from harness.wait import Timeout, wait_until
from harness.x_screen import XScreen

suite = Suite(__doc__)

WIDTH, HEIGHT = 640, 480
# Rows of the pattern that stand only there: all of their greens are the same.
ROW, POINT = 100, (200, 150)
# What JPEG may change.
LOSS = 80


class Shown:
    """The demo guest with its pattern, on a TCP port."""

    def __init__(self, context):
        self.display = free_display()
        self.address = f'127.0.0.1:{self.display}'
        self.guest = DemoGuest(context, ['-vnc', self.address], name='shown')
        self.guest.command('pattern')
        self.guest.vmm.vnc().wait(lambda picture: picture == pattern(WIDTH, HEIGHT), 'the pattern')


def shown(t):
    return t.shared('guest', Shown)


@suite.test
def gvnccapture_sees_every_pixel(t):
    capture = t.directory / 'capture.png'
    done = run([need_program('gvnccapture'), shown(t).address, capture])
    equal(done.returncode, 0, f'the exit status of gvnccapture, which said {done.stderr!r}')
    equal(read_picture(capture).differing(pattern(WIDTH, HEIGHT)), 0, 'differing pixels')


@suite.test
def vncsnapshot_sees_it(t):
    jpeg, ppm = t.directory / 'snapshot.jpg', t.directory / 'snapshot.ppm'
    for encodings in ('raw', 'hextile', 'zrle hextile raw'):
        done = run([need_program('vncsnapshot'), '-quality', '100', '-encodings', encodings, shown(t).address, jpeg])
        equal(done.returncode, 0, f'the exit status of vncsnapshot, which said {done.stderr!r}')
        run([need_program('convert'), jpeg, '-depth', '8', ppm])
        equal(read_picture(ppm).differing(pattern(WIDTH, HEIGHT), LOSS), 0, f'pixels that differ, by {encodings}')


def happens(predicate):
    """Whether it becomes true soon."""
    try:
        return wait_until(predicate, 'it', 1)
    except Timeout:
        return False


def used(t, argv, address):
    """A viewer shows the pattern to the pixel; keys and pointer given to it reach the guest."""
    guest, screen = shown(t).guest, XScreen(t)
    viewer = t.start([need_program(argv[0]), *argv[1:], address], env=screen.env)
    row = pattern(WIDTH, HEIGHT).row(ROW)

    def place():
        check(viewer.running(), f'{argv[0]} ended: {viewer.out()}{viewer.err()}')
        return screen.find(row)

    left, top = wait_until(place, f'the pattern in {argv[0]}')
    top -= ROW
    seen = screen.picture().crop(left, top, WIDTH, HEIGHT)
    # A pointer of the screen's own may stand in it.
    check(seen.differing(pattern(WIDTH, HEIGHT)) < 32 * 32, 'the picture in the viewer differs')

    before = guest.info()['mouse']

    def moved():
        # Viewers take part once they have the focus, which without a window manager a click gives.
        screen.do('mousemove', str(left + POINT[0]), str(top + POINT[1]), 'click', '1')
        screen.do('mousemove', str(left + POINT[0] + 40), str(top + POINT[1] + 30))
        return happens(lambda: guest.info()['mouse'] != before)

    wait_until(moved, 'a move of the pointer in the guest')
    screen.do('mousedown', '1')
    wait_until(lambda: 'buttons 1' in guest.info()['mouse'], 'the button in the guest')
    screen.do('mouseup', '1')
    wait_until(lambda: 'buttons 0' in guest.info()['mouse'], 'the button up in the guest')

    def key_arrives():
        screen.do('click', '1', 'key', 'x')
        return happens(lambda: guest.info()['typed'].endswith('x"'))

    wait_until(key_arrives, 'a key in the guest')
    screen.do('key', 'Escape')
    wait_until(lambda: guest.info()['typed'] == '""', 'Escape in the guest')
    screen.do('type', '--delay', '20', f'Hi from {argv[0]} #1')
    wait_until(lambda: guest.info()['typed'] == f'"Hi from {argv[0]} #1"', 'the text in the guest')


@suite.test
def tigervnc_shows_it_and_is_used(t):
    used(t, ['xtigervncviewer', '-SecurityTypes', 'None', '-RemoteResize=0', '-AlertOnFatalError=0'],
         f'127.0.0.1::{5900 + shown(t).display}')


@suite.test
def gtk_vnc_shows_it_and_is_used(t):
    used(t, ['gvncviewer'], shown(t).address)


suite.main()
