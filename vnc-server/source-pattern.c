/* The built-in source: a test card with a ball that moves, a frame counter, and what input reached it.
 *
 * The still part is drawn once for each size; a frame puts it back where the last one drew and draws the moving parts
 * again, so its damage is a few small rectangles.
 */
#include "vnc-server/source.h"

#include <math.h>
#include <string.h>

#include "vnc-server/canvas.h"
#include "vnc-server/limits.h"

enum {
	FRAME_MS = 33,
	MOVING_PARTS = 3, /* ball, counter, pointer */
	KEY_TEXT = 32,
	WISH_MIN = 64, /* pixels that a client can make of it in each direction */
	WISH_MAX = 4096,

	COLOUR_GROUND = 0x2b3138,
	COLOUR_GRID = 0x566068,
	COLOUR_LIGHT = 0xf2f4f6,
	COLOUR_DARK = 0x10141a,
	COLOUR_BALL = 0xe8842c,
	COLOUR_POINTER = 0x40d0ff,
	COLOUR_PRESSED = 0xff4040,
};

struct pattern {
	struct source source;
	struct canvas shown, still;
	struct picture picture;
	struct rectangle parts[MOVING_PARTS]; /* where the moving parts were drawn */
	guint start;                          /* ready() is about to be told */
	guint timer;                          /* runs while the pattern is watched */
	bool new_picture;                     /* to be told at the next turn */
	uint32_t wished_width, wished_height; /* what it is to be resized to at the next turn */
	bool busy;                            /* the last damage has not been dealt with */
	uint64_t frame;

	uint32_t pointer_x, pointer_y;
	uint32_t buttons;
	char key[KEY_TEXT]; /* the last one */
};

static const uint32_t bars[] = { 0xc0c0c0, 0xc0c000, 0x00c0c0, 0x00c000, 0xc000c0, 0xc00000,
	0x0000c0, 0x101010 };

static struct pattern *pattern_of(struct source *source)
{
	return (struct pattern *)source;
}

static void draw_grid(struct canvas *canvas, int32_t unit)
{
	int32_t width = canvas->width, height = canvas->height;

	canvas_fill(canvas, 0, 0, width, height, COLOUR_GROUND);
	for (int32_t x = width / 2 % unit; x < width; x += unit)
		canvas_fill(canvas, x, 0, 1, height, COLOUR_GRID);
	for (int32_t y = height / 2 % unit; y < height; y += unit)
		canvas_fill(canvas, 0, y, width, 1, COLOUR_GRID);
	/* A frame of one pixel at the very edge shows whether all of the picture arrives. */
	canvas_fill(canvas, 0, 0, width, 1, COLOUR_LIGHT);
	canvas_fill(canvas, 0, height - 1, width, 1, COLOUR_LIGHT);
	canvas_fill(canvas, 0, 0, 1, height, COLOUR_LIGHT);
	canvas_fill(canvas, width - 1, 0, 1, height, COLOUR_LIGHT);
}

/* Colour bars, a ramp of greys, and lines of one to four pixels. */
static void draw_bars(struct canvas *canvas, int32_t x, int32_t y, int32_t width, int32_t unit)
{
	const int32_t count = G_N_ELEMENTS(bars);

	for (int32_t i = 0; i < count; i++)
		canvas_fill(canvas, x + width * i / count, y,
			width * (i + 1) / count - width * i / count, 3 * unit, bars[i]);
	for (int32_t i = 0; i < width; i++)
		canvas_fill(canvas, x + i, y + 3 * unit, 1, unit,
			255 * i / MAX(width - 1, 1) * 0x010101);
	for (int32_t i = 0; i < width; i++) {
		int32_t line = 1 + 4 * i / width;

		canvas_fill(canvas, x + i, y + 4 * unit, 1, unit,
			i / line % 2 ? COLOUR_LIGHT : COLOUR_DARK);
	}
}

static void draw_still(struct canvas *canvas)
{
	int32_t width = canvas->width, height = canvas->height;
	int32_t unit = MAX(MIN(width, height) / 16, 4);
	int32_t scale = MAX(unit / 12, 1);
	g_autofree char *size = g_strdup_printf("%d X %d", width, height);

	draw_grid(canvas, unit);
	canvas_ring(canvas, width / 2, height / 2, 7 * unit, MAX(unit / 24, 1), COLOUR_LIGHT);
	draw_bars(canvas, width / 2 - 5 * unit, height / 2 - 2 * unit, 10 * unit, unit);
	canvas_fill(canvas, width / 2 - 4 * unit, height / 2 - 4 * unit, 8 * unit, 3 * unit / 2,
		COLOUR_DARK);
	canvas_text(canvas, (width - canvas_text_width("VITRINE", 2 * scale)) / 2,
		height / 2 - 4 * unit + (3 * unit / 2 - GLYPH_HEIGHT * 2 * scale) / 2, 2 * scale,
		COLOUR_LIGHT, "VITRINE");
	canvas_text(canvas, (width - canvas_text_width(size, scale)) / 2, height / 2 + 4 * unit,
		scale, COLOUR_LIGHT, size);
}

