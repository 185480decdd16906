/* The encodings there are, and the cache of what they gave. */
#include "vnc-server/encoder.h"

#include "vnc-server/limits.h"

const struct encoder *const encoders[ENCODERS] = {
	&encoder_zrle,
	&encoder_hextile,
	&encoder_raw,
};

struct encoded {
	const struct encoder *encoder;
	struct pixel_format format;
	struct rectangle area;
	GByteArray *bytes;
};

struct encode_cache {
	GArray *entries; /* struct encoded */
	size_t size;     /* bytes held by them */
};

const struct encoder *encoder_find(int32_t encoding, guint *index)
{
	for (guint i = 0; i < ENCODERS; i++) {
		if (encoders[i]->encoding != encoding)
			continue;
		if (index)
			*index = i;
		return encoders[i];
	}
	return NULL;
}

static void encoded_clear(void *data)
{
	struct encoded *encoded = data;

	g_byte_array_unref(encoded->bytes);
}

struct encode_cache *encode_cache_new(void)
{
	struct encode_cache *cache = g_new0(struct encode_cache, 1);

	cache->entries = g_array_new(FALSE, FALSE, sizeof(struct encoded));
	g_array_set_clear_func(cache->entries, encoded_clear);
	return cache;
}

void encode_cache_free(struct encode_cache *cache)
{
	g_array_unref(cache->entries);
	g_free(cache);
}

void encode_cache_forget(struct encode_cache *cache)
{
	g_array_set_size(cache->entries, 0);
	cache->size = 0;
}

static bool same_rectangle(const struct rectangle *a, const struct rectangle *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

GByteArray *encode_cache_encode(struct encode_cache *cache, const struct encoder *encoder,
	const struct pixel_converter *converter, const struct picture *picture,
	const struct rectangle *area)
{
	struct encoded made = { encoder, converter->format, *area, NULL };

	for (guint i = 0; cache && i < cache->entries->len; i++) {
		struct encoded *known = &g_array_index(cache->entries, struct encoded, i);

		if (known->encoder == encoder && same_rectangle(&known->area, area) &&
			pixel_format_equal(&known->format, &converter->format))
			return g_byte_array_ref(known->bytes);
	}
	made.bytes = g_byte_array_new();
	encoder->encode(converter, picture, area, made.bytes);
	if (cache && cache->size + made.bytes->len <= LIMIT_CACHE) {
		g_array_append_val(cache->entries, made);
		cache->size += made.bytes->len;
		g_byte_array_ref(made.bytes);
	}
	return made.bytes;
}
