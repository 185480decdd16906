/* What is shown while the guest shows nothing. */
#include "vnc-server/placeholder.h"

#include <glib.h>

#include "vnc-server/canvas.h"

enum {
	WIDTH = 640,
	HEIGHT = 480,
	SCALE = 2,
	BACKGROUND = 0x202428,
	FOREGROUND = 0xa0a8b0,
};

struct placeholder {
	struct picture picture;
	struct canvas canvas;
};

struct placeholder *placeholder_new(const char *text)
{
	struct placeholder *placeholder = g_new0(struct placeholder, 1);
	struct canvas *canvas = &placeholder->canvas;

	*canvas = (struct canvas) { WIDTH, HEIGHT, g_new(uint32_t, WIDTH * HEIGHT) };
	canvas_fill(canvas, 0, 0, WIDTH, HEIGHT, BACKGROUND);
	canvas_text(canvas, (WIDTH - canvas_text_width(text, SCALE)) / 2,
		(HEIGHT - GLYPH_HEIGHT * SCALE) / 2, SCALE, FOREGROUND, text);
	placeholder->picture = (struct picture) {
		.width = WIDTH,
		.height = HEIGHT,
		.stride = WIDTH * sizeof(uint32_t),
		.format = PIXMAN_x8r8g8b8,
		.pixels = (const uint8_t *)canvas->pixels,
	};
	return placeholder;
}

void placeholder_free(struct placeholder *placeholder)
{
	g_free(placeholder->canvas.pixels);
	g_free(placeholder);
}

const struct picture *placeholder_picture(const struct placeholder *placeholder)
{
	return &placeholder->picture;
}
