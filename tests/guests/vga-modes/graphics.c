/* Graphics modes of a VGA: CGA's, planar ones with every write mode, 256 colours chained and not. */
#include "guest.h"

#include <stddef.h>

enum {
	ALL_BITS = 0xff,
};

static void set_mode(uint8_t mode)
{
	bios(mode, 0, 0, 0);
	use_segment(mode < 0x0d ? SEGMENT_COLOUR : SEGMENT_GRAPHICS);
}

/* Four colours, three pixels wide stripes that lean. */
static void draw_cga_4(void)
{
	set_mode(4);
	for (unsigned y = 0; y < 200; y++)
		for (unsigned byte = 0; byte < 80; byte++) {
			uint8_t value = 0;

			for (unsigned i = 0; i < 4; i++)
				value = value << 2 | ((byte * 4 + i + y) / 12 & 3);
			poke8(y % 2 * 0x2000 + y / 2 * 80 + byte, value);
		}
}

static void draw_cga_2(void)
{
	set_mode(6);
	for (unsigned y = 0; y < 200; y++)
		for (unsigned byte = 0; byte < 80; byte++)
			poke8(y % 2 * 0x2000 + y / 2 * 80 + byte,
				(byte + y / 8) % 3 == 0 ? 0xf0 >> y % 5 : 0x01 << y % 8);
}

/* Blocks of colours, four bytes wide, by write mode 2. */
static void fill_blocks(unsigned bytes, unsigned height)
{
	set(GRAPHICS, 5, 0x02);
	set(GRAPHICS, 8, ALL_BITS);
	for (unsigned y = 0; y < height; y++)
		for (unsigned byte = 0; byte < bytes; byte += 4)
			poke32(y * bytes + byte, ((byte / 4 + y / 16) & 15) * 0x01010101u);
}

/* A diagonal by write mode 0 with set/reset: each pixel through the bit mask. */
static void draw_diagonal(unsigned bytes, unsigned length)
{
	set(GRAPHICS, 5, 0x00);
	set(GRAPHICS, 0, 0x0f);
	set(GRAPHICS, 1, 0x0f);
	for (unsigned i = 0; i < length; i++) {
		unsigned at = i * bytes + i / 8;

		set(GRAPHICS, 8, 0x80 >> i % 8);
		peek8(at);
		poke8(at, 0);
	}
	set(GRAPHICS, 1, 0x00);
	set(GRAPHICS, 8, ALL_BITS);
}

/* Boxes through the functions AND, OR and XOR, one beside the other. */
static void draw_functions(unsigned bytes)
{
	for (unsigned function = 1; function < 4; function++) {
		set(GRAPHICS, 3, function << 3 | 2); /* turned by two bits */
		for (unsigned y = 20; y < 60; y++) {
			unsigned at = y * bytes + 4 + function * 6;

			for (unsigned i = 0; i < 4; i++) {
				peek8(at + i);
				poke8(at + i, 0x3c);
			}
		}
	}
	set(GRAPHICS, 3, 0x00);
}

/* What write mode 3 is for: a shape in one colour, the rest left alone. */
static void draw_shape(unsigned bytes)
{
	set(GRAPHICS, 5, 0x03);
	set(GRAPHICS, 0, 0x0e);
	for (unsigned y = 0; y < 32; y++) {
		unsigned at = (y + 80) * bytes + 20;

		peek8(at);
		poke8(at, 0xff >> y / 4);
	}
	set(GRAPHICS, 5, 0x00);
	set(GRAPHICS, 0, 0x00);
}

/* The top left corner again, by way of the latches: write mode 1. */
static void copy_corner(unsigned bytes)
{
	set(GRAPHICS, 5, 0x01);
	for (unsigned y = 0; y < 48; y++)
		for (unsigned i = 0; i < 6; i++) {
			peek8(y * bytes + i);
			poke8((y + 120) * bytes + 30 + i, 0);
		}
	set(GRAPHICS, 5, 0x00);
}

