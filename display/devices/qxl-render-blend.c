/* QXL rendering: what is neither a raster operation nor a shape: keyed and blended images, composition, moved pixels. */
#include <spice/qxl_dev.h>
#include <string.h>

#include "base/error.h"
#include "display/devices/qxl-render-private.h"

static uint8_t *row_of(pixman_image_t *image, int32_t y)
{
	return (uint8_t *)pixman_image_get_data(image) +
	       (ptrdiff_t)pixman_image_get_stride(image) * y;
}

bool qxl_drawing_move(struct qxl_drawing *drawing, int32_t dx, int32_t dy)
{
	size_t bits = PIXMAN_FORMAT_BPP(pixman_image_get_format(drawing->target));
	const pixman_box32_t *box = &drawing->extents;
	int32_t height = box->y2 - box->y1;
	size_t length;

	if (bits % 8 != 0)
		return false;
	length = (size_t)(box->x2 - box->x1) * (bits / 8);
	/* Away from what is still to be read. */
	for (int32_t i = 0; i < height; i++) {
		int32_t y = dy >= 0 ? box->y1 + i : box->y2 - 1 - i;

		memmove(row_of(drawing->target, y) + (size_t)box->x1 * (bits / 8),
			row_of(drawing->target, y + dy) + (size_t)(box->x1 + dx) * (bits / 8),
			length);
	}
	return true;
}

/* The colour key in the layout that it is compared in. */
static uint32_t key_pixel(uint32_t colour, pixman_format_code_t layout)
{
	if (layout == PIXMAN_x1r5g5b5)
		return (colour >> 9 & 0x7c00) | (colour >> 6 & 0x03e0) | (colour >> 3 & 0x001f);
	if (layout == PIXMAN_r5g6b5)
		return (colour >> 8 & 0xf800) | (colour >> 5 & 0x07e0) | (colour >> 3 & 0x001f);
	return colour & 0xffffff;
}

/* A mask for the extents: set where the source is not of the key's colour. */
static pixman_image_t *key_mask(struct qxl_drawing *drawing, pixman_image_t *source, GError **error)
{
	const pixman_box32_t *extents = &drawing->extents;
	int32_t width = extents->x2 - extents->x1;
	int32_t height = extents->y2 - extents->y1;
	pixman_format_code_t layout = pixman_image_get_format(source);
	size_t bytes = PIXMAN_FORMAT_BPP(layout) / 8;
	uint32_t key = key_pixel(drawing->draw->transparent_colour, layout);
	uint32_t compared = bytes == 4 ? 0xffffff : layout == PIXMAN_x1r5g5b5 ? 0x7fff : 0xffff;
	pixman_image_t *mask = qxl_image_new(PIXMAN_a8, width, height, error);

	for (int32_t y = 0; mask && y < height; y++) {
		const uint8_t *from = row_of(source, y);
		uint8_t *to = row_of(mask, y);

		for (int32_t x = 0; x < width; x++) {
			uint32_t pixel = 0;

			memcpy(&pixel, from + (size_t)x * bytes, bytes);
			to[x] = (pixel & compared) == key ? 0 : 0xff;
		}
	}
	return mask;
}

bool qxl_draw_transparent(struct qxl_drawing *drawing, GError **error)
{
	struct qxl_raster raster = { .rop = QXL_ROP_SOURCE };
	bool good;

	if (PIXMAN_FORMAT_BPP(pixman_image_get_format(drawing->target)) < 16)
		return fail(error, VITRINE_ERROR_INPUT, "a surface without colours has no key");
	raster.source = qxl_drawing_source_copy(drawing, error);
	if (!raster.source)
		return false;
	raster.mask = key_mask(drawing, raster.source, error);
	good = raster.mask != NULL;
	if (good)
		qxl_raster_draw(drawing->target, &drawing->damage->region, &raster);
	qxl_raster_clear(&raster);
	return good;
}

bool qxl_draw_alpha_blend(struct qxl_drawing *drawing, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	pixman_color_t alpha = { 0 };
	pixman_image_t *image, *mask;
	int32_t x, y;

	image = qxl_drawing_source(drawing, &x, &y, error);
	if (!image)
		return false;
	alpha.alpha = draw->blend.alpha * 0x101;
	mask = pixman_image_create_solid_fill(&alpha);
	qxl_drawing_composite(drawing, PIXMAN_OP_OVER, image, x, y, mask, 0, 0);
	pixman_image_unref(mask);
	pixman_image_unref(image);
	return true;
}

static bool set_transform(
	struct qxl_drawing *drawing, pixman_image_t *image, uint64_t address, GError **error)
{
	pixman_transform_t transform = { 0 };
	QXLTransform from;

	if (address == 0)
		return true;
	if (!qxl_memory_read(drawing->canvas->memory, address, &from, sizeof(from), error))
		return false;
	transform.matrix[0][0] = from.t00;
	transform.matrix[0][1] = from.t01;
	transform.matrix[0][2] = from.t02;
	transform.matrix[1][0] = from.t10;
	transform.matrix[1][1] = from.t11;
	transform.matrix[1][2] = from.t12;
	transform.matrix[2][2] = pixman_fixed_1;
	if (!pixman_image_set_transform(image, &transform))
		return fail(error, VITRINE_ERROR_HOST, "no memory for a transform");
	return true;
}

bool qxl_draw_composite(struct qxl_drawing *drawing, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	int32_t dx = drawing->extents.x1 - draw->box.x1;
	int32_t dy = drawing->extents.y1 - draw->box.y1;
	pixman_image_t *source, *mask = NULL;
	bool good = true;

	source = qxl_drawing_load(drawing, draw->source.image, error);
	if (!source)
		return false;
	pixman_image_set_filter(source, draw->composite.source_filter, NULL, 0);
	pixman_image_set_repeat(source, draw->composite.source_repeat);
	good = set_transform(drawing, source, draw->composite.source_transform, error);
	if (good && draw->composite.mask != 0) {
		mask = qxl_drawing_load(drawing, draw->composite.mask, error);
		good = mask != NULL;
	}
	if (good && mask) {
		pixman_image_set_filter(mask, draw->composite.mask_filter, NULL, 0);
		pixman_image_set_repeat(mask, draw->composite.mask_repeat);
		pixman_image_set_component_alpha(mask, draw->composite.component_alpha);
		good = set_transform(drawing, mask, draw->composite.mask_transform, error);
	}
	if (good)
		qxl_drawing_composite(drawing, draw->composite.code, source,
			draw->composite.source_x + dx, draw->composite.source_y + dy, mask,
			draw->composite.mask_x + dx, draw->composite.mask_y + dy);
	if (mask)
		pixman_image_unref(mask);
	pixman_image_unref(source);
	return good;
}
