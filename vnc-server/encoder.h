/* Encodings: from a piece of the picture to the bytes of one rectangle.
 *
 * An encoder's work is cut in two. encode() is a pure function of pixels and pixel format, so what it gave can serve every
 * client of that format. Where an encoding compresses, with a dictionary that lasts as long as the connection, that is
 * done behind it by the client's own stream.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vnc-server/picture.h"
#include "vnc-server/pixel-format.h"

struct encoder {
	int32_t encoding;
	const char *name;
	/* Appends what stands behind the rectangle's header, or what is to be compressed. @area is at most
	 * LIMIT_PIECE_WIDTH by LIMIT_PIECE_HEIGHT. */
	void (*encode)(const struct pixel_converter *converter, const struct picture *picture,
		const struct rectangle *area, GByteArray *out);

	/* A client's stream, made when it is first needed. NULL: encode()'s bytes are sent as they are. */
	void *(*stream_new)(void);
	void (*stream_append)(void *stream, const uint8_t *bytes, size_t length, GByteArray *out);
	void (*stream_free)(void *stream);
};

extern const struct encoder encoder_raw, encoder_hextile, encoder_zrle;

enum {
	ENCODERS = 3
};
extern const struct encoder *const encoders[ENCODERS];

/* The encoder for an encoding's number, or NULL; @index (may be NULL) is set to its place in encoders[]. */
const struct encoder *encoder_find(int32_t encoding, guint *index);

/* What encoders gave for the picture as it stands, for the other clients of the same format. */
struct encode_cache;

struct encode_cache *encode_cache_new(void);
void encode_cache_free(struct encode_cache *cache);

/* The picture, or a part of it, has changed. */
void encode_cache_forget(struct encode_cache *cache);

/* encode() by way of the cache: the bytes are the caller's to unref. @cache may be NULL. */
GByteArray *encode_cache_encode(struct encode_cache *cache, const struct encoder *encoder,
	const struct pixel_converter *converter, const struct picture *picture,
	const struct rectangle *area);
