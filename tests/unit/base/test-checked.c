/* Size arithmetic at the edges of what fits. */
#include "base/checked.h"

#include <glib.h>

static const struct {
	const char *name;
	uint64_t offset, length, size;
	bool inside;
} ranges[] = {
	{ "/range/whole", 0, 16, 16, true },
	{ "/range/empty-at-the-end", 16, 0, 16, true },
	{ "/range/one-too-long", 0, 17, 16, false },
	{ "/range/starts-behind", 17, 0, 16, false },
	{ "/range/wraps", UINT64_MAX, 2, 16, false },
	{ "/range/length-wraps", 8, UINT64_MAX, 16, false },
};

static void check_range(gconstpointer data)
{
	const typeof(ranges[0]) *c = data;

	g_assert_true(checked_range(c->offset, c->length, c->size) == c->inside);
}

static void test_picture_end(void)
{
	uint64_t end;

	g_assert_true(picture_end(100, 2, 4096, 400, &end));
	g_assert_cmpuint(end, ==, 100 + 4096 + 400);
	g_assert_false(picture_end(0, 0, 4096, 400, &end));
	g_assert_false(picture_end(0, UINT32_MAX, UINT64_MAX / 2, 4, &end));
	g_assert_false(picture_end(UINT64_MAX, 1, 0, 4, &end));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
		g_test_add_data_func(ranges[i].name, &ranges[i], check_range);
	g_test_add_func("/picture-end", test_picture_end);
	return g_test_run();
}
