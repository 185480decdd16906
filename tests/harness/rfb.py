"""A small RFB client, written from the specification alone: Raw, Hextile and ZRLE, keys and pointer.

Specification: RFC 6143; the community specification (rfbproto) for the QEMU extended key event and LED state.
"""

import os
import select
import socket
import struct
import zlib
from pathlib import Path

from harness.picture import Picture
from harness.sockets import connect
from harness.wait import Deadline, Timeout

RAW, HEXTILE, ZRLE = 0, 5, 16
DESKTOP_SIZE, CURSOR, QEMU_EXTENDED_KEY, QEMU_LIGHTS = -223, -239, -258, -261
KEYSYMS = {'\n': 0xff0d, '\t': 0xff09, '\b': 0xff08, '\x1b': 0xff1b}
SHIFT, SHIFTED = 0xffe1, '~!@#$%^&*()_+{}|:"<>?'


class RfbError(Exception):
    """The server broke the protocol or refused."""


class RfbClient:
    """A connection with the picture as it is known so far. Pixels are asked for as 32 bits, blue first."""

    def __init__(self, address, encodings=(ZRLE, HEXTILE, RAW), version=(3, 8), pseudo=(DESKTOP_SIZE, CURSOR),
                 alive=lambda: True, seconds=None):
        self.deadline = Deadline(seconds)
        if isinstance(address, tuple):
            self.socket = socket.create_connection(address, self.deadline.left())
        else:
            self.socket = connect(address, alive, seconds)
        self.socket.setblocking(False)
        self.inflater = zlib.decompressobj()
        self.cursor = None
        self.extended_keys = False
        self.lights = None
        self.updates = 0
        self.rectangles = []
        self.bells = 0
        self.handshake(version)
        self.set_pixel_format()
        self.set_encodings((*encodings, *pseudo))

    def close(self):
        self.socket.close()

    # Bytes

    def receive(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                part = self.socket.recv(min(count - len(data), 1 << 20))
            except BlockingIOError:
                if not select.select([self.socket], [], [], self.deadline.left())[0]:
                    raise Timeout(f'no more RFB bytes within {self.deadline.seconds:g} s') from None
                continue
            if not part:
                raise ConnectionError('RFB server closed the connection')
            data += part
        return bytes(data)

    def unpack(self, layout):
        return struct.unpack('>' + layout, self.receive(struct.calcsize('>' + layout)))

    def send(self, data):
        self.socket.setblocking(True)
        self.socket.sendall(data)
        self.socket.setblocking(False)

    # Handshake (section 7.1 to 7.3)

    def handshake(self, version):
        greeting = self.receive(12)
        if not greeting.startswith(b'RFB 003.'):
            raise RfbError(f'greeting {greeting!r}')
        self.server_version = (int(greeting[4:7]), int(greeting[8:11]))
        self.send(b'RFB %03d.%03d\n' % version)
        if version >= (3, 7):
            self.security_types = list(self.receive(self.unpack('B')[0]))
            if not self.security_types:
                raise RfbError(self.reason())
            if 1 not in self.security_types:
                raise RfbError(f'security types {self.security_types}, None (1) is not among them')
            self.send(b'\1')
        else:
            kind = self.unpack('I')[0]
            if kind == 0:
                raise RfbError(self.reason())
            self.security_types = [kind]
        if version >= (3, 8) and self.unpack('I')[0] != 0:
            raise RfbError(self.reason())
        self.send(b'\1')
        width, height = self.unpack('HH')
        self.server_format = self.receive(16)
        self.name = self.receive(self.unpack('I')[0]).decode()
        self.resize(width, height)

    def reason(self):
        return self.receive(self.unpack('I')[0]).decode(errors='replace')

    def resize(self, width, height):
        self.width, self.height = width, height
        self.framebuffer = bytearray(width * height * 4)

    # What a client sends (section 7.5)

    def set_pixel_format(self):
        self.send(struct.pack('>B3xBBBBHHHBBB3x', 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))

    def set_encodings(self, encodings):
        self.send(struct.pack('>BxH', 2, len(encodings)) + b''.join(struct.pack('>i', e) for e in encodings))

    def request(self, incremental=True, area=None):
        x, y, width, height = area or (0, 0, self.width, self.height)
        self.send(struct.pack('>BBHHHH', 3, incremental, x, y, width, height))

    def key(self, keysym, down):
        self.send(struct.pack('>BBxxI', 4, down, keysym))

    def extended_key(self, keysym, scancode, down):
        """A QEMU extended key event: the scancode is that of set 1, 0x80 added for those with 0xe0."""
        self.send(struct.pack('>BBHII', 255, 0, down, keysym, scancode))

    def press(self, keysym):
        self.key(keysym, True)
        self.key(keysym, False)

    def type(self, text):
        """Type a text as a person with a us keyboard does: shift is held where it is needed."""
        for letter in text:
            shifted = letter.isupper() or letter in SHIFTED
            if shifted:
                self.key(SHIFT, True)
            self.press(KEYSYMS.get(letter, ord(letter)))
            if shifted:
                self.key(SHIFT, False)

    def pointer(self, x, y, buttons=0):
        self.send(struct.pack('>BBHH', 5, buttons, x, y))

    # What a server sends (section 7.6)

    def update(self, incremental=True, seconds=None):
        """Ask for an update and take messages until it has come."""
        self.deadline = Deadline(seconds)
        self.request(incremental)
        before = self.updates
        while self.updates == before:
            self.message()

    def message(self):
        kind = self.unpack('B')[0]
        if kind == 0:
            self.framebuffer_update()
        elif kind == 1:
            _, _, count = self.unpack('BHH')
            self.receive(6 * count)
        elif kind == 2:
            self.bells += 1
        elif kind == 3:
            self.receive(3)
            self.receive(self.unpack('I')[0])
        else:
            raise RfbError(f'unknown message {kind}')

    def framebuffer_update(self):
        _, count = self.unpack('BH')
        self.rectangles = []
        for _ in range(count):
            x, y, width, height, encoding = self.unpack('HHHHi')
            self.rectangles.append((x, y, width, height, encoding))
            decode = {RAW: self.raw, HEXTILE: self.hextile, ZRLE: self.zrle}.get(encoding)
            if encoding == DESKTOP_SIZE:
                self.resize(width, height)
            elif encoding == CURSOR:
                pixels = self.receive(width * height * 4)
                self.cursor = (x, y, width, height, pixels, self.receive((width + 7) // 8 * height))
            elif encoding == QEMU_EXTENDED_KEY:
                self.extended_keys = True
            elif encoding == QEMU_LIGHTS:
                self.lights = self.receive(1)[0]
            elif decode is None:
                raise RfbError(f'encoding {encoding} was not asked for')
            elif x + width > self.width or y + height > self.height:
                raise RfbError(f'rectangle {width}x{height}+{x}+{y} outside of {self.width}x{self.height}')
            else:
                decode(x, y, width, height)
        self.updates += 1

    def put_row(self, x, y, pixels):
        at = (y * self.width + x) * 4
        self.framebuffer[at:at + len(pixels)] = pixels

    def fill(self, x, y, width, height, pixel):
        for line in range(y, y + height):
            self.put_row(x, line, pixel * width)

    def put(self, x, y, width, height, pixels):
        for line in range(height):
            self.put_row(x, y + line, pixels[line * width * 4:(line + 1) * width * 4])

    def raw(self, x, y, width, height):
        self.put(x, y, width, height, self.receive(width * height * 4))

    def hextile(self, x, y, width, height):
        background = foreground = bytes(4)
        for top in range(y, y + height, 16):
            for left in range(x, x + width, 16):
                w, h = min(16, x + width - left), min(16, y + height - top)
                flags = self.unpack('B')[0]
                if flags & 1:
                    self.put(left, top, w, h, self.receive(w * h * 4))
                    continue
                if flags & 2:
                    background = self.receive(4)
                if flags & 4:
                    foreground = self.receive(4)
                self.fill(left, top, w, h, background)
                for _ in range(self.unpack('B')[0] if flags & 8 else 0):
                    colour = self.receive(4) if flags & 16 else foreground
                    place, size = self.unpack('BB')
                    dx, dy, sw, sh = place >> 4, place & 15, (size >> 4) + 1, (size & 15) + 1
                    if dx + sw > w or dy + sh > h:
                        raise RfbError('Hextile subrectangle outside of its tile')
                    self.fill(left + dx, top + dy, sw, sh, colour)

    def zrle(self, x, y, width, height):
        packed = self.receive(self.unpack('I')[0])
        tiles = ZrleTiles(self.inflater.decompress(packed))
        for top in range(y, y + height, 64):
            for left in range(x, x + width, 64):
                w, h = min(64, x + width - left), min(64, y + height - top)
                self.put(left, top, w, h, tiles.next(w, h))
        tiles.end()

    # The picture

    def picture(self):
        rgb = bytearray(self.width * self.height * 3)
        for i in range(3):
            rgb[i::3] = self.framebuffer[2 - i::4]
        return Picture(self.width, self.height, rgb)

    def wait(self, predicate, what='the expected picture', seconds=None):
        """Follow the screen until predicate(picture) holds; returns that picture."""
        deadline = Deadline(seconds)
        self.deadline = deadline
        self.request(incremental=False)
        while True:
            before = self.updates
            size = self.width, self.height
            while self.updates == before:
                try:
                    self.message()
                except Timeout:
                    self.keep_last()
                    raise Timeout(f'{what} was not seen within {deadline.seconds:g} s') from None
            picture = self.picture()
            if predicate(picture):
                # The request that would be left open is none: every update answered one.
                return picture
            if deadline.left() == 0:
                self.keep_last()
            deadline.check(what)
            self.request(incremental=size == (self.width, self.height))

    def wait_lights(self, lights, seconds=None):
        """Follow the keyboard's lights until they are these: 1 scroll lock, 2 num lock, 4 caps lock."""
        self.deadline = Deadline(seconds)
        while self.lights != lights:
            before = self.updates
            self.request()
            while self.updates == before:
                try:
                    self.message()
                except Timeout:
                    raise Timeout(f'the lights stayed {self.lights}, not {lights}') from None

    def keep_last(self):
        """Leave the picture for people to look at when it is not the expected one."""
        folder = os.environ.get('LAB_OUT') or os.environ.get('VITRINE_TEST_OUT')
        if folder:
            self.picture().write_png(Path(folder) / 'last-picture.png')


class ZrleTiles:
    """The tiles in one inflated ZRLE rectangle (section 7.7.6); a pixel is three bytes, given out as four."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        part = self.data[self.at:self.at + count]
        if len(part) != count:
            raise RfbError('ZRLE data end within a tile')
        self.at += count
        return part

    def end(self):
        if self.at != len(self.data):
            raise RfbError(f'{len(self.data) - self.at} bytes left after the last ZRLE tile')

    def pixel(self):
        return self.take(3) + b'\0'

    def run_length(self):
        length = 1
        while True:
            byte = self.take(1)[0]
            length += byte
            if byte != 255:
                return length

    def next(self, width, height):
        kind = self.take(1)[0]
        count = width * height
        if kind == 0:
            packed = self.take(count * 3)
            pixels = bytearray(count * 4)
            for i in range(3):
                pixels[i::4] = packed[i::3]
            return bytes(pixels)
        if kind == 1:
            return self.pixel() * count
        if kind <= 16:
            return self.packed_palette(width, height, [self.pixel() for _ in range(kind)])
        if kind == 128:
            return self.runs(count, lambda: (self.pixel(), self.run_length()))
        if kind >= 130:
            palette = [self.pixel() for _ in range(kind - 128)]
            return self.runs(count, lambda: self.palette_run(palette))
        raise RfbError(f'ZRLE tile of the unused kind {kind}')

    def packed_palette(self, width, height, palette):
        bits = 1 if len(palette) == 2 else 2 if len(palette) <= 4 else 4
        pixels = []
        for _ in range(height):
            row = int.from_bytes(self.take((width * bits + 7) // 8))
            length = (width * bits + 7) // 8 * 8
            for i in range(width):
                index = row >> (length - (i + 1) * bits) & ((1 << bits) - 1)
                if index >= len(palette):
                    raise RfbError('ZRLE palette index outside of the palette')
                pixels.append(palette[index])
        return b''.join(pixels)

    def palette_run(self, palette):
        index = self.take(1)[0]
        if index & 127 >= len(palette):
            raise RfbError('ZRLE palette index outside of the palette')
        return palette[index & 127], self.run_length() if index & 128 else 1

    def runs(self, count, next_run):
        parts, done = [], 0
        while done < count:
            pixel, length = next_run()
            parts.append(pixel * length)
            done += length
        if done != count:
            raise RfbError('ZRLE run beyond the end of its tile')
        return b''.join(parts)
