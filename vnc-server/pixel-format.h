/* The pixels of a client: any true-colour format of 8, 16 or 32 bits.
 *
 * A client's pixel is kept as a "wire pixel": a number whose lowest bytes, least significant first, are the bytes to be
 * sent. Two pixels are the same for the client when their numbers are equal, whatever its byte order.
 *
 * Specification: RFC 6143 section 7.4; section 7.7.6 for CPIXEL.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

struct pixel_format {
	uint8_t bits; /* 8, 16 or 32 */
	uint8_t depth;
	bool big_endian;
	bool true_colour;
	uint16_t red_max, green_max, blue_max; /* 2^n - 1, n from 1 */
	uint8_t red_shift, green_shift, blue_shift;
};

enum {
	PIXEL_FORMAT_BYTES = 16,
	COLOUR_MAP_ENTRIES = 256,
};

/* What the server offers: 32 bits, depth 24, little endian, red in bits 16 to 23. */
extern const struct pixel_format pixel_format_native;

/* What a client without true colour gets, together with a colour map that says the same: 8 bits, three for red and green,
 * two for blue. */
extern const struct pixel_format pixel_format_mapped;

bool pixel_format_equal(const struct pixel_format *a, const struct pixel_format *b);

/* Reads the 16 bytes of PIXEL_FORMAT. PARSE_ERROR for what cannot be served. The other fields of a format without true
 * colour are not looked at, as the specification has it. */
enum parse pixel_format_read(struct reader *in, struct pixel_format *format);
void pixel_format_write(GByteArray *out, const struct pixel_format *format);

/* The SetColourMapEntries message that goes with pixel_format_mapped. */
void pixel_format_write_colour_map(GByteArray *out);

struct pixel_converter {
	struct pixel_format format;
	uint8_t bytes;        /* of a pixel: 1, 2 or 4 */
	uint8_t cpixel_bytes; /* of a compressed pixel: 1 to 4 */
	uint8_t cpixel_shift; /* bits of the wire pixel below it */
	bool native;          /* wire pixels are 0x00rrggbb themselves */
	uint32_t red[256], green[256], blue[256];
};

void pixel_converter_init(struct pixel_converter *converter, const struct pixel_format *format);

/* @count pixels from 0x00rrggbb to wire pixels, in place. */
void pixel_convert(const struct pixel_converter *converter, uint32_t *pixels, size_t count);

/* Stores a wire pixel and returns the address behind it. @to has room for four bytes, whatever the pixel's size. */
static inline uint8_t *pixel_store(
	const struct pixel_converter *converter, uint8_t *to, uint32_t wire)
{
	uint32_t bytes = GUINT32_TO_LE(wire);

	__builtin_memcpy(to, &bytes, sizeof(bytes));
	return to + converter->bytes;
}

/* The same for a CPIXEL. */
static inline uint8_t *cpixel_store(
	const struct pixel_converter *converter, uint8_t *to, uint32_t wire)
{
	uint32_t bytes = GUINT32_TO_LE(wire >> converter->cpixel_shift);

	__builtin_memcpy(to, &bytes, sizeof(bytes));
	return to + converter->cpixel_bytes;
}
