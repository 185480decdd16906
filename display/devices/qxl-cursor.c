/* QXL cursors: shapes of every depth, with their masks and palettes. */
#include "display/devices/qxl-cursor.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <string.h>

#include "base/error.h"

enum {
	PALETTE_MOST = 256,
};

/* Bits of a pixel; what follows the pixels is a palette for up to eight of them, and a mask. */
static const struct {
	uint8_t bits;
	bool masked;
} types[] = {
	[SPICE_CURSOR_TYPE_ALPHA] = { 32, false },
	[SPICE_CURSOR_TYPE_MONO] = { 1, true },
	[SPICE_CURSOR_TYPE_COLOR4] = { 4, true },
	[SPICE_CURSOR_TYPE_COLOR8] = { 8, true },
	[SPICE_CURSOR_TYPE_COLOR16] = { 16, true },
	[SPICE_CURSOR_TYPE_COLOR24] = { 24, true },
	[SPICE_CURSOR_TYPE_COLOR32] = { 32, true },
};

/* Where the parts of a shape's data are, in bytes. */
struct layout {
	unsigned type;
	uint32_t width, height;
	size_t pixel_stride, mask_stride;
	size_t pixels, palette, mask, length;
};

/* Monochrome shapes have their mask first. */
static struct layout make_layout(const QXLCursorHeader *header)
{
	struct layout layout = {
		.type = header->type,
		.width = header->width,
		.height = header->height,
		.pixel_stride = ((size_t)header->width * types[header->type].bits + 7) / 8,
		.mask_stride = ((size_t)header->width + 7) / 8,
	};
	size_t pixels = layout.pixel_stride * layout.height;
	size_t mask = types[header->type].masked ? layout.mask_stride * layout.height : 0;

	if (header->type == SPICE_CURSOR_TYPE_MONO) {
		layout.pixels = mask;
		layout.length = mask + pixels;
		return layout;
	}
	layout.palette = layout.mask = pixels;
	if (types[header->type].bits <= 8)
		layout.mask += ((size_t)1 << types[header->type].bits) * sizeof(uint32_t);
	layout.length = layout.mask + mask;
	return layout;
}

static bool mask_bit(const struct layout *layout, const uint8_t *data, uint32_t x, uint32_t y)
{
	return data[layout->mask + y * layout->mask_stride + x / 8] >> (7 - x % 8) & 1;
}

static uint32_t five_to_eight(uint32_t value)
{
	return (value & 31) << 3 | (value & 31) >> 2;
}

/* As 0x00rrggbb; with its alpha for the type that has one. */
static uint32_t colour(const struct layout *layout, const uint8_t *data, uint32_t x, uint32_t y)
{
	const uint8_t *row = data + layout->pixels + y * layout->pixel_stride;
	uint32_t value = 0;
	unsigned index;

	switch (types[layout->type].bits) {
	case 1:
		return row[x / 8] >> (7 - x % 8) & 1 ? 0xffffff : 0;
	case 4:
	case 8:
		index = types[layout->type].bits == 8 ? row[x] : row[x / 2] >> (1 - x % 2) * 4 & 15;
		memcpy(&value, data + layout->palette + index * sizeof(value), sizeof(value));
		return value & 0xffffff;
	case 16:
		memcpy(&value, row + x * 2, 2);
		return five_to_eight(value >> 10) << 16 | five_to_eight(value >> 5) << 8 |
		       five_to_eight(value);
	case 24:
		memcpy(&value, row + x * 3, 3);
		return value;
	default:
		memcpy(&value, row + x * 4, 4);
		return layout->type == SPICE_CURSOR_TYPE_ALPHA ? value : value & 0xffffff;
	}
}

/* No component is above alpha. */
static uint32_t premultiplied(uint32_t pixel)
{
	uint32_t alpha = pixel >> 24;

	return alpha << 24 | MIN(pixel >> 16 & 0xff, alpha) << 16 |
	       MIN(pixel >> 8 & 0xff, alpha) << 8 | MIN(pixel & 0xff, alpha);
}

/* Pixels that invert what is under them become black: nobody who shows a cursor can do that. */
static uint32_t pixel(const struct layout *layout, const uint8_t *data, uint32_t x, uint32_t y)
{
	uint32_t value = colour(layout, data, x, y);

	if (layout->type == SPICE_CURSOR_TYPE_ALPHA)
		return premultiplied(value);
	if (!mask_bit(layout, data, x, y))
		return value | 0xff000000;
	return value == 0 ? 0 : 0xff000000;
}

struct cursor *qxl_cursor_load(const struct qxl_memory *memory, uint64_t address, GError **error)
{
	struct cursor *cursor;
	struct qxl_bytes data;
	struct layout layout;
	QXLCursor shape;

	if (!qxl_memory_read(memory, address, &shape, offsetof(QXLCursor, chunk), error))
		return NULL;
	if (shape.header.type >= G_N_ELEMENTS(types)) {
		fail(error, VITRINE_ERROR_INPUT, "cursors of type %u are not known",
			shape.header.type);
		return NULL;
	}
	cursor = cursor_new(shape.header.width, shape.header.height, shape.header.hot_spot_x,
		shape.header.hot_spot_y);
	if (!cursor) {
		fail(error, VITRINE_ERROR_INPUT,
			"a cursor of %u by %u pixels, 1 to %d are possible", shape.header.width,
			shape.header.height, CURSOR_MAX_SIZE);
		return NULL;
	}
	layout = make_layout(&shape.header);
	if (!qxl_memory_gather(
		    memory, address + offsetof(QXLCursor, chunk), layout.length, &data, error)) {
		cursor_unref(cursor);
		return NULL;
	}
	for (uint32_t y = 0; y < layout.height; y++)
		for (uint32_t x = 0; x < layout.width; x++)
			cursor->pixels[(size_t)y * layout.width + x] =
				pixel(&layout, data.bytes, x, y);
	qxl_bytes_clear(&data);
	return cursor;
}
