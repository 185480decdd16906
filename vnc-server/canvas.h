/* Drawing for the pictures that the server makes itself: rectangles, discs and capital letters. */
#pragma once

#include <stdint.h>

#include "display/scanout.h"

/* Pixels are x8r8g8b8 in host order, rows without padding. Everything drawn is clipped. */
struct canvas {
	uint32_t width, height;
	uint32_t *pixels;
};

enum {
	GLYPH_WIDTH = 5,
	GLYPH_HEIGHT = 7,
	GLYPH_ADVANCE = 6,
};

void canvas_fill(struct canvas *canvas, int32_t x, int32_t y, int32_t width, int32_t height,
	uint32_t colour);

/* A ring with the outer radius @radius, @thickness pixels thick. */
void canvas_ring(struct canvas *canvas, int32_t x, int32_t y, int32_t radius, int32_t thickness,
	uint32_t colour);

/* A sphere lit from the upper left. */
void canvas_ball(struct canvas *canvas, int32_t x, int32_t y, int32_t radius, uint32_t colour);

/* Text in glyphs of GLYPH_WIDTH by GLYPH_HEIGHT pixels, each @scale pixels large. Letters are capitals; what has no
 * glyph is left blank. */
void canvas_text(struct canvas *canvas, int32_t x, int32_t y, int32_t scale, uint32_t colour,
	const char *text);

/* Pixels that a text is wide. */
int32_t canvas_text_width(const char *text, int32_t scale);
