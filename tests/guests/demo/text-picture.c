/* The picture in the VGA's text mode: colours, characters, the clock and what is typed. */
#include "pictures.h"

#include "draw.h"
#include "memory.h"
#include "serial.h"
#include "text-mode.h"

enum {
	TITLE = 0x1f,
	PLAIN = 0x07,
	BRIGHT = 0x0f,
	COLOURS_ROW = 4,
	CHARACTERS_ROW = 8,
	STATUS_ROW = 20,
	TYPED_ROW = 22,
	TYPED_COLUMN = 10,
};

static struct world shown;

static void show_status(const struct world *world)
{
	char line[TEXT_COLUMNS + 1];

	format_text(line, sizeof(line),
		"time %02u:%02u:%02u   keys %u   mouse %d,%d buttons %u     ", world->now.hours,
		world->now.minutes, world->now.seconds, world->keys, world->x, world->y,
		world->buttons);
	text_mode_write(2, STATUS_ROW, PLAIN, line);
}

static void show_typed(const struct world *world)
{
	char line[sizeof(world->typed)];
	unsigned length = (unsigned)strlen(world->typed);

	memset(line, ' ', sizeof(line) - 1);
	memcpy(line, world->typed, length);
	line[sizeof(line) - 1] = 0;
	text_mode_write(TYPED_COLUMN, TYPED_ROW, BRIGHT, line);
	text_mode_cursor(TYPED_COLUMN + length, TYPED_ROW);
}

static void text_step(const struct world *world)
{
	if (memcmp(&world->now, &shown.now, sizeof(shown.now)) != 0 || world->keys != shown.keys ||
		world->x != shown.x || world->y != shown.y || world->buttons != shown.buttons)
		show_status(world);
	if (!text_equal(world->typed, shown.typed))
		show_typed(world);
	shown = *world;
}

static void text_start(const struct world *world)
{
	text_mode_set(draw_font);
	for (unsigned column = 0; column < TEXT_COLUMNS; column++)
		text_mode_write(column, 0, TITLE, " ");
	text_mode_write(2, 0, TITLE, "Vitrine demo guest");
	text_mode_write(TEXT_COLUMNS - 18, 0, TITLE, "text mode, 80x25");
	text_mode_write(2, COLOURS_ROW - 2, BRIGHT, "Colours");
	for (unsigned i = 0; i < 16; i++) {
		text_mode_write(2 + i * 4, COLOURS_ROW, (uint8_t)((i & 7) << 4), "    ");
		text_mode_write(2 + i * 4, COLOURS_ROW + 1, (uint8_t)i, "Aa\xdb");
	}
	text_mode_write(2, CHARACTERS_ROW - 1, BRIGHT, "Characters");
	for (unsigned i = 32; i < 256; i++) {
		char character[2] = { (char)i, 0 };

		text_mode_write(2 + i % 32 * 2, CHARACTERS_ROW + i / 32, PLAIN, character);
	}
	text_mode_write(2, TYPED_ROW, PLAIN, "typed >");
	show_status(world);
	show_typed(world);
	shown = *world;
}

const struct picture picture_text = { "text", text_start, text_step, false, true };
