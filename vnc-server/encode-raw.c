/* Raw: the pixels themselves.
 *
 * Specification: RFC 6143 section 7.7.1.
 */
#include "vnc-server/encoder.h"

#include "vnc-server/limits.h"
#include "vnc-server/protocol.h"

static void encode_raw(const struct pixel_converter *converter, const struct picture *picture,
	const struct rectangle *area, GByteArray *out)
{
	struct rectangle row = { area->x, area->y, area->width, 1 };
	uint32_t pixels[LIMIT_PIECE_WIDTH];
	size_t row_bytes = (size_t)area->width * converter->bytes;
	size_t at = out->len;

	/* A stored pixel may spill up to three bytes behind its own. */
	g_byte_array_set_size(out, at + row_bytes * area->height + 3);
	for (; row.y < area->y + area->height; row.y++) {
		uint8_t *to = out->data + at;

		picture_read(picture, &row, pixels);
		pixel_convert(converter, pixels, row.width);
		for (int32_t x = 0; x < row.width; x++)
			to = pixel_store(converter, to, pixels[x]);
		at += row_bytes;
	}
	g_byte_array_set_size(out, at);
}

const struct encoder encoder_raw = {
	.encoding = ENCODING_RAW,
	.name = "raw",
	.encode = encode_raw,
};
