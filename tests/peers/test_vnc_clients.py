#!/usr/bin/python3
"""vitrine-vnc's test picture as other people's VNC clients see it, and what their users do as it arrives."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal, need_program
from harness.picture import read_picture
from harness.processes import run
from harness.rfb import HEXTILE, QEMU_EXTENDED_KEY, RAW, ZRLE, RfbClient
from harness.wait import wait_until
from harness.x_screen import XScreen

suite = Suite(__doc__)

WIDTH, HEIGHT = 640, 480
DARK = (0x10, 0x14, 0x1a)
# The ball, the counter and the cross of the pointer, where they were drawn for one client and for another.
MOVING = 6000
# A pixel inside the box of the counter only when a key is shown behind it.
KEY_SHOWN = (15 + 57, 15 + 1)
# Where the pointer is moved to, and the colour of its cross.
AWAY, CROSS = (100, 400), (0x40, 0xd0, 0xff)
# All that is in a line of the colour bars.
COLOURS = {(r, g, b) for r in (0, 0xc0) for g in (0, 0xc0) for b in (0, 0xc0)} | {(0x10, 0x10, 0x10)}


class Server:
    """vitrine-vnc with its test picture, and a client of our own that watches."""

    def __init__(self, t, *options, directory=None):
        reader, writer = os.pipe()
        self.path = Path(directory or t.directory) / 'vnc'
        self.program = t.start([need_program('vitrine-vnc'), f'--pattern={WIDTH}x{HEIGHT}', '--listen', '127.0.0.1:0',
                                '--listen', f'unix:{self.path}', '--name', 'peers', '--ready-fd', writer, *options],
                               pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as lines:
            self.addresses = [line.split()[1] for line in lines]
        check(len(self.addresses) == 2, f'vitrine-vnc is not ready: {self.program.err()}')
        self.port = int(self.addresses[0].rsplit(':', 1)[1])
        # A port that the host chose has a display number as well, if an uncommonly large one.
        self.display = f'127.0.0.1:{self.port - 5900}'

    def client(self, t, **settings):
        client = RfbClient(('127.0.0.1', self.port), **settings)
        t.defer(client.close)
        return client


def picture_now(server, t):
    client = server.client(t)
    client.update(incremental=False)
    return client.picture()


def same_but_for_motion(found, expected, tolerance=0):
    equal(found.size, expected.size, 'size of the picture')
    differing = found.differing(expected, tolerance)
    check(differing < MOVING, f'{differing} pixels differ')


@suite.test
def every_encoding_and_version_gives_the_same_picture(t):
    server = Server(t)
    expected = picture_now(server, t)
    check(len(expected.colours()) > 100, 'the test card has few colours')
    for version in ((3, 3), (3, 7), (3, 8)):
        for encoding in (RAW, HEXTILE, ZRLE):
            client = server.client(t, version=version, encodings=(encoding,))
            equal(client.name, 'peers', 'name')
            client.update(incremental=False)
            same_but_for_motion(client.picture(), expected)


@suite.test
def gvnccapture_sees_it(t):
    server = Server(t)
    png = t.directory / 'gvnc.png'
    done = run([need_program('gvnccapture'), server.display, png])
    check(done.returncode == 0 and png.exists(), f'gvnccapture failed: {done.stdout}{done.stderr}')
    same_but_for_motion(read_picture(png), picture_now(server, t))


@suite.test
def vncsnapshot_sees_it(t):
    server = Server(t)
    jpeg, ppm = t.directory / 'snapshot.jpg', t.directory / 'snapshot.ppm'
    for encodings in ('raw', 'hextile'):
        done = run([need_program('vncsnapshot'), '-quality', '100', '-encodings', encodings,
                    server.display, jpeg])
        check(done.returncode == 0 and jpeg.exists(), f'vncsnapshot failed: {done.stdout}{done.stderr}')
        run([need_program('convert'), jpeg, '-depth', '8', ppm])
        same_but_for_motion(read_picture(ppm), picture_now(server, t), tolerance=80)


# The first line of the colour bars, and as much of it as can be found on a screen.
BARS = (WIDTH // 2 - 140, HEIGHT // 2 - 60)


def at_work(t, argv, address=lambda server: server.display):
    """A viewer on a screen of its own shows the picture; what its user does reaches the server."""
    screen, server = XScreen(t), Server(t)
    viewer = t.start([need_program(argv[0]), *argv[1:], address(server)], env=screen.env)
    watching = server.client(t)
    first = watching.wait(lambda picture: picture.crop(*BARS, 280, 1).colours().keys() < COLOURS, 'the colour bars')
    row = first.crop(*BARS, 280, 1).pixels

    def user_is_seen():
        check(viewer.running(), f'{argv[0]} ended: {viewer.out()}{viewer.err()}')
        found = screen.find(row)
        if not found:
            return False
        # The line may be hidden by the ball, and the next one found: then the pointer is a little off, and it is done again.
        x, y = (found[i] - BARS[i] + AWAY[i] for i in range(2))
        screen.do('mousemove', str(x + 3), str(y + 3))
        screen.do('mousemove', str(x), str(y), 'click', '1', 'key', 'a')
        watching.update(incremental=False)
        picture = watching.picture()
        return picture.pixel(*KEY_SHOWN) == DARK and picture.pixel(AWAY[0] + 6, AWAY[1]) == CROSS

    wait_until(user_is_seen, f'a key and the pointer of {argv[0]}')


def colons(server):
    return f'127.0.0.1::{server.port}'


@suite.test
def tigervnc_shows_it_and_types(t):
    at_work(t, ['xtigervncviewer', '-SecurityTypes', 'None', '-RemoteResize=0', '-AlertOnFatalError=0'], colons)


@suite.test
def tigervnc_shows_it_in_hextile(t):
    at_work(t, ['xtigervncviewer', '-SecurityTypes', 'None', '-RemoteResize=0', '-AutoSelect=0',
                '-PreferredEncoding=Hextile', '-AlertOnFatalError=0'], colons)


@suite.test
def tigervnc_changes_the_size(t):
    screen, server = XScreen(t), Server(t)
    viewer = t.start([need_program('xtigervncviewer'), '-SecurityTypes', 'None', '-DesktopSize=800x500',
                      '-AlertOnFatalError=0', colons(server)], env=screen.env)
    watching = server.client(t)
    picture = watching.wait(lambda picture: picture.size == (800, 500), 'a picture of 800x500')
    # The first line of the colour bars, which stands elsewhere in a larger picture.
    row = picture.crop(400 - 140, 250 - 2 * (500 // 16), 280, 1).pixels
    wait_until(lambda: screen.find(row), 'the larger test card in TigerVNC')
    check(viewer.running(), f'the viewer ended: {viewer.out()}{viewer.err()}')


@suite.test
def gtk_vnc_shows_it_and_types(t):
    at_work(t, ['gvncviewer'])


@suite.test
def a_viewer_that_goes_takes_nobody_with_it(t):
    server = Server(t)
    staying = server.client(t)
    staying.update(incremental=False)
    leaving = server.client(t, pseudo=(QEMU_EXTENDED_KEY,))
    leaving.extended_key(ord('a'), 0x1e, True)
    leaving.update(incremental=False)
    leaving.close()
    for _ in range(5):
        staying.update()
    check(staying.updates >= 6, 'no updates any more')


@suite.test
def what_is_no_vnc_client_is_sent_away(t):
    server = Server(t)
    for words in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01\x02\x00', b'RFB 002.000\n',
                  b'RFB 003.008\n\x02', b'RFB 003.008\n\x01\x01\x63', b'RFB 003.008\n\x01\x01\x02\x00\xff\xff',
                  b'RFB 003.008\n\x01\x01\x06\x00\x00\x00\x7f\xff\xff\xff'):
        with socket.create_connection(('127.0.0.1', server.port), 60) as bad:
            bad.sendall(words)
            try:
                while bad.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    picture_now(server, t)


@suite.test
def it_ends_cleanly(t):
    server = Server(t)
    client = server.client(t)
    client.update(incremental=False)
    check(server.path.is_socket(), 'no UNIX socket')
    server.program.kill(signal.SIGTERM)
    equal(server.program.wait(), 0, 'exit status')
    check(not server.path.exists(), f'{server.path} is left behind')


@suite.test
def other_machines_are_refused(t):
    program = need_program('vitrine-vnc')
    for address in ('0.0.0.0:0', ':0', '[::]:0'):
        done = run([program, '--pattern', '--listen', address])
        equal(done.returncode, 1, f'exit status for {address}')
        equal(len(done.stderr.splitlines()), 1, f'lines for {address}')
        check('listen on 127.0.0.1:PORT or unix:PATH' in done.stderr, f'no way out is named: {done.stderr}')


@suite.test
def options_that_do_not_add_up_are_refused(t):
    program, listening = need_program('vitrine-vnc'), ['--listen', f'unix:{t.directory / "vnc"}']
    for options, words in ((listening, 'nothing to serve'),
                           (['--pattern', '--bus', '/nowhere', *listening], 'more than one thing to serve'),
                           (['--pattern'], 'nowhere to serve it')):
        done = run([program, *options])
        equal(done.returncode, 1, f'exit status for {options}')
        equal(len(done.stderr.splitlines()), 1, f'lines for {options}')
        check(words in done.stderr, f'{words!r} is not in {done.stderr!r}')


@suite.test
def its_help_is_in_the_characters_of_the_terminal(t):
    help_text = run([need_program('vitrine-vnc'), '--help'], env={'LC_ALL': 'C.UTF-8'}).stdout
    check('[OPTION…]' in help_text, help_text)


def answering(t, name, answer):
    """A UNIX socket where every connection gets one answer; None: nobody listens."""
    path = t.directory / name
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    t.defer(listening.close)

    def serve():
        try:
            while True:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(answer)
                    while answer and connection.recv(4096):
                        pass
        except OSError:
            pass

    if answer is not None:
        listening.listen()
        threading.Thread(target=serve, daemon=True).start()
    return path


@suite.test
def what_is_no_display_bus_is_an_error(t):
    """Nothing is served, and nobody is told that it were."""
    program, listening = need_program('vitrine-vnc'), t.directory / 'vnc'
    for path, reason in ((t.directory / 'nowhere', 'No such file'),
                         (answering(t, 'dead', None), 'Connection refused'),
                         (answering(t, 'curt', b''), 'is not the display bus of a guest'),
                         (answering(t, 'qmp', b'{"QMP": {}}\r\n'), 'is not the display bus of a guest')):
        reader, writer = os.pipe()
        done = run([program, '--bus', path, '--listen', f'unix:{listening}', '--ready-fd', writer], pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as lines:
            equal(lines.read(), '', f'told as ready for {path}')
        equal(done.returncode, 1, f'exit status for {path}')
        equal(len(done.stderr.splitlines()), 1, f'lines for {path}: {done.stderr}')
        for words in (str(path), reason, 'display.sock'):
            check(words in done.stderr, f'{words!r} is not in {done.stderr!r}')
        check(not listening.exists(), f'{listening} is left behind')


suite.main()
