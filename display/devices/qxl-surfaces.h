/* QXL surfaces: the pictures that commands draw into. Number 0 is the primary one, which is shown.
 *
 * Their pixels lie in the guest's memory; where, was checked when they were created. A surface is plain numbers, so nothing
 * can leak: an image over the pixels is made when it is needed.
 *
 * Specification: QXLSurfaceCreate, QXLSurface of spice/qxl_dev.h.
 */
#pragma once

#include <pixman.h>

#include "base/state.h"
#include "display/devices/qxl-memory.h"

enum {
	QXL_SURFACES_MOST = 1024,
	QXL_SURFACE_MAX_SIZE = 16384, /* pixels in each direction */
};

/* As saved; @width 0: there is none. */
struct qxl_surfaces {
	uint32_t width[QXL_SURFACES_MOST], height[QXL_SURFACES_MOST]; /* pixels */
	uint32_t format[QXL_SURFACES_MOST];                           /* SPICE_SURFACE_FMT_... */
	uint32_t stride
		[QXL_SURFACES_MOST]; /* bytes, an int32_t: negative when the last row comes first */
	uint8_t area[QXL_SURFACES_MOST]; /* enum qxl_area */
	uint64_t
		offset[QXL_SURFACES_MOST]; /* bytes from the start of the area to the lowest byte */
};

extern const struct state_field qxl_surfaces_fields[];

/* What a guest asked for, copied. */
struct qxl_surface_request {
	uint32_t width, height, format;
	int32_t stride;
	uint64_t address;
};

/* The pixel layout of a surface format; 0 when there is none such. */
pixman_format_code_t qxl_surface_layout(uint32_t format);

/**
 * qxl_surfaces_create - a surface, in place of any that had its number
 * @id: below QXL_SURFACES_MOST
 *
 * Returns false with @error, and changes nothing, when the request is wrong.
 */
bool qxl_surfaces_create(struct qxl_surfaces *surfaces, const struct qxl_memory *memory,
	uint32_t id, const struct qxl_surface_request *request, GError **error);
void qxl_surfaces_destroy(struct qxl_surfaces *surfaces, uint32_t id);
bool qxl_surfaces_has(const struct qxl_surfaces *surfaces, uint32_t id);
/* Where its lowest byte is, and the stride. It exists. */
void qxl_surfaces_place(
	const struct qxl_surfaces *surfaces, uint32_t id, struct qxl_place *place, int32_t *stride);
/* What came from outside is inside the memory. */
bool qxl_surfaces_fit(const struct qxl_surfaces *surfaces, const struct qxl_memory *memory);

/* An image over the pixels, to be unreferenced; NULL when there is no such surface. */
pixman_image_t *qxl_surfaces_image(
	const struct qxl_surfaces *surfaces, const struct qxl_memory *memory, uint32_t id);
