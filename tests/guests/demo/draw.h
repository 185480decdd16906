/* Drawing into the screen's picture: rectangles, blends, characters. Everything is cut at the
 * screen's edges. */
#pragma once

#include <stdint.h>

enum {
	FONT_WIDTH = 8,
	FONT_HEIGHT = 16,
};

/* The characters that text is drawn with: 256 of 16 bytes, a byte a row, the highest bit on the
 * left. */
extern const uint8_t *draw_font;

/* @share of 256 of @over, the rest of @under. */
uint32_t draw_mix(uint32_t under, uint32_t over, unsigned share);

void draw_pixel(int x, int y, uint32_t colour);
void draw_fill(int x, int y, int width, int height, uint32_t colour);
void draw_blend(int x, int y, int width, int height, uint32_t colour, unsigned share);
void draw_frame(int x, int y, int width, int height, uint32_t colour);

/* Text with every pixel @scale pixels wide and high, on what is there; the colour runs from @top
 * to @bottom. */
void draw_text(int x, int y, const char *text, int scale, uint32_t top, uint32_t bottom);

/* The sine of @angle, 1024 to the turn, times 4096. */
int draw_sine(int angle);
