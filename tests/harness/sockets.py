"""UNIX sockets of programs that may only be starting."""

import os
import socket

from harness.wait import wait_until


def connect(path, alive=lambda: True, seconds=None):
    """Connect to a UNIX socket that may not be there yet."""
    def attempt():
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if not alive():
                raise ConnectionError(f'nothing will listen on {path}: the program has ended') from None
            return None
    return wait_until(attempt, f'a listener on {path}', seconds, interval=0.005)


def free_display():
    """The number of a VNC display on 127.0.0.1 whose TCP port, 5900 more, is free now."""
    for display in range(50 + os.getpid() % 900, 2000):
        with socket.socket() as attempt:
            try:
                attempt.bind(('127.0.0.1', 5900 + display))
                return display
            except OSError:
                continue
    raise OSError('no free TCP port for a VNC display')
