"""UNIX sockets of programs that may only be starting."""

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
