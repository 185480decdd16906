/* QUIC images: streams of SPICE's own encoder, decoded to the pixels that they were made of; and broken ones. */
#include "display/devices/quic.h"

#include <string.h>

enum {
	MOST = 16 * 1024 * 1024,
};

/* What the pixels of the streams were computed by. */
static uint8_t slope(unsigned x, unsigned y, unsigned component)
{
	return x * 3 + y * 5 + component * 40;
}

static uint8_t tiles(unsigned x, unsigned y, unsigned component)
{
	return (x / 9 + y / 7) % 2 ? 200 : 30 + component * 50;
}

static uint8_t noise(unsigned x, unsigned y, unsigned component)
{
	return ((x * 7919u + y * 104729u + component * 1299709u) * 2654435761u) >> 24;
}

static uint8_t runs(unsigned x, unsigned y, unsigned component)
{
	if (y < 4)
		return 0;
	return x < 40 ? 255 : x * y + component;
}

static const struct stream {
	const char *name;
	unsigned width, height;
	pixman_format_code_t layout;
	unsigned bits; /* of a component */
	uint8_t (*component)(unsigned x, unsigned y, unsigned component);
} streams[] = {
	{ "gray-slope", 50, 20, PIXMAN_a8, 8, slope },
	{ "rgb16-tiles", 70, 30, PIXMAN_x8r8g8b8, 5, tiles },
	{ "rgb24-noise", 33, 17, PIXMAN_x8r8g8b8, 8, noise },
	{ "rgb32-tiles", 60, 40, PIXMAN_x8r8g8b8, 8, tiles },
	{ "rgb32-runs", 90, 40, PIXMAN_x8r8g8b8, 8, runs },
	{ "rgb32-wide", 2500, 3, PIXMAN_x8r8g8b8, 8, slope },
	{ "rgb32-pixel", 1, 1, PIXMAN_x8r8g8b8, 8, slope },
	{ "rgba-slope", 64, 33, PIXMAN_a8r8g8b8, 8, slope },
	{ "rgba-runs", 90, 40, PIXMAN_a8r8g8b8, 8, runs },
};

static uint32_t expected(const struct stream *c, unsigned x, unsigned y)
{
	uint32_t pixel = 0;

	if (c->layout == PIXMAN_a8)
		return c->component(x, y, 0);
	for (unsigned i = 0; i < (c->layout == PIXMAN_a8r8g8b8 ? 4 : 3); i++) {
		uint32_t value = c->component(x, y, i);

		if (c->bits == 5)
			value = (value & 0xf8) | value >> 5;
		pixel |= value << 8 * i;
	}
	return pixel;
}

static char *read_stream(const char *name, size_t *length)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "quic", name, NULL);
	GError *error = NULL;
	char *bytes;

	g_file_get_contents(path, &bytes, length, &error);
	g_assert_no_error(error);
	return bytes;
}

static void check_stream(gconstpointer data)
{
	const struct stream *c = data;
	size_t length;
	g_autofree char *bytes = read_stream(c->name, &length);
	GError *error = NULL;
	pixman_image_t *image = quic_decode((const uint8_t *)bytes, length, MOST, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(pixman_image_get_format(image), ==, c->layout);
	g_assert_cmpint(pixman_image_get_width(image), ==, c->width);
	g_assert_cmpint(pixman_image_get_height(image), ==, c->height);
	for (unsigned y = 0; y < c->height; y++) {
		const uint8_t *row = (const uint8_t *)pixman_image_get_data(image) +
				     (size_t)y * pixman_image_get_stride(image);

		for (unsigned x = 0; x < c->width; x++) {
			uint32_t pixel = row[x];

			if (c->layout != PIXMAN_a8)
				memcpy(&pixel, row + (size_t)x * 4, 4);
			g_assert_cmphex(pixel, ==, expected(c, x, y));
		}
	}
	pixman_image_unref(image);
}

/* However much of a stream is missing, it is an error or an image, and ends. */
static void test_cut(void)
{
	size_t length;
	g_autofree char *bytes = read_stream("rgba-runs", &length);

	for (size_t cut = 0; cut < length; cut += 4) {
		g_autofree uint8_t *part = g_memdup2(bytes, cut);
		g_autoptr(GError) error = NULL;
		pixman_image_t *image = quic_decode(part, cut, MOST, &error);

		g_assert_true(!image == !!error);
		if (image)
			pixman_image_unref(image);
		if (cut < length / 2)
			g_assert_null(image);
	}
}

static const struct {
	const char *name;
	unsigned word;
	uint32_t value;
} broken[] = {
	{ "/quic/broken/magic", 0, 0x12345678 },
	{ "/quic/broken/version", 1, 7 },
	{ "/quic/broken/type-none", 2, 0 },
	{ "/quic/broken/type", 2, 6 },
	{ "/quic/broken/width-none", 3, 0 },
	{ "/quic/broken/width", 3, 0x80000001 },
	{ "/quic/broken/height", 4, 20000 },
	{ "/quic/broken/too-large", 4, 16384 },
};

static void check_broken(gconstpointer data)
{
	const typeof(broken[0]) *c = data;
	size_t length;
	g_autofree char *bytes = read_stream("rgb32-wide", &length);
	g_autoptr(GError) error = NULL;

	memcpy(bytes + c->word * 4, &c->value, sizeof(c->value));
	g_assert_null(quic_decode((const uint8_t *)bytes, length, MOST, &error));
	g_assert_nonnull(error);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	// cppcheck-suppress sizeofwithsilentarraypointer
	for (size_t i = 0; i < G_N_ELEMENTS(streams); i++) {
		g_autofree char *path = g_strdup_printf("/quic/%s", streams[i].name);

		g_test_add_data_func(path, &streams[i], check_stream);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
		g_test_add_data_func(broken[i].name, &broken[i], check_broken);
	g_test_add_func("/quic/cut", test_cut);
	return g_test_run();
}
