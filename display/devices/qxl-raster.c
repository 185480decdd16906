/* Raster operations: rows of bytes, as what is bitwise does not care how wide a pixel is. */
#include "display/devices/qxl-raster.h"

#include <glib.h>
#include <string.h>

struct rows {
	size_t pixel_bytes;
	uint8_t *brush, *result; /* for one row of the extents */
};

/* out = f(brush, source, out), eight terms as three choices. */
static void combine(
	uint8_t rop, const uint8_t *brush, const uint8_t *source, uint8_t *out, size_t length)
{
	uint8_t terms[8];

	for (unsigned i = 0; i < 8; i++)
		terms[i] = rop >> i & 1 ? 0xff : 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t d = out[i], s = source[i], p = brush[i];
		uint8_t a = (terms[0] & ~d) | (terms[1] & d);
		uint8_t b = (terms[2] & ~d) | (terms[3] & d);
		uint8_t c = (terms[4] & ~d) | (terms[5] & d);
		uint8_t e = (terms[6] & ~d) | (terms[7] & d);

		out[i] = (((a & ~s) | (b & s)) & ~p) | (((c & ~s) | (e & s)) & p);
	}
}

static uint8_t *row_of(pixman_image_t *image, int32_t y)
{
	return (uint8_t *)pixman_image_get_data(image) +
	       (ptrdiff_t)pixman_image_get_stride(image) * y;
}

static int32_t wrap(int64_t value, int32_t size)
{
	int64_t rest = value % size;

	return rest < 0 ? rest + size : rest;
}

/* The brush for the columns [@from, @end) of a row of the target. */
static void brush_row(
	const struct qxl_raster *raster, struct rows *rows, int32_t from, int32_t end, int32_t y)
{
	uint8_t *to = rows->brush;
	const uint8_t *row;
	int32_t x, width;

	if (!raster->pattern) {
		for (int32_t i = from; i < end; i++, to += rows->pixel_bytes)
			memcpy(to, &raster->colour, rows->pixel_bytes);
		return;
	}
	width = pixman_image_get_width(raster->pattern);
	row = row_of(raster->pattern,
		wrap((int64_t)y - raster->pattern_y, pixman_image_get_height(raster->pattern)));
	x = wrap((int64_t)from - raster->pattern_x, width);
	for (int32_t i = from; i < end; i++, to += rows->pixel_bytes) {
		memcpy(to, row + (size_t)x * rows->pixel_bytes, rows->pixel_bytes);
		x = x + 1 == width ? 0 : x + 1;
	}
}

/* Copies the pixels that the mask lets through. */
static void masked_row(const struct qxl_raster *raster, const struct rows *rows, uint8_t *to,
	int64_t mask_x, int64_t mask_y, int32_t width)
{
	const uint8_t *mask;

	if (mask_y < 0 || mask_y >= pixman_image_get_height(raster->mask))
		return;
	mask = row_of(raster->mask, mask_y);
	for (int32_t x = 0; x < width; x++) {
		int64_t at = mask_x + x;

		if (at < 0 || at >= pixman_image_get_width(raster->mask) ||
			(mask[at] != 0) == raster->mask_inverted)
			continue;
		memcpy(to + (size_t)x * rows->pixel_bytes,
			rows->result + (size_t)x * rows->pixel_bytes, rows->pixel_bytes);
	}
}

static void draw_box(pixman_image_t *target, const pixman_box32_t *box,
	const pixman_box32_t *extents, const struct qxl_raster *raster, struct rows *rows)
{
	int32_t width = box->x2 - box->x1;
	size_t length = (size_t)width * rows->pixel_bytes;
	int32_t left = box->x1 - extents->x1;

	for (int32_t y = box->y1; y < box->y2; y++) {
		uint8_t *to = row_of(target, y) + (size_t)box->x1 * rows->pixel_bytes;
		int32_t above = y - extents->y1;
		const uint8_t *source = rows->brush;

		brush_row(raster, rows, box->x1, box->x2, y);
		if (raster->source)
			source = row_of(raster->source, above) + (size_t)left * rows->pixel_bytes;
		if (!raster->mask) {
			combine(raster->rop, rows->brush, source, to, length);
			continue;
		}
		memcpy(rows->result, to, length);
		combine(raster->rop, rows->brush, source, rows->result, length);
		masked_row(raster, rows, to, (int64_t)raster->mask_x + left,
			(int64_t)raster->mask_y + above, width);
	}
}

void qxl_raster_draw(
	pixman_image_t *target, const pixman_region32_t *region, const struct qxl_raster *raster)
{
	pixman_region32_t *drawn = (pixman_region32_t *)region;
	pixman_box32_t *extents = pixman_region32_extents(drawn);
	struct rows rows = { PIXMAN_FORMAT_BPP(pixman_image_get_format(target)) / 8, NULL, NULL };
	g_autofree uint8_t *brush = NULL;
	g_autofree uint8_t *result = NULL;
	pixman_box32_t *boxes;
	size_t length;
	int count;

	if (!pixman_region32_not_empty(drawn) || rows.pixel_bytes == 0)
		return;
	length = (size_t)(extents->x2 - extents->x1) * rows.pixel_bytes;
	rows.brush = brush = g_malloc(length);
	rows.result = result = g_malloc(length);
	boxes = pixman_region32_rectangles(drawn, &count);
	for (int i = 0; i < count; i++)
		draw_box(target, &boxes[i], extents, raster, &rows);
}
