"""Child processes: started with their output kept, and shown to be gone at the end.

Grandchildren whose parent dies become children of the test (PR_SET_CHILD_SUBREAPER), so that a
server left behind by a killed VMM is found, named and ended.
"""

import ctypes
import os
import signal
import subprocess
from pathlib import Path

from harness.wait import wait_until

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Make this process the parent of whatever its children leave behind."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl(PR_SET_CHILD_SUBREAPER)')


def children(pid='self'):
    """The process ids of a process's children that still run (zombies are not counted)."""
    found = []
    try:
        threads = list(Path(f'/proc/{pid}/task').iterdir())
    except FileNotFoundError:
        return found
    for thread in threads:
        try:
            found += [int(child) for child in (thread / 'children').read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [child for child in found if state(child) not in (None, 'Z')]


def descendants(pid):
    """Children, their children, and so on."""
    found = children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def state(pid):
    """The letter that /proc gives for a process's state; None when there is no such process."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(')') + 2]


def command_line(pid):
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace').strip()
    except (FileNotFoundError, ProcessLookupError):
        return '(gone)'


def named(pids, name):
    """Those of the processes whose program has the given file name."""
    return [pid for pid in pids if Path(command_line(pid).split(' ')[0]).name == name]


def reap():
    """Collect whatever has died; returns what still runs."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
    return children()


class Program:
    """A running program; its standard output and error go to files."""

    def __init__(self, argv, directory, name=None, stdin=subprocess.DEVNULL, env=None, **options):
        self.argv = [str(argument) for argument in argv]
        self.name = name or Path(self.argv[0]).name
        self.out_path = Path(directory) / f'{self.name}.out'
        self.err_path = Path(directory) / f'{self.name}.err'
        with open(self.out_path, 'wb') as out, open(self.err_path, 'wb') as err:
            self.process = subprocess.Popen(self.argv, stdin=stdin, stdout=options.pop('stdout', out),
                                            stderr=err, env={**os.environ, **(env or {})}, **options)
        self.pid = self.process.pid

    def running(self):
        return self.process.poll() is None

    def out(self):
        return self.out_path.read_text(errors='replace')

    def err(self):
        return self.err_path.read_text(errors='replace')

    def wait(self, seconds=None):
        """Wait for the program to end; returns its exit status (negative: the signal)."""
        return wait_until(lambda: (self.process.poll(), )[0] is not None and [self.process.returncode],
                          f'{self.name} ending', seconds)[0]

    def kill(self, number=signal.SIGKILL):
        if self.running():
            self.process.send_signal(number)

    def end(self, seconds=20):
        """Ask the program to end, then make it."""
        self.kill(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.process.returncode


def run(argv, seconds=60, env=None, **options):
    """Run a program to its end; the result has returncode, stdout and stderr (text)."""
    return subprocess.run([str(argument) for argument in argv], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=seconds, text=True, errors='replace', env={**os.environ, **(env or {})}, **options)
