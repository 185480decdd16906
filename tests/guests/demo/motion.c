/* The plain pictures: full motion, a scrolling console, one colour, a pattern to compare with. */
#include "pictures.h"

#include "draw.h"
#include "memory.h"
#include "screen.h"
#include "serial.h"

uint32_t picture_colour_value;

static void show_all(void)
{
	screen_show(0, 0, (int)screen.width, (int)screen.height);
}

/* Up to 255 and down again. */
static uint32_t wave(uint32_t value)
{
	return value & 256 ? 255 - (value & 255) : value & 255;
}

/* Slanted waves of colour that wander: every pixel is another one each time. */
static void fill_step(const struct world *world)
{
	uint32_t t = world->frames;

	for (uint32_t y = 0; y < screen.height; y++) {
		uint32_t *row = screen.back + (uint64_t)y * screen.width;

		for (uint32_t x = 0; x < screen.width; x++)
			row[x] = wave(x + y + 3 * t) << 16 | wave(x - y + 5 * t) << 8 |
				 wave(2 * y - 7 * t);
	}
	show_all();
}

const struct picture picture_fill = { "fill", fill_step, fill_step, true, false };

static void colour_start(const struct world *world)
{
	(void)world;
	draw_fill(0, 0, (int)screen.width, (int)screen.height, picture_colour_value);
	show_all();
}

const struct picture picture_colour = { "colour", colour_start, NULL, false, false };

/* Red is x, green is y, blue is x xor y, each in its low 8 bits. */
static void pattern_start(const struct world *world)
{
	(void)world;
	for (uint32_t y = 0; y < screen.height; y++)
		for (uint32_t x = 0; x < screen.width; x++)
			screen.back[(uint64_t)y * screen.width + x] =
				(x & 255) << 16 | (y & 255) << 8 | ((x ^ y) & 255);
	show_all();
}

const struct picture picture_pattern = { "pattern", pattern_start, NULL, false, false };

static const char words[] =
	"the quick brown fox jumps over the lazy dog while a guest scrolls its console ";

/* One line up every other tick, as a console would under much output. */
static void scroll_step(const struct world *world)
{
	static const uint32_t inks[] = { 0xaaaaaa, 0xaaaaaa, 0x55ff55, 0xaaaaaa, 0xffff55, 0xaaaaaa,
		0x5555ff };
	uint32_t line = world->frames / 2;
	uint32_t ink = inks[line % (sizeof(inks) / sizeof(inks[0]))];
	uint64_t row = (uint64_t)screen.width * FONT_HEIGHT;
	int bottom = (int)(screen.height / FONT_HEIGHT * FONT_HEIGHT) - FONT_HEIGHT;
	char text[256];

	if (world->frames % 2)
		return;
	memmove(screen.back, screen.back + row, (uint64_t)bottom * screen.width * 4);
	format_text(text, sizeof(text), "[%06u] %s%s%s", line, words + line * 7 % 40, words, words);
	draw_fill(0, bottom, (int)screen.width, FONT_HEIGHT, 0x000000);
	draw_text(0, bottom, text, 1, ink, ink);
	show_all();
}

static void scroll_start(const struct world *world)
{
	(void)world;
	draw_fill(0, 0, (int)screen.width, (int)screen.height, 0x000000);
	show_all();
}

const struct picture picture_scroll = { "scroll", scroll_start, scroll_step, true, false };
