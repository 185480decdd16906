/* The inside of QXL rendering: one drawing under way, and the commands that have a file of their own. */
#pragma once

#include "display/devices/qxl-raster.h"
#include "display/devices/qxl-render.h"

struct qxl_drawing {
	const struct qxl_canvas *canvas;
	const struct qxl_draw *draw;
	pixman_image_t *target;
	pixman_box32_t extents; /* of the damage's region, which is where may be drawn; not empty */
	struct qxl_damage *damage;
};

/* An image to be unreferenced; NULL with the damage's missing set or with @error. */
pixman_image_t *qxl_drawing_load(struct qxl_drawing *drawing, uint64_t address, GError **error);
/* Counts pixels towards the work of the command. */
void qxl_drawing_count(struct qxl_drawing *drawing, uint32_t width, uint32_t height);
/* The source of the command, scaled as it says; @x, @y: its pixel for the upper left one of the extents. */
pixman_image_t *qxl_drawing_source(
	struct qxl_drawing *drawing, int32_t *x, int32_t *y, GError **error);
/* The same for the extents alone, in the target's layout. */
pixman_image_t *qxl_drawing_source_copy(struct qxl_drawing *drawing, GError **error);
/* The pattern of a brush in the target's layout. */
pixman_image_t *qxl_drawing_pattern(
	struct qxl_drawing *drawing, const struct qxl_brush *brush, GError **error);
bool qxl_drawing_set_brush(struct qxl_drawing *drawing, const struct qxl_brush *brush,
	struct qxl_raster *raster, GError **error);
void qxl_raster_clear(struct qxl_raster *raster);
/* Composes onto the region; coordinates are those for the upper left pixel of the extents. */
void qxl_drawing_composite(struct qxl_drawing *drawing, pixman_op_t code, pixman_image_t *source,
	int32_t x, int32_t y, pixman_image_t *mask, int32_t mask_x, int32_t mask_y);
/* Moves the extents' pixels from @dx, @dy away; false when they are no whole bytes. */
bool qxl_drawing_move(struct qxl_drawing *drawing, int32_t dx, int32_t dy);

bool qxl_draw_transparent(struct qxl_drawing *drawing, GError **error);
bool qxl_draw_alpha_blend(struct qxl_drawing *drawing, GError **error);
bool qxl_draw_composite(struct qxl_drawing *drawing, GError **error);
bool qxl_draw_stroke(struct qxl_drawing *drawing, GError **error);
bool qxl_draw_text(struct qxl_drawing *drawing, GError **error);
