#!/usr/bin/python3
"""vitrine-console at a terminal, in a pipe, and on every way out."""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal, need_program
from harness.demo import PROMPT, DemoGuest
from harness.serial import Serial
from harness.wait import LIMIT, wait_until

suite = Suite(__doc__)
GUEST = Path(__file__).with_name('registered_guest.py')
ESCAPE = '\x1d'
TIOCGPTN = 0x80045430


def guest(t, name='demo', *options):
    """A registered guest; ends with the test."""
    started = subprocess.Popen([sys.executable, GUEST, base(t), name, *options], stdout=subprocess.PIPE)
    t.defer(end, started)
    equal(started.stdout.readline(), b'ready\n', 'the guest said')
    return started


def end(process):
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def base(t):
    return t.directory / 'run'


def command(t, *arguments):
    return [need_program('vitrine-console'), '--runtime-dir', base(t), *arguments]


def run(t, *arguments, **settings):
    """Run to the end; standard input is empty unless given."""
    settings.setdefault('input', b'')
    return subprocess.run(command(t, *arguments), capture_output=True, timeout=LIMIT, **settings)


class Terminal:
    """A program at a terminal of its own, of which it is the session leader."""

    def __init__(self, t, argv, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], [str(word) for word in argv], env or dict(os.environ, LC_ALL='C'))
        self.status = None
        self.line = Serial(self.fd, lambda: None)
        self.send, self.expect = self.line.send, self.line.expect
        t.defer(self.end)

    def settings(self):
        return termios.tcgetattr(self.fd)

    def is_raw(self):
        return not self.settings()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def wait(self):
        """The exit status as subprocess has it: negative for a signal. The output is read meanwhile."""
        def ended():
            self.line.read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            return pid
        if self.status is None:
            wait_until(ended, 'the end of the program')
        return self.status

    def end(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def terminal_number(fd):
    return struct.unpack('I', fcntl.ioctl(fd, TIOCGPTN, bytes(4)))[0]


class Attached(Terminal):
    """vitrine-console attach at a terminal whose settings are looked at before and after.

    The other end of the terminal is kept open here, so that its settings outlive the program.
    """

    def __init__(self, t, *arguments):
        # A shell that waits for a line, so that the settings can be taken before the program starts.
        words = [str(word) for word in command(t, 'attach', *arguments)]
        super().__init__(t, ['/bin/sh', '-c', 'read go; exec "$@"', 'sh', *words])
        self.kept = os.open(f'/dev/pts/{terminal_number(self.fd)}', os.O_RDWR | os.O_NOCTTY)
        t.defer(os.close, self.kept)
        self.found = termios.tcgetattr(self.kept)
        self.send('\n')
        self.expect(r'Attached to .*\r\n')
        wait_until(self.is_raw, 'the terminal is raw')

    def check_restored(self):
        equal(termios.tcgetattr(self.kept), self.found, "the terminal's settings")


@suite.test
def what_is_typed_reaches_the_guest_and_the_escape_leaves(t):
    guest(t)
    terminal = Attached(t, 'demo')
    terminal.send('hello\x03\x1a\r')
    terminal.expect('HELLO\x03\x1a\r')
    terminal.send(ESCAPE + '?')
    terminal.expect('leave; the guest goes on')
    terminal.send(ESCAPE + ESCAPE)
    terminal.expect(ESCAPE)
    terminal.send('x' + ESCAPE + '.')
    equal(terminal.wait(), 0, 'status')
    terminal.check_restored()


@suite.test
def another_escape_character(t):
    guest(t)
    terminal = Attached(t, 'demo', 'serial0', '--escape', '~')
    terminal.send(ESCAPE + '.a')
    terminal.expect(ESCAPE + r'\.A')
    terminal.send('~q')
    equal(terminal.wait(), 0, 'status')
    terminal.check_restored()


@suite.test
def signals_end_it_with_the_terminal_restored(t):
    guest(t)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        terminal = Attached(t, 'demo')
        os.kill(terminal.pid, number)
        equal(terminal.wait(), -number, f'status after {number.name}')
        terminal.check_restored()


@suite.test
def a_window_that_changes_its_size_changes_nothing(t):
    guest(t)
    terminal = Attached(t, 'demo')
    os.kill(terminal.pid, signal.SIGWINCH)
    terminal.send('still here\r')
    terminal.expect('STILL HERE')
    terminal.send(ESCAPE + '.')
    equal(terminal.wait(), 0, 'status')


@suite.test
def a_guest_that_ends_says_so(t):
    for ending in ('off', 'kill'):
        process = guest(t, 'demo')
        terminal = Attached(t, 'demo')
        if ending == 'off':
            terminal.send('off\r')
        else:
            process.kill()
        process.wait()
        terminal.expect('the guest demo has ended')
        equal(terminal.wait(), 0, 'status')
        terminal.check_restored()


@suite.test
def a_line_that_is_closed_while_the_guest_runs_is_an_error(t):
    guest(t)
    terminal = Attached(t, 'demo')
    terminal.send('drop\r')
    terminal.expect('was closed, though the guest still runs')
    equal(terminal.wait(), 1, 'status')
    terminal.check_restored()


@suite.test
def only_one_at_a_time(t):
    guest(t)
    terminal = Attached(t, 'demo')
    terminal.send('a')
    terminal.expect('A')
    second = run(t, 'attach', 'demo')
    equal(second.returncode, 1, 'status')
    check(b'somebody else is attached to demo, serial0' in second.stderr, second.stderr)


@suite.test
def the_escape_works_while_the_guest_takes_nothing(t):
    guest(t, 'demo', '--deaf')
    terminal = Attached(t, 'demo')
    for _ in range(300):
        terminal.send('x' * 4096)
    terminal.send(ESCAPE + '.')
    equal(terminal.wait(), 0, 'status')
    terminal.check_restored()


@suite.test
def the_escape_and_signals_work_while_the_guest_pours(t):
    guest(t)
    for way_out in ('escape', 'signal'):
        terminal = Attached(t, 'demo')
        terminal.send('pour\r')
        terminal.expect('pouring')
        # Nothing is read from the terminal for as long as the program takes to fill it.
        if way_out == 'escape':
            terminal.send(ESCAPE + '.')
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        equal(terminal.wait(), 0 if way_out == 'escape' else -signal.SIGTERM, 'status')
        terminal.check_restored()


@suite.test
def a_shell_can_stop_and_continue_it(t):
    if not shutil.which('bash'):
        raise Skip('bash is not installed')
    guest(t)
    shell = Terminal(t, ['/bin/bash', '--norc', '--noprofile', '-i'], dict(os.environ, PS1='ready> ', LC_ALL='C'))
    shell.expect('ready> ')
    shell.send(' '.join(str(word) for word in command(t, 'attach', 'demo')) + '\n')
    shell.expect('Attached to demo')
    wait_until(shell.is_raw, 'the terminal is raw')
    shell.send('before\r')
    shell.expect('BEFORE')
    shell.send(ESCAPE + 'z')
    shell.expect('Stopped')
    shell.expect('ready> ')
    shell.send('stty -a; echo looked\n')
    cooked = shell.expect(r'(?s)speed(.*)looked\r\n').group(1)
    for word in ('icanon', 'echo', 'isig', 'opost'):
        check(word in cooked.split(), f'{word} is missing: {cooked}')
    shell.send('fg\n')
    wait_until(shell.is_raw, 'the terminal is raw again')
    shell.send('after\r')
    shell.expect('AFTER')
    os.kill(os.tcgetpgrp(shell.fd), signal.SIGTSTP)
    shell.expect('Stopped')
    shell.expect('ready> ')
    shell.send('fg\n')
    wait_until(shell.is_raw, 'the terminal is raw again')
    shell.send(ESCAPE + '.')
    shell.expect('ready> ')
    shell.send('echo status $?; exit\n')
    shell.expect('status 0')
    equal(shell.wait(), 0, 'status of the shell')


@suite.test
def a_pipe_is_sent_whole_and_unchanged(t):
    guest(t)
    every_byte = bytes(range(256)) * 700
    result = run(t, 'attach', 'demo', '--idle', '1', input=every_byte)
    equal(result.returncode, 0, result.stderr)
    check(result.stdout == every_byte.upper(), f'{len(result.stdout)} bytes came back, not the same')


@suite.test
def an_ended_input_waits_for_the_guest(t):
    guest(t)
    result = run(t, 'attach', 'demo', input=b'hello\noff\n')
    equal(result.returncode, 0, result.stderr)
    equal(result.stdout, b'HELLO\nOFF\n', 'output')
    equal(result.stderr, b'vitrine-console: the guest demo has ended\n', 'message')


@suite.test
def a_reader_that_leaves_ends_it(t):
    guest(t)
    process = subprocess.Popen(command(t, 'attach', 'demo'), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    t.defer(end, process)
    process.stdin.write(b'pour\n')
    process.stdin.flush()
    check(process.stdout.read(100), 'something came')
    process.stdout.close()
    equal(process.wait(LIMIT), 1, 'status')
    check(b'cannot write to standard output: Broken pipe' in process.stderr.read(), 'message')
    process.stdin.close()
    process.stderr.close()


@suite.test
def a_socket_by_its_path(t):
    guest(t)
    path = base(t) / 'demo' / 'serial0.sock'
    result = run(t, 'attach', '--socket', path, input=b'drop\n')
    equal(result.returncode, 0, result.stderr)
    equal(result.stdout, b'DROP\n', 'output')


@suite.test
def the_list_names_guests_and_says_which_are_dead(t):
    base(t).mkdir()
    equal(run(t, 'list').stdout, b'NAME  STATE  MACHINE  PID  PORTS\n', 'an empty list')
    equal(json.loads(run(t, 'list', '--json').stdout), [], 'an empty list')
    running, dead = guest(t, 'alive'), guest(t, 'dead-one')
    dead.kill()
    dead.wait()
    table = run(t, 'list').stdout.decode().splitlines()
    equal([line.split() for line in table[1:]],
          [['alive', 'alive', 'q35-1.0', str(running.pid), 'serial0'], ['dead-one', 'stale', '-', '-', '-']], 'list')
    found = {entry['name']: entry for entry in json.loads(run(t, 'list', '--json').stdout)}
    equal(found['alive']['pid'], running.pid, 'pid')
    equal(found['alive']['state'], 'alive', 'state')
    equal(found['dead-one']['state'], 'stale', 'state')
    equal(run(t, 'list', '--names').stdout, b'alive\n', 'names')
    equal(run(t, 'list', '--ports', 'alive').stdout, b'serial0\n', 'ports')


@suite.test
def a_folder_that_is_not_there_is_an_error(t):
    for options in ([], ['--json'], ['--names']):
        result = run(t, 'list', *options)
        equal((result.returncode, result.stdout), (1, b''), f'status and output of list {options}')
        equal(len(result.stderr.splitlines()), 1, f'lines of list {options}')
        check(f'there is no folder {base(t)}'.encode() in result.stderr, result.stderr)


@suite.test
def a_port_is_named_by_its_number(t):
    guest(t)
    result = run(t, 'attach', 'demo', '0', input=b'hello\noff\n')
    equal((result.returncode, result.stdout), (0, b'HELLO\nOFF\n'), result.stderr)


@suite.test
def a_record_that_cannot_be_read_is_shown_and_warned_about(t):
    guest(t)
    (base(t) / 'demo' / 'guest.json').write_text('{')
    result = run(t, 'list')
    check(b'demo  alive  -' in result.stdout, result.stdout)
    check(b'guest.json: the text is no JSON' in result.stderr, result.stderr)
    check(b'guest.json: the text is no JSON' in run(t, 'attach', 'demo').stderr, 'attach says so too')


@suite.test
def our_own_guest(t):
    demo = DemoGuest(t, name='demo')
    busy = run(t, 'attach', 'demo')
    equal(busy.returncode, 1, 'status while the test is attached')
    check(b'somebody else is attached to demo, serial0' in busy.stderr, busy.stderr)
    demo.serial.close()
    terminal = Attached(t, 'demo')
    terminal.send('\r')
    terminal.expect(PROMPT)
    terminal.send('help\r')
    terminal.expect('power off')
    terminal.expect(PROMPT)
    terminal.send('off\r')
    terminal.expect('the guest demo has ended')
    equal(terminal.wait(), 0, 'status')
    terminal.check_restored()


REFUSALS = (
    ([], 'which command?'),
    (['fly'], '"fly" is no command; these are: list, attach'),
    (['--fly'], 'Unknown option --fly'),
    (['list', 'all'], '"all" is one argument too many'),
    (['attach'], "it takes the guest's name"),
    (['attach', 'a', 'b', 'c'], '3 arguments'),
    (['attach', 'nobody'], 'no guest named nobody is running; these are: demo'),
    (['attach', 'demo', 'serial9'], 'demo has no serial port serial9; it has: serial0'),
    (['attach', 'demo', '3'], 'demo has no serial port 3; it has: serial0'),
    (['attach', 'demo', 'debug'], 'demo has no serial port debug; it has: serial0'),
    (['attach', '../demo'], 'is no name for a guest'),
    (['attach', 'demo', '--escape', 'ab'], 'ab is no escape character'),
    (['attach', 'demo', '--idle', '-5'], '--idle -5 is not in'),
    (['attach', '--socket', '/nonexistent', 'demo'], 'give one of them'),
    (['attach', '--socket', '/nonexistent'], 'cannot connect to /nonexistent: No such file'),
)


@suite.test
def refusals_say_what_is_wrong(t):
    guest(t)
    for arguments, message in REFUSALS:
        result = run(t, *arguments)
        equal(result.returncode, 1, f'status of {arguments}')
        text = result.stderr.decode()
        check(message in text, f'{arguments}: {text!r} does not say {message!r}')
        check(re.fullmatch(r'vitrine-console: [^\n]*\n', text), f'{arguments}: not one line: {text!r}')
        equal(result.stdout, b'', f'output of {arguments}')


@suite.test
def help_and_version(t):
    check(b'attach to a guest' in run(t, '--help').stdout, 'help')
    check(b'--escape' in run(t, 'attach', '--help').stdout, 'help of attach')
    check(re.fullmatch(rb'vitrine-console \(Vitrine\) \d+\.\d+\.\d+\n', run(t, '--version').stdout), 'version')


suite.main()
