/* The picture that a peer sends: checked against what was sent with it, and kept readable.
 *
 * Everything here is from outside. A picture in shared memory is mapped only when the memory cannot shrink below it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/scanout.h"

struct shown_picture {
	struct scanout scanout; /* offset from @pixels; width 0: no picture */
	const uint8_t *pixels;
	uint8_t *own;  /* @pixels when they came in messages, else NULL */
	void *mapping; /* the memory they are in otherwise */
	size_t mapped;
};

void shown_picture_clear(struct shown_picture *picture);

/* A picture in the memory of @fd (not taken); the previous one is gone only when this succeeds. */
bool shown_picture_map(
	struct shown_picture *picture, int fd, const struct scanout *scanout, GError **error);

/* A picture as bytes: @scanout->offset is 0. */
bool shown_picture_take(struct shown_picture *picture, const struct scanout *scanout,
	const uint8_t *bytes, size_t length, GError **error);

/* New bytes for @area, which is cut to the picture when it reaches out of it; false also when it lies outside. */
bool shown_picture_update(struct shown_picture *picture, struct rectangle *area, uint32_t stride,
	uint32_t format, const uint8_t *bytes, size_t length, GError **error);

/* Cuts @area to the picture; false when nothing is left. */
bool shown_picture_clip(const struct shown_picture *picture, struct rectangle *area);
