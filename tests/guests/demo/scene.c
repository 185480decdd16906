/* The scene: a glass case at night with a stone turning in it, and below it what the guest knows.
 *
 * Drawn once as a whole; after that only what changes is drawn and shown: the stone, a few stars,
 * the line of numbers and the line of typed text, so a display server sees the small, scattered
 * damage of a desktop.
 */
#include "pictures.h"

#include "draw.h"
#include "gem.h"
#include "memory.h"
#include "screen.h"
#include "serial.h"

enum {
	SKY_TOP = 0x080c1f,
	SKY_BOTTOM = 0x24365f,
	FLOOR_TOP = 0x151c33,
	FLOOR_BOTTOM = 0x06080f,
	TITLE_TOP = 0xfff3cf,
	TITLE_BOTTOM = 0xd79a3c,
	GLASS = 0xcfe6ff,
	PLINTH_TOP = 0x5b6480,
	PLINTH_BOTTOM = 0x22283a,
	PANEL = 0x0b1020,
	PANEL_EDGE = 0x3a4668,
	INK = 0xc9d4ee,
	DIM_INK = 0x7f8cb0,
	TYPED_INK = 0xffd98a,
	BUTTON_ON = 0xff7a5c,
	BUTTON_OFF = 0x27304a,
	STARS = 48,
	STARS_A_STEP = 3,
	GEM_ANGLE_A_FRAME = 5,
	MARGIN = 12,
	LINE = FONT_HEIGHT + 6,
	BUTTON = 14,
};

static struct {
	int horizon, panel_y, columns;
	int case_x, case_y, case_width, case_height;
	int gem_x, gem_y, gem_size;
	struct world shown;
} layout;

static uint32_t gem_under[GEM_SIZE_MAX * GEM_SIZE_MAX];

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static void lay_out(void)
{
	int width = (int)screen.width, height = (int)screen.height;

	layout.columns = (width - 2 * MARGIN) / FONT_WIDTH;
	layout.panel_y = height - 2 * LINE - MARGIN;
	layout.horizon = layout.panel_y * 3 / 4;
	layout.case_height = layout.panel_y * 11 / 20;
	layout.case_width = smaller(layout.case_height * 9 / 10, width * 2 / 3);
	layout.case_x = (width - layout.case_width) / 2;
	layout.case_y = layout.panel_y * 27 / 100;
	layout.gem_size =
		smaller(smaller(layout.case_width, layout.case_height) * 3 / 4, GEM_SIZE_MAX);
	layout.gem_x = (width - layout.gem_size) / 2;
	layout.gem_y = layout.case_y + (layout.case_height - layout.gem_size) / 2;
}

static void draw_gradient(int x, int y, int width, int height, uint32_t top, uint32_t bottom)
{
	for (int row = 0; row < height; row++)
		draw_fill(x, y + row, width, 1,
			draw_mix(top, bottom, (unsigned)(row * 256 / height)));
}

static void draw_centred(int y, const char *text, int scale, uint32_t top, uint32_t bottom)
{
	int width = (int)strlen(text) * FONT_WIDTH * scale;

	draw_text(((int)screen.width - width) / 2, y, text, scale, top, bottom);
}

/* A number that looks random, always the same for the same @seed. */
static uint32_t scattered(uint32_t seed)
{
	seed = (seed ^ seed >> 15) * 0x2c1b3c6d;
	seed = (seed ^ seed >> 12) * 0x297a2d39;
	return seed ^ seed >> 15;
}

/* One of the stars, as bright as it is at that frame; those behind the title and the case are
 * left out. */
static void draw_star(uint32_t star, uint32_t frame, bool show)
{
	int x = (int)(scattered(star * 2 + 1) % screen.width);
	int y = (int)(scattered(star * 2 + 2) % (uint32_t)layout.horizon);
	int bright = draw_sine((int)(frame * 7 + star * 97)) + 4096;
	int middle = (int)screen.width / 2, off = x < middle ? middle - x : x - middle;
	uint32_t sky = draw_mix(SKY_TOP, SKY_BOTTOM, (unsigned)(y * 256 / layout.horizon));

	if (off < (int)screen.width * 2 / 5)
		return;
	draw_fill(x, y, 2, 2, draw_mix(sky, 0xffffff, (unsigned)bright * 200 / 8192));
	if (show)
		screen_show(x, y, 2, 2);
}

static void draw_case(void)
{
	int x = layout.case_x, y = layout.case_y, width = layout.case_width,
	    height = layout.case_height;
	int plinth = layout.panel_y - y - height;

	draw_gradient(x - width / 20, y + height, width + width / 10, plinth - plinth / 5,
		PLINTH_TOP, PLINTH_BOTTOM);
	draw_fill(x - width / 20, y + height, width + width / 10, 2, 0x9aa5c4);
	draw_blend(x, y, width, height, GLASS, 18);
	/* Light from the lid, a cone that widens on its way down. */
	for (int row = 0; row < height; row++) {
		int cone = width / 4 + width * row / height / 2;

		draw_blend(x + (width - cone) / 2, y + row, cone, 1, 0xfff0c8,
			(unsigned)(34 - 30 * row / height));
	}
	/* Two reflections that lean. */
	for (int row = 4; row < height - 4; row++) {
		int at = x + width * 7 / 10 - row * width / height / 3;

		draw_blend(at, y + row, width / 14, 1, 0xffffff, 16);
		draw_blend(at + width / 10, y + row, width / 40, 1, 0xffffff, 16);
	}
	draw_frame(x, y, width, height, 0x8fa3cc);
	draw_frame(x + 1, y + 1, width - 2, height - 2, 0x4c5c86);
	draw_gradient(x - width / 40, y - 8, width + width / 20, 8, 0x8d97b5, 0x39425e);
}

