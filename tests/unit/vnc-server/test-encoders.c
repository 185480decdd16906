/* Every encoding, in every kind of pixel format, of pictures that call for every kind of tile, decoded again. */
#include "vnc-server/encoder.h"

#include <string.h>

#include "tests/unit/vnc-server/decode.h"
#include "vnc-server/limits.h"
#include "vnc-server/protocol.h"

static const struct client_format formats[] = {
	{ "native", 32, 24, false, 255, 255, 255, 16, 8, 0 },
	{ "big-endian", 32, 24, true, 255, 255, 255, 16, 8, 0 },
	{ "bgr", 32, 24, false, 255, 255, 255, 0, 8, 16 },
	{ "upper-bytes", 32, 24, false, 255, 255, 255, 24, 16, 8 },
	{ "upper-bytes-big-endian", 32, 24, true, 255, 255, 255, 8, 16, 24 },
	{ "all-bytes", 32, 24, false, 255, 255, 255, 24, 12, 0 },
	{ "middle-bytes", 32, 24, true, 255, 255, 255, 20, 12, 4 },
	{ "depth-32", 32, 32, false, 255, 255, 255, 16, 8, 0 },
	{ "depth-30", 32, 30, true, 1023, 1023, 1023, 20, 10, 0 },
	{ "565", 16, 16, false, 31, 63, 31, 11, 5, 0 },
	{ "565-big-endian", 16, 16, true, 31, 63, 31, 11, 5, 0 },
	{ "555-bgr", 16, 15, false, 31, 31, 31, 0, 5, 10 },
	{ "332", 8, 8, false, 7, 7, 3, 5, 2, 0 },
	{ "233", 8, 8, true, 7, 7, 3, 0, 3, 6 },
	{ "111", 8, 3, false, 1, 1, 1, 2, 1, 0 },
};

static const struct {
	int32_t encoding;
	void (*decode)(struct decoder *decoder, struct reader *in, int width, int height,
		uint32_t *pixels);
} decoders[] = {
	{ ENCODING_RAW, decode_raw },
	{ ENCODING_HEXTILE, decode_hextile },
	{ ENCODING_ZRLE, decode_zrle },
};

static const struct {
	int width, height;
} sizes[] = {
	{ 1, 1 },
	{ 15, 17 },
	{ 16, 16 },
	{ 63, 1 },
	{ 64, 64 },
	{ 65, 64 },
	{ 129, 63 },
	{ 200, 64 },
	{ 2048, 33 },
};

/* Pictures by the number of their colours and the usual length of a run. */
static const struct {
	unsigned colours, run;
} contents[] = {
	{ 1, 1 },
	{ 2, 1 },
	{ 2, 9 },
	{ 2, 700 },
	{ 3, 4 },
	{ 4, 2 },
	{ 5, 2 },
	{ 16, 1 },
	{ 17, 1 },
	{ 17, 5 },
	{ 100, 3 },
	{ 127, 2 },
	{ 128, 2 },
	{ 129, 2 },
	{ 1000, 6 },
	{ 1 << 24, 1 },
	{ 1 << 24, 300 },
};

static void draw(GRand *random, uint32_t *pixels, size_t count, unsigned colours, unsigned run)
{
	uint32_t colour = 0;
	unsigned left = 0;

	for (size_t i = 0; i < count; i++) {
		if (left == 0) {
			colour = g_rand_int_range(random, 0, colours);
			/* Spread the few colours over all channels. */
			colour = (colour * 0x9e3779b1u) >> 8;
			left = g_rand_int_range(random, 1, 2 * run);
		}
		left--;
		pixels[i] = colour | (g_rand_int(random) & 0xff000000);
	}
}

static struct pixel_format to_server(const struct client_format *format)
{
	return (struct pixel_format) {
		.bits = format->bits,
		.depth = format->depth,
		.big_endian = format->big_endian,
		.true_colour = true,
		.red_max = format->red_max,
		.green_max = format->green_max,
		.blue_max = format->blue_max,
		.red_shift = format->red_shift,
		.green_shift = format->green_shift,
		.blue_shift = format->blue_shift,
	};
}

struct bench {
	struct decoder decoder;
	struct pixel_converter converter;
	void *streams[ENCODERS];
	GRand *random;
};

