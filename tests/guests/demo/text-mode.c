/* The VGA's text mode of 80 by 25 characters, set register by register.
 *
 * Specification: IBM VGA (PS/2 Hardware Interface Technical Reference, "Video Subsystem"), mode 3
 * of 720x400.
 */
#include "text-mode.h"

#include "calls.h"

enum {
	MISCELLANEOUS = 0x3c2,
	SEQUENCER = 0x3c4,
	DAC_MASK = 0x3c6,
	DAC_WRITE_INDEX = 0x3c8,
	DAC_DATA = 0x3c9,
	GRAPHICS = 0x3ce,
	CRT = 0x3d4,
	ATTRIBUTE = 0x3c0,
	STATUS = 0x3da,
	ATTRIBUTE_SHOW = 0x20,

	CRT_CURSOR_START = 0x0a,
	CRT_CURSOR_END = 0x0b,
	CRT_CURSOR_HIGH = 0x0e,
	CRT_CURSOR_LOW = 0x0f,
	CRT_END_OF_RETRACE = 0x11,
	CRT_PROTECT = 0x80,

	FONT_MEMORY = 0xa0000,
	FONT_STRIDE = 32,
	FONT_HEIGHT = 16,
	TEXT_MEMORY = 0xb8000,
	COLOURS = 64,
};

static const uint8_t sequencer[] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const uint8_t crt[] = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d,
	0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff };
static const uint8_t graphics[] = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff };
static const uint8_t attribute[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39,
	0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00 };

/* Index in the low byte, value in the high: one write sets both. */
static void set(uint16_t port, unsigned index, uint8_t value)
{
	out16(port, (uint16_t)(value << 8 | index));
}

static void set_registers(void)
{
	out8(MISCELLANEOUS, 0x67);
	for (unsigned i = 0; i < sizeof(sequencer); i++)
		set(SEQUENCER, i, sequencer[i]);
	set(CRT, CRT_END_OF_RETRACE, crt[CRT_END_OF_RETRACE] & (uint8_t)~CRT_PROTECT);
	for (unsigned i = 0; i < sizeof(crt); i++)
		set(CRT, i, crt[i]);
	for (unsigned i = 0; i < sizeof(graphics); i++)
		set(GRAPHICS, i, graphics[i]);
	/* Index and value go to the same port in turn; reading the status starts anew with the
	 * index. */
	in8(STATUS);
	for (unsigned i = 0; i < sizeof(attribute); i++) {
		out8(ATTRIBUTE, (uint8_t)i);
		out8(ATTRIBUTE, attribute[i]);
	}
	out8(ATTRIBUTE, ATTRIBUTE_SHOW);
}

/* The 64 colours of the EGA: two bits for each of red, green and blue, two thirds and one third. */
static void set_colours(void)
{
	out8(DAC_MASK, 0xff);
	out8(DAC_WRITE_INDEX, 0);
	for (unsigned i = 0; i < COLOURS; i++)
		for (int bit = 2; bit >= 0; bit--)
			out8(DAC_DATA, (uint8_t)((i >> bit & 1) * 42 + (i >> (bit + 3) & 1) * 21));
}

/* Characters live in plane 2, which is opened at 0xa0000 for the while. */
static void set_font(const uint8_t *font)
{
	volatile uint8_t *memory = (volatile uint8_t *)(uintptr_t)FONT_MEMORY;

	set(SEQUENCER, 2, 0x04);
	set(SEQUENCER, 4, 0x06);
	set(GRAPHICS, 4, 0x02);
	set(GRAPHICS, 5, 0x00);
	set(GRAPHICS, 6, 0x04);
	for (unsigned i = 0; i < 256; i++)
		for (unsigned row = 0; row < FONT_HEIGHT; row++)
			memory[i * FONT_STRIDE + row] = font[i * FONT_HEIGHT + row];
	set(SEQUENCER, 2, sequencer[2]);
	set(SEQUENCER, 4, sequencer[4]);
	set(GRAPHICS, 4, graphics[4]);
	set(GRAPHICS, 5, graphics[5]);
	set(GRAPHICS, 6, graphics[6]);
}

void text_mode_write(unsigned column, unsigned row, uint8_t attribute_byte, const char *text)
{
	volatile uint16_t *cell =
		(volatile uint16_t *)(uintptr_t)TEXT_MEMORY + row * TEXT_COLUMNS + column;

	for (; *text && column < TEXT_COLUMNS; column++)
		*cell++ = (uint16_t)(attribute_byte << 8 | (uint8_t)*text++);
}

void text_mode_cursor(unsigned column, unsigned row)
{
	unsigned place = row * TEXT_COLUMNS + column;

	set(CRT, CRT_CURSOR_START, 0x0d);
	set(CRT, CRT_CURSOR_END, 0x0e);
	set(CRT, CRT_CURSOR_HIGH, (uint8_t)(place >> 8));
	set(CRT, CRT_CURSOR_LOW, (uint8_t)place);
}

void text_mode_set(const uint8_t *font)
{
	volatile uint16_t *cells = (volatile uint16_t *)(uintptr_t)TEXT_MEMORY;

	set_registers();
	set_colours();
	set_font(font);
	for (unsigned i = 0; i < TEXT_COLUMNS * TEXT_ROWS; i++)
		cells[i] = 0x0720;
}
