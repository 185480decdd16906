"""A VNC server that shows what the test says and keeps what the client sends.

Specification: RFC 6143; the community specification (rfbproto) for the pseudo-encodings of QEMU.
"""

import contextlib
import os
import socket
import struct
import threading

RAW, POINTER_CHANGE, EXTENDED_KEYS, RICH_CURSOR, DESKTOP_SIZE = 0, -257, -258, -239, -223
SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY, POINTER, CUT_TEXT, QEMU = 0, 2, 3, 4, 5, 6, 255


class ScriptedVnc:
    """Listens on a UNIX socket and serves one client after the other, in a thread of its own."""

    def __init__(self, path, width, height, colour_at, password=False, absolute=True):
        self.path, self.width, self.height, self.colour_at = str(path), width, height, colour_at
        self.password, self.absolute = password, absolute
        self.keys, self.pointers, self.requests, self.answers = [], [], 0, []
        self.lock = threading.Lock()
        self.connection = None
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(self.path)
        self.listening.listen(4)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def close(self):
        """No longer reachable; the client that is there loses its connection."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.drop()
        # Only now: the number of a closed descriptor may be the next server's.
        self.thread.join()
        self.listening.close()

    def drop(self):
        connection = self.connection
        if connection:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.connection = connection
            with contextlib.suppress(OSError, EOFError):
                self.serve(connection)
            connection.close()

    def take(self, connection, length):
        data = b''
        while len(data) < length:
            more = connection.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def serve(self, connection):
        connection.sendall(b'RFB 003.008\n')
        self.take(connection, 12)
        connection.sendall(bytes([1, 2 if self.password else 1]))
        self.take(connection, 1)
        if self.password:
            connection.sendall(bytes(range(16)))
            self.answers.append(self.take(connection, 16))
        connection.sendall(struct.pack('>I', 0))
        self.take(connection, 1)
        pixels = struct.pack('>BBBBHHHBBBxxx', 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        name = b'scripted'
        connection.sendall(struct.pack('>HH', self.width, self.height) + pixels + struct.pack('>I', len(name)) + name)
        while True:
            self.message(connection, self.take(connection, 1)[0])

    def message(self, connection, kind):
        if kind == SET_PIXEL_FORMAT:
            self.take(connection, 19)
        elif kind == SET_ENCODINGS:
            count, = struct.unpack('>xH', self.take(connection, 3))
            self.take(connection, 4 * count)
            self.announce(connection)
        elif kind == UPDATE_REQUEST:
            incremental, = struct.unpack('>B8x', self.take(connection, 9))
            self.requests += 1
            if not incremental:
                self.show()
        elif kind == KEY:
            self.take(connection, 7)
            self.keys.append(None)
        elif kind == POINTER:
            self.pointers.append(struct.unpack('>BHH', self.take(connection, 5)))
        elif kind == CUT_TEXT:
            self.take(connection, struct.unpack('>3xI', self.take(connection, 7))[0])
        elif kind == QEMU:
            _, down, keysym, scancode = struct.unpack('>BHII', self.take(connection, 11))
            self.keys.append((scancode, bool(down), keysym))
        else:
            raise EOFError

    def send(self, *rectangles):
        with self.lock:
            self.connection.sendall(struct.pack('>BxH', 0, len(rectangles)) + b''.join(rectangles))

    def announce(self, connection):
        """Scancodes are welcome, and which kind of pointer this is."""
        self.send(struct.pack('>HHHHi', 0, 0, 0, 0, EXTENDED_KEYS),
                  struct.pack('>HHHHi', int(self.absolute), 0, 0, 0, POINTER_CHANGE))

    def pixels(self):
        """The picture as three bytes a pixel."""
        return bytes(part for y in range(self.height) for x in range(self.width) for part in self.colour_at(x, y))

    def show(self):
        """The whole picture as it is now."""
        data = b''.join(struct.pack('BBBx', *reversed(self.colour_at(x, y)))
                        for y in range(self.height) for x in range(self.width))
        self.send(struct.pack('>HHHHi', 0, 0, self.width, self.height, RAW) + data)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.send(struct.pack('>HHHHi', 0, 0, width, height, DESKTOP_SIZE))