static void check(struct bench *bench, size_t which, int width, int height, const uint32_t *pixels)
{
	size_t count = (size_t)width * height;
	g_autofree uint32_t *decoded = g_new(uint32_t, count);
	struct picture picture = { width, height, width * 4, PIXMAN_x8r8g8b8,
		(const uint8_t *)pixels };
	struct rectangle area = { 0, 0, width, height };
	guint index;
	const struct encoder *encoder = encoder_find(decoders[which].encoding, &index);
	g_autoptr(GByteArray) out =
		encode_cache_encode(NULL, encoder, &bench->converter, &picture, &area);
	struct reader in;

	if (encoder->stream_new) {
		g_autoptr(GByteArray) compressed = g_byte_array_new();

		if (!bench->streams[index])
			bench->streams[index] = encoder->stream_new();
		encoder->stream_append(bench->streams[index], out->data, out->len, compressed);
		g_byte_array_unref(out);
		out = g_steal_pointer(&compressed);
	}
	in = reader_from(out->data, out->len);
	decoders[which].decode(&bench->decoder, &in, width, height, decoded);
	g_assert_cmpuint(reader_left(&in), ==, 0);
	for (size_t i = 0; i < count; i++)
		g_assert_cmphex(decoded[i], ==, client_pixel(bench->decoder.format, pixels[i]));
}

static void check_sizes(struct bench *bench, size_t which)
{
	for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
		for (size_t c = 0; c < G_N_ELEMENTS(contents); c++) {
			size_t count = (size_t)sizes[s].width * sizes[s].height;
			g_autofree uint32_t *pixels = g_new(uint32_t, count);

			draw(bench->random, pixels, count, contents[c].colours, contents[c].run);
			check(bench, which, sizes[s].width, sizes[s].height, pixels);
		}
	}
}

static void test_format(gconstpointer data)
{
	const struct client_format *client = data;
	struct pixel_format format = to_server(client);
	struct bench bench = { .random = g_rand_new_with_seed(1) };

	decoder_init(&bench.decoder, client);
	pixel_converter_init(&bench.converter, &format);
	for (size_t i = 0; i < G_N_ELEMENTS(decoders); i++)
		check_sizes(&bench, i);
	g_assert_cmpuint(bench.decoder.zrle_solid, >, 0);
	g_assert_cmpuint(bench.decoder.zrle_packed, >, 0);
	g_assert_cmpuint(bench.decoder.zrle_palette_runs, >, 0);
	g_assert_cmpuint(bench.decoder.hextile_background, >, 0);
	g_assert_cmpuint(bench.decoder.hextile_foreground, >, 0);
	g_assert_cmpuint(bench.decoder.hextile_kept, >, 0);
	if (client->bits > 8) {
		g_assert_cmpuint(bench.decoder.zrle_raw, >, 0);
		g_assert_cmpuint(bench.decoder.zrle_runs, >, 0);
		g_assert_cmpuint(bench.decoder.hextile_raw, >, 0);
		g_assert_cmpuint(bench.decoder.hextile_coloured, >, 0);
	}
	for (guint i = 0; i < ENCODERS; i++) {
		if (bench.streams[i])
			encoders[i]->stream_free(bench.streams[i]);
	}
	decoder_clear(&bench.decoder);
	g_rand_free(bench.random);
}

/* The stream changes its way of compressing with what it is given, and back; the client sees pixels. */
static void test_strategies(void)
{
	enum {
		WIDTH = 256,
		HEIGHT = 64,
		PIECES = 120,
		NOISE_FIRST = 20,
		NOISE_LAST = 80
	};
	struct bench bench = { .random = g_rand_new_with_seed(2) };
	g_autofree uint32_t *pixels = g_new(uint32_t, WIDTH * HEIGHT);

	decoder_init(&bench.decoder, &formats[0]);
	pixel_converter_init(&bench.converter, &pixel_format_native);
	for (int piece = 0; piece < PIECES; piece++) {
		bool noise = piece >= NOISE_FIRST && piece <= NOISE_LAST;

		draw(bench.random, pixels, WIDTH * HEIGHT, noise ? 1 << 24 : 60, noise ? 1 : 3);
		check(&bench, G_N_ELEMENTS(decoders) - 1, WIDTH, HEIGHT, pixels);
	}
	for (guint i = 0; i < ENCODERS; i++) {
		if (bench.streams[i])
			encoders[i]->stream_free(bench.streams[i]);
	}
	decoder_clear(&bench.decoder);
	g_rand_free(bench.random);
}

