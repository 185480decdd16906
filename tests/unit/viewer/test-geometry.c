/* Where the picture lies, which pixel is under the pointer, and what must be drawn again. */
#include "viewer/geometry.h"

#include <glib.h>

static const struct {
	const char *name;
	uint32_t area_width, area_height, width, height;
	int zoom;
	struct rectangle drawn;
	bool crisp;
} layouts[] = {
	{ "/layout/same-size", 640, 480, 640, 480, GEOMETRY_FIT, { 0, 0, 640, 480 }, true },
	{ "/layout/twice", 1280, 960, 640, 480, GEOMETRY_FIT, { 0, 0, 1280, 960 }, true },
	{ "/layout/wide-area", 1000, 480, 640, 480, GEOMETRY_FIT, { 180, 0, 640, 480 }, true },
	{ "/layout/high-area", 640, 1000, 640, 480, GEOMETRY_FIT, { 0, 260, 640, 480 }, true },
	{ "/layout/smaller", 320, 480, 640, 480, GEOMETRY_FIT, { 0, 120, 320, 240 }, false },
	{ "/layout/one-to-one", 1000, 1000, 640, 480, 100, { 180, 260, 640, 480 }, true },
	{ "/layout/scrolled", 640, 480, 640, 480, 200, { 0, 0, 1280, 960 }, true },
	{ "/layout/percent", 1000, 1000, 640, 480, 150, { 20, 140, 960, 720 }, false },
	{ "/layout/nothing-left", 1, 1, 16384, 16384, GEOMETRY_FIT, { 0, 0, 1, 1 }, false },
	{ "/layout/flat", 100, 100, 16384, 1, GEOMETRY_FIT, { 0, 49, 100, 1 }, false },
};

static void check_layout(gconstpointer data)
{
	const typeof(layouts[0]) *c = data;
	struct geometry geometry =
		geometry_of(c->area_width, c->area_height, c->width, c->height, c->zoom);

	g_assert_cmpint(geometry.x, ==, c->drawn.x);
	g_assert_cmpint(geometry.y, ==, c->drawn.y);
	g_assert_cmpint(geometry.width, ==, c->drawn.width);
	g_assert_cmpint(geometry.height, ==, c->drawn.height);
	g_assert_true(geometry_is_crisp(&geometry) == c->crisp);
}

static const struct {
	const char *name;
	double x, y;
	uint32_t guest_x, guest_y;
	bool inside;
} points[] = {
	/* a picture of 100 by 50 at twice its size, at 10,20 */
	{ "/point/first", 10, 20, 0, 0, true },
	{ "/point/same-pixel", 11.9, 21.9, 0, 0, true },
	{ "/point/next-pixel", 12, 22, 1, 1, true },
	{ "/point/last", 209.5, 119.5, 99, 49, true },
	{ "/point/left", 9, 20, 0, 0, false },
	{ "/point/below", 10, 120, 0, 49, false },
	{ "/point/far", -1e9, 1e9, 0, 49, false },
};

static void check_point(gconstpointer data)
{
	const typeof(points[0]) *c = data;
	struct geometry geometry = geometry_of(220, 140, 100, 50, 200);
	uint32_t x, y;

	g_assert_cmpint(geometry.x, ==, 10);
	g_assert_cmpint(geometry.y, ==, 20);
	g_assert_true(geometry_to_guest(&geometry, c->x, c->y, &x, &y) == c->inside);
	g_assert_cmpuint(x, ==, c->guest_x);
	g_assert_cmpuint(y, ==, c->guest_y);
}

static void test_changed(void)
{
	const struct rectangle changed = { 10, 5, 3, 2 };
	struct geometry crisp = geometry_of(220, 140, 100, 50, 200);
	struct geometry smooth = geometry_of(75, 50, 100, 50, GEOMETRY_FIT);
	struct rectangle area = geometry_to_area(&crisp, &changed);

	g_assert_cmpint(area.x, ==, 30);
	g_assert_cmpint(area.y, ==, 30);
	g_assert_cmpint(area.width, ==, 6);
	g_assert_cmpint(area.height, ==, 4);
	/* At 75 %, columns 7.5 to 9.75 and their neighbours. */
	area = geometry_to_area(&smooth, &changed);
	g_assert_cmpint(area.x, <=, 6);
	g_assert_cmpint(area.x + area.width, >=, 11);
}

static void test_zoom(void)
{
	g_assert_cmpint(geometry_next_zoom(100, 1), ==, 125);
	g_assert_cmpint(geometry_next_zoom(100, -1), ==, 75);
	g_assert_cmpint(geometry_next_zoom(110, -1), ==, 100);
	g_assert_cmpint(geometry_next_zoom(110, 1), ==, 125);
	g_assert_cmpint(geometry_next_zoom(400, 1), ==, 400);
	g_assert_cmpint(geometry_next_zoom(1000, -1), ==, 400);
	g_assert_cmpint(geometry_next_zoom(1, -1), ==, 25);
	g_assert_cmpint(geometry_next_zoom(33.3, 1), ==, 50);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
		g_test_add_data_func(layouts[i].name, &layouts[i], check_layout);
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++)
		g_test_add_data_func(points[i].name, &points[i], check_point);
	g_test_add_func("/changed", test_changed);
	g_test_add_func("/zoom", test_zoom);
	return g_test_run();
}
