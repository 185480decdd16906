#!/usr/bin/python3
"""vitrine-viewer on a screen: picture, keyboard, pointer, full screen, and guests that come and go."""

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from desk import HEIGHT, WIDTH, Desk
from harness.case import Skip, Suite, check, equal, need_program
from harness.demo import DemoGuest, pattern
from harness.picture import Picture, read_picture
from harness.processes import run
from harness.qmp import Qmp
from harness.wait import wait_until
from scripted_vnc import ScriptedVnc

suite = Suite(__doc__)
CORNER = (250, 3, 251)  # nowhere else on the screen: the first pixel of the picture
SIZE = (320, 200)


def colours(x, y):
    """A picture that differs in every pixel, its first one marked."""
    return CORNER if (x, y) == (0, 0) else (x & 255, y & 255, (x ^ y) & 127)


def test(function):
    """A test in which the viewer has nothing to complain about."""
    @functools.wraps(function)
    def quiet(t):
        function(t)
        path = t.directory / 'vitrine-viewer.err'
        lines = path.read_text().splitlines() if path.exists() else []
        # The address sanitizer's remark on the coroutines of gtk-vnc.
        equal([line for line in lines if 'makecontext' not in line], [], 'the viewer said')
    return suite.test(quiet)


def desk(t):
    return t.shared('desk', Desk)


def server(t, name='vnc', **settings):
    scripted = ScriptedVnc(t.directory / name, *SIZE, colours, **settings)
    t.defer(scripted.close)
    return scripted


def viewer(t, *arguments):
    """The viewer on the shared screen; ends with the test."""
    return t.start([need_program('vitrine-viewer'), *arguments], env=desk(t).env)


def shown(t, scripted, *arguments):
    """A viewer that shows the server's picture; where its first pixel is."""
    program = viewer(t, *arguments, f'vnc+unix://{scripted.path}')
    desk(t).wait_title('^scripted - Vitrine Viewer$')
    return program, desk(t).wait_for(CORNER)


def wait_shown(t, scripted, factor=1):
    """Wait until the whole picture is on the screen, enlarged so often and pixel for pixel."""
    expected = Picture(scripted.width, scripted.height, scripted.pixels())

    def same():
        screen = desk(t).picture()
        corner = desk(t).find(CORNER, screen)
        if not corner:
            return False
        x, y = corner
        if x + expected.width * factor > screen.width or y + expected.height * factor > screen.height:
            return False
        part = screen.crop(x, y, expected.width * factor, expected.height * factor)
        return part == enlarged(expected, factor) and (x, y)
    return wait_until(same, 'the picture, pixel for pixel', interval=0.1)


def enlarged(picture, factor):
    rows = []
    for y in range(picture.height):
        row = picture.row(y)
        wide = b''.join(row[at:at + 3] * factor for at in range(0, len(row), 3))
        rows += [wide] * factor
    return Picture(picture.width * factor, picture.height * factor, b''.join(rows))


@test
def the_picture_is_shown_pixel_for_pixel(t):
    scripted = server(t)
    shown(t, scripted)
    wait_shown(t, scripted)


@test
def changes_are_followed(t):
    scripted = server(t)
    shown(t, scripted)
    scripted.colour_at = lambda x, y: CORNER if (x, y) == (0, 0) else (255 - x & 255, y & 255, 0)
    scripted.show()
    wait_shown(t, scripted)
    scripted.resize(400, 240)
    wait_shown(t, scripted)


@test
def at_twice_its_size_pixels_keep_their_edges(t):
    scripted = server(t)
    _, (x, y) = shown(t, scripted)
    window = desk(t).wait_title('^scripted')
    before = desk(t).geometry(window)
    desk(t).xdotool('windowsize', window, before['WIDTH'] + SIZE[0], before['HEIGHT'] + SIZE[1])
    wait_shown(t, scripted, 2)


@test
def keys_arrive_as_scancodes_and_are_let_go(t):
    scripted = server(t)
    shown(t, scripted)
    desk(t).xdotool('key', 'a', 'Up', 'ctrl+c')
    expected = [(0x1e, True), (0x1e, False), (0xc8, True), (0xc8, False), (0x1d, True), (0x2e, True)]
    wait_until(lambda: len(scripted.keys) >= 8, 'the keys')
    equal([key[:2] for key in scripted.keys[:6]], expected, 'keys')
    equal({key[:2] for key in scripted.keys[6:]}, {(0x1d, False), (0x2e, False)}, 'the last keys are let go')
    equal(scripted.keys[0][2], ord('a'), 'keysym')
    scripted.keys.clear()
    desk(t).xdotool('keydown', 'Shift_L', 'keydown', 'x')
    wait_until(lambda: (0x2d, True) in [key[:2] for key in scripted.keys], 'x is down')
    other = desk(t).wait_title('^scripted')
    desk(t).xdotool('windowminimize', other)
    wait_until(lambda: {(0x2d, False), (0x2a, False)} <= {key[:2] for key in scripted.keys}, 'both are let go')
    desk(t).xdotool('keyup', 'x', 'keyup', 'Shift_L')


