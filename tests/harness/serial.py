"""A guest's serial line: text is expected and sent. Over a UNIX socket or a terminal."""

import os
import re
import select

from harness.sockets import connect
from harness.wait import Deadline, Timeout


class Serial:
    """Text that arrives is kept whole in `log`; `expect` goes on where the last match ended."""

    def __init__(self, fd, close=None):
        self.fd = fd
        self.log = ''
        self.position = 0
        self.ended = False
        self.close = close or (lambda: os.close(fd))

    @classmethod
    def over_socket(cls, path, alive=lambda: True, seconds=None):
        connection = connect(path, alive, seconds)
        return cls(connection.fileno(), connection.close)

    def read(self, seconds):
        """Take what has arrived, waiting at most that long; False at the end of the line."""
        if self.ended:
            return False
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except (ConnectionResetError, OSError):
            data = b''
        self.ended = not data
        self.log += data.decode('utf-8', errors='replace')
        return not self.ended

    def expect(self, pattern, seconds=None):
        """Wait for a regular expression after the last match; returns the match."""
        deadline = Deadline(seconds)
        while True:
            match = re.compile(pattern).search(self.log, self.position)
            if match:
                self.position = match.end()
                return match
            if deadline.left() == 0 or not self.read(deadline.left()):
                rest = self.log[self.position:]
                why = 'the line ended' if self.ended else f'not within {deadline.seconds:g} s'
                raise Timeout(f'{pattern!r} did not appear ({why}); since the last match: {rest[-2000:]!r}')

    def drain(self):
        """Take what has arrived already."""
        before = None
        while before != len(self.log):
            before = len(self.log)
            self.read(0)

    def quiet(self, seconds):
        """True when nothing arrives for that long."""
        before = len(self.log)
        self.read(seconds)
        return len(self.log) == before

    def send(self, text):
        data = text.encode()
        while data:
            data = data[os.write(self.fd, data):]