/* Read mode 1 tells where a colour is; the answer becomes a strip of black on bright white. */
static void draw_compared(unsigned bytes)
{
	uint8_t found[32];

	set(GRAPHICS, 2, 0x0f);
	set(GRAPHICS, 7, 0x0f);
	set(GRAPHICS, 5, 0x08);
	for (unsigned i = 0; i < sizeof(found); i++)
		found[i] = peek8(i * bytes + i / 8);
	set(GRAPHICS, 5, 0x00);
	for (unsigned i = 0; i < sizeof(found); i++)
		poke8((100 + i) * bytes + 10, found[i]);
	set(GRAPHICS, 7, 0x00);
}

static void draw_planar(uint8_t mode, unsigned bytes, unsigned height)
{
	set_mode(mode);
	fill_blocks(bytes, height);
	draw_diagonal(bytes, height < bytes * 8 ? height : bytes * 8);
	draw_functions(bytes);
	draw_shape(bytes);
	copy_corner(bytes);
	draw_compared(bytes);
}

static void draw_planar_320x200(void)
{
	draw_planar(0x0d, 40, 200);
}

static void draw_planar_640x200(void)
{
	draw_planar(0x0e, 80, 200);
}

static void draw_planar_640x350(void)
{
	draw_planar(0x10, 80, 350);
}

static void draw_planar_640x480(void)
{
	draw_planar(0x12, 80, 480);
}

/* Started a row and a byte later, three dots further, and split: the part below begins at address 0 and stands still. */
static void draw_planar_panned(void)
{
	draw_planar(0x12, 80, 400);
	set(CRTC, 0x0c, 0);
	set(CRTC, 0x0d, 80);
	set(CRTC, 0x08, 0x20);
	set(CRTC, 0x11, 0x0c);
	set(CRTC, 0x07, 0x3e);
	set(CRTC, 0x09, 0x00);
	set(CRTC, 0x18, 0x40); /* line 320 */
	attribute(0x10, 0x21);
	attribute(0x13, 0x03);
}

static void set_rainbow(void)
{
	for (unsigned i = 0; i < 256; i++)
		set_colour(i, i & 63, i * 3 / 4 >> 2, 63 - (i >> 2));
}

static void draw_palette(void)
{
	set_mode(0x13);
	set_rainbow();
	for (unsigned y = 0; y < 200; y++)
		for (unsigned x = 0; x < 320; x += 4)
			poke32(y * 320 + x, (x / 4 + y) * 0x01010101u);
}

/* "Mode X", 320 by 240 in four planes: each plane its own shade, then the second page of it. */
static void draw_unchained(void)
{
	set_mode(0x13);
	set_rainbow();
	set(SEQUENCER, 4, 0x06);
	set(CRTC, 0x14, 0x00);
	set(CRTC, 0x17, 0xe3);
	set(CRTC, 0x11, 0x2c);
	set(CRTC, 0x06, 0x0d);
	set(CRTC, 0x07, 0x3e);
	set(CRTC, 0x10, 0xea);
	set(CRTC, 0x11, 0x2c);
	set(CRTC, 0x12, 0xdf);
	set(CRTC, 0x15, 0xe7);
	set(CRTC, 0x16, 0x06);
	out8(0x3c2, 0xe3);
	for (unsigned plane = 0; plane < 4; plane++) {
		set(SEQUENCER, 2, 1 << plane);
		for (unsigned y = 0; y < 240; y++)
			for (unsigned x = 0; x < 80; x += 4)
				poke32(0x4b00 + y * 80 + x,
					(y + x / 4 * 4 + plane * 16) * 0x01010101u);
	}
	set(CRTC, 0x0c, 0x4b);
	set(CRTC, 0x0d, 0x00);
}

const struct picture graphics_pictures[] = {
	{ "cga-320x200", draw_cga_4 },
	{ "cga-640x200", draw_cga_2 },
	{ "planar-320x200", draw_planar_320x200 },
	{ "planar-640x200", draw_planar_640x200 },
	{ "planar-640x350", draw_planar_640x350 },
	{ "planar-640x480", draw_planar_640x480 },
	{ "planar-panned", draw_planar_panned },
	{ "palette-320x200", draw_palette },
	{ "unchained-320x240", draw_unchained },
	{ NULL, NULL },
};
