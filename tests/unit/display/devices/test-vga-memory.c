/* The legacy window: write modes, read modes, chain-4, odd/even, banks; and the plain part of it. */
#include "tests/unit/display/devices/vga-fixture.h"

#include "display/devices/dispi.h"

enum {
	BANK = 64 * 1024
};

/* A graphics controller, and what a write makes of four plane bytes. */
static const struct {
	const char *name;
	uint8_t graphics[9];
	uint8_t planes;
	uint8_t written;
	uint32_t before; /* plane 3 .. plane 0; the latch is loaded with it */
	uint32_t after;
} writes[] = {
	{ "/vga/memory/mode0", { [8] = 0xff }, 0x0f, 0xa5, 0x11223344, 0xa5a5a5a5 },
	{ "/vga/memory/mode0-plane-mask", { [8] = 0xff }, 0x05, 0xa5, 0x11223344, 0x11a533a5 },
	{ "/vga/memory/mode0-bit-mask", { [8] = 0xf0 }, 0x0f, 0xa5, 0x11223344, 0xa1a2a3a4 },
	{ "/vga/memory/mode0-rotate", { [3] = 4, [8] = 0xff }, 0x0f, 0xa1, 0, 0x1a1a1a1a },
	{ "/vga/memory/mode0-set-reset", { [0] = 0x06, [1] = 0x0c, [8] = 0xff }, 0x0f, 0xa5, 0,
		0x00ffa5a5 },
	{ "/vga/memory/mode0-and", { [3] = 0x08, [8] = 0xff }, 0x0f, 0x0f, 0x11223344, 0x01020304 },
	{ "/vga/memory/mode0-or", { [3] = 0x10, [8] = 0xff }, 0x0f, 0x0f, 0x11223344, 0x1f2f3f4f },
	{ "/vga/memory/mode0-xor", { [3] = 0x18, [8] = 0xff }, 0x0f, 0xff, 0x11223344, 0xeeddccbb },
	{ "/vga/memory/mode1", { [5] = 1, [8] = 0x00 }, 0x0f, 0x99, 0x11223344, 0x11223344 },
	{ "/vga/memory/mode2", { [5] = 2, [8] = 0xff }, 0x0f, 0x05, 0x11223344, 0x00ff00ff },
	{ "/vga/memory/mode2-bit-mask", { [5] = 2, [8] = 0x0f }, 0x0f, 0x0a, 0, 0x0f000f00 },
	{ "/vga/memory/mode2-xor", { [3] = 0x18, [5] = 2, [8] = 0xff }, 0x0f, 0x01, 0x11223344,
		0x112233bb },
	{ "/vga/memory/mode3", { [0] = 0x09, [5] = 3, [8] = 0xff }, 0x0f, 0xf0, 0x11223344,
		0xf10203f4 },
	{ "/vga/memory/mode3-bit-mask", { [0] = 0x0f, [5] = 3, [8] = 0x3c }, 0x0f, 0xf0, 0,
		0x30303030 },
};

static uint64_t window_read(struct fixture *f, uint32_t offset, unsigned size)
{
	uint64_t value;

	g_mutex_lock(&f->lock);
	value = vga_window_read(f->vga, offset, size);
	g_mutex_unlock(&f->lock);
	return value;
}

static void window_write(struct fixture *f, uint32_t offset, unsigned size, uint64_t value)
{
	g_mutex_lock(&f->lock);
	vga_window_write(f->vga, offset, size, value);
	g_mutex_unlock(&f->lock);
}

static void planes_put(struct fixture *f, uint32_t address, uint32_t value)
{
	for (unsigned plane = 0; plane < 4; plane++)
		video_memory_bytes(f->memory)[address * 4 + plane] = value >> 8 * plane;
}

static uint32_t planes_get(struct fixture *f, uint32_t address)
{
	uint32_t value = 0;

	for (unsigned plane = 0; plane < 4; plane++)
		value |= (uint32_t)video_memory_bytes(f->memory)[address * 4 + plane] << 8 * plane;
	return value;
}

static void check_write(gconstpointer data)
{
	const typeof(writes[0]) *c = data;
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_planar);
	planes_put(f, 100, c->before);
	window_read(f, 100, 1);
	for (unsigned i = 0; i < 9; i++)
		if (i != 6)
			fixture_set(f, 0x3ce, i, c->graphics[i]);
	fixture_set(f, 0x3c4, 2, c->planes);
	window_write(f, 100, 1, c->written);
	g_assert_cmphex(planes_get(f, 100), ==, c->after);
	g_assert_cmphex(planes_get(f, 99), ==, 0);
	g_assert_cmphex(planes_get(f, 101), ==, 0);
}