/* Puts the still picture back over a part, and makes it none. */
static void restore(struct pattern *pattern, struct rectangle *part)
{
	for (int32_t y = part->y; y < part->y + part->height; y++) {
		size_t at = (size_t)y * pattern->shown.width + part->x;

		memcpy(pattern->shown.pixels + at, pattern->still.pixels + at,
			part->width * sizeof(uint32_t));
	}
	*part = (struct rectangle) { 0 };
}

static struct rectangle clip(
	const struct pattern *pattern, int32_t x, int32_t y, int32_t width, int32_t height)
{
	int32_t left = CLAMP(x, 0, (int32_t)pattern->shown.width);
	int32_t top = CLAMP(y, 0, (int32_t)pattern->shown.height);

	return (struct rectangle) { left, top,
		CLAMP(x + width, left, (int32_t)pattern->shown.width) - left,
		CLAMP(y + height, top, (int32_t)pattern->shown.height) - top };
}

/* The ball goes on a path that comes back to itself only after a long time. */
static void draw_ball(struct pattern *pattern, struct rectangle *part)
{
	int32_t radius = MAX(MIN(pattern->shown.width, pattern->shown.height) / 24, 3);
	double time = pattern->frame * FRAME_MS / 1000.0;
	int32_t x = pattern->shown.width / 2.0 +
		    (pattern->shown.width / 2.0 - radius) * sin(time * 0.9);
	int32_t y = pattern->shown.height / 2.0 +
		    (pattern->shown.height / 2.0 - radius) * sin(time * 1.3 + 1);

	*part = clip(pattern, x - radius, y - radius, 2 * radius + 1, 2 * radius + 1);
	canvas_ball(&pattern->shown, x, y, radius, COLOUR_BALL);
}

static void draw_counter(struct pattern *pattern, struct rectangle *part)
{
	int32_t unit = MAX(MIN(pattern->shown.width, pattern->shown.height) / 16, 4);
	int32_t scale = MAX(unit / 16, 1);
	g_autofree char *text =
		g_strdup_printf("%08" G_GUINT64_FORMAT "%s", pattern->frame, pattern->key);
	int32_t width = canvas_text_width(text, scale) + 4 * scale;
	int32_t height = (GLYPH_HEIGHT + 4) * scale;

	*part = clip(pattern, unit / 2, unit / 2, width, height);
	canvas_fill(&pattern->shown, unit / 2, unit / 2, width, height, COLOUR_DARK);
	canvas_text(&pattern->shown, unit / 2 + 2 * scale, unit / 2 + 2 * scale, scale,
		COLOUR_LIGHT, text);
}

static void draw_pointer(struct pattern *pattern, struct rectangle *part)
{
	uint32_t colour = pattern->buttons ? COLOUR_PRESSED : COLOUR_POINTER;
	int32_t x = pattern->pointer_x, y = pattern->pointer_y;

	*part = clip(pattern, x - 8, y - 8, 17, 17);
	canvas_fill(&pattern->shown, x - 8, y, 17, 1, colour);
	canvas_fill(&pattern->shown, x, y - 8, 1, 17, colour);
}

static void (*const draw_part[MOVING_PARTS])(struct pattern *pattern, struct rectangle *part) = {
	draw_ball,
	draw_counter,
	draw_pointer,
};

static void draw_frame(struct pattern *pattern)
{
	struct rectangle damage[2 * MOVING_PARTS];
	guint count = 0;

	for (guint i = 0; i < MOVING_PARTS; i++) {
		if (pattern->parts[i].width > 0 && pattern->parts[i].height > 0)
			damage[count++] = pattern->parts[i];
		restore(pattern, &pattern->parts[i]);
	}
	for (guint i = 0; i < MOVING_PARTS; i++) {
		draw_part[i](pattern, &pattern->parts[i]);
		if (pattern->parts[i].width > 0 && pattern->parts[i].height > 0)
			damage[count++] = pattern->parts[i];
	}
	pattern->frame++;
	pattern->busy = true;
	pattern->source.events->damage(pattern->source.owner, damage, count);
}

static void canvas_resize(struct canvas *canvas, uint32_t width, uint32_t height)
{
	g_free(canvas->pixels);
	*canvas = (struct canvas) { width, height, g_new(uint32_t, (size_t)width * height) };
}

/* Draws the picture in a size; told at the next turn. */
static void set_picture(struct pattern *pattern, uint32_t width, uint32_t height)
{
	canvas_resize(&pattern->still, width, height);
	canvas_resize(&pattern->shown, width, height);
	draw_still(&pattern->still);
	memcpy(pattern->shown.pixels, pattern->still.pixels,
		(size_t)width * height * sizeof(uint32_t));
	memset(pattern->parts, 0, sizeof(pattern->parts));
	pattern->picture = (struct picture) {
		.width = width,
		.height = height,
		.stride = width * sizeof(uint32_t),
		.format = PIXMAN_x8r8g8b8,
		.pixels = (const uint8_t *)pattern->shown.pixels,
	};
	pattern->pointer_x = width / 2;
	pattern->pointer_y = height / 2;
	pattern->wished_width = width;
	pattern->wished_height = height;
	pattern->new_picture = true;
}

