/* ZRLE: tiles of 64 by 64 pixels as one colour, a palette, runs or raw, whichever is shortest; all of it compressed.
 *
 * Specification: RFC 6143 section 7.7.6.
 */
#include "vnc-server/encoder.h"

#include <string.h>
#include <zlib.h>

#include "base/writer.h"
#include "vnc-server/protocol.h"

enum {
	TILE = 64,
	TILE_PIXELS = TILE * TILE,

	SUBENCODING_RAW = 0,
	SUBENCODING_SOLID = 1,
	SUBENCODING_RUNS = 128, /* plus the size of the palette, if there is one */

	PALETTE_MAX = 127,       /* colours, for runs */
	PALETTE_PACKED_MAX = 16, /* colours, for pixels of 1, 2 or 4 bits */
	PALETTE_SLOTS =
		512, /* of its hash table: a power of two, never filled by more than a quarter */

	/* Raw is never beaten by anything longer, so a tile takes at most its raw size, and what a store spills. */
	TILE_MAX_BYTES = 1 + TILE_PIXELS * 4 + 4,

	/* Level 1: levels above cost much more and give about a tenth. */
	COMPRESSION_LEVEL = 1,
	COMPRESSION_STEP = 4096,
	HARD_TO_COMPRESS_LEAST = 16
				 << 10, /* bytes: a smaller piece says nothing about the picture */
	RUNS_ONLY_PIECES =
		32, /* that are not searched in full after one that was hard to compress */
};

struct palette {
	int count; /* PALETTE_MAX + 1 when there were more colours */
	uint32_t colours[PALETTE_MAX];
	uint8_t slots[PALETTE_SLOTS]; /* place in colours + 1, 0 when free */
};

static inline unsigned palette_slot(const struct palette *palette, uint32_t colour)
{
	unsigned slot = (colour * 2654435761u) >> 23;

	while (palette->slots[slot] && palette->colours[palette->slots[slot] - 1] != colour)
		slot = (slot + 1) % PALETTE_SLOTS;
	return slot;
}

static void palette_add(struct palette *palette, uint32_t colour)
{
	unsigned slot;

	if (palette->count > PALETTE_MAX)
		return;
	slot = palette_slot(palette, colour);
	if (palette->slots[slot])
		return;
	if (palette->count == PALETTE_MAX) {
		palette->count++;
		return;
	}
	palette->colours[palette->count++] = colour;
	palette->slots[slot] = palette->count;
}

static inline uint8_t palette_index(const struct palette *palette, uint32_t colour)
{
	return palette->slots[palette_slot(palette, colour)] - 1;
}

/* What a tile would take in each of the ways to write it. */
struct survey {
	struct palette palette;
	int singles;    /* runs of one pixel */
	int runs;       /* longer runs */
	int run_bytes;  /* what the lengths of all runs take when each is written */
	int long_bytes; /* what the lengths of the longer runs take */
};

static void survey_tile(struct survey *survey, const uint32_t *pixels, int count)
{
	*survey = (struct survey) { 0 };
	for (int start = 0, end; start < count; start = end) {
		int length_bytes;

		end = start + 1;
		while (end < count && pixels[end] == pixels[start])
			end++;
		palette_add(&survey->palette, pixels[start]);
		length_bytes = (end - start - 1) / 255 + 1;
		survey->run_bytes += length_bytes;
		if (end - start == 1) {
			survey->singles++;
		} else {
			survey->runs++;
			survey->long_bytes += length_bytes;
		}
	}
}

static int packed_bits(int colours)
{
	if (colours <= 2)
		return 1;
	return colours <= 4 ? 2 : 4;
}

static uint8_t *write_length(uint8_t *to, int length)
{
	for (length--; length >= 255; length -= 255)
		*to++ = 255;
	*to++ = length;
	return to;
}

static uint8_t *write_palette(
	const struct pixel_converter *converter, const struct palette *palette, uint8_t *to)
{
	for (int i = 0; i < palette->count; i++)
		to = cpixel_store(converter, to, palette->colours[i]);
	return to;
}

static uint8_t *write_packed(const struct pixel_converter *converter, const struct palette *palette,
	const uint32_t *pixels, int width, int height, uint8_t *to)
{
	int bits = packed_bits(palette->count);

	*to++ = palette->count;
	to = write_palette(converter, palette, to);
	for (int y = 0; y < height; y++, pixels += width) {
		unsigned byte = 0, used = 0;

		for (int x = 0; x < width; x++) {
			byte = byte << bits | palette_index(palette, pixels[x]);
			used += bits;
			if (used == 8) {
				*to++ = byte;
				byte = used = 0;
			}
		}
		if (used > 0)
			*to++ = byte << (8 - used);
	}
	return to;
}

static uint8_t *write_palette_runs(const struct pixel_converter *converter,
	const struct palette *palette, const uint32_t *pixels, int count, uint8_t *to)
{
	*to++ = SUBENCODING_RUNS + palette->count;
	to = write_palette(converter, palette, to);
	for (int start = 0, end; start < count; start = end) {
		uint8_t index = palette_index(palette, pixels[start]);

		end = start + 1;
		while (end < count && pixels[end] == pixels[start])
			end++;
		if (end - start == 1) {
			*to++ = index;
		} else {
			*to++ = index | 128;
			to = write_length(to, end - start);
		}
	}
	return to;
}

static uint8_t *write_plain_runs(
	const struct pixel_converter *converter, const uint32_t *pixels, int count, uint8_t *to)
{
	*to++ = SUBENCODING_RUNS;
	for (int start = 0, end; start < count; start = end) {
		end = start + 1;
		while (end < count && pixels[end] == pixels[start])
			end++;
		to = cpixel_store(converter, to, pixels[start]);
		to = write_length(to, end - start);
	}
	return to;
}