@test
def the_pointer_is_where_it_is_seen(t):
    scripted = server(t)
    _, (x, y) = shown(t, scripted)
    desk(t).xdotool('mousemove', x + 100, y + 50, 'click', 1)
    wait_until(lambda: (1, 100, 50) in scripted.pointers and scripted.pointers[-1] == (0, 100, 50), 'the click')
    desk(t).xdotool('mousemove', x + 319, y + 199, 'click', 3)
    wait_until(lambda: (4, 319, 199) in scripted.pointers, 'the right button')
    desk(t).xdotool('click', 4, 'click', 5)
    wait_until(lambda: {(8, 319, 199), (16, 319, 199)} <= set(scripted.pointers), 'the wheel')


@test
def a_pointer_of_motions_is_grabbed_and_let_go(t):
    scripted = server(t, absolute=False)
    _, (x, y) = shown(t, scripted)
    desk(t).xdotool('mousemove', x + 100, y + 50)
    desk(t).xdotool('mousemove_relative', '--', -5, 3)
    desk(t).xdotool('click', 1)
    desk(t).xdotool('sleep', 0.1, 'mousemove_relative', '--', 10, 0)

    def moved():
        return sum(px - 0x7fff for _, px, _ in scripted.pointers), sum(py - 0x7fff for _, _, py in scripted.pointers)
    wait_until(lambda: moved() == (10, 0), 'one motion, and none from before the click')
    for _ in range(40):
        desk(t).xdotool('mousemove_relative', '--', 30, -20)
    wait_until(lambda: moved() == (1210, -800), f'motions beyond every edge (so far {moved()})')
    equal({mask for mask, _, _ in scripted.pointers}, {0}, 'the click that grabbed is not the guest\'s')
    desk(t).xdotool('click', 1)
    wait_until(lambda: 1 in {mask for mask, _, _ in scripted.pointers}, 'a click')
    desk(t).xdotool('key', 'ctrl+alt')
    count = wait_until(lambda: len(scripted.pointers), 'the grab ends')
    desk(t).xdotool('mousemove_relative', '--', 10, 0)
    desk(t).xdotool('mousemove_relative', '--', 10, 0)
    equal(len(scripted.pointers), count, 'motions after Ctrl+Alt')


@test
def full_screen_hides_all_but_the_picture(t):
    scripted = server(t)
    shown(t, scripted)
    desk(t).xdotool('key', 'F11')
    window = desk(t).wait_title('^scripted')
    wait_until(lambda: desk(t).geometry(window).items() >= {'WIDTH': WIDTH, 'HEIGHT': HEIGHT}.items(), 'full screen')
    # 320 by 200 on 1280 by 900: four times as large, 50 pixels above and below.
    expected = enlarged(Picture(*SIZE, scripted.pixels()), 4)
    wait_until(lambda: desk(t).picture().crop(0, 50, WIDTH, 800) == expected, 'the picture fills the screen',
               interval=0.2)
    desk(t).xdotool('key', 'F11')
    wait_until(lambda: desk(t).geometry(window)['WIDTH'] < WIDTH, 'a window again')
    equal([key for key in scripted.keys if key and key[0] == 0x57], [], 'F11 is not for the guest')


@test
def a_server_that_goes_leaves_a_page_and_is_found_again(t):
    scripted = server(t)
    program, _ = shown(t, scripted)
    scripted.drop()
    desk(t).wait_title('^scripted .Not connected. - Vitrine Viewer$')
    wait_until(lambda: not desk(t).find(CORNER), 'the picture is gone')
    check(program.running(), 'the viewer stays')
    desk(t).xdotool('key', 'Return')
    desk(t).wait_title('^scripted - Vitrine Viewer$')
    wait_shown(t, scripted)
    scripted.close()
    desk(t).wait_title('^scripted .Not connected.')
    desk(t).xdotool('key', 'Return')
    desk(t).wait_title('^scripted .Not connected.')
    check(program.running(), 'the viewer stays')


@test
def a_password_is_asked_for(t):
    scripted = server(t, password=True)
    viewer(t, f'vnc+unix://{scripted.path}')
    desk(t).wait_title('Connecting')
    wait_until(lambda: scripted.connection, 'a connection')
    # The page is there when the entry takes what is typed; a key typed earlier goes nowhere.
    wait_until(lambda: (desk(t).xdotool('type', 'x'), desk(t).xdotool('key', 'Return'), scripted.answers)[2],
               'the password', interval=0.2)
    desk(t).wait_title('^scripted - Vitrine Viewer$')
    wait_shown(t, scripted)


@test
def a_guest_is_waited_for_by_its_name(t):
    program = viewer(t, '--runtime-dir', t.directory / 'run', 'demo')
    desk(t).wait_title('^demo .Not connected.')
    check(program.running(), 'the viewer stays')


