#!/usr/bin/python3
"""A guest as far as viewers and consoles can tell: registered in a runtime directory, with a serial line.

    registered_guest.py BASE NAME [--deaf]

The line answers what it is sent, in upper case; the line "off" ends the guest, "drop" closes the line, "pour" sends
without end. With --deaf it takes nothing. It says "ready" on standard output once it is registered.
"""

import fcntl
import json
import os
import select
import socket
import struct
import sys
from pathlib import Path

F_OFD_SETLK = 37


def register(directory, name):
    """Lock the directory for as long as this process lives, and publish the record."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(directory / 'lock', os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.fcntl(lock, F_OFD_SETLK, struct.pack('hhqqixxxx', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    record = {
        'format': 1, 'name': name, 'machine': 'q35-1.0', 'machine-asked': 'q35', 'pid': os.getpid(),
        'serial': [{'name': 'debug'}, {'name': 'serial0', 'socket': 'serial0.sock'}],
    }
    new = directory / 'guest.json.new'
    new.write_text(json.dumps(record))
    new.rename(directory / 'guest.json')
    return lock


def serve(connection, deaf):
    """One client, until it or the guest ends; False when the guest is to end."""
    typed = b''
    while True:
        if deaf:
            select.select([], [], [])
        data = connection.recv(65536)
        if not data:
            return True
        connection.sendall(data.upper())
        typed = (typed + data)[-64:]
        lines = typed.replace(b'\r', b'\n').split(b'\n')[:-1]
        if b'drop' in lines:
            return True
        if b'off' in lines:
            return False
        if b'pour' in lines:
            while True:
                connection.sendall(b'pouring\r\n' * 1000)


def main():
    base, name, *rest = sys.argv[1:]
    directory = Path(base) / name
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / 'serial0.sock').unlink(missing_ok=True)
    listening.bind(str(directory / 'serial0.sock'))
    listening.listen(1)
    lock = register(directory, name)
    print('ready', flush=True)
    goes_on = True
    while goes_on:
        connection, _ = listening.accept()
        try:
            goes_on = serve(connection, '--deaf' in rest)
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.close()
    os.close(lock)


main()
