/* The picture that clients are shown, as it lies in memory. */
#pragma once

#include <pixman.h>
#include <stdint.h>

#include "display/scanout.h"

/* The bytes may change at any time under the reader: a guest draws into them. Each pixel is therefore read once, into
 * memory of our own, before anything is decided from its value. */
struct picture {
	uint32_t width, height; /* pixels, 1..SCANOUT_MAX_WIDTH and _HEIGHT */
	uint32_t stride;        /* bytes */
	pixman_format_code_t format;
	const uint8_t *pixels; /* first pixel of the first row */
};

/**
 * picture_read - copy a part of a picture
 * @area: what to copy; where it lies outside of the picture the copy is black
 * @pixels: room for @area's pixels, rows without padding; set to 0x00rrggbb
 */
void picture_read(const struct picture *picture, const struct rectangle *area, uint32_t *pixels);