static uint8_t *write_raw(
	const struct pixel_converter *converter, const uint32_t *pixels, int count, uint8_t *to)
{
	*to++ = SUBENCODING_RAW;
	for (int i = 0; i < count; i++)
		to = cpixel_store(converter, to, pixels[i]);
	return to;
}

static uint8_t *write_tile(const struct pixel_converter *converter, const uint32_t *pixels,
	int width, int height, uint8_t *to)
{
	int count = width * height;
	int cpixel = converter->cpixel_bytes;
	struct survey survey;
	const struct palette *palette = &survey.palette;
	int raw, plain, indexed = G_MAXINT, packed = G_MAXINT, best;

	survey_tile(&survey, pixels, count);
	if (palette->count == 1) {
		*to++ = SUBENCODING_SOLID;
		return cpixel_store(converter, to, pixels[0]);
	}
	raw = count * cpixel;
	plain = (survey.singles + survey.runs) * cpixel + survey.run_bytes;
	if (palette->count <= PALETTE_MAX)
		indexed =
			palette->count * cpixel + survey.singles + survey.runs + survey.long_bytes;
	if (palette->count <= PALETTE_PACKED_MAX)
		packed = palette->count * cpixel +
			 (width * packed_bits(palette->count) + 7) / 8 * height;
	best = MIN(MIN(raw, plain), MIN(indexed, packed));
	if (best == packed)
		return write_packed(converter, palette, pixels, width, height, to);
	if (best == indexed)
		return write_palette_runs(converter, palette, pixels, count, to);
	if (best == plain)
		return write_plain_runs(converter, pixels, count, to);
	return write_raw(converter, pixels, count, to);
}

static void encode_zrle(const struct pixel_converter *converter, const struct picture *picture,
	const struct rectangle *area, GByteArray *out)
{
	uint32_t pixels[TILE_PIXELS];

	for (int32_t y = 0; y < area->height; y += TILE) {
		for (int32_t x = 0; x < area->width; x += TILE) {
			struct rectangle part = { area->x + x, area->y + y,
				MIN(TILE, area->width - x), MIN(TILE, area->height - y) };
			guint at = out->len;

			picture_read(picture, &part, pixels);
			pixel_convert(converter, pixels, part.width * part.height);
			g_byte_array_set_size(out, at + TILE_MAX_BYTES);
			g_byte_array_set_size(out, write_tile(converter, pixels, part.width,
							   part.height, out->data + at) -
							   out->data);
		}
	}
}

/* The stream of one client. Photographs cost zlib ten times the time of other pictures and hardly become smaller: looking
 * for runs alone costs a third and makes nearly as much of them. Which kind of picture it is shows in what became of the
 * last piece. */
struct zrle_stream {
	z_stream zlib;
	int strategy, next_strategy;
	unsigned pieces_left; /* until the full search is tried again */
};

static void *zrle_stream_new(void)
{
	struct zrle_stream *stream = g_new0(struct zrle_stream, 1);

	stream->strategy = stream->next_strategy = Z_DEFAULT_STRATEGY;
	/* Fails only without memory, as g_new0 does: by ending the program. */
	if (deflateInit(&stream->zlib, COMPRESSION_LEVEL) != Z_OK)
		g_error("no memory for a compressed stream");
	return stream;
}

static void zrle_stream_free(void *data)
{
	struct zrle_stream *stream = data;

	deflateEnd(&stream->zlib);
	g_free(stream);
}

static void choose_strategy(struct zrle_stream *stream, size_t length, size_t compressed)
{
	if (length < HARD_TO_COMPRESS_LEAST)
		return;
	if (stream->strategy == Z_DEFAULT_STRATEGY) {
		if (compressed < length / 4 * 3)
			return;
		stream->next_strategy = Z_RLE;
		stream->pieces_left = RUNS_ONLY_PIECES;
	} else if (--stream->pieces_left == 0) {
		stream->next_strategy = Z_DEFAULT_STRATEGY;
	}
}

/* Makes room behind the first @end bytes of @out and lets zlib write there. */
static void give_room(z_stream *zlib, GByteArray *out, size_t end, size_t room)
{
	g_byte_array_set_size(out, end + room);
	zlib->next_out = out->data + end;
	zlib->avail_out = room;
}

static void zrle_stream_append(void *data, const uint8_t *bytes, size_t length, GByteArray *out)
{
	struct zrle_stream *stream = data;
	z_stream *zlib = &stream->zlib;
	size_t length_at = write_zeroes(out, sizeof(uint32_t));
	size_t start = out->len;
	uint32_t total;

	give_room(zlib, out, start, COMPRESSION_STEP + length / 4);
	zlib->next_in = NULL;
	zlib->avail_in = 0;
	if (stream->next_strategy != stream->strategy &&
		deflateParams(zlib, COMPRESSION_LEVEL, stream->next_strategy) == Z_OK)
		stream->strategy = stream->next_strategy;
	zlib->next_in = (Bytef *)bytes;
	zlib->avail_in = length;
	while (deflate(zlib, Z_SYNC_FLUSH) == Z_OK && zlib->avail_out == 0)
		give_room(zlib, out, out->len, COMPRESSION_STEP + length / 4);
	g_byte_array_set_size(out, zlib->next_out - out->data);
	choose_strategy(stream, length, out->len - start);
	total = GUINT32_TO_BE(out->len - start);
	memcpy(out->data + length_at, &total, sizeof(total));
}

const struct encoder encoder_zrle = {
	.encoding = ENCODING_ZRLE,
	.name = "zrle",
	.encode = encode_zrle,
	.stream_new = zrle_stream_new,
	.stream_append = zrle_stream_append,
	.stream_free = zrle_stream_free,
};
