/* The pixels of a client: any true-colour format of 8, 16 or 32 bits.
 *
 * Specification: RFC 6143 section 7.4; section 7.7.6 for CPIXEL.
 */
#include "vnc-server/pixel-format.h"

#include <inttypes.h>

#include "base/writer.h"
#include "vnc-server/protocol.h"

const struct pixel_format pixel_format_native = {
	.bits = 32,
	.depth = 24,
	.true_colour = true,
	.red_max = 255,
	.green_max = 255,
	.blue_max = 255,
	.red_shift = 16,
	.green_shift = 8,
	.blue_shift = 0,
};

const struct pixel_format pixel_format_mapped = {
	.bits = 8,
	.depth = 8,
	.true_colour = false,
	.red_max = 7,
	.green_max = 7,
	.blue_max = 3,
	.red_shift = 0,
	.green_shift = 3,
	.blue_shift = 6,
};

bool pixel_format_equal(const struct pixel_format *a, const struct pixel_format *b)
{
	return a->bits == b->bits && a->depth == b->depth && a->big_endian == b->big_endian &&
	       a->true_colour == b->true_colour && a->red_max == b->red_max &&
	       a->green_max == b->green_max && a->blue_max == b->blue_max &&
	       a->red_shift == b->red_shift && a->green_shift == b->green_shift &&
	       a->blue_shift == b->blue_shift;
}

static enum parse check_channel(struct reader *in, const struct pixel_format *format,
	const char *name, uint16_t max, uint8_t shift)
{
	unsigned bits = g_bit_storage(max);

	if (max == 0 || (max & (max + 1u)) != 0)
		return parse_error(
			in, "pixel format with a %s maximum of %u, not 2^n - 1", name, max);
	if (shift + bits > format->bits)
		return parse_error(in, "pixel format with %s in bits %u to %u of %u", name, shift,
			shift + bits - 1, format->bits);
	return PARSE_DONE;
}

static enum parse check_format(struct reader *in, const struct pixel_format *format)
{
	if (format->bits != 8 && format->bits != 16 && format->bits != 32)
		return parse_error(in, "pixel format with %u bits, not 8, 16 or 32", format->bits);
	if (format->depth == 0 || format->depth > format->bits)
		return parse_error(
			in, "pixel format with depth %u in %u bits", format->depth, format->bits);
	if (!format->true_colour && format->bits != 8)
		return parse_error(in, "colour map with pixels of %u bits, not 8", format->bits);
	if (!format->true_colour)
		return PARSE_DONE;
	if (check_channel(in, format, "red", format->red_max, format->red_shift) != PARSE_DONE ||
		check_channel(in, format, "green", format->green_max, format->green_shift) !=
			PARSE_DONE)
		return PARSE_ERROR;
	return check_channel(in, format, "blue", format->blue_max, format->blue_shift);
}

enum parse pixel_format_read(struct reader *in, struct pixel_format *format)
{
	format->bits = reader_u8(in);
	format->depth = reader_u8(in);
	format->big_endian = reader_u8(in) != 0;
	format->true_colour = reader_u8(in) != 0;
	format->red_max = reader_u16(in);
	format->green_max = reader_u16(in);
	format->blue_max = reader_u16(in);
	format->red_shift = reader_u8(in);
	format->green_shift = reader_u8(in);
	format->blue_shift = reader_u8(in);
	reader_skip(in, 3);
	if (reader_result(in) != PARSE_DONE)
		return reader_result(in);
	if (check_format(in, format) != PARSE_DONE)
		return PARSE_ERROR;
	if (!format->true_colour)
		*format = pixel_format_mapped;
	return PARSE_DONE;
}

void pixel_format_write(GByteArray *out, const struct pixel_format *format)
{
	write_u8(out, format->bits);
	write_u8(out, format->depth);
	write_u8(out, format->big_endian);
	write_u8(out, format->true_colour);
	write_u16(out, format->red_max);
	write_u16(out, format->green_max);
	write_u16(out, format->blue_max);
	write_u8(out, format->red_shift);
	write_u8(out, format->green_shift);
	write_u8(out, format->blue_shift);
	write_zeroes(out, 3);
}

void pixel_format_write_colour_map(GByteArray *out)
{
	const struct pixel_format *format = &pixel_format_mapped;

	write_u8(out, SERVER_SET_COLOUR_MAP_ENTRIES);
	write_u8(out, 0);
	write_u16(out, 0);
	write_u16(out, COLOUR_MAP_ENTRIES);
	for (uint32_t i = 0; i < COLOUR_MAP_ENTRIES; i++) {
		write_u16(
			out, (i >> format->red_shift & format->red_max) * 65535 / format->red_max);
		write_u16(out,
			(i >> format->green_shift & format->green_max) * 65535 / format->green_max);
		write_u16(out,
			(i >> format->blue_shift & format->blue_max) * 65535 / format->blue_max);
	}
}

/* A channel's share of a wire pixel, for each of its 256 intensities. */
static void fill_table(
	const struct pixel_format *format, uint32_t table[256], uint16_t max, uint8_t shift)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = (i * max + 127) / 255 << shift;

		if (format->big_endian && format->bits == 32)
			value = GUINT32_SWAP_LE_BE(value);
		else if (format->big_endian && format->bits == 16)
			value = GUINT16_SWAP_LE_BE(value);
		table[i] = value;
	}
}

/* A pixel of 32 bits whose colours fit into its three lower or its three upper bytes is sent without the fourth. */
static void choose_cpixel(struct pixel_converter *converter)
{
	const struct pixel_format *format = &converter->format;
	uint32_t used = (uint32_t)format->red_max << format->red_shift |
			(uint32_t)format->green_max << format->green_shift |
			(uint32_t)format->blue_max << format->blue_shift;
	bool lower = (used & 0xff000000) == 0;
	bool upper = (used & 0x000000ff) == 0;

	converter->cpixel_bytes = converter->bytes;
	converter->cpixel_shift = 0;
	if (format->bits != 32 || format->depth > 24 || (!lower && !upper))
		return;
	converter->cpixel_bytes = 3;
	converter->cpixel_shift = lower == format->big_endian ? 8 : 0;
}

void pixel_converter_init(struct pixel_converter *converter, const struct pixel_format *format)
{
	converter->format = *format;
	converter->bytes = format->bits / 8;
	fill_table(format, converter->red, format->red_max, format->red_shift);
	fill_table(format, converter->green, format->green_max, format->green_shift);
	fill_table(format, converter->blue, format->blue_max, format->blue_shift);
	converter->native = converter->red[255] == 0xff0000 && converter->green[255] == 0x00ff00 &&
			    converter->blue[255] == 0x0000ff && format->bits == 32;
	choose_cpixel(converter);
}

void pixel_convert(const struct pixel_converter *converter, uint32_t *pixels, size_t count)
{
	if (converter->native)
		return;
	for (size_t i = 0; i < count; i++)
		pixels[i] = converter->red[pixels[i] >> 16 & 0xff] |
			    converter->green[pixels[i] >> 8 & 0xff] |
			    converter->blue[pixels[i] & 0xff];
}
