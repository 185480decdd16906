/* QXL rendering: validated drawing commands into surfaces.
 *
 * Specification: QXLDrawable of spice/qxl_dev.h; the meaning of the commands is that of the graphics interfaces which they
 * come from: ternary raster operations, glyphs and strokes as in GDI, composition as in the X Render extension.
 */
#pragma once

#include "display/devices/qxl-drawable.h"
#include "display/devices/qxl-image.h"

enum {
	QXL_CLIP_MOST = 65536,         /* rectangles of a clip */
	QXL_CLIP_BOXES_MOST = 1 << 18, /* rectangles that they fall into */
};

enum qxl_damage_kind {
	QXL_DAMAGE_DRAWN,
	QXL_DAMAGE_COPIED, /* from @dx, @dy away on the same surface */
	QXL_DAMAGE_FILLED, /* with one colour */
};

/* What a command changed. */
struct qxl_damage {
	enum qxl_damage_kind kind;
	uint32_t surface;
	pixman_region32_t region; /* of the surface; empty: nothing */
	int32_t dx, dy;           /* the source is the region moved by this */
	uint32_t colour;          /* as a pixel of the surface */
	bool missing;             /* a surface was not there: nothing was drawn */
	uint64_t work;            /* pixels touched for it, seen or not */
};

/**
 * qxl_render - draw
 * @damage: set to what changed; its region is to be finished by the caller, always
 *
 * Returns false with @error when what the command leads to is wrong.
 */
bool qxl_render(const struct qxl_canvas *canvas, const struct qxl_draw *draw,
	struct qxl_damage *damage, GError **error);