static void draw_gem(const struct world *world)
{
	gem_draw(layout.gem_x, layout.gem_y, layout.gem_size,
		(int)(world->frames * GEM_ANGLE_A_FRAME), gem_under);
}

/* The first line of the panel: size, time, frames on the left; pointer and buttons on the right. */
static void draw_numbers(const struct world *world)
{
	int y = layout.panel_y + 4, right = (int)screen.width - MARGIN;
	char text[80];

	draw_fill(0, layout.panel_y + 1, (int)screen.width, LINE, PANEL);
	if (layout.columns >= 60)
		format_text(text, sizeof(text), "%ux%u  %02u:%02u:%02u  frame %06u", screen.width,
			screen.height, world->now.hours, world->now.minutes, world->now.seconds,
			world->frames);
	else
		format_text(text, sizeof(text), "%ux%u  frame %06u", screen.width, screen.height,
			world->frames);
	draw_text(MARGIN, y, text, 1, INK, INK);
	/* Bits 0, 2 and 1 are the left, middle and right button. */
	for (int i = 0; i < 3; i++) {
		static const uint8_t bits[] = { 1, 4, 2 };
		int x = right - (3 - i) * (BUTTON + 3);

		draw_fill(x, y, BUTTON, BUTTON + 2,
			world->buttons & bits[i] ? BUTTON_ON : BUTTON_OFF);
		draw_frame(x, y, BUTTON, BUTTON + 2, PANEL_EDGE);
	}
	format_text(text, sizeof(text), "%d,%d", world->x, world->y);
	if (layout.columns >= 60)
		draw_text(right - 3 * (BUTTON + 3) - (int)(strlen(text) + 1) * FONT_WIDTH, y, text,
			1, DIM_INK, DIM_INK);
}

static void draw_typed(const struct world *world)
{
	int y = layout.panel_y + LINE + 4;
	char text[80];

	draw_fill(0, layout.panel_y + LINE + 1, (int)screen.width,
		(int)screen.height - layout.panel_y - LINE - 1, PANEL);
	draw_text(MARGIN, y, ">", 1, DIM_INK, DIM_INK);
	format_text(text, sizeof(text), "%s_", world->typed);
	draw_text(MARGIN + 2 * FONT_WIDTH, y, text, 1, TYPED_INK, TYPED_INK);
	if (world->keys == 0)
		draw_text(MARGIN + 5 * FONT_WIDTH, y, "type something", 1, PANEL_EDGE, PANEL_EDGE);
	else if (layout.columns >= 60) {
		format_text(text, sizeof(text), "%u keys, last 0x%02x", world->keys, world->code);
		draw_text((int)screen.width - MARGIN - (int)strlen(text) * FONT_WIDTH, y, text, 1,
			DIM_INK, DIM_INK);
	}
}

static void draw_all(const struct world *world)
{
	int width = (int)screen.width;
	int scale = smaller(width / 200, (int)screen.height / 140);

	lay_out();
	draw_gradient(0, 0, width, layout.horizon, SKY_TOP, SKY_BOTTOM);
	draw_gradient(
		0, layout.horizon, width, layout.panel_y - layout.horizon, FLOOR_TOP, FLOOR_BOTTOM);
	for (uint32_t star = 0; star < STARS; star++)
		draw_star(star, world->frames, false);
	draw_centred(layout.panel_y / 25, "Vitrine", scale, TITLE_TOP, TITLE_BOTTOM);
	if (layout.panel_y >= 400)
		draw_centred(layout.panel_y / 25 + scale * FONT_HEIGHT, "a guest on display", 1,
			DIM_INK, DIM_INK);
	draw_case();
	for (int row = 0; row < layout.gem_size; row++)
		memcpy(gem_under + row * layout.gem_size,
			screen.back + (uint64_t)(layout.gem_y + row) * screen.width +
				(uint64_t)layout.gem_x,
			(size_t)layout.gem_size * 4);
	draw_gem(world);
	draw_fill(0, layout.panel_y, width, 1, PANEL_EDGE);
	draw_numbers(world);
	draw_typed(world);
	layout.shown = *world;
	screen_show(0, 0, width, (int)screen.height);
}

static void scene_step(const struct world *world)
{
	draw_gem(world);
	screen_show(layout.gem_x, layout.gem_y, layout.gem_size, layout.gem_size);
	for (uint32_t i = 0; i < STARS_A_STEP; i++)
		draw_star((world->frames * STARS_A_STEP + i) % STARS, world->frames, true);
	draw_numbers(world);
	screen_show(0, layout.panel_y + 1, (int)screen.width, LINE);
	if (world->keys != layout.shown.keys || !text_equal(world->typed, layout.shown.typed)) {
		draw_typed(world);
		screen_show(0, layout.panel_y + LINE + 1, (int)screen.width, LINE + MARGIN);
	}
	layout.shown = *world;
}

const struct picture picture_scene = { "scene", draw_all, scene_step, true, false };

/* The scene as it is before anything has happened, at midnight. */
static void still_start(const struct world *world)
{
	static const struct world nothing;

	(void)world;
	draw_all(&nothing);
}

const struct picture picture_still = { "still", still_start, NULL, false, false };
