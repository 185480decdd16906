/* bochs-display: BAR 2 as firmware and Linux's driver use it. */
#include "display/devices/bochs-display.h"

#include "display/devices/dispi.h"

enum {
	MEMORY = 16 * 1024 * 1024
};

struct bochs_fixture {
	GMutex lock;
	struct display *display;
	struct video_memory *memory;
	struct bochs_display *bochs;
};

static void setup(struct bochs_fixture *f, gconstpointer data)
{
	g_mutex_init(&f->lock);
	f->display = display_new(&f->lock);
	f->memory = video_memory_new("bochs-display", MEMORY, NULL);
	g_mutex_lock(&f->lock);
	f->bochs = bochs_display_new(
		f->display, f->memory, &(struct bochs_display_config) { .label = "bochs-display" });
	g_mutex_unlock(&f->lock);
}

static void teardown(struct bochs_fixture *f, gconstpointer data)
{
	g_mutex_lock(&f->lock);
	bochs_display_free(f->bochs);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	video_memory_unref(f->memory);
	g_mutex_clear(&f->lock);
}

static void put(struct bochs_fixture *f, enum dispi_register index, uint16_t value)
{
	g_mutex_lock(&f->lock);
	bochs_display_mmio_write(f->bochs, 0x500 + 2 * index, 2, value);
	g_mutex_unlock(&f->lock);
}

static uint32_t get(struct bochs_fixture *f, uint32_t offset, unsigned size)
{
	uint32_t value;

	g_mutex_lock(&f->lock);
	value = bochs_display_mmio_read(f->bochs, offset, size);
	g_mutex_unlock(&f->lock);
	return value;
}

static void mode(struct bochs_fixture *f, uint16_t width, uint16_t height, uint16_t bits)
{
	put(f, DISPI_ENABLE, 0);
	put(f, DISPI_BPP, bits);
	put(f, DISPI_XRES, width);
	put(f, DISPI_YRES, height);
	put(f, DISPI_VIRTUAL_WIDTH, width);
	put(f, DISPI_X_OFFSET, 0);
	put(f, DISPI_Y_OFFSET, 0);
	put(f, DISPI_ENABLE, DISPI_ENABLED | DISPI_LINEAR);
}

static void check_size(struct bochs_fixture *f, uint32_t width, uint32_t height)
{
	uint32_t w, h;

	head_size(bochs_display_head(f->bochs), &w, &h);
	g_assert_cmpuint(w, ==, width);
	g_assert_cmpuint(h, ==, height);
}

static void test_modes(struct bochs_fixture *f, gconstpointer data)
{
	check_size(f, 0, 0);
	mode(f, 1366, 768, 32);
	check_size(f, 1366, 768);
	put(f, DISPI_XRES, 63); /* no picture: the last one stays */
	check_size(f, 1366, 768);
	put(f, DISPI_ENABLE, 0);
	check_size(f, 0, 0);
	mode(f, 800, 600, 16);
	check_size(f, 800, 600);
	put(f, DISPI_Y_OFFSET, 65535);
	check_size(f, 800, 600);
	g_mutex_lock(&f->lock);
	bochs_display_reset(f->bochs);
	g_mutex_unlock(&f->lock);
	check_size(f, 0, 0);
}

static void test_identity(struct bochs_fixture *f, gconstpointer data)
{
	put(f, DISPI_ID, 0xb0c0);
	g_assert_cmphex(get(f, 0x500, 2), ==, 0xb0c5);
	g_assert_cmphex(get(f, 0x514, 2), ==, MEMORY / 65536);
	g_assert_cmphex(get(f, 0x600, 4), ==, 8);
	g_assert_cmphex(get(f, 0x604, 4), ==, 0x1e1e1e1e);
	g_assert_cmphex(get(f, 0x400, 1), ==, 0); /* no VGA */
	g_assert_cmphex(get(f, 0, 4), ==, 0xffffff00);
	g_assert_cmphex(get(f, 4, 4), ==, 0x00ffffff);
}

static void test_clear(struct bochs_fixture *f, gconstpointer data)
{
	uint8_t *bytes = video_memory_bytes(f->memory);

	bytes[0] = bytes[640 * 480 * 4 - 1] = bytes[640 * 480 * 4] = 0x55;
	mode(f, 640, 480, 32);
	g_assert_cmphex(bytes[0], ==, 0);
	g_assert_cmphex(bytes[640 * 480 * 4 - 1], ==, 0);
	g_assert_cmphex(bytes[640 * 480 * 4], ==, 0x55);
}

static void add(const char *name, void (*test)(struct bochs_fixture *f, gconstpointer data))
{
	g_test_add(name, struct bochs_fixture, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/bochs-display/modes", test_modes);
	add("/bochs-display/identity", test_identity);
	add("/bochs-display/clear", test_clear);
	return g_test_run();
}
