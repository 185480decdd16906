/* The guest's cursor as pseudo-encodings.
 *
 * Specification: RFC 6143 section 7.8.1 (Cursor); the community specification for Cursor With Alpha.
 */
#include "vnc-server/cursor.h"

#include "base/writer.h"
#include "vnc-server/protocol.h"
#include "vnc-server/rectangle.h"

enum {
	OPAQUE_FROM = 128
};

/* One channel of a premultiplied pixel as it was before. */
static uint32_t unmultiply(uint32_t channel, uint32_t alpha)
{
	return alpha == 0 ? 0 : MIN((channel * 255 + alpha / 2) / alpha, 255);
}

static uint32_t without_alpha(uint32_t pixel)
{
	uint32_t alpha = pixel >> 24;

	return unmultiply(pixel >> 16 & 0xff, alpha) << 16 |
	       unmultiply(pixel >> 8 & 0xff, alpha) << 8 | unmultiply(pixel & 0xff, alpha);
}

static void write_mask(GByteArray *out, const struct cursor *cursor)
{
	size_t row_bytes = (cursor->width + 7) / 8;
	size_t at = write_zeroes(out, row_bytes * cursor->height);
	uint8_t *row = out->data + at;

	for (uint32_t y = 0; y < cursor->height; y++, row += row_bytes) {
		for (uint32_t x = 0; x < cursor->width; x++) {
			if (cursor->pixels[y * cursor->width + x] >> 24 >= OPAQUE_FROM)
				row[x / 8] |= 0x80 >> x % 8;
		}
	}
}

void cursor_write(
	GByteArray *out, const struct pixel_converter *converter, const struct cursor *cursor)
{
	size_t count, at;
	uint8_t *to;

	if (!cursor) {
		rectangle_write(out, &(struct rectangle) { 0 }, ENCODING_CURSOR);
		return;
	}
	rectangle_write(out,
		&(struct rectangle) { cursor->hot_x, cursor->hot_y, cursor->width, cursor->height },
		ENCODING_CURSOR);
	count = (size_t)cursor->width * cursor->height;
	at = out->len;
	/* A stored pixel may spill up to three bytes behind its own. */
	g_byte_array_set_size(out, at + count * converter->bytes + 3);
	to = out->data + at;
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel = without_alpha(cursor->pixels[i]);

		pixel_convert(converter, &pixel, 1);
		to = pixel_store(converter, to, pixel);
	}
	g_byte_array_set_size(out, to - out->data);
	write_mask(out, cursor);
}

void cursor_write_alpha(GByteArray *out, const struct cursor *cursor)
{
	struct rectangle area = { 0 };

	if (cursor)
		area = (struct rectangle) { cursor->hot_x, cursor->hot_y, cursor->width,
			cursor->height };
	rectangle_write(out, &area, ENCODING_CURSOR_WITH_ALPHA);
	/* Even a cursor without pixels says how they are encoded. */
	write_i32(out, ENCODING_RAW);
	for (int32_t i = 0; i < area.width * area.height; i++)
		write_u32(out, cursor->pixels[i] << 8 | cursor->pixels[i] >> 24);
}
