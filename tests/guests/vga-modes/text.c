/* Text modes: every character in every colour, fonts, cursor, columns, scrolling, split. */
#include "guest.h"

#include <stddef.h>

enum {
	FONT_HEIGHT = 16,
	LIGHT_GREY = 0x07,
};

/* The BIOS sets the attribute controller's turns right at the colour ports only, so these are there before it is called. */
static void set_mode(uint8_t mode)
{
	out8(0x3c2, 0x67);
	in8(0x3da);
	bios(mode, 0, 0, 0);
	use_segment(mode == 7 ? SEGMENT_MONO : SEGMENT_COLOUR);
}

/* The high bit of an attribute is a bright background from now on. */
static void no_blinking(void)
{
	bios(0x1003, 0, 0, 0);
}

static void put(unsigned cell, uint8_t character, uint8_t colours)
{
	poke16(cell * 2, character | colours << 8);
}

static void put_text(unsigned cell, const char *text, uint8_t colours)
{
	while (*text)
		put(cell++, *text++, colours);
}

static void every_character(unsigned columns, unsigned rows)
{
	for (unsigned row = 0; row < rows; row++)
		for (unsigned column = 0; column < columns; column++)
			put(row * columns + column, row * 64 + column, row * 16 + column / 2);
}

static void draw_80x25(void)
{
	set_mode(3);
	hide_cursor();
	no_blinking();
	every_character(80, 25);
}

static void draw_40x25(void)
{
	set_mode(1);
	hide_cursor();
	no_blinking();
	every_character(40, 25);
}

static void draw_80x50(void)
{
	set_mode(3);
	bios(0x1112, 0, 0, 0);
	hide_cursor();
	no_blinking();
	every_character(80, 50);
}

static void draw_132x25(void)
{
	set_mode(3);
	hide_cursor();
	no_blinking();
	set(SEQUENCER, 1, 0x01); /* eight dots */
	attribute(0x13, 0);
	set(CRTC, 0x11, 0x0e); /* the lock is off */
	set(CRTC, 0x01, 131);
	set(CRTC, 0x13, 66);
	every_character(132, 25);
}

/* A second font, upside down, for characters with attribute bit 3. */
static void draw_512_characters(void)
{
	static uint8_t flipped[FONT_HEIGHT];

	set_mode(3);
	hide_cursor();
	set(SEQUENCER, 2, 0x04);
	set(SEQUENCER, 4, 0x07);
	set(GRAPHICS, 5, 0x00);
	set(GRAPHICS, 6, 0x04);
	set(GRAPHICS, 4, 0x02);
	use_segment(SEGMENT_GRAPHICS);
	for (unsigned character = 0; character < 256; character++) {
		for (unsigned i = 0; i < FONT_HEIGHT; i++)
			flipped[FONT_HEIGHT - 1 - i] = peek8(character * 32 + i);
		for (unsigned i = 0; i < FONT_HEIGHT; i++)
			poke8(0x4000 + character * 32 + i, flipped[i]);
	}
	set(SEQUENCER, 2, 0x03);
	set(SEQUENCER, 4, 0x02);
	set(GRAPHICS, 4, 0x00);
	set(GRAPHICS, 5, 0x10);
	set(GRAPHICS, 6, 0x0e);
	set(SEQUENCER, 3, 0x04);
	attribute(0x12, 0x07); /* bit 3 is no colour any more */
	use_segment(SEGMENT_COLOUR);
	for (unsigned i = 0; i < 512; i++)
		put(i / 64 * 160 + i % 64, i, 0x02 | (i / 256) << 3);
}

static void draw_mono(void)
{
	set_mode(7);
	hide_cursor();
	set(CRTC_MONO, 0x14, 0x0e); /* the scan line of underlines */
	for (unsigned i = 0; i < 256; i++)
		put(i / 32 * 80 + i % 32 * 2, 'A' + i % 26, i & 0x7f);
}

static void draw_cursor(void)
{
	set_mode(3);
	put_text(0, "A cursor of four lines, two characters to the right", LIGHT_GREY);
	put_text(160, "and characters that blink", 0x8e);
	set(CRTC, 0x0a, 0x06);
	set(CRTC, 0x0b, 0x49);
	set(CRTC, 0x0e, 0x01);
	set(CRTC, 0x0f, 0x90);
	put_text(400, "....", 0x0c);
}

/* Five dots and three scan lines on, and a part below that stands still. */
static void draw_split(void)
{
	set_mode(3);
	hide_cursor();
	for (unsigned row = 0; row < 30; row++)
		for (unsigned column = 0; column < 80; column++)
			put(row * 80 + column, row < 2 ? '=' : 'a' + (row + column) % 26,
				row < 2 ? 0x1f : row % 7 + 1);
	set(CRTC, 0x0d, 160);
	set(CRTC, 0x08, 0x03);
	set(CRTC, 0x07, 0x0f);
	set(CRTC, 0x09, 0x0f);
	set(CRTC, 0x18, 255);
	set(CRTC, 0x07, 0x1f);
	set(CRTC, 0x18, 79); /* line 335 */
	attribute(0x10, 0x2c);
	attribute(0x13, 0x04);
}

const struct picture text_pictures[] = {
	{ "text-80x25", draw_80x25 },
	{ "text-40x25", draw_40x25 },
	{ "text-80x50", draw_80x50 },
	{ "text-132x25", draw_132x25 },
	{ "text-512-characters", draw_512_characters },
	{ "text-mono", draw_mono },
	{ "text-cursor", draw_cursor },
	{ "text-split", draw_split },
	{ NULL, NULL },
};
