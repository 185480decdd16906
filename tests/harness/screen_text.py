"""Reading the text that stands on a console's screen.

The glyphs are those of the distribution's VGA BIOS, in the 8x16 character set that PCs have had since
the VGA; text modes show them 8 or 9 pixels wide, the Linux console 8. A cell is the glyph that differs
in the fewest pixels.
"""

import functools
from pathlib import Path

VGA_BIOSES = ('/usr/share/seabios/vgabios-stdvga.bin', '/usr/share/qemu/vgabios-stdvga.bin',
              '/usr/share/seabios/vgabios-bochs-display.bin')
HEIGHT = 16
# How the character set begins: an empty glyph, then the smiling face of character 1.
FONT_START = bytes(16) + bytes.fromhex('00007e81a58181bd9981817e00000000')
# A cell that differs from every glyph by more pixels than this is no text.
FAR = 16


@functools.cache
def font():
    """The glyphs of the 256 characters, sixteen bytes each, a byte for a row of pixels."""
    for name in VGA_BIOSES:
        if not Path(name).exists():
            continue
        data = Path(name).read_bytes()
        start = data.find(FONT_START)
        if start >= 0:
            return data[start:start + 256 * HEIGHT]
    raise FileNotFoundError(f"no VGA BIOS with the PC's 8x16 characters among {', '.join(VGA_BIOSES)}")


@functools.cache
def glyphs():
    """From a glyph's 128 bits to the number of its character; the plainest where several look alike."""
    table = {}
    for code in [*range(32, 127), *range(128, 256), *range(1, 32)]:
        table.setdefault(int.from_bytes(font()[code * HEIGHT:(code + 1) * HEIGHT]), code)
    return table


@functools.cache
def character(bits):
    """The character that the 128 bits of a cell show; '\\ufffd' for none."""
    table = glyphs()
    inverted = bits ^ ((1 << 128) - 1)
    for candidate in (bits, inverted):
        if candidate in table:
            return bytes([table[candidate]]).decode('cp437')
    near, code = min(((bits ^ glyph).bit_count(), code) for glyph, code in table.items() if code >= 32)
    return bytes([code]).decode('cp437') if near <= FAR else '\ufffd'


def cell_bits(rows, x):
    """The 8x16 pixels of a cell as 128 bits: the colour that is rarer in the cell is the ink."""
    lines = [row[x * 3:(x + 8) * 3] for row in rows]
    if lines.count(lines[0]) == HEIGHT and lines[0] == lines[0][:3] * 8:
        return 0
    cell = [line[i:i + 3] for line in lines for i in range(0, 24, 3)]
    paper = max(set(cell), key=cell.count)
    bits = 0
    for pixel in cell:
        bits = bits << 1 | (pixel != paper)
    return bits


def screen_lines(picture, cell_width=None):
    """The text of a picture, line by line, without what is blank at the end of each."""
    if cell_width is None:
        cell_width = 9 if picture.width % 9 == 0 and picture.width // 9 in (40, 80) else 8
    lines = []
    for top in range(0, picture.height - HEIGHT + 1, HEIGHT):
        rows = [picture.row(y) for y in range(top, top + HEIGHT)]
        if all(row == row[:3] * picture.width for row in rows) and len(set(rows)) == 1:
            lines.append('')
            continue
        columns = picture.width // cell_width
        lines.append(''.join(character(cell_bits(rows, column * cell_width)) for column in range(columns)).rstrip())
    return lines


def screen_text(picture, cell_width=None):
    return '\n'.join(screen_lines(picture, cell_width)).rstrip('\n')
