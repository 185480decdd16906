/* QXL rendering: text as a string of glyphs, each a small picture of one, four or eight bits of coverage. */
#include <spice/enums.h>
#include <string.h>

#include "base/error.h"
#include "base/reader.h"
#include "display/devices/qxl-render-private.h"

enum {
	STRING_MOST = 4 * 1024 * 1024, /* bytes */
};

struct glyphs {
	pixman_image_t *mask; /* a8, for the extents */
	unsigned bits;        /* of coverage in a pixel */
	bool top_down;
};

static uint8_t coverage(unsigned bits, const uint8_t *row, uint32_t x)
{
	switch (bits) {
	case 1:
		return row[x / 8] >> (7 - x % 8) & 1 ? 0xff : 0;
	case 4:
		return (row[x / 2] >> (1 - x % 2) * 4 & 15) * 0x11;
	default:
		return row[x];
	}
}

/* What of a glyph lies in the mask. @left, @top: of the glyph in the mask. */
static void add_glyph(struct glyphs *glyphs, const uint8_t *data, size_t stride, int64_t left,
	int64_t top, uint32_t width, uint32_t height)
{
	int64_t mask_width = pixman_image_get_width(glyphs->mask);
	int64_t mask_height = pixman_image_get_height(glyphs->mask);

	if (width == 0)
		return;
	for (int64_t y = MAX(0, -top); y < MIN((int64_t)height, mask_height - top); y++) {
		const uint8_t *from = data + (glyphs->top_down ? y : height - 1 - y) * stride;
		uint8_t *to = (uint8_t *)pixman_image_get_data(glyphs->mask) +
			      (top + y) * pixman_image_get_stride(glyphs->mask);

		for (int64_t x = MAX(0, -left); x < MIN((int64_t)width, mask_width - left); x++)
			to[left + x] = MAX(to[left + x], coverage(glyphs->bits, from, x));
	}
}

static bool add_glyphs(struct glyphs *glyphs, const pixman_box32_t *extents,
	const struct qxl_bytes *bytes, unsigned count, GError **error)
{
	struct reader in = reader_from(bytes->bytes, bytes->length);

	for (unsigned i = 0; i < count; i++) {
		int64_t left = (int32_t)reader_le32(&in);
		int64_t top = (int32_t)reader_le32(&in);
		uint32_t width, height;
		const uint8_t *data;
		size_t stride;

		left += (int32_t)reader_le32(&in);
		top += (int32_t)reader_le32(&in);
		width = reader_le16(&in);
		height = reader_le16(&in);
		stride = ((size_t)width * glyphs->bits + 7) / 8;
		data = reader_bytes(&in, stride * height);
		if (!data)
			return fail(error, VITRINE_ERROR_INPUT,
				"a string of %u glyphs ends in glyph %u", count, i);
		add_glyph(
			glyphs, data, stride, left - extents->x1, top - extents->y1, width, height);
	}
	return true;
}

static bool load_glyphs(struct qxl_drawing *drawing, struct glyphs *glyphs, GError **error)
{
	const pixman_box32_t *extents = &drawing->extents;
	uint64_t address = drawing->draw->text.string;
	struct qxl_bytes bytes;
	QXLString string;
	bool good;

	if (!qxl_memory_read(
		    drawing->canvas->memory, address, &string, offsetof(QXLString, chunk), error))
		return false;
	if (string.data_size > STRING_MOST)
		return fail(error, VITRINE_ERROR_INPUT, "%u bytes of glyphs, at most %d are taken",
			string.data_size, STRING_MOST);
	glyphs->bits = string.flags & SPICE_STRING_FLAGS_RASTER_A1   ? 1
		       : string.flags & SPICE_STRING_FLAGS_RASTER_A4 ? 4
								     : 8;
	glyphs->top_down = string.flags & SPICE_STRING_FLAGS_RASTER_TOP_DOWN;
	if (!qxl_memory_gather(drawing->canvas->memory, address + offsetof(QXLString, chunk),
		    string.data_size, &bytes, error))
		return false;
	glyphs->mask = qxl_image_new(
		PIXMAN_a8, extents->x2 - extents->x1, extents->y2 - extents->y1, error);
	drawing->damage->work += bytes.length * 8 / glyphs->bits;
	good = glyphs->mask && add_glyphs(glyphs, extents, &bytes, string.length, error);
	qxl_bytes_clear(&bytes);
	return good;
}

static bool draw_background(struct qxl_drawing *drawing, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	const pixman_box32_t *area = &draw->text.back_area;
	struct qxl_raster raster = { .rop = draw->text.back_rop };
	pixman_region32_t region;
	bool good;

	if (area->x1 == area->x2 || area->y1 == area->y2 ||
		(!draw->text.back_brush.solid && !draw->text.back_brush.pattern))
		return true;
	good = qxl_drawing_set_brush(drawing, &draw->text.back_brush, &raster, error);
	if (good) {
		pixman_region32_init(&region);
		pixman_region32_intersect_rect(&region, &drawing->damage->region, area->x1,
			area->y1, area->x2 - area->x1, area->y2 - area->y1);
		qxl_raster_draw(drawing->target, &region, &raster);
		pixman_region32_fini(&region);
	}
	qxl_raster_clear(&raster);
	return good;
}

/* One pixel of the target as a source for composition. */
static pixman_image_t *solid(const struct qxl_drawing *drawing, GError **error)
{
	pixman_image_t *image =
		qxl_image_new(pixman_image_get_format(drawing->target), 1, 1, error);

	if (image)
		pixman_image_get_data(image)[0] = drawing->draw->brush.colour;
	return image;
}

/* Coverage between all and nothing: the brush is laid over what is there. */
static bool blend_glyphs(struct qxl_drawing *drawing, pixman_image_t *mask, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	pixman_image_t *brush = draw->brush.pattern
					? qxl_drawing_pattern(drawing, &draw->brush, error)
					: solid(drawing, error);

	if (!brush)
		return false;
	pixman_image_set_repeat(brush, PIXMAN_REPEAT_NORMAL);
	qxl_drawing_composite(drawing, PIXMAN_OP_OVER, brush, drawing->extents.x1 - draw->brush.x,
		drawing->extents.y1 - draw->brush.y, mask, 0, 0);
	pixman_image_unref(brush);
	return true;
}

bool qxl_draw_text(struct qxl_drawing *drawing, GError **error)
{
	struct qxl_raster raster = { .rop = drawing->draw->text.rop };
	struct glyphs glyphs = { 0 };
	bool good = draw_background(drawing, error) && load_glyphs(drawing, &glyphs, error);

	raster.mask = glyphs.mask;
	if (good && (drawing->draw->brush.solid || drawing->draw->brush.pattern)) {
		if (glyphs.bits > 1) {
			good = blend_glyphs(drawing, glyphs.mask, error);
		} else {
			good = qxl_drawing_set_brush(
				drawing, &drawing->draw->brush, &raster, error);
			if (good)
				qxl_raster_draw(drawing->target, &drawing->damage->region, &raster);
		}
	}
	qxl_raster_clear(&raster);
	return good;
}