/* Source formats: the same colour in each of them. */
static const struct {
	pixman_format_code_t format;
	uint8_t bytes[4];
	uint32_t rgb;
} sources[] = {
	{ PIXMAN_x8r8g8b8, { 0x33, 0x22, 0x11, 0xee }, 0x112233 },
	{ PIXMAN_a8r8g8b8, { 0x33, 0x22, 0x11, 0x80 }, 0x112233 },
	{ PIXMAN_x8b8g8r8, { 0x11, 0x22, 0x33, 0xee }, 0x112233 },
	{ PIXMAN_a8b8g8r8, { 0x11, 0x22, 0x33, 0xee }, 0x112233 },
	{ PIXMAN_b8g8r8x8, { 0xee, 0x11, 0x22, 0x33 }, 0x112233 },
	{ PIXMAN_b8g8r8a8, { 0xee, 0x11, 0x22, 0x33 }, 0x112233 },
	{ PIXMAN_r8g8b8x8, { 0xee, 0x33, 0x22, 0x11 }, 0x112233 },
	{ PIXMAN_r8g8b8a8, { 0xee, 0x33, 0x22, 0x11 }, 0x112233 },
	{ PIXMAN_r8g8b8, { 0x33, 0x22, 0x11 }, 0x112233 },
	{ PIXMAN_r5g6b5, { 0x00, 0xf8 }, 0xff0000 },
	{ PIXMAN_r5g6b5, { 0xe0, 0x07 }, 0x00ff00 },
	{ PIXMAN_r5g6b5, { 0x10, 0x84 }, 0x848284 },
	{ PIXMAN_x1r5g5b5, { 0x00, 0xfc }, 0xff0000 },
	{ PIXMAN_x1r5g5b5, { 0x1f, 0x80 }, 0x0000ff },
};

static void test_sources(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		struct picture picture = { 1, 1, 4, sources[i].format, sources[i].bytes };
		struct rectangle area = { 0, 0, 1, 1 };
		uint32_t pixel = 0xffffffff;

		picture_read(&picture, &area, &pixel);
		g_assert_cmphex(pixel, ==, sources[i].rgb);
	}
}

/* A client that cannot change its size keeps asking for what is no longer there. */
static void test_outside(void)
{
	uint32_t pixels[4] = { 0x010203, 0x040506, 0x070809, 0x0a0b0c };
	struct picture picture = { 2, 2, 8, PIXMAN_x8r8g8b8, (const uint8_t *)pixels };
	struct rectangle partly = { 1, 1, 2, 2 }, beyond = { 5, 0, 1, 2 };
	uint32_t read[4];

	picture_read(&picture, &partly, read);
	g_assert_cmphex(read[0], ==, 0x0a0b0c);
	g_assert_cmphex(read[1], ==, 0);
	g_assert_cmphex(read[2], ==, 0);
	g_assert_cmphex(read[3], ==, 0);
	read[0] = read[1] = 1;
	picture_read(&picture, &beyond, read);
	g_assert_cmphex(read[0] | read[1], ==, 0);
}

/* Two clients of a format get the same bytes, until the picture changes. */
static void test_cache(void)
{
	uint32_t pixels[64] = { 0 };
	struct picture picture = { 8, 8, 32, PIXMAN_x8r8g8b8, (const uint8_t *)pixels };
	struct rectangle area = { 0, 0, 8, 8 }, other = { 0, 0, 8, 4 };
	struct encode_cache *cache = encode_cache_new();
	struct pixel_converter native, mapped;
	GByteArray *first, *second;

	pixel_converter_init(&native, &pixel_format_native);
	pixel_converter_init(&mapped, &pixel_format_mapped);
	first = encode_cache_encode(cache, &encoder_raw, &native, &picture, &area);
	second = encode_cache_encode(cache, &encoder_raw, &native, &picture, &area);
	g_assert_true(first == second);
	g_byte_array_unref(second);
	second = encode_cache_encode(cache, &encoder_raw, &native, &picture, &other);
	g_assert_cmpuint(second->len, ==, 8 * 4 * 4);
	g_byte_array_unref(second);
	second = encode_cache_encode(cache, &encoder_raw, &mapped, &picture, &area);
	g_assert_cmpuint(second->len, ==, 64);
	g_byte_array_unref(second);
	encode_cache_forget(cache);
	pixels[0] = 0xffffff;
	second = encode_cache_encode(cache, &encoder_raw, &native, &picture, &area);
	g_assert_true(first != second);
	g_assert_cmphex(second->data[0], ==, 0xff);
	g_byte_array_unref(second);
	g_byte_array_unref(first);
	encode_cache_free(cache);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autofree char *path = g_strconcat("/encoders/format/", formats[i].name, NULL);

		g_test_add_data_func(path, &formats[i], test_format);
	}
	g_test_add_func("/encoders/strategies", test_strategies);
	g_test_add_func("/encoders/sources", test_sources);
	g_test_add_func("/encoders/outside", test_outside);
	g_test_add_func("/encoders/cache", test_cache);
	return g_test_run();
}
