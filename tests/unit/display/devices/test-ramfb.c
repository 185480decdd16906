/* ramfb: descriptions as firmware writes them, and as none should. */
#include "display/devices/ramfb.h"

#include <string.h>

enum {
	RAM = 8 * 1024 * 1024, /* bytes, from address 0 */
	XR24 = 0x34325258,
	RG24 = 0x34324752,
	RG16 = 0x36314752,
};

struct ramfb_fixture {
	GMutex lock;
	struct display *display;
	struct ramfb *ramfb;
	struct head_listener *listener;
	pixman_region32_t damage;
	unsigned scanouts;
	uint8_t *ram;
};

struct description {
	uint64_t address;
	uint32_t fourcc, flags, width, height, stride;
};

static void write_be(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = value >> 8 * (bytes - 1 - i);
}

static void describe(uint8_t bytes[RAMFB_CONFIG_SIZE], const struct description *d)
{
	write_be(bytes, d->address, 8);
	write_be(bytes + 8, d->fourcc, 4);
	write_be(bytes + 12, d->flags, 4);
	write_be(bytes + 16, d->width, 4);
	write_be(bytes + 20, d->height, 4);
	write_be(bytes + 24, d->stride, 4);
}

static const uint8_t *map_ram(void *owner, uint64_t address, uint64_t length)
{
	const struct ramfb_fixture *f = owner;

	return address <= RAM && length <= RAM - address ? f->ram + address : NULL;
}

static void setup(struct ramfb_fixture *f, gconstpointer data)
{
	g_mutex_init(&f->lock);
	pixman_region32_init(&f->damage);
	f->ram = g_malloc0(RAM);
	f->display = display_new(&f->lock);
	g_mutex_lock(&f->lock);
	f->ramfb = ramfb_new(f->display, "ramfb", map_ram, f);
	g_mutex_unlock(&f->lock);
}

static void teardown(struct ramfb_fixture *f, gconstpointer data)
{
	if (f->listener)
		head_remove_listener(f->listener);
	g_mutex_lock(&f->lock);
	ramfb_free(f->ramfb);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	pixman_region32_fini(&f->damage);
	g_free(f->ram);
	g_mutex_clear(&f->lock);
}

static bool show(struct ramfb_fixture *f, const struct description *d)
{
	uint8_t bytes[RAMFB_CONFIG_SIZE];
	const char *reason = NULL;
	bool taken;

	describe(bytes, d);
	g_mutex_lock(&f->lock);
	taken = ramfb_write(f->ramfb, bytes, &reason);
	g_mutex_unlock(&f->lock);
	g_assert_true(taken == (reason == NULL));
	return taken;
}

static const struct {
	const char *name;
	struct description description;
	bool valid;
	uint32_t stride;
	uint64_t length;
} cases[] = {
	{ "/ramfb/parse/firmware", { 0x1000, XR24, 0, 1024, 768, 4096 }, true, 4096, 4096 * 768 },
	{ "/ramfb/parse/packed", { 0, XR24, 0, 800, 600, 0 }, true, 3200, 3200 * 600 },
	{ "/ramfb/parse/padded", { 0, XR24, 0, 100, 100, 512 }, true, 512, 512 * 99 + 400 },
	{ "/ramfb/parse/odd", { 0, RG24, 0, 101, 50, 0 }, true, 303, 303 * 50 },
	{ "/ramfb/parse/16", { 0, RG16, 0, 640, 480, 0 }, true, 1280, 1280 * 480 },
	{ "/ramfb/parse/largest-rows", { 0, XR24, 0, 16000, 1000, 0 }, true, 64000, 64000 * 1000 },
	{ "/ramfb/parse/large", { 0, XR24, 0, 16000, 1100, 0 }, false },
	{ "/ramfb/parse/nothing", { 0 }, false },
	{ "/ramfb/parse/format", { 0, 0x12345678, 0, 640, 480, 0 }, false },
	{ "/ramfb/parse/flags", { 0, XR24, 1, 640, 480, 0 }, false },
	{ "/ramfb/parse/narrow", { 0, XR24, 0, 15, 480, 0 }, false },
	{ "/ramfb/parse/low", { 0, XR24, 0, 640, 15, 0 }, false },
	{ "/ramfb/parse/wide", { 0, XR24, 0, 16001, 480, 0 }, false },
	{ "/ramfb/parse/high", { 0, XR24, 0, 640, 12001, 0 }, false },
	{ "/ramfb/parse/huge", { 0, XR24, 0, 16000, 12000, 0 }, false },
	{ "/ramfb/parse/negative", { 0, XR24, 0, 0x80000000, 0x80000000, 0 }, false },
	{ "/ramfb/parse/short-stride", { 0, XR24, 0, 640, 480, 2559 }, false },
	{ "/ramfb/parse/long-stride", { 0, XR24, 0, 640, 480, 0xffffffff }, false },
	{ "/ramfb/parse/end", { UINT64_MAX - 100, XR24, 0, 640, 480, 0 }, false },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	uint8_t bytes[RAMFB_CONFIG_SIZE];
	struct ramfb_config config;
	const char *reason = NULL;

	describe(bytes, &c->description);
	g_assert_true(ramfb_config_parse(bytes, &config, &reason) == c->valid);
	if (!c->valid) {
		g_assert_nonnull(reason);
		return;
	}
	g_assert_cmpuint(config.address, ==, c->description.address);
	g_assert_cmpuint(config.stride, ==, c->stride);
	g_assert_cmpuint(config.length, ==, c->length);
}

