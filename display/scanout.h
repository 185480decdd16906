/* A scanout: where in a piece of video memory the picture of a head lies, and how its pixels are laid out.
 *
 * It is one validated value: whoever makes one has checked it against the size of the memory, and everybody else may
 * compute addresses from it.
 */
#pragma once

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SCANOUT_MAX_WIDTH = 16384,    /* pixels */
	SCANOUT_MAX_HEIGHT = 16384,   /* pixels */
	SCANOUT_MAX_STRIDE = 1 << 20, /* bytes */
};

struct scanout {
	uint32_t width;              /* pixels, 1..SCANOUT_MAX_WIDTH */
	uint32_t height;             /* pixels, 1..SCANOUT_MAX_HEIGHT */
	uint32_t stride;             /* bytes from one row to the next */
	uint64_t offset;             /* bytes from the start of the memory to the first pixel */
	pixman_format_code_t format; /* one that scanout_format_known() accepts */
};

/* A rectangle in pixels of a picture; never empty where one is passed on. */
struct rectangle {
	int32_t x, y, width, height;
};

/* The formats that cross the display bus: x8r8g8b8, a8r8g8b8, x8b8g8r8, a8b8g8r8, b8g8r8x8, b8g8r8a8, r8g8b8x8, r8g8b8a8,
 * r8g8b8 (24 bit), r5g6b5 and x1r5g5b5. */
bool scanout_format_known(pixman_format_code_t format);

/* Bytes of one pixel. */
uint32_t scanout_pixel_bytes(pixman_format_code_t format);

/* Whether every pixel of the picture lies in a memory of @memory_size bytes, the format is known, the sizes are in range,
 * the stride holds a row, is in range and is a multiple of four. */
bool scanout_fits(const struct scanout *scanout, uint64_t memory_size);

bool scanout_equal(const struct scanout *a, const struct scanout *b);