@test
def a_screenshot_is_saved(t):
    scripted = server(t)
    shown(t, scripted)
    wait_shown(t, scripted)
    window = desk(t).wait_title('^scripted')
    # The keyboard is the guest's until Ctrl+Alt.
    desk(t).xdotool('key', 'ctrl+alt')
    desk(t).xdotool('key', 'ctrl+s')
    path = wait_until(lambda: next(desk(t).home.glob('scripted *.png'), None), 'the file')
    wait_until(lambda: path.stat().st_size > 0 and path.read_bytes().endswith(b'IEND\xaeB`\x82'), 'the whole file')
    equal(read_picture(path), Picture(*SIZE, scripted.pixels()), 'the screenshot')
    path.unlink()
    check(window, 'window')


def lies_in(expected, screen, window):
    """Whether the window shows the picture; a cursor may have blinked between the two looks."""
    rows = [y for y in range(expected.height) if len(set(expected.row(y))) > 1]
    text = expected.row(rows[0])
    for y in range(window['Y'], min(window['Y'] + window['HEIGHT'], screen.height)):
        at = screen.row(y).find(text)
        if at >= 0 and at % 3 == 0 and y >= rows[0]:
            return screen.crop(at // 3, y - rows[0], *expected.size).differing(expected) < 64
    return False


@test
def a_qemu_guest_over_the_display_bus(t):
    qemu = shutil.which('qemu-system-x86_64')
    if not qemu or b'dbus' not in subprocess.run([qemu, '-display', 'help'], capture_output=True, check=True).stdout:
        raise Skip('QEMU with -display dbus is not installed')
    path, second = t.directory / 'qmp', t.directory / 'qmp2'
    guest = t.start([qemu, '-accel', 'tcg', '-m', '64', '-nodefaults', '-vga', 'std', '-display', 'dbus,p2p=on',
                     '-qmp', f'unix:{path},server=on,wait=off', '-qmp', f'unix:{second},server=on,wait=off'])
    qmp = Qmp(second, guest.running)
    program = viewer(t, '--qmp', path)
    desk(t).wait_title('^QEMU .* - Vitrine Viewer$')
    dump = t.directory / 'dump.ppm'

    def same():
        qmp.execute('screendump', {'filename': str(dump)})
        expected = read_picture(dump)
        window = desk(t).geometry(desk(t).wait_title('^QEMU'))
        return not expected.blank() and lies_in(expected, desk(t).picture(), window)
    wait_until(same, 'what QEMU shows', interval=0.3)
    guest.kill()
    desk(t).wait_title('Not connected')
    check(program.running(), 'the viewer stays')


@test
def our_own_guest_by_its_name(t):
    guest = DemoGuest(t, name='demo')
    guest.command('pattern')
    expected = pattern(640, 480)
    program = viewer(t, '--runtime-dir', guest.vmm.runtime, 'demo')
    window = desk(t).wait_title('^demo - Vitrine Viewer$')
    wait_until(lambda: lies_in(expected, desk(t).picture(), desk(t).geometry(window)), 'the picture', interval=0.2)
    place = desk(t).geometry(window)
    guest.serial.send('watch on\r')
    guest.serial.expect('watch on')
    desk(t).xdotool('mousemove', place['X'] + 300, place['Y'] + 300, 'click', 1, 'key', 'b')
    guest.serial.expect(r'(?i)key.*30')
    guest.vmm.program.kill()
    guest.vmm.wait_exit()
    desk(t).wait_title('^demo .Not connected. - Vitrine Viewer$')
    check(program.running(), 'the viewer stays')
    DemoGuest(t, name='demo')
    desk(t).wait_title('^demo - Vitrine Viewer$')


REFUSALS = (
    (['a/b'], '"a/b" is no name for a guest'),
    (['http://host'], 'http://host is no address that can be shown'),
    (['vnc://host:70000'], '"70000" is no port'),
    (['demo', '--bus', '/x'], 'one guest at a time'),
    (['--fly'], 'Unknown option --fly'),
)


@test
def refusals_say_what_is_wrong(t):
    program = need_program('vitrine-viewer')
    for arguments, message in REFUSALS:
        result = run([program, *arguments])
        equal(result.returncode, 1, f'status of {arguments}')
        check(message in result.stderr, f'{arguments}: {result.stderr!r} does not say {message!r}')
        check(re.fullmatch(r'vitrine-viewer: [^\n]*\n', result.stderr), f'{arguments}: not one line: {result.stderr!r}')
    result = run([program], env={'DISPLAY': '', 'WAYLAND_DISPLAY': ''})
    equal(result.returncode, 1, 'status without a display')
    check('there is no display to open a window on' in result.stderr, result.stderr)
    check(re.fullmatch(r'vitrine-viewer \(Vitrine\) \d+\.\d+\.\d+\n', run([program, '--version']).stdout), 'version')


suite.main()