static void test_read_modes(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_planar);
	planes_put(f, 7, 0x0ff055aa);
	for (unsigned plane = 0; plane < 4; plane++) {
		fixture_set(f, 0x3ce, 4, plane);
		g_assert_cmphex(window_read(f, 7, 1), ==, 0x0ff055aau >> 8 * plane & 0xff);
	}
	fixture_set(f, 0x3ce, 5, 8);
	fixture_set(f, 0x3ce, 2, 0x05); /* colour 5: planes 0 and 2 */
	fixture_set(f, 0x3ce, 7, 0x0f);
	g_assert_cmphex(window_read(f, 7, 1), ==, 0xa0);
	fixture_set(f, 0x3ce, 7, 0x00);
	g_assert_cmphex(window_read(f, 7, 1), ==, 0xff);
}

static void test_chain_4(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_palette);
	window_write(f, 0xfffc, 4, 0x44332211);
	g_assert_cmphex(video_memory_bytes(f->memory)[0xfffc], ==, 0x11);
	g_assert_cmphex(video_memory_bytes(f->memory)[0xffff], ==, 0x44);
	g_assert_cmphex(window_read(f, 0xfffd, 2), ==, 0x3322);
	fixture_set(f, 0x3c4, 2, 0x02);
	window_write(f, 0, 4, 0x44332211);
	g_assert_cmphex(window_read(f, 0, 4), ==, 0x00002200);
	g_assert_cmphex(window_read(f, 0x10000, 1), ==, 0xff); /* nothing there */
}

static void test_odd_even(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_text);
	fixture_set(f, 0x3c4, 2, 0x0f); /* no longer plain: into all planes */
	window_write(f, 0x18000, 2, 0x0741);
	g_assert_cmphex(planes_get(f, 0), ==, 0x07410741);
	fixture_set(f, 0x3ce, 4, 2);
	g_assert_cmphex(window_read(f, 0x18000, 2), ==, 0x0741);
}

/* The graphics controller is in the way of every access, whatever the addresses mean. */
static void test_controller_everywhere(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	struct vga_plain_window plain;

	fixture_mode(f, &mode_palette);
	fixture_set(f, 0x3ce, 8, 0xf0);
	planes_put(f, 1, 0x11223344);
	window_read(f, 4, 1);
	window_write(f, 5, 1, 0xaa);
	g_assert_cmphex(planes_get(f, 1), ==, 0x1122a344);
	g_mutex_lock(&f->lock);
	g_assert_false(vga_window_plain(f->vga, &plain));
	g_mutex_unlock(&f->lock);
	fixture_set(f, 0x3ce, 8, 0xff);
	g_mutex_lock(&f->lock);
	g_assert_true(vga_window_plain(f->vga, &plain));
	g_mutex_unlock(&f->lock);

	fixture_mode(f, &mode_text);
	fixture_set(f, 0x3ce, 3, 0x18);
	planes_put(f, 0, 0x00002041);
	window_read(f, 0x18000, 1);
	window_write(f, 0x18000, 1, 0xff);
	g_assert_cmphex(planes_get(f, 0), ==, 0x000020be);
}

