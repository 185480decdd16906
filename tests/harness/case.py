"""Test programs: named tests with a directory each, nothing left behind, one line per test.

    suite = Suite(__doc__)

    @suite.test
    def a_guest_can_be_paused(t):
        guest = t.vmm(['-kernel', ...])
        ...

    suite.main()

A test passes when it returns, fails when it raises, and is left out when it raises Skip. The output is
TAP; the exit status is 0, 1 after a failure, or 77 when every test was left out.
"""

import argparse
import contextlib
import faulthandler
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from harness import processes
from harness.vmm import Vmm, bed, kind_under_test, program, usable_kvm
from harness.wait import LIMIT

SKIPPED = 77


class Skip(Exception):
    """This test cannot run here; the message says why."""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f'{what}: {found!r}, expected {expected!r}')


class Context:
    """What one test has for itself: a directory with a short name (sockets live in it), and clean-up."""

    def __init__(self, suite=None):
        self.suite = suite
        self.stack = contextlib.ExitStack()
        self.directory = Path(tempfile.mkdtemp(prefix='vt-'))
        self.runtimes = []

    def defer(self, function, *arguments):
        """Call the function when the test is over; the last one first."""
        self.stack.callback(function, *arguments)

    def vmm(self, options=(), **settings):
        """Start the VMM under test; it ends with the test."""
        need_vmm(settings.get('kind'))
        guest = Vmm(self.directory, options, **settings)
        self.runtimes.append(guest.runtime)
        self.defer(guest.close)
        return guest

    def start(self, argv, **settings):
        """Start any other program; it ends with the test."""
        started = processes.Program(argv, self.directory, **settings)
        self.defer(started.end)
        return started

    def shared(self, name, make):
        """What several tests of a program use: made by make(context) at first use, ended with the program."""
        return self.suite.get_shared(name, make)

    def end(self, keep):
        """Clean up; returns what was left behind, as a list of sentences."""
        self.stack.close()
        left = [f'{path} is left behind' for runtime in self.runtimes if runtime.exists() for path in runtime.rglob('*')]
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        return left

    def logs(self):
        """The last lines that the programs of this test wrote to their standard error."""
        for path in sorted(self.directory.glob('*.err')):
            lines = path.read_text(errors='replace').splitlines()[-20:]
            yield from (f'{path.name}: {line}' for line in lines)


def need_vmm(kind=None):
    """Leave the test out when the VMM under test cannot run here at all."""
    kind = kind or kind_under_test()
    if kind == 'qemu' and not shutil.which('qemu-system-x86_64'):
        raise Skip('qemu-system-x86_64 is not installed')
    if kind == 'vitrine' and not program('vitrine'):
        raise Skip('vitrine was not built')
    if kind == 'vitrine' and not usable_kvm():
        raise Skip('/dev/kvm cannot be used')


def need_program(name):
    """The path of one of our programs, or of any other; the test is left out when it is not there."""
    path = program(name) if name.startswith('vitrine') else shutil.which(name)
    if not path:
        raise Skip(f'{name} was not built' if name.startswith('vitrine') else f'{name} is not installed')
    return Path(path)


class Suite:
    """The tests of one program, run in the order in which they stand."""

    def __init__(self, about):
        self.about = (about or '').strip().split('\n')[0]
        self.tests = []
        self.made = {}
        self.context = None

    def test(self, function):
        self.tests.append(function)
        return function

    def get_shared(self, name, make):
        if name not in self.made:
            try:
                self.made[name] = make(self.context)
            except Exception as error:
                self.made[name] = error
        if isinstance(self.made[name], Skip):
            raise Skip(*self.made[name].args)
        if isinstance(self.made[name], Exception):
            raise AssertionError(f'{name} could not be made: {self.made[name]}') from None
        return self.made[name]

    def main(self):
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument('tests', nargs='*', help='run only these')
        parser.add_argument('--vmm', choices=('vitrine', 'qemu'), help='what to test (default: vitrine)')
        parser.add_argument('--accel', choices=('kvm', 'tcg'), help='how QEMU runs guests (default: kvm)')
        parser.add_argument('--keep', action='store_true', help="keep the tests' directories")
        options = parser.parse_args()
        if options.vmm:
            os.environ['VITRINE_TEST_VMM'] = options.vmm
        if options.accel:
            os.environ['VITRINE_TEST_ACCEL'] = options.accel
        chosen = [test for test in self.tests if not options.tests or test.__name__ in options.tests]
        sys.stdout.reconfigure(line_buffering=True)
        processes.adopt_orphans()
        self.context = Context()
        print(f'# {self.about}\n# {kind_under_test()}; KVM for {bed()}\n1..{len(chosen)}')
        results = [self.run(number, test, options.keep) for number, test in enumerate(chosen, 1)]
        left = self.context.end(options.keep) + leftovers()
        for line in left:
            print(f'# {line}')
        if left or 'failed' in results:
            sys.exit(1)
        sys.exit(SKIPPED if set(results) == {'skipped'} else 0)

    def run(self, number, test, keep):
        context, result, comment = Context(self), 'passed', ''
        started = time.monotonic()
        # Should a wait have no limit after all, the place is seen when the whole program is ended.
        faulthandler.dump_traceback_later(2 * LIMIT)
        try:
            test(context)
        except Skip as reason:
            result, comment = 'skipped', f' # SKIP {reason}'
        except Exception as error:
            result = 'failed'
            report(error, [*context.logs(), *self.context.logs()])
        left = context.end(keep) + leftovers(self.context.directory)
        faulthandler.cancel_dump_traceback_later()
        for line in left:
            result = 'failed'
            print(f'# {line}')
        name = test.__name__.replace('_', ' ')
        print(f"{'not ok' if result == 'failed' else 'ok'} {number} - {name}{comment} # {time.monotonic() - started:.1f} s")
        return result


def leftovers(shared=None):
    """End and name the child processes that nobody expects; those at work in the shared directory are."""
    left = []
    for pid in processes.reap():
        command = processes.command_line(pid)
        if shared and str(shared) in command:
            continue
        left.append(f'process {pid} is left behind: {command}')
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    processes.reap()
    return left


def report(error, logs):
    """Say on standard output, as TAP comments, what went wrong and where in the test."""
    frames = traceback.extract_tb(error.__traceback__)
    place = [f'{Path(frame.filename).name}:{frame.lineno} {frame.line}' for frame in frames[1:]]
    for line in [f'{type(error).__name__}: {error}', *place, *logs]:
        for part in line.splitlines() or ['']:
            print(f'#   {part}')
