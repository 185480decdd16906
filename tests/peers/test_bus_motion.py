#!/usr/bin/python3
"""A guest in motion, followed over the bus: what its viewer has pieced together from damage is, when the guest stops, the
picture that the guest shows, to the pixel."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.demo import DemoGuest
from harness.picture import read_picture
from harness.vmm import build_directory
from harness.wait import wait_until

suite = Suite(__doc__)


def running(t):
    return t.shared('demo', lambda context: DemoGuest(context, name='demo', vnc=False))


def frames(guest):
    return int(guest.info()['frames'])


def follow(t, motion, then=None):
    guest = running(t)
    guest.command(motion)
    bus = guest.vmm.runtime / 'demo' / guest.vmm.record()['display']
    seen = t.directory / 'seen.ppm'
    viewer = t.start([build_directory() / 'tests/peers/bus-dump', '--bus', bus, '--settle', '4000', '--limit', '60', seen])
    wait_until(lambda: 'watching' in viewer.err(), 'the viewer watching')
    if then:
        guest.command(then)
        guest.command(motion)
    start = frames(guest)
    wait_until(lambda: frames(guest) > start + 30, 'a second of motion')
    guest.command('still')
    equal(viewer.wait(), 0, 'the exit status of bus-dump')
    check(int(viewer.out().split()[3]) > 0, 'the viewer got no update')
    shown = t.directory / 'shown.ppm'
    guest.vmm.qmp.screendump(shown)
    check(read_picture(seen) == read_picture(shown), 'the viewer shows another picture than the guest')


@suite.test
def a_scene_is_followed(t):
    follow(t, 'scene')


@suite.test
def a_scrolling_screen_is_followed(t):
    follow(t, 'scroll')


@suite.test
def full_motion_is_followed(t):
    follow(t, 'fill')


@suite.test
def a_change_of_mode_is_followed(t):
    follow(t, 'scene', 'mode 800x600')


suite.main()
