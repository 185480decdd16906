/* VGA graphics modes, set as a BIOS, GRUB and boot loaders do, compared pixel by pixel. */
#include "tests/unit/display/devices/vga-fixture.h"

#include <string.h>

#include "display/devices/dispi.h"

enum {
	BLACK = 0x000000,
	BLUE = 0x0000aa,
	GREEN = 0x00aa00,
	RED = 0xaa0000,
	WHITE = 0xffffff,
};

static void window_write(struct fixture *f, uint32_t offset, unsigned size, uint64_t value)
{
	g_mutex_lock(&f->lock);
	vga_window_write(f->vga, offset, size, value);
	g_mutex_unlock(&f->lock);
}

static struct fixture *graphics_fixture(const struct mode_registers *mode)
{
	struct fixture *fixture = fixture_new();

	fixture_mode(fixture, mode);
	fixture_colours(fixture);
	return fixture;
}

static void colour_set(struct fixture *f, uint8_t index, uint8_t red, uint8_t green, uint8_t blue)
{
	fixture_out(f, 0x3c8, index);
	fixture_out(f, 0x3c9, red);
	fixture_out(f, 0x3c9, green);
	fixture_out(f, 0x3c9, blue);
}

static const struct {
	const char *name;
	const struct mode_registers *mode;
	uint32_t width, height;
} sizes[] = {
	{ "/vga/graphics/size/planar", &mode_planar, 640, 480 },
	{ "/vga/graphics/size/planar-320", &mode_planar_320, 640, 400 },
	{ "/vga/graphics/size/palette", &mode_palette, 640, 400 },
	{ "/vga/graphics/size/cga", &mode_cga, 640, 400 },
	{ "/vga/graphics/size/cga-mono", &mode_cga_mono, 640, 400 },
};

static void check_size(gconstpointer data)
{
	const typeof(sizes[0]) *c = data;
	g_autoptr(vga_fixture) f = graphics_fixture(c->mode);
	uint32_t width, height;

	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, c->width);
	g_assert_cmpuint(height, ==, c->height);
}

static void test_planar(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_planar);

	fixture_set(f, 0x3c4, 2, 0x04);
	window_write(f, 0, 1, 0x80);
	fixture_set(f, 0x3c4, 2, 0x0f);
	window_write(f, 80 * 479 + 79, 1, 0x01);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, RED);
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 1), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 639, 479), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 638, 479), ==, BLACK);
	fixture_attribute(f, 0x12, 0x03); /* planes that are off are not shown */
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
}

static void test_planar_start_and_panning(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_planar);

	window_write(f, 160, 1, 0x10);
	fixture_set(f, 0x3d4, 0x0d, 80);
	g_assert_cmphex(fixture_pixel(f, 3, 1), ==, WHITE);
	fixture_attribute(f, 0x13, 0x02);
	g_assert_cmphex(fixture_pixel(f, 3, 1), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 1, 1), ==, WHITE);
}

static void test_planar_320(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_planar_320);

	fixture_set(f, 0x3c4, 2, 0x02);
	window_write(f, 40, 1, 0x80);
	g_assert_cmphex(fixture_pixel(f, 0, 1), ==, BLACK);
	for (unsigned i = 0; i < 4; i++)
		g_assert_cmphex(fixture_pixel(f, i % 2, 2 + i / 2), ==, GREEN);
	g_assert_cmphex(fixture_pixel(f, 2, 2), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 4), ==, BLACK);
}

static void test_palette(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_palette);

	colour_set(f, 200, 63, 0, 32);
	window_write(f, 320 * 100 + 7, 1, 200);
	for (unsigned i = 0; i < 4; i++)
		g_assert_cmphex(fixture_pixel(f, 14 + i % 2, 200 + i / 2), ==, 0xff0082);
	g_assert_cmphex(fixture_pixel(f, 13, 200), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 16, 200), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 14, 202), ==, BLACK);
	colour_set(f, 200, 0, 0, 63); /* a new colour alone draws again */
	g_assert_cmphex(fixture_pixel(f, 14, 200), ==, 0x0000ff);
	fixture_out(f, 0x3c6, 0x00);
	g_assert_cmphex(fixture_pixel(f, 14, 200), ==, BLACK);
}

