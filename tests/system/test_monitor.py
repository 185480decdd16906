#!/usr/bin/python3
"""The monitor for people on a terminal, and guests in the background."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program, need_vmm
from harness.demo import PROMPT, boot_options
from harness.qmp import Qmp
from harness.terminal import Terminal
from harness.vmm import kind_under_test
from harness.wait import wait_until

suite = Suite(__doc__)
SHELL = r'\(qemu\) '


def need_vitrine():
    need_vmm()
    if kind_under_test() == 'qemu':
        raise Skip('QEMU is started otherwise')
    return need_program('vitrine')


def on_terminal(t, *options):
    terminal = Terminal([need_vitrine(), '-runtime-dir', t.directory / 'run', '-name', 'm', '-nographic', *options])
    t.defer(terminal.close)
    return terminal


@suite.test
def the_terminal_is_serial_port_and_monitor(t):
    terminal = on_terminal(t, *boot_options())
    line = terminal.line
    line.expect(PROMPT)
    line.send('\x01c')
    line.expect("monitor - type 'help' for more information")
    line.expect(SHELL)
    for typed, answer in (('info status', 'VM status: running'), ('stop', SHELL), ('info status', r'VM status: paused\r'),
                          ('nonsense', "unknown command: 'nonsense'"), ('cont', SHELL),
                          ('info sta\t', 'VM status: running')):
        line.send(typed + '\r')
        line.expect(answer)
    line.send('\x01c')
    line.send('\r')
    line.expect(PROMPT)
    line.send('\x01x')
    line.expect('Terminated')
    equal(terminal.wait(), 0, 'the exit status')
    equal(terminal.settings(), terminal.settings_at_start, 'the settings of the terminal afterwards')


@suite.test
def info_tells_about_both_boards(t):
    for board, bridge in (('q35', 'mch'), ('pc', 'i440FX')):
        guest = t.vmm(['-machine', board], paused=True, name=f'info-{board}')
        if kind_under_test() == 'qemu':
            raise Skip('the texts compared are vitrine\'s')
        for line, words in (('info qtree', ['bus: main-system-bus', bridge]),
                            ('info mtree', ['address-space: memory', '(prio 0, ram)', 'address-space: I/O']),
                            ('info qom-tree', ['/peripheral (container)', '-x86_64-cpu)']),
                            ('info registers', ['CPU#0', 'EIP=0000fff0 EFL=00000002', 'CS =f000 ffff0000 0000ffff', 'XMM07=']),
                            ('xp /1xb 0xfffffff0', ['00000000fffffff0: 0xea'])):
            text = guest.qmp.execute('human-monitor-command', {'command-line': line})
            for word in words:
                check(word in text, f'{line} does not say {word}: {text}')


@suite.test
def a_guest_goes_to_the_background(t):
    vitrine = need_vitrine()
    pid_file, socket = t.directory / 'pid', t.directory / 'qmp'
    common = ['-runtime-dir', t.directory / 'run', '-pidfile', pid_file, '-daemonize']
    result = processes.run([vitrine, *common, '-name', 'daemon', '-qmp', f'unix:{socket},server=on,wait=off', '-S'])
    equal((result.returncode, result.stderr), (0, ''), 'the status and the errors')
    pid = int(pid_file.read_text())
    os.kill(pid, 0)
    result = processes.run([vitrine, *common, '-name', 'second'])
    equal(result.returncode, 1, 'the status of a second one')
    check('is locked' in result.stderr, result.stderr)
    qmp = Qmp(socket)
    equal(qmp.execute('query-status')['status'], 'prelaunch', 'the status')
    qmp.execute('quit')
    qmp.close()
    wait_until(lambda: not pid_file.exists(), 'the file going away')
    wait_until(lambda: processes.state(pid) in (None, 'Z'), 'the end of the process')


@suite.test
def a_guest_that_cannot_be_built_is_told_before(t):
    vitrine = need_vitrine()
    result = processes.run([vitrine, '-runtime-dir', t.directory / 'run', '-daemonize', '-drive', 'file=/nowhere'])
    equal(result.returncode, 1, 'the status')
    check('/nowhere' in result.stderr, result.stderr)


suite.main()
