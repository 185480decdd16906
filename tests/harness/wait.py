"""Waiting for something to become true, with a limit that only a broken program reaches."""

import os
import time

# Tests run beside each other and in a machine that is emulated; a limit is there to end a test that
# would never end, not to measure anything.
LIMIT = float(os.environ.get('VITRINE_TEST_LIMIT', '60'))


class Timeout(Exception):
    """What was waited for did not come."""


class Deadline:
    """A point in time that several waits share."""

    def __init__(self, seconds=None):
        self.seconds = LIMIT if seconds is None else seconds
        self.end = time.monotonic() + self.seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def check(self, what):
        """`what` is a text, or a function that makes one when the limit was reached."""
        if time.monotonic() >= self.end:
            what = what() if callable(what) else what
            raise Timeout(f'{what} did not happen within {self.seconds:g} s')


def wait_until(predicate, what, seconds=None, interval=0.01):
    """Call predicate until it returns something true, and return that."""
    deadline = Deadline(seconds)
    while True:
        value = predicate()
        if value:
            return value
        deadline.check(what)
        time.sleep(interval)
