/* QXL images: from an address of the guest's to pixels that can be drawn with.
 *
 * Uncompressed pixels in a layout that pixman reads are drawn from where they lie; everything else is converted into memory
 * of our own. Whatever a pixel turns out to be is a colour or an index into a full palette.
 *
 * Specification: QXLImage, QXLBitmap, QXLPalette of spice/qxl_dev.h.
 */
#pragma once

#include "display/devices/qxl-memory.h"
#include "display/devices/qxl-surfaces.h"

enum {
	QXL_IMAGE_MAX_SIZE = 16384,               /* pixels in each direction */
	QXL_IMAGE_MOST_BYTES = 128 * 1024 * 1024, /* of pixels in memory of our own */
};

struct qxl_canvas {
	struct qxl_memory *memory;
	struct qxl_surfaces *surfaces;
};

/* Memory of our own, cleared, for pixels; NULL with @error when it were too much. */
pixman_image_t *qxl_image_new(
	pixman_format_code_t layout, uint32_t width, uint32_t height, GError **error);

/**
 * qxl_image_load - the image at an address
 * @target: the surface it is to be drawn into: an image that is this surface itself is copied
 * @work: the pixels converted and copied are added to it; those that stay where they lie are none
 *
 * Returns an image to be unreferenced, in x8r8g8b8, a8r8g8b8, r8g8b8, x1r5g5b5, r5g6b5 or a8; NULL with @error when the guest
 * wrote what is none. *@missing is set when it is right but a surface that is not there: then nothing is to be drawn.
 */
pixman_image_t *qxl_image_load(const struct qxl_canvas *canvas, uint64_t address, uint32_t target,
	bool *missing, uint64_t *work, GError **error);

/* The image of one bit a pixel at an address, as a8 with 0xff where the bit is set. @work: as above. */
pixman_image_t *qxl_image_load_mask(
	const struct qxl_canvas *canvas, uint64_t address, uint64_t *work, GError **error);