static bool picture(
	struct ramfb_fixture *f, struct scanout *scanout, uint8_t pixel[4], uint32_t x, uint32_t y)
{
	struct video_memory *memory;

	if (!head_picture(ramfb_head(f->ramfb), &memory, scanout))
		return false;
	memcpy(pixel,
		video_memory_bytes(memory) + (size_t)y * scanout->stride +
			(size_t)x * scanout_pixel_bytes(scanout->format),
		scanout_pixel_bytes(scanout->format));
	video_memory_unref(memory);
	return true;
}

static void test_shown(struct ramfb_fixture *f, gconstpointer data)
{
	struct scanout scanout;
	uint8_t pixel[4] = { 0 };

	g_assert_false(picture(f, &scanout, pixel, 0, 0));
	g_assert_true(show(f, &(struct description) { 0x1001, RG24, 0, 101, 50, 310 }));
	memcpy(f->ram + 0x1001 + 49 * 310 + 100 * 3, "\x01\x02\x03", 3);
	g_assert_true(picture(f, &scanout, pixel, 100, 49));
	g_assert_cmpuint(scanout.width, ==, 101);
	g_assert_cmpuint(scanout.height, ==, 50);
	g_assert_cmpuint(scanout.stride, ==, 304);
	g_assert_cmpmem(pixel, 3, "\x01\x02\x03", 3);
}

/* What is no picture, or not in RAM, leaves the one that is shown; a reset does not. */
static void test_refused(struct ramfb_fixture *f, gconstpointer data)
{
	struct scanout scanout;
	uint8_t pixel[4];

	g_assert_true(show(f, &(struct description) { 0, XR24, 0, 640, 480, 0 }));
	g_assert_false(show(f, &(struct description) { 0, XR24, 0, 0, 0, 0 }));
	g_assert_false(show(f, &(struct description) { RAM - 4096, XR24, 0, 640, 480, 0 }));
	g_assert_false(show(f, &(struct description) { 1ull << 40, XR24, 0, 640, 480, 0 }));
	g_assert_true(picture(f, &scanout, pixel, 0, 0));
	g_assert_cmpuint(scanout.width, ==, 640);
	g_mutex_lock(&f->lock);
	ramfb_reset(f->ramfb);
	g_mutex_unlock(&f->lock);
	g_assert_false(picture(f, &scanout, pixel, 0, 0));
}

