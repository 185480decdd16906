/* Hextile: tiles of 16 by 16 pixels, each a background with rectangles on it, or raw.
 *
 * Specification: RFC 6143 section 7.7.4.
 */
#include "vnc-server/encoder.h"

#include <string.h>

#include "base/writer.h"
#include "vnc-server/protocol.h"

enum {
	TILE = 16,
	TILE_PIXELS = TILE * TILE,

	SUBENCODING_RAW = 1,
	SUBENCODING_BACKGROUND = 2,
	SUBENCODING_FOREGROUND = 4,
	SUBENCODING_RECTANGLES = 8,
	SUBENCODING_COLOURED = 16,

	/* Subencoding, two pixels and a count, then at most one coloured rectangle of six bytes for each pixel. */
	TILE_MAX_BYTES = 1 + 4 + 4 + 1 + TILE_PIXELS * 6 + 4,
};

/* What the client remembers from tile to tile. */
struct colours {
	bool background_known, foreground_known;
	uint32_t background, foreground;
};

struct tile {
	uint32_t pixels[TILE_PIXELS];
	int32_t width, height;
};

/* The two most important colours: the one that is most frequent among the first few different ones, and another. Returns
 * how many different colours there are: 1, 2, or 3 for more than two. */
static int survey(const struct tile *tile, uint32_t *background, uint32_t *foreground)
{
	enum {
		CANDIDATES = 4
	};
	uint32_t colours[CANDIDATES] = { 0 };
	int counts[CANDIDATES] = { 0 };
	int known = 0, best = 0;
	bool more = false;

	for (int i = 0; i < tile->width * tile->height; i++) {
		int c = 0;

		while (c < known && colours[c] != tile->pixels[i])
			c++;
		if (c == CANDIDATES) {
			more = true;
			continue;
		}
		if (c == known)
			colours[known++] = tile->pixels[i];
		counts[c]++;
	}
	for (int c = 1; c < known; c++) {
		if (counts[c] > counts[best])
			best = c;
	}
	*background = colours[best];
	*foreground = known > 1 ? colours[best == 0 ? 1 : 0] : 0;
	return more ? 3 : MIN(known, 3);
}

/* Grows a rectangle of one colour from a pixel, to the right and then down, and paints it over with the background. */
static struct rectangle take_rectangle(struct tile *tile, int32_t x, int32_t y, uint32_t background)
{
	uint32_t colour = tile->pixels[y * tile->width + x];
	struct rectangle area = { x, y, 1, 1 };

	while (x + area.width < tile->width &&
		tile->pixels[y * tile->width + x + area.width] == colour)
		area.width++;
	for (int32_t row = y + 1; row < tile->height; row++, area.height++) {
		int32_t same = 0;

		while (same < area.width && tile->pixels[row * tile->width + x + same] == colour)
			same++;
		if (same < area.width)
			break;
	}
	for (int32_t row = y; row < y + area.height; row++) {
		for (int32_t column = x; column < x + area.width; column++)
			tile->pixels[row * tile->width + column] = background;
	}
	return area;
}

/* Appends the rectangles that stand on the background. Returns the address behind them, or NULL when they take more room
 * than @limit leaves. Eats the tile. */
static uint8_t *write_rectangles(const struct pixel_converter *converter, struct tile *tile,
	uint32_t background, bool coloured, uint8_t *to, const uint8_t *limit)
{
	uint8_t *count = to++;

	*count = 0;
	for (int32_t y = 0; y < tile->height; y++) {
		for (int32_t x = 0; x < tile->width; x++) {
			uint32_t colour = tile->pixels[y * tile->width + x];
			struct rectangle area;

			if (colour == background)
				continue;
			if (to >= limit || *count == 255)
				return NULL;
			area = take_rectangle(tile, x, y, background);
			if (coloured)
				to = pixel_store(converter, to, colour);
			*to++ = area.x << 4 | area.y;
			*to++ = (area.width - 1) << 4 | (area.height - 1);
			(*count)++;
		}
	}
	return to <= limit ? to : NULL;
}

static uint8_t *write_raw(const struct pixel_converter *converter, const uint32_t *pixels,
	int count, struct colours *known, uint8_t *to)
{
	*to++ = SUBENCODING_RAW;
	for (int i = 0; i < count; i++)
		to = pixel_store(converter, to, pixels[i]);
	known->background_known = known->foreground_known = false;
	return to;
}

static uint8_t *write_tile(const struct pixel_converter *converter, struct tile *tile,
	struct colours *known, uint8_t *const start)
{
	int pixels = tile->width * tile->height;
	uint32_t raw[TILE_PIXELS];
	uint32_t background, foreground;
	int colours = survey(tile, &background, &foreground);
	uint8_t *to = start + 1;

	*start = 0;
	if (!known->background_known || known->background != background) {
		*start |= SUBENCODING_BACKGROUND;
		to = pixel_store(converter, to, background);
	}
	if (colours == 2 && (!known->foreground_known || known->foreground != foreground)) {
		*start |= SUBENCODING_FOREGROUND;
		to = pixel_store(converter, to, foreground);
	}
	if (colours > 1) {
		memcpy(raw, tile->pixels, pixels * sizeof(*raw));
		*start |= SUBENCODING_RECTANGLES | (colours > 2 ? SUBENCODING_COLOURED : 0);
		to = write_rectangles(converter, tile, background, colours > 2, to,
			start + 1 + pixels * converter->bytes);
		if (!to)
			return write_raw(converter, raw, pixels, known, start);
	}
	known->background_known = true;
	known->background = background;
	/* A tile of coloured rectangles leaves the foreground undefined. */
	if (colours == 2) {
		known->foreground_known = true;
		known->foreground = foreground;
	} else if (colours > 2) {
		known->foreground_known = false;
	}
	return to;
}

static void encode_hextile(const struct pixel_converter *converter, const struct picture *picture,
	const struct rectangle *area, GByteArray *out)
{
	struct colours known = { 0 };
	struct tile tile;
	uint8_t bytes[TILE_MAX_BYTES];

	for (int32_t y = 0; y < area->height; y += TILE) {
		for (int32_t x = 0; x < area->width; x += TILE) {
			struct rectangle part = { area->x + x, area->y + y,
				MIN(TILE, area->width - x), MIN(TILE, area->height - y) };

			tile.width = part.width;
			tile.height = part.height;
			picture_read(picture, &part, tile.pixels);
			pixel_convert(converter, tile.pixels, part.width * part.height);
			write_bytes(
				out, bytes, write_tile(converter, &tile, &known, bytes) - bytes);
		}
	}
}

const struct encoder encoder_hextile = {
	.encoding = ENCODING_HEXTILE,
	.name = "hextile",
	.encode = encode_hextile,
};
