/* Areas of a picture that have something in common: changed, asked for. A bounded number of rectangles each. */
#pragma once

#include <pixman.h>

#include "display/scanout.h"

/* Adds rectangles; those that pass the bounds (see region_clip) are the caller's to clip. A region that becomes too
 * complicated is made coarser: it may then hold more than was added, never less. */
void region_add(pixman_region32_t *region, const struct rectangle *areas, unsigned count);
void region_clip(pixman_region32_t *region, uint32_t width, uint32_t height);
