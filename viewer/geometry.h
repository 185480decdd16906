/* Where a guest's picture lies in its widget, and which of its pixels is under the pointer. Pure.
 *
 * All lengths are device pixels: what the screen really has, so that a picture can be shown pixel for pixel on displays of
 * any density.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/scanout.h"

enum {
	GEOMETRY_FIT = 0,
	GEOMETRY_ZOOM_MIN = 25,
	GEOMETRY_ZOOM_MAX = 400
};

struct geometry {
	double factor;               /* device pixels for one of the guest's */
	int32_t x, y, width, height; /* where the picture is drawn */
	uint32_t picture_width, picture_height;
};

/* @zoom: percent, or GEOMETRY_FIT to fill the area as far as the picture's shape allows. The picture is centred. */
struct geometry geometry_of(uint32_t area_width, uint32_t area_height, uint32_t picture_width,
	uint32_t picture_height, int zoom);

/* Whether pixels keep their edges: the factor is a whole number. */
bool geometry_is_crisp(const struct geometry *geometry);

/* The guest's pixel at a point of the area; the nearest one of the picture when it is outside (and false then). */
bool geometry_to_guest(
	const struct geometry *geometry, double x, double y, uint32_t *guest_x, uint32_t *guest_y);

/* The part of the area to draw again when @changed of the picture has changed. */
struct rectangle geometry_to_area(const struct geometry *geometry, const struct rectangle *changed);

/* The next larger (@direction 1) or smaller (-1) zoom on the way from @percent. */
int geometry_next_zoom(double percent, int direction);
