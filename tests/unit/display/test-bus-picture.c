/* Pictures from a peer: what is taken, what is refused, and that nothing outside is touched. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memfd.h"
#include "display/bus-picture.h"

enum {
	SIZE = 64 << 10
}; /* of the memory that is sent */

static const struct {
	const char *name;
	struct scanout scanout;
	bool taken;
} pictures[] = {
	{ "/picture/whole", { 128, 128, 512, 0, PIXMAN_x8r8g8b8 }, true },
	{ "/picture/small", { 1, 1, 4, SIZE - 4, PIXMAN_x8r8g8b8 }, true },
	{ "/picture/last-row-short", { 100, 128, 512, 112, PIXMAN_x8r8g8b8 }, true },
	{ "/picture/odd-offset", { 16, 16, 64, 4099, PIXMAN_r5g6b5 }, true },
	{ "/picture/one-byte-too-far", { 128, 128, 512, 1, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/offset-outside", { 1, 1, 4, SIZE, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/offset-far", { 1, 1, 4, UINT32_MAX, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/no-width", { 0, 128, 512, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/no-height", { 128, 0, 512, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/too-wide", { 16385, 1, 65540, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/too-high", { 1, 16385, 4, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/product-wraps", { 16384, 16384, 0xfffffffc, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/stride-too-small", { 128, 128, 508, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/stride-too-large", { 16, 1, (1 << 20) + 4, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/stride-odd", { 16, 16, 66, 0, PIXMAN_x8r8g8b8 }, false },
	{ "/picture/format-unknown", { 16, 16, 64, 0, PIXMAN_a1 }, false },
	{ "/picture/format-none", { 16, 16, 64, 0, 0 }, false },
};

static void check_map(gconstpointer data)
{
	const typeof(pictures[0]) *c = data;
	struct shown_picture picture = { 0 };
	g_autoptr(GError) error = NULL;
	int fd = memfd_create_sealed("test", SIZE, &error);
	uint64_t last;

	g_assert_no_error(error);
	g_assert_cmpint(shown_picture_map(&picture, fd, &c->scanout, &error), ==, c->taken);
	close(fd);
	if (!c->taken) {
		g_assert_nonnull(error);
		g_assert_null(picture.pixels);
		return;
	}
	last = (uint64_t)(c->scanout.height - 1) * c->scanout.stride +
	       c->scanout.width * scanout_pixel_bytes(c->scanout.format) - 1;
	g_assert_cmpuint(picture.pixels[0] + picture.pixels[last], ==, 0);
	shown_picture_clear(&picture);
	g_assert_null(picture.pixels);
}

static void check_bytes(gconstpointer data)
{
	const typeof(pictures[0]) *c = data;
	g_autofree uint8_t *bytes = g_malloc0(SIZE);
	struct shown_picture picture = { 0 };
	g_autoptr(GError) error = NULL;
	bool taken = c->taken && c->scanout.offset == 0;

	g_assert_cmpint(shown_picture_take(&picture, &c->scanout, bytes, SIZE, &error), ==, taken);
	if (!taken)
		g_assert_nonnull(error);
	shown_picture_clear(&picture);
}

static const struct {
	const char *name;
	unsigned seals;
	bool taken;
} memories[] = {
	{ "/memory/sealed", F_SEAL_SHRINK, true },
	{ "/memory/sealed-altogether", F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, true },
	{ "/memory/open", 0, false },
	{ "/memory/grows-only", F_SEAL_GROW, false },
};

static void check_memory(gconstpointer data)
{
	static const struct scanout scanout = { 16, 16, 64, 0, PIXMAN_x8r8g8b8 };
	const typeof(memories[0]) *c = data;
	struct shown_picture picture = { 0 };
	g_autoptr(GError) error = NULL;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
	g_assert_cmpint(fcntl(fd, F_ADD_SEALS, c->seals), ==, 0);
	g_assert_cmpint(shown_picture_map(&picture, fd, &scanout, &error), ==, c->taken);
	shown_picture_clear(&picture);
	close(fd);
}

static void test_no_memfd(void)
{
	static const struct scanout scanout = { 16, 16, 64, 0, PIXMAN_x8r8g8b8 };
	struct shown_picture picture = { 0 };
	g_autoptr(GError) error = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	g_assert_false(shown_picture_map(&picture, fd, &scanout, &error));
	g_assert_nonnull(strstr(error->message, "sealed against shrinking"));
	close(fd);
}

static const struct {
	const char *name;
	struct rectangle area;
	uint32_t stride, format;
	size_t length;
	bool taken;
	struct rectangle inside;
} updates[] = {
	{ "/update/inside", { 2, 3, 4, 2 }, 16, PIXMAN_x8r8g8b8, 32, true, { 2, 3, 4, 2 } },
	{ "/update/whole", { 0, 0, 16, 8 }, 64, PIXMAN_x8r8g8b8, 512, true, { 0, 0, 16, 8 } },
	{ "/update/last-row-short", { 0, 0, 4, 2 }, 64, PIXMAN_x8r8g8b8, 80, true, { 0, 0, 4, 2 } },
	{ "/update/reaches-out", { -2, -3, 20, 20 }, 80, PIXMAN_x8r8g8b8, 1600, true,
		{ 0, 0, 16, 8 } },
	{ "/update/too-short", { 2, 3, 4, 2 }, 16, PIXMAN_x8r8g8b8, 31, false },
	{ "/update/outside", { 16, 0, 4, 2 }, 16, PIXMAN_x8r8g8b8, 32, false },
	{ "/update/far-outside", { INT32_MAX, INT32_MAX, 4, 2 }, 16, PIXMAN_x8r8g8b8, 32, false },
	{ "/update/far-before", { INT32_MIN, INT32_MIN, 4, 2 }, 16, PIXMAN_x8r8g8b8, 32, false },
	{ "/update/negative", { 0, 0, -4, 2 }, 16, PIXMAN_x8r8g8b8, 32, false },
	{ "/update/empty", { 0, 0, 4, 0 }, 16, PIXMAN_x8r8g8b8, 32, false },
	{ "/update/other-format", { 0, 0, 4, 2 }, 16, PIXMAN_a8r8g8b8, 32, false },
	{ "/update/small-stride", { 0, 0, 4, 2 }, 12, PIXMAN_x8r8g8b8, 32, false },
};

static void check_update(gconstpointer data)
{
	static const struct scanout scanout = { 16, 8, 64, 0, PIXMAN_x8r8g8b8 };
	const typeof(updates[0]) *c = data;
	g_autofree uint8_t *black = g_malloc0(512);
	g_autofree uint8_t *bytes = g_malloc(c->length);
	struct shown_picture picture = { 0 };
	struct rectangle area = c->area;
	g_autoptr(GError) error = NULL;

	memset(bytes, 0xee, c->length);
	g_assert_true(shown_picture_take(&picture, &scanout, black, 512, &error));
	g_assert_cmpint(shown_picture_update(
				&picture, &area, c->stride, c->format, bytes, c->length, &error),
		==, c->taken);
	if (c->taken)
		g_assert_cmpmem(&area, sizeof(area), &c->inside, sizeof(area));
	for (int32_t y = 0; y < 8; y++) {
		for (int32_t x = 0; x < 16; x++) {
			const struct rectangle *r = &c->inside;
			bool changed = c->taken && x >= r->x && x < r->x + r->width && y >= r->y &&
				       y < r->y + r->height;

			g_assert_cmpuint(picture.pixels[y * 64 + x * 4], ==, changed ? 0xee : 0);
		}
	}
	shown_picture_clear(&picture);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(pictures); i++) {
		g_autofree char *mapped = g_strconcat("/map", pictures[i].name, NULL);
		g_autofree char *taken = g_strconcat("/take", pictures[i].name, NULL);

		g_test_add_data_func(mapped, &pictures[i], check_map);
		g_test_add_data_func(taken, &pictures[i], check_bytes);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(memories); i++)
		g_test_add_data_func(memories[i].name, &memories[i], check_memory);
	g_test_add_func("/memory/no-memfd", test_no_memfd);
	for (size_t i = 0; i < G_N_ELEMENTS(updates); i++)
		g_test_add_data_func(updates[i].name, &updates[i], check_update);
	return g_test_run();
}