/* An arrow with a soft shadow, so that both forms of a cursor on the wire have something to show. */
static struct cursor *make_cursor(void)
{
	enum {
		SIZE = 20
	};
	struct cursor *cursor = cursor_new(SIZE, SIZE, 0, 0);

	for (int32_t y = 0; y < SIZE; y++) {
		for (int32_t x = 0; x < SIZE; x++) {
			uint32_t *pixel = &cursor->pixels[y * SIZE + x];
			bool inside = x <= y * 3 / 4 && x + y < SIZE - 1;
			bool edge = x == 0 || x == y * 3 / 4 || x + y >= SIZE - 3;

			if (inside)
				*pixel = edge ? 0xff000000 : 0xffffffff;
			else if (x >= 2 && y >= 2 && x - 2 <= (y - 2) * 3 / 4 && x + y < SIZE + 3)
				*pixel = 0x50000000;
		}
	}
	return cursor;
}

static void tell_picture(struct pattern *pattern)
{
	struct cursor *cursor = make_cursor();

	pattern->new_picture = pattern->busy = false;
	pattern->source.events->picture(pattern->source.owner, &pattern->picture);
	pattern->source.events->cursor(pattern->source.owner, cursor);
	cursor_unref(cursor);
}

static gboolean on_turn(void *data)
{
	struct pattern *pattern = data;

	if (pattern->wished_width != pattern->shown.width ||
		pattern->wished_height != pattern->shown.height)
		set_picture(pattern, pattern->wished_width, pattern->wished_height);
	if (pattern->new_picture)
		tell_picture(pattern);
	if (!pattern->busy)
		draw_frame(pattern);
	return G_SOURCE_CONTINUE;
}

static void pattern_watch(struct source *source, bool on)
{
	struct pattern *pattern = pattern_of(source);

	g_clear_handle_id(&pattern->timer, g_source_remove);
	if (!on)
		return;
	pattern->new_picture = true;
	pattern->timer = g_timeout_add(FRAME_MS, on_turn, pattern);
}

static void pattern_done(struct source *source)
{
	pattern_of(source)->busy = false;
}

static void pattern_key(struct source *source, uint8_t qnum, bool down)
{
	struct pattern *pattern = pattern_of(source);

	g_snprintf(pattern->key, sizeof(pattern->key), "  KEY %02X %s", qnum, down ? "DOWN" : "UP");
}

static void pattern_position(struct source *source, uint32_t x, uint32_t y)
{
	pattern_of(source)->pointer_x = x;
	pattern_of(source)->pointer_y = y;
}

static void pattern_motion(struct source *source, int32_t dx, int32_t dy)
{
	struct pattern *pattern = pattern_of(source);

	pattern->pointer_x = CLAMP((int64_t)pattern->pointer_x + dx, 0, pattern->shown.width - 1);
	pattern->pointer_y = CLAMP((int64_t)pattern->pointer_y + dy, 0, pattern->shown.height - 1);
}

static void pattern_button(struct source *source, enum input_button button, bool down)
{
	struct pattern *pattern = pattern_of(source);

	pattern->buttons =
		down ? pattern->buttons | 1u << button : pattern->buttons & ~(1u << button);
}

/* The server reads the old picture until it has heard of a new one, so nothing changes before the turn that tells it. */
static void pattern_set_size(struct source *source, uint32_t width, uint32_t height)
{
	struct pattern *pattern = pattern_of(source);

	pattern->wished_width = CLAMP(width, WISH_MIN, WISH_MAX);
	pattern->wished_height = CLAMP(height, WISH_MIN, WISH_MAX);
}

static gboolean on_start(void *data)
{
	struct pattern *pattern = data;

	pattern->start = 0;
	pattern->source.events->ready(pattern->source.owner);
	return G_SOURCE_REMOVE;
}

static void pattern_free(struct source *source)
{
	struct pattern *pattern = pattern_of(source);

	g_clear_handle_id(&pattern->start, g_source_remove);
	g_clear_handle_id(&pattern->timer, g_source_remove);
	g_free(pattern->still.pixels);
	g_free(pattern->shown.pixels);
	g_free(pattern);
}

static const struct source_class pattern_class = {
	.watch = pattern_watch,
	.done = pattern_done,
	.key = pattern_key,
	.position = pattern_position,
	.motion = pattern_motion,
	.button = pattern_button,
	.set_size = pattern_set_size,
	.free = pattern_free,
};

struct source *source_pattern_new(
	uint32_t width, uint32_t height, const struct source_events *events, void *owner)
{
	struct pattern *pattern = g_new0(struct pattern, 1);

	pattern->source = (struct source) { &pattern_class, events, owner };
	set_picture(pattern, width, height);
	pattern->start = g_idle_add(on_start, pattern);
	return &pattern->source;
}
