/* Areas of a picture that have something in common. */
#include "vnc-server/region.h"

#include "vnc-server/limits.h"

enum {
	COARSE = 64
}; /* pixels: the tiles of ZRLE */

/* Every rectangle grown to whole tiles, and if that is not enough, one rectangle around all. */
static void coarsen(pixman_region32_t *region)
{
	pixman_region32_t coarse;
	int count;
	const pixman_box32_t *boxes = pixman_region32_rectangles(region, &count);

	pixman_region32_init(&coarse);
	for (int i = 0; i < count; i++) {
		int32_t x = boxes[i].x1 / COARSE * COARSE;
		int32_t y = boxes[i].y1 / COARSE * COARSE;

		pixman_region32_union_rect(&coarse, &coarse, x, y,
			(boxes[i].x2 - x + COARSE - 1) / COARSE * COARSE,
			(boxes[i].y2 - y + COARSE - 1) / COARSE * COARSE);
	}
	if (pixman_region32_n_rects(&coarse) > LIMIT_REGION) {
		pixman_box32_t around = *pixman_region32_extents(&coarse);

		pixman_region32_reset(&coarse, &around);
	}
	pixman_region32_copy(region, &coarse);
	pixman_region32_fini(&coarse);
}

void region_add(pixman_region32_t *region, const struct rectangle *areas, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pixman_region32_union_rect(
			region, region, areas[i].x, areas[i].y, areas[i].width, areas[i].height);
		if (pixman_region32_n_rects(region) > LIMIT_REGION)
			coarsen(region);
	}
}

void region_clip(pixman_region32_t *region, uint32_t width, uint32_t height)
{
	pixman_region32_intersect_rect(region, region, 0, 0, width, height);
}