/* CVE-2016-3710: the bank is used with the mode of the moment, whatever it was set with. */
static void test_banks(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	struct vga_plain_window plain;

	fixture_vbe(f, 1024, 768, 8, DISPI_ENABLED);
	fixture_dispi(f, DISPI_BANK, 2);
	window_write(f, 5, 1, 0x77);
	g_assert_cmphex(video_memory_bytes(f->memory)[2 * BANK + 5], ==, 0x77);
	g_mutex_lock(&f->lock);
	g_assert_true(vga_window_plain(f->vga, &plain));
	g_mutex_unlock(&f->lock);
	g_assert_true(plain.memory == f->memory);
	g_assert_cmphex(plain.memory_offset, ==, 2 * BANK);
	g_assert_cmphex(plain.length, ==, BANK);

	fixture_dispi(f, DISPI_BANK, FIXTURE_MEMORY / BANK);
	g_assert_cmphex(window_read(f, 0, 4), ==, 0xffffffff);
	window_write(f, 0, 8, 0);
	fixture_dispi(f, DISPI_BANK, 0xffff);
	g_assert_cmphex(window_read(f, 0xffff, 1), ==, 0xff);
	window_write(f, 0xfff8, 8, 0);
	g_mutex_lock(&f->lock);
	g_assert_false(vga_window_plain(f->vga, &plain));
	g_mutex_unlock(&f->lock);

	/* Into planes, where an address is four bytes. */
	fixture_dispi(f, DISPI_BPP, 4);
	fixture_dispi(f, DISPI_BANK, FIXTURE_MEMORY / BANK - 1);
	fixture_set(f, 0x3c4, 4, 0x06);
	g_assert_cmphex(window_read(f, 0xffff, 1), ==, 0xff);
	window_write(f, 0, 8, 0);
	fixture_set(f, 0x3ce, 5, 0x10);
	g_assert_cmphex(window_read(f, 0xfffe, 2), ==, 0xffff);
	window_write(f, 0xfffe, 2, 0);
	fixture_set(f, 0x3ce, 6, 0x01);
	window_write(f, 0x1fff8, 8, 0);
}

static void test_windows(void)
{
	static const struct {
		uint8_t misc;
		uint32_t first, end;
	} windows[] = { { 0x01, 0, 0x20000 }, { 0x05, 0, 0x10000 }, { 0x09, 0x10000, 0x18000 },
		{ 0x0d, 0x18000, 0x20000 } };
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_planar);
	for (size_t i = 0; i < G_N_ELEMENTS(windows); i++) {
		fixture_set(f, 0x3ce, 6, windows[i].misc);
		for (uint32_t at = 0; at < VGA_WINDOW_SIZE; at += 0x8000)
			g_assert_cmphex(window_read(f, at, 1), ==,
				at >= windows[i].first && at < windows[i].end ? 0 : 0xff);
	}
}

/* A picture that consumers read is damaged by what comes through the window. */
static void test_linear_is_damaged(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	struct vga_plain_window plain;
	pixman_box32_t box;

	fixture_vbe(f, 640, 480, 32, DISPI_ENABLED | DISPI_LINEAR);
	g_mutex_lock(&f->lock);
	g_assert_false(vga_window_plain(f->vga, &plain));
	g_mutex_unlock(&f->lock);
	fixture_watch(f);
	window_write(f, 2560 * 10 + 40, 4, 0x00ffffff);
	fixture_settle(f);
	box = *pixman_region32_extents(&f->damage);
	g_assert_cmpint(box.y1, ==, 10);
	g_assert_cmpint(box.y2, ==, 11);
}

/* A bank that is plain memory is looked through as long as it is, and when it goes. */
static void test_bank_is_damaged(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	struct vga_plain_window plain;
	pixman_box32_t box;

	fixture_vbe(f, 640, 480, 32, DISPI_ENABLED);
	fixture_watch(f);
	fixture_dispi(f, DISPI_BANK, 3);
	g_mutex_lock(&f->lock);
	g_assert_true(vga_window_plain(f->vga, &plain));
	g_mutex_unlock(&f->lock);
	g_assert_cmphex(plain.memory_offset, ==, 3 * BANK);
	fixture_settle(f);
	fixture_forget(f);
	fixture_dispi(f, DISPI_BANK, 4);
	fixture_settle(f);
	box = *pixman_region32_extents(&f->damage);
	g_assert_cmpint(box.y1, ==, 3 * BANK / 2560);
	g_assert_cmpint(box.y2, ==, (5 * BANK - 1) / 2560 + 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(writes); i++)
		g_test_add_data_func(writes[i].name, &writes[i], check_write);
	g_test_add_func("/vga/memory/read-modes", test_read_modes);
	g_test_add_func("/vga/memory/chain-4", test_chain_4);
	g_test_add_func("/vga/memory/odd-even", test_odd_even);
	g_test_add_func("/vga/memory/controller-everywhere", test_controller_everywhere);
	g_test_add_func("/vga/memory/banks", test_banks);
	g_test_add_func("/vga/memory/windows", test_windows);
	g_test_add_func("/vga/memory/linear-is-damaged", test_linear_is_damaged);
	g_test_add_func("/vga/memory/bank-is-damaged", test_bank_is_damaged);
	return g_test_run();
}
