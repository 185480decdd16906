/* Decoders of our own, written from the specification and from nothing of the encoders: what a client makes of what the
 * server sent. Every wrong byte ends the test. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

#include "base/reader.h"

/* A client's pixel format, as the specification names its fields. */
struct client_format {
	const char *name;
	int bits, depth;
	bool big_endian;
	uint32_t red_max, green_max, blue_max;
	int red_shift, green_shift, blue_shift;
};

/* The value of a client's pixel for a colour of eight bits a channel. */
uint32_t client_pixel(const struct client_format *format, uint32_t rgb);

/* How often each kind of tile was seen, so that a test can ask for all of them. */
struct decoder {
	const struct client_format *format;
	z_stream inflate; /* of ZRLE, for the whole connection */
	unsigned zrle_raw, zrle_solid, zrle_packed, zrle_runs, zrle_palette_runs;
	unsigned hextile_raw, hextile_background, hextile_foreground, hextile_coloured,
		hextile_kept;
};

void decoder_init(struct decoder *decoder, const struct client_format *format);
void decoder_clear(struct decoder *decoder);

/* Reads what follows a rectangle's header, into @pixels (client pixel values, rows without padding). */
void decode_raw(
	struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels);
void decode_hextile(
	struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels);
void decode_zrle(
	struct decoder *decoder, struct reader *in, int width, int height, uint32_t *pixels);
