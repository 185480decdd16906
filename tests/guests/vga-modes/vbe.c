/* VBE modes through the BIOS and the interface's own registers, drawn through the window and its banks. */
#include "guest.h"

#include <stddef.h>

enum {
	DISPI_INDEX = 0x1ce,
	DISPI_DATA = 0x1cf,
	DISPI_XRES = 1,
	DISPI_YRES = 2,
	DISPI_BPP = 3,
	DISPI_ENABLE = 4,
	DISPI_BANK = 5,
	DISPI_VIRTUAL_WIDTH = 6,
	DISPI_X_OFFSET = 8,
	DISPI_Y_OFFSET = 9,
	BANK = 0x10000,
	WIDTH = 640,
	HEIGHT = 480,
	BLOCK = 16, /* pixels */
};

static void dispi(uint16_t index, uint16_t value)
{
	out16(DISPI_INDEX, index);
	out16(DISPI_DATA, value);
}

static uint16_t bank;

/* Writes four bytes through the window; the BIOS moves it. */
static void put(uint32_t at, uint32_t value)
{
	if (at / BANK != bank) {
		bank = at / BANK;
		bios(0x4f05, 0, 0, bank);
	}
	poke32(at % BANK, value);
}

static void set_mode(uint16_t mode)
{
	bios(0x4f02, mode, 0, 0);
	bios(0x4f05, 0, 0, 0);
	bank = 0;
	use_segment(SEGMENT_GRAPHICS);
}

/* The colour of a block of 16 by 16 pixels: three components of eight bits. */
static uint32_t block_colour(unsigned x, unsigned y)
{
	return (x * 6 & 0xff) << 16 | (y * 8 & 0xff) << 8 | ((x ^ y) * 16 & 0xff);
}

static uint32_t to_bits(uint32_t colour, unsigned bits)
{
	uint32_t red = colour >> 16, green = colour >> 8 & 0xff, blue = colour & 0xff;

	if (bits == 15)
		return red >> 3 << 10 | green >> 3 << 5 | blue >> 3;
	if (bits == 16)
		return red >> 3 << 11 | green >> 2 << 5 | blue >> 3;
	return colour;
}

/* Sixteen pixels in a row. */
static void fill_row(uint32_t *row, uint32_t pixel, unsigned bytes)
{
	uint8_t *at = (uint8_t *)row;

	for (unsigned i = 0; i < BLOCK; i++)
		for (unsigned byte = 0; byte < bytes; byte++)
			*at++ = pixel >> 8 * byte;
}

static void draw_blocks(unsigned bits)
{
	static uint32_t rows[WIDTH / BLOCK][BLOCK];
	unsigned bytes = (bits + 7) / 8;
	uint32_t at = 0;

	for (unsigned y = 0; y < HEIGHT; y++) {
		if (y % BLOCK == 0)
			for (unsigned x = 0; x < WIDTH / BLOCK; x++)
				fill_row(rows[x], to_bits(block_colour(x, y / BLOCK), bits), bytes);
		for (unsigned x = 0; x < WIDTH / BLOCK; x++)
			for (unsigned i = 0; i < BLOCK * bytes / 4; i++, at += 4)
				put(at, rows[x][i]);
	}
}

static void draw_15(void)
{
	set_mode(0x110);
	draw_blocks(15);
}

static void draw_16(void)
{
	set_mode(0x111);
	draw_blocks(16);
}

static void draw_24(void)
{
	set_mode(0x112);
	draw_blocks(24);
}

static void draw_32(void)
{
	set_mode(0x142);
	draw_blocks(32);
}

static void draw_palette_rows(unsigned pitch, unsigned rows)
{
	for (unsigned y = 0; y < rows; y++)
		for (unsigned x = 0; x < pitch; x += 4)
			put(y * pitch + x, ((x / 8 + y / 4) & 0xff) * 0x01010101u);
}

static void set_greens(unsigned most)
{
	for (unsigned i = 0; i < 256; i++)
		set_colour(i, (i & 15) * most / 15, (i >> 4) * most / 15,
			((i ^ i >> 4) & 15) * most / 15);
}

static void draw_8(void)
{
	set_mode(0x101);
	set_greens(63);
	draw_palette_rows(WIDTH, HEIGHT);
}

/* With eight bits for each component of a colour. */
static void draw_wide_dac(void)
{
	set_mode(0x101);
	bios(0x4f08, 0x0800, 0, 0);
	set_greens(255);
	draw_palette_rows(WIDTH, HEIGHT);
}

/* Sixteen colours in planes of more than 64 KiB would be 1280x1024; this is 800x600. */
static void draw_4(void)
{
	set_mode(0x102);
	set(GRAPHICS, 5, 0x02);
	for (unsigned y = 0; y < 600; y++)
		for (unsigned byte = 0; byte < 100; byte += 4)
			poke32(y * 100 + byte, ((byte / 4 + y / 20) & 15) * 0x01010101u);
	set(GRAPHICS, 5, 0x00);
}

/* A part of a picture that is larger than the screen. */
static void draw_virtual(void)
{
	set_mode(0x101);
	set_greens(63);
	bios(0x4f06, 0x0000, 800, 0);
	draw_palette_rows(800, 520);
	bios(0x4f07, 0x0000, 100, 40);
}

/* By the registers alone, in a size that no BIOS has. */
static void draw_registers(void)
{
	bios(0x0003, 0, 0, 0);
	dispi(DISPI_ENABLE, 0);
	dispi(DISPI_XRES, 504);
	dispi(DISPI_YRES, 301);
	dispi(DISPI_BPP, 8);
	dispi(DISPI_ENABLE, 0x01);
	dispi(DISPI_VIRTUAL_WIDTH, 512);
	dispi(DISPI_X_OFFSET, 8);
	dispi(DISPI_Y_OFFSET, 2);
	attribute(0x10, 0x41);
	set_greens(63);
	use_segment(SEGMENT_GRAPHICS);
	for (unsigned y = 0; y < 303; y++) {
		if (y % 128 == 0)
			dispi(DISPI_BANK, y / 128);
		for (unsigned x = 0; x < 512; x += 4)
			poke32(y % 128 * 512 + x, ((x / 4 + y) & 0xff) * 0x01010101u);
	}
}

const struct picture vbe_pictures[] = {
	{ "vbe-4", draw_4 },
	{ "vbe-8", draw_8 },
	{ "vbe-15", draw_15 },
	{ "vbe-16", draw_16 },
	{ "vbe-24", draw_24 },
	{ "vbe-32", draw_32 },
	{ "vbe-wide-dac", draw_wide_dac },
	{ "vbe-virtual", draw_virtual },
	{ "vbe-registers", draw_registers },
	{ NULL, NULL },
};
