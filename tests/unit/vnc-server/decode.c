/* Decoders of our own, written from RFC 6143 sections 7.7.1, 7.7.4 and 7.7.6. */
#include "tests/unit/vnc-server/decode.h"

#include <string.h>

uint32_t client_pixel(const struct client_format *format, uint32_t rgb)
{
	double red = (rgb >> 16 & 0xff) / 255.0, green = (rgb >> 8 & 0xff) / 255.0,
	       blue = (rgb & 0xff) / 255.0;

	return (uint32_t)(red * format->red_max + 0.5) << format->red_shift |
	       (uint32_t)(green * format->green_max + 0.5) << format->green_shift |
	       (uint32_t)(blue * format->blue_max + 0.5) << format->blue_shift;
}

void decoder_init(struct decoder *decoder, const struct client_format *format)
{
	*decoder = (struct decoder) { .format = format };
	g_assert_cmpint(inflateInit(&decoder->inflate), ==, Z_OK);
}

void decoder_clear(struct decoder *decoder)
{
	inflateEnd(&decoder->inflate);
}

/* A number of @bytes bytes in the client's order. */
static uint32_t read_number(struct reader *in, const struct client_format *format, int bytes)
{
	uint32_t value = 0;

	for (int i = 0; i < bytes; i++) {
		uint32_t byte = reader_u8(in);

		value |= byte << 8 * (format->big_endian ? bytes - 1 - i : i);
	}
	g_assert_cmpint(reader_result(in), ==, PARSE_DONE);
	return value;
}

static uint32_t read_pixel(struct reader *in, const struct client_format *format)
{
	return read_number(in, format, format->bits / 8);
}

static uint32_t read_cpixel(struct reader *in, const struct client_format *format)
{
	uint32_t all = client_pixel(format, 0xffffff);

	if (format->bits != 32 || format->depth > 24)
		return read_pixel(in, format);
	if (all < 1 << 24)
		return read_number(in, format, 3);
	if ((all & 0xff) == 0)
		return read_number(in, format, 3) << 8;
	return read_pixel(in, format);
}

void decode_raw(struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels)
{
	for (int i = 0; i < width * height; i++)
		pixels[i] = read_pixel(in, decoder->format);
}

static void fill(uint32_t *pixels, int stride, int x, int y, int width, int height, uint32_t pixel)
{
	for (int row = y; row < y + height; row++) {
		for (int column = x; column < x + width; column++)
			pixels[row * stride + column] = pixel;
	}
}

static void hextile_rectangles(struct decoder *decoder, struct reader *in, int stride, int width,
	int height, bool coloured, uint32_t foreground, uint32_t *pixels)
{
	int count = reader_u8(in);

	for (int i = 0; i < count; i++) {
		uint32_t pixel = coloured ? read_pixel(in, decoder->format) : foreground;
		int position = reader_u8(in), size = reader_u8(in);
		int x = position >> 4, y = position & 15, w = (size >> 4) + 1, h = (size & 15) + 1;

		g_assert_cmpint(x + w, <=, width);
		g_assert_cmpint(y + h, <=, height);
		fill(pixels, stride, x, y, w, h, pixel);
	}
}

void decode_hextile(
	struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels)
{
	bool background_valid = false, foreground_valid = false;
	uint32_t background = 0, foreground = 0;

	for (int y = 0; y < height; y += 16) {
		for (int x = 0; x < width; x += 16) {
			int w = MIN(16, width - x), h = MIN(16, height - y);
			uint32_t *tile = pixels + y * width + x;
			uint8_t kind = reader_u8(in);

			g_assert_cmpint(kind & ~31, ==, 0);
			if (kind & 1) {
				decoder->hextile_raw++;
				for (int row = 0; row < h; row++)
					decode_raw(decoder, in, w, 1, tile + row * width);
				background_valid = foreground_valid = false;
				continue;
			}
			if (kind & 2) {
				decoder->hextile_background++;
				background = read_pixel(in, decoder->format);
				background_valid = true;
			} else {
				decoder->hextile_kept++;
			}
			if (kind & 4) {
				decoder->hextile_foreground++;
				foreground = read_pixel(in, decoder->format);
				foreground_valid = true;
				g_assert_false(kind & 16);
			}
			g_assert_true(background_valid);
			fill(tile, width, 0, 0, w, h, background);
			if (!(kind & 8))
				continue;
			g_assert_true(foreground_valid || kind & 16);
			hextile_rectangles(decoder, in, width, w, h, kind & 16, foreground, tile);
			if (kind & 16) {
				decoder->hextile_coloured++;
				foreground_valid = false;
			}
		}
	}
}

