"""A program on a terminal of its own, as a person would have it."""

import os
import signal
import termios

from harness.serial import Serial
from harness.wait import wait_until


class Terminal:
    """The program's controlling terminal is a new pseudo-terminal; `line` is the person's side of it."""

    def __init__(self, argv, size=(24, 80), env=None):
        self.argv = [str(argument) for argument in argv]
        # The other end is held too, which keeps the settings readable after the program has gone.
        main, self.other = os.openpty()
        self.settings_at_start = termios.tcgetattr(self.other)
        termios.tcsetwinsize(main, size)
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self.other)
            os.execvpe(self.argv[0], self.argv, {**os.environ, **(env or {})})
        os.set_inheritable(main, False)
        self.line = Serial(main)

    def settings(self):
        return termios.tcgetattr(self.other)

    def raw(self):
        """True while line editing and echo are off."""
        return not self.settings()[3] & (termios.ICANON | termios.ECHO)

    def poll(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def wait(self, seconds=None):
        """The exit status; what the program still writes meanwhile is taken."""
        wait_until(lambda: self.line.read(0) is not None and self.poll(), f'{self.argv[0]} ending', seconds)
        return self.status

    def close(self):
        if not self.poll():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.other)
        self.line.close()
