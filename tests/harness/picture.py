"""Pictures as tests need them: read, written, compared, and read as text.

Specifications: Portable Network Graphics (PNG) 1.2, sections 5 to 9; PPM (netpbm).
"""

import re
import struct
import zlib
from pathlib import Path


class Picture:
    """Width, height and the pixels: three bytes each, red first, no gaps."""

    def __init__(self, width, height, pixels):
        if len(pixels) != width * height * 3:
            raise ValueError(f'{len(pixels)} bytes are no picture of {width}x{height}')
        self.width = width
        self.height = height
        self.pixels = bytes(pixels)

    @property
    def size(self):
        return self.width, self.height

    def __eq__(self, other):
        return self.size == other.size and self.pixels == other.pixels

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.pixels[at:at + 3])

    def row(self, y):
        return self.pixels[y * self.width * 3:(y + 1) * self.width * 3]

    def crop(self, x, y, width, height):
        return Picture(width, height, b''.join(
            self.row(line)[x * 3:(x + width) * 3] for line in range(y, y + height)))

    def colours(self):
        """How often each colour occurs."""
        counts = {}
        for at in range(0, len(self.pixels), 3):
            colour = self.pixels[at:at + 3]
            counts[colour] = counts.get(colour, 0) + 1
        return {tuple(colour): count for colour, count in counts.items()}

    def blank(self):
        """True when all pixels are the same."""
        return self.pixels == self.pixels[:3] * (self.width * self.height)

    def differing(self, other, tolerance=0):
        """The number of pixels with a component that differs by more than the tolerance."""
        if self.size != other.size:
            raise ValueError(f'pictures of {self.size} and {other.size} cannot be compared')
        count = 0
        for y in range(self.height):
            mine, its = self.row(y), other.row(y)
            if mine == its:
                continue
            for at in range(0, len(mine), 3):
                if any(abs(mine[at + i] - its[at + i]) > tolerance for i in range(3)):
                    count += 1
        return count

    def changed_rows(self, other):
        """The numbers of the rows that differ."""
        return [y for y in range(self.height) if self.row(y) != other.row(y)]

    def write_png(self, path):
        rows = b''.join(b'\0' + self.row(y) for y in range(self.height))
        with open(path, 'wb') as out:
            out.write(b'\x89PNG\r\n\x1a\n')
            for kind, data in ((b'IHDR', struct.pack('>IIBBBBB', self.width, self.height, 8, 2, 0, 0, 0)),
                               (b'IDAT', zlib.compress(rows, 1)), (b'IEND', b'')):
                out.write(struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data)))


def read_picture(path):
    """Read a PNG (8 bits per sample, not interlaced) or a PPM file."""
    data = Path(path).read_bytes()
    if data.startswith(b'\x89PNG'):
        return read_png(data)
    if data.startswith(b'P6'):
        return read_ppm(data)
    raise ValueError(f'{path} is neither PNG nor PPM: it begins with {data[:8]!r}')


def read_ppm(data):
    match = re.match(rb'P6\s+(?:#[^\n]*\n)*(\d+)\s+(\d+)\s+255\s', data)
    if not match:
        raise ValueError(f'no PPM header with 255 levels: {data[:32]!r}')
    width, height = int(match[1]), int(match[2])
    return Picture(width, height, data[match.end():match.end() + width * height * 3])


def read_png(data):
    position, chunks, packed, palette = 8, {}, b'', b''
    while position < len(data):
        length, kind = struct.unpack_from('>I4s', data, position)
        body = data[position + 8:position + 8 + length]
        if struct.unpack_from('>I', data, position + 8 + length)[0] != zlib.crc32(kind + body):
            raise ValueError(f'PNG chunk {kind} has a wrong checksum')
        chunks[kind] = body
        if kind == b'IDAT':
            packed += body
        position += 12 + length
    width, height, depth, colour, _, _, interlaced = struct.unpack('>IIBBBBB', chunks[b'IHDR'])
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if depth != 8 or interlaced:
        raise ValueError(f'PNG with {depth} bits per sample, interlacing {interlaced}: not read here')
    palette = chunks.get(b'PLTE', b'')
    lines = unfilter(zlib.decompress(packed), width, height, samples)
    return Picture(width, height, b''.join(png_row_to_rgb(line, colour, palette) for line in lines))


def unfilter(data, width, height, samples):
    """Undo PNG's row filters (section 6)."""
    stride = width * samples
    above = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        kind = data[start]
        line = bytearray(data[start + 1:start + 1 + stride])
        if kind == 1:
            for i in range(samples, stride):
                line[i] = (line[i] + line[i - samples]) & 255
        elif kind == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, above))
        elif kind == 3:
            for i in range(stride):
                left = line[i - samples] if i >= samples else 0
                line[i] = (line[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            for i in range(stride):
                left = line[i - samples] if i >= samples else 0
                corner = above[i - samples] if i >= samples else 0
                line[i] = (line[i] + paeth(left, above[i], corner)) & 255
        elif kind != 0:
            raise ValueError(f'PNG row {y} has the unknown filter {kind}')
        yield bytes(line)
        above = line


def paeth(left, up, corner):
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def png_row_to_rgb(line, colour, palette):
    if colour == 2:
        return line
    if colour == 6:
        rgb = bytearray(len(line) // 4 * 3)
        for i in range(3):
            rgb[i::3] = line[i::4]
        return bytes(rgb)
    if colour == 3:
        return b''.join(palette[value * 3:value * 3 + 3] for value in line)
    step = 1 if colour == 0 else 2
    return bytes(value for value in line[::step] for _ in range(3))
