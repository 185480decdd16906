/* Raster operations: each pixel becomes a bitwise function of brush, source and itself, where a mask allows. */
#pragma once

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

/* The inputs; images may be missing when the operation does not need them. */
struct qxl_raster {
	uint8_t rop;
	uint32_t colour; /* of the brush, unless there is a pattern */

	pixman_image_t *pattern;      /* in the target's layout */
	int32_t pattern_x, pattern_y; /* where on the target one copy of it starts */

	pixman_image_t *source; /* in the target's layout, for the region's extents */
	pixman_image_t *mask;   /* a8, of any size; drawn is where it is not 0 */
	int32_t mask_x, mask_y; /* the mask's pixel for the upper left one of the extents */
	bool mask_inverted;
};

/* @region lies inside @target, which has 8, 16 or 32 bits a pixel. */
void qxl_raster_draw(
	pixman_image_t *target, const pixman_region32_t *region, const struct qxl_raster *raster);