/* "Mode X": without chain-4, four pixels behind one address. */
static void test_unchained(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_palette);

	colour_set(f, 9, 0, 63, 0);
	fixture_set(f, 0x3c4, 4, 0x06);
	fixture_set(f, 0x3c4, 2, 0x04);
	window_write(f, 80 + 1, 1, 9);
	g_assert_cmphex(fixture_pixel(f, 2 * 6, 2), ==, 0x00ff00);
	g_assert_cmphex(fixture_pixel(f, 2 * 5, 2), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 2 * 7, 2), ==, BLACK);
}

static void test_cga(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_cga);

	window_write(f, 0x18000, 2, 0xe41b);        /* colours 0 1 2 3 3 2 1 0 */
	window_write(f, 0x18000 + 0x2000, 1, 0x40); /* the next line is in the other half */
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 2, 0), ==, BLUE);
	g_assert_cmphex(fixture_pixel(f, 4, 0), ==, GREEN);
	g_assert_cmphex(fixture_pixel(f, 6, 1), ==, RED);
	g_assert_cmphex(fixture_pixel(f, 8, 1), ==, RED);
	g_assert_cmphex(fixture_pixel(f, 10, 1), ==, GREEN);
	g_assert_cmphex(fixture_pixel(f, 0, 2), ==, BLUE);
	g_assert_cmphex(fixture_pixel(f, 0, 3), ==, BLUE);
	g_assert_cmphex(fixture_pixel(f, 0, 4), ==, BLACK);
}

static void test_cga_mono(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_cga_mono);

	window_write(f, 0x18000, 1, 0x40);
	window_write(f, 0x18000 + 0x2000 + 80, 1, 0x80);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 1, 1), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 1, 2), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 6), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 0, 4), ==, BLACK);
}

static void test_vbe_palette(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	uint32_t width, height;

	fixture_vbe(f, 800, 600, 8, DISPI_ENABLED | DISPI_LINEAR | DISPI_8BIT_DAC);
	colour_set(f, 77, 0x12, 0x34, 0x56);
	video_memory_bytes(f->memory)[800 * 599 + 799] = 77;
	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 800);
	g_assert_cmpuint(height, ==, 600);
	g_assert_cmphex(fixture_pixel(f, 799, 599), ==, 0x123456);
	fixture_dispi(f, DISPI_Y_OFFSET, 1);
	g_assert_cmphex(fixture_pixel(f, 799, 598), ==, 0x123456);
	fixture_dispi(f, DISPI_ENABLE, DISPI_ENABLED | DISPI_LINEAR);
	g_assert_cmphex(fixture_pixel(f, 799, 598), ==, 0x49d359);
}

static void test_vbe_planar(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_planar);
	fixture_colours(f);
	fixture_vbe(f, 800, 600, 4, DISPI_ENABLED);
	fixture_set(f, 0x3c4, 4, 0x06);
	fixture_set(f, 0x3c4, 2, 0x04);
	window_write(f, 100 * 599 + 99, 1, 0x01);
	g_assert_cmphex(fixture_pixel(f, 799, 599), ==, RED);
	g_assert_cmphex(fixture_pixel(f, 798, 599), ==, BLACK);
}

static void test_vbe_linear(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	uint8_t *bytes = video_memory_bytes(f->memory);

	memset(bytes, 0xff, 1024 * 769 * 4);
	fixture_vbe(f, 1024, 768, 32, DISPI_ENABLED | DISPI_LINEAR);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK); /* cleared, just as far as it is seen */
	g_assert_cmphex(bytes[1024 * 768 * 4 - 1], ==, 0);
	g_assert_cmphex(bytes[1024 * 768 * 4], ==, 0xff);
	bytes[4] = 0xaa;
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, BLUE);
	fixture_vbe(f, 1024, 768, 32, DISPI_ENABLED | DISPI_LINEAR | DISPI_NO_CLEAR);
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, BLUE);
	fixture_in(f, 0x3da);
	fixture_out(f, 0x3c0, 0x00); /* blank */
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, BLACK);
}