static void test_state(struct ramfb_fixture *f, gconstpointer data)
{
	struct scanout scanout;
	uint8_t pixel[4];
	void *base;

	g_assert_nonnull(ramfb_state(f->ramfb, &base));
	describe(base, &(struct description) { 0x2000, XR24, 0, 320, 200, 0 });
	g_mutex_lock(&f->lock);
	ramfb_state_loaded(f->ramfb);
	g_mutex_unlock(&f->lock);
	g_assert_true(picture(f, &scanout, pixel, 0, 0));
	g_assert_cmpuint(scanout.width, ==, 320);
	memset(base, 0xff, RAMFB_CONFIG_SIZE);
	g_mutex_lock(&f->lock);
	ramfb_state_loaded(f->ramfb);
	g_mutex_unlock(&f->lock);
	g_assert_false(picture(f, &scanout, pixel, 0, 0));
}

static unsigned open_files(void)
{
	g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(folder))
		count++;
	return count;
}

/* Pictures of other sizes and resets leave nothing behind. */
static void test_resets(struct ramfb_fixture *f, gconstpointer data)
{
	struct scanout scanout;
	uint8_t pixel[4];
	unsigned files = 0;

	for (unsigned i = 0; i < 1000; i++) {
		g_assert_true(show(f, &(struct description) { 0, XR24, 0, 64 + i % 3, 64, 0 }));
		g_assert_true(picture(f, &scanout, pixel, 0, 0));
		if (i == 10)
			files = open_files();
		if (i % 2 == 0)
			continue;
		g_mutex_lock(&f->lock);
		ramfb_reset(f->ramfb);
		g_mutex_unlock(&f->lock);
	}
	g_assert_true(show(f, &(struct description) { 0, XR24, 0, 64, 64, 0 }));
	g_assert_true(picture(f, &scanout, pixel, 0, 0));
	g_assert_cmpuint(open_files(), ==, files);
}

static void on_scanout(void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	struct ramfb_fixture *f = owner;

	f->scanouts++;
	head_listener_done(f->listener);
}

static void on_event(void *owner)
{
	head_listener_done(((struct ramfb_fixture *)owner)->listener);
}

static void on_update(void *owner, const pixman_region32_t *damage)
{
	struct ramfb_fixture *f = owner;

	pixman_region32_union(&f->damage, &f->damage, (pixman_region32_t *)damage);
	head_listener_done(f->listener);
}

static void on_cursor(void *owner, struct cursor *cursor)
{
	on_event(owner);
}

static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	on_event(owner);
}

static const struct head_listener_ops listener_ops = {
	.scanout = on_scanout,
	.disable = on_event,
	.update = on_update,
	.cursor = on_cursor,
	.mouse = on_mouse,
};

/* One pixel is one tile of damage, a new address of the same size no new picture. */
static void test_damage(struct ramfb_fixture *f, gconstpointer data)
{
	pixman_box32_t box;

	g_assert_true(show(f, &(struct description) { 0, XR24, 0, 640, 480, 0 }));
	f->listener = head_add_listener(ramfb_head(f->ramfb), &listener_ops, f, 1);
	while (f->scanouts == 0)
		g_main_context_iteration(NULL, TRUE);
	f->ram[2560 * 100 + 4 * 130] = 0xff;
	while (!pixman_region32_not_empty(&f->damage))
		g_main_context_iteration(NULL, TRUE);
	box = *pixman_region32_extents(&f->damage);
	g_assert_cmpint(box.x1, ==, 128);
	g_assert_cmpint(box.y1, ==, 96);
	g_assert_cmpint(box.x2, ==, 192);
	g_assert_cmpint(box.y2, ==, 112);
	pixman_region32_clear(&f->damage);
	f->ram[4 * 1024 * 1024 + 4 * 639] = 0xff;
	g_assert_true(show(f, &(struct description) { 4 * 1024 * 1024, XR24, 0, 640, 480, 0 }));
	while (!pixman_region32_not_empty(&f->damage))
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f->scanouts, ==, 1);
	box = *pixman_region32_extents(&f->damage);
	g_assert_cmpint(box.x2, ==, 640);
}

static void add(const char *name, void (*test)(struct ramfb_fixture *f, gconstpointer data))
{
	g_test_add(name, struct ramfb_fixture, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	add("/ramfb/shown", test_shown);
	add("/ramfb/refused", test_refused);
	add("/ramfb/state", test_state);
	add("/ramfb/resets", test_resets);
	add("/ramfb/damage", test_damage);
	return g_test_run();
}