static int zrle_length(struct reader *in)
{
	int length = 1, byte;

	do {
		byte = reader_u8(in);
		length += byte;
	} while (byte == 255);
	return length;
}

static void zrle_packed(struct decoder *decoder, struct reader *in, int colours, int width,
	int height, uint32_t *pixels)
{
	uint32_t palette[16];
	int bits = colours == 2 ? 1 : colours <= 4 ? 2 : 4;

	decoder->zrle_packed++;
	for (int i = 0; i < colours; i++)
		palette[i] = read_cpixel(in, decoder->format);
	for (int y = 0; y < height; y++) {
		int left = 0, byte = 0;

		for (int x = 0; x < width; x++) {
			int index;

			if (left == 0) {
				byte = reader_u8(in);
				left = 8;
			}
			left -= bits;
			index = byte >> left & ((1 << bits) - 1);
			g_assert_cmpint(index, <, colours);
			pixels[y * width + x] = palette[index];
		}
	}
}

static void zrle_plain_runs(struct decoder *decoder, struct reader *in, int count, uint32_t *pixels)
{
	decoder->zrle_runs++;
	for (int at = 0; at < count;) {
		uint32_t pixel = read_cpixel(in, decoder->format);
		int length = zrle_length(in);

		g_assert_cmpint(length, <=, count - at);
		fill(pixels, count, at, 0, length, 1, pixel);
		at += length;
	}
}

static void zrle_palette_runs(
	struct decoder *decoder, struct reader *in, int colours, int count, uint32_t *pixels)
{
	uint32_t palette[127];

	decoder->zrle_palette_runs++;
	for (int i = 0; i < colours; i++)
		palette[i] = read_cpixel(in, decoder->format);
	for (int at = 0; at < count;) {
		int index = reader_u8(in);
		int length = index & 128 ? zrle_length(in) : 1;

		g_assert_cmpint(index & 127, <, colours);
		g_assert_cmpint(length, <=, count - at);
		fill(pixels, count, at, 0, length, 1, palette[index & 127]);
		at += length;
	}
}

static void zrle_tile(
	struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels)
{
	int kind = reader_u8(in);
	int count = width * height;

	if (kind == 0) {
		decoder->zrle_raw++;
		for (int i = 0; i < count; i++)
			pixels[i] = read_cpixel(in, decoder->format);
	} else if (kind == 1) {
		decoder->zrle_solid++;
		fill(pixels, width, 0, 0, width, height, read_cpixel(in, decoder->format));
	} else if (kind <= 16) {
		zrle_packed(decoder, in, kind, width, height, pixels);
	} else if (kind == 128) {
		zrle_plain_runs(decoder, in, count, pixels);
	} else {
		g_assert_cmpint(kind, >=, 130);
		zrle_palette_runs(decoder, in, kind - 128, count, pixels);
	}
}

static GBytes *inflate_all(struct decoder *decoder, const uint8_t *bytes, size_t length)
{
	GByteArray *out = g_byte_array_new();
	uint8_t room[4096];

	decoder->inflate.next_in = (Bytef *)bytes;
	decoder->inflate.avail_in = length;
	do {
		int result;

		decoder->inflate.next_out = room;
		decoder->inflate.avail_out = sizeof(room);
		result = inflate(&decoder->inflate, Z_SYNC_FLUSH);
		g_assert_true(result == Z_OK || result == Z_BUF_ERROR);
		g_byte_array_append(out, room, sizeof(room) - decoder->inflate.avail_out);
	} while (decoder->inflate.avail_out == 0);
	g_assert_cmpuint(decoder->inflate.avail_in, ==, 0);
	return g_byte_array_free_to_bytes(out);
}

void decode_zrle(
	struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels)
{
	uint32_t length = reader_u32(in);
	const uint8_t *compressed = reader_bytes(in, length);
	g_autoptr(GBytes) bytes = NULL;
	struct reader tiles;

	g_assert_cmpint(reader_result(in), ==, PARSE_DONE);
	bytes = inflate_all(decoder, compressed, length);
	tiles = reader_from_bytes(bytes);
	for (int y = 0; y < height; y += 64) {
		for (int x = 0; x < width; x += 64) {
			int w = MIN(64, width - x), h = MIN(64, height - y);
			uint32_t tile[64 * 64];

			zrle_tile(decoder, &tiles, w, h, tile);
			for (int row = 0; row < h; row++)
				memcpy(pixels + (y + row) * width + x, tile + row * w,
					w * sizeof(*tile));
		}
	}
	g_assert_cmpint(reader_result(&tiles), ==, PARSE_DONE);
	g_assert_cmpuint(reader_left(&tiles), ==, 0);
}