/* As pixels with their first byte on top; consumers read 32 bits, the others are drawn. */
static void test_big_endian(void)
{
	static const struct {
		uint16_t bits;
		uint8_t bytes[4];
		uint32_t colour;
	} cases[] = {
		{ 15, { 0x7c, 0x00 }, 0xff0000 },
		{ 15, { 0x03, 0xe0 }, 0x00ff00 },
		{ 16, { 0xf8, 0x01 }, 0xff0008 },
		{ 16, { 0x07, 0xe0 }, 0x00ff00 },
		{ 24, { 0x12, 0x34, 0x56 }, 0x123456 },
	};
	g_autoptr(vga_fixture) f = fixture_new();

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint32_t pixel_bytes = (cases[i].bits + 7) / 8;

		fixture_vbe(f, 640, 480, cases[i].bits, DISPI_ENABLED | DISPI_LINEAR);
		g_mutex_lock(&f->lock);
		vga_mmio_write(f->vga, 0x604, 4, 0xbebebebe);
		g_mutex_unlock(&f->lock);
		memcpy(video_memory_bytes(f->memory) + (640 * 3 + 2) * pixel_bytes, cases[i].bytes,
			pixel_bytes);
		g_assert_cmphex(fixture_pixel(f, 2, 3), ==, cases[i].colour);
		g_assert_cmphex(fixture_pixel(f, 1, 3), ==, BLACK);
	}
}

static void test_preset_row(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_palette);

	colour_set(f, 9, 0, 63, 0);
	window_write(f, 320, 1, 9);
	fixture_set(f, 0x3d4, 0x08, 1); /* the second of two scan lines is on top */
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 1), ==, 0x00ff00);
	g_assert_cmphex(fixture_pixel(f, 0, 2), ==, 0x00ff00);
	g_assert_cmphex(fixture_pixel(f, 0, 3), ==, BLACK);
}

/* A picture that moves to the side above one that does not. */
static void test_split_panning(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_planar);

	window_write(f, 0, 2, 0x8008);
	fixture_set(f, 0x3d4, 0x11, 0);
	fixture_set(f, 0x3d4, 0x07, 0x2e); /* bits 8 and 9 of the split are clear */
	fixture_set(f, 0x3d4, 0x09, 0x00);
	fixture_set(f, 0x3d4, 0x18, 99);
	fixture_attribute(f, 0x13, 0x04);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 4, 0), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 0, 100), ==, WHITE);
	fixture_attribute(f, 0x10, 0x21);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 0, 100), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 4, 100), ==, WHITE);
	fixture_set(f, 0x3d4, 0x08, 0x20); /* a byte further */
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 4, 100), ==, WHITE);
}

/* CVE-2017-13672: rows that run over the end of the memory come from its start. */
static void test_wraps_around(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_planar);

	fixture_set(f, 0x3d4, 0x0c, 0xff);
	fixture_set(f, 0x3d4, 0x0d, 0xff);
	window_write(f, 0xffff, 1, 0x80);
	window_write(f, 0, 1, 0x40);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 9, 0), ==, WHITE);
	fixture_set(f, 0x3d4, 0x13, 0xff);
	fixture_pixel(f, 639, 479);
}

static void test_damage(void)
{
	g_autoptr(vga_fixture) f = graphics_fixture(&mode_planar);
	pixman_box32_t box;

	fixture_watch(f);
	fixture_settle(f);
	g_assert_false(pixman_region32_not_empty(&f->damage));
	window_write(f, 80 * 33, 1, 0xff);
	fixture_settle(f);
	g_assert_cmpuint(f->scanouts, ==, 0);
	box = *pixman_region32_extents(&f->damage);
	g_assert_cmpint(box.y1, ==, 33);
	g_assert_cmpint(box.y2, ==, 34);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		g_test_add_data_func(sizes[i].name, &sizes[i], check_size);
	g_test_add_func("/vga/graphics/planar", test_planar);
	g_test_add_func("/vga/graphics/planar-start-and-panning", test_planar_start_and_panning);
	g_test_add_func("/vga/graphics/planar-320", test_planar_320);
	g_test_add_func("/vga/graphics/palette", test_palette);
	g_test_add_func("/vga/graphics/unchained", test_unchained);
	g_test_add_func("/vga/graphics/cga", test_cga);
	g_test_add_func("/vga/graphics/cga-mono", test_cga_mono);
	g_test_add_func("/vga/graphics/vbe-palette", test_vbe_palette);
	g_test_add_func("/vga/graphics/vbe-planar", test_vbe_planar);
	g_test_add_func("/vga/graphics/vbe-linear", test_vbe_linear);
	g_test_add_func("/vga/graphics/big-endian", test_big_endian);
	g_test_add_func("/vga/graphics/preset-row", test_preset_row);
	g_test_add_func("/vga/graphics/split-panning", test_split_panning);
	g_test_add_func("/vga/graphics/wraps-around", test_wraps_around);
	g_test_add_func("/vga/graphics/damage", test_damage);
	return g_test_run();
}
