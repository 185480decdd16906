/* From written pages to rectangles: what a harvest finds, and what it does not. */
#include <stdio.h>

#include "display/damage.h"
#include "tests/unit/display/fake-log.h"

enum {
	WIDTH = 1024,
	HEIGHT = 768,
	STRIDE = WIDTH * 4,
	MEMORY = FAKE_PAGES * 4096
};

static const struct scanout picture = {
	.width = WIDTH,
	.height = HEIGHT,
	.stride = STRIDE,
	.format = PIXMAN_x8r8g8b8,
};

struct fixture {
	struct fake_log log;
	struct damage_tracker *tracker;
	pixman_region32_t told;
};

static void track(struct fixture *f, const struct scanout *scanout)
{
	f->tracker = damage_tracker_new(f->log.memory, scanout);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->log.memory = video_memory_new("test", MEMORY, &error);
	g_assert_no_error(error);
	video_memory_set_dirty_log(f->log.memory, &fake_log_ops, &f->log);
	pixman_region32_init(&f->told);
	track(f, &picture);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	damage_tracker_free(f->tracker);
	g_assert_false(f->log.active);
	video_memory_set_dirty_log(f->log.memory, NULL, NULL);
	video_memory_unref(f->log.memory);
	pixman_region32_fini(&f->told);
}

/* A harvest as text: "x,y wxh" for each rectangle. */
static char *harvest(struct fixture *f)
{
	pixman_region32_t damage;
	struct rectangle areas[16];
	GString *text = g_string_new(NULL);
	unsigned count;

	pixman_region32_init(&damage);
	damage_tracker_harvest(f->tracker, &f->told, false, &damage);
	pixman_region32_clear(&f->told);
	count = damage_rectangles(&damage, areas, G_N_ELEMENTS(areas));
	for (unsigned i = 0; i < count; i++)
		g_string_append_printf(text, "%s%d,%d %dx%d", i ? "; " : "", areas[i].x, areas[i].y,
			areas[i].width, areas[i].height);
	pixman_region32_fini(&damage);
	return g_string_free(text, FALSE);
}

#define expect(f, text) \
	G_STMT_START \
	{ \
		g_autofree char *found = harvest(f); \
		g_assert_cmpstr(found, ==, text); \
	} \
	G_STMT_END

/* Brings all tiles to rest: the consumers have read all of the first picture. */
static void rest(struct fixture *f)
{
	expect(f, "");
	expect(f, "");
}

static void pixels(struct fixture *f, uint32_t x, uint32_t y, uint32_t count, uint8_t value)
{
	fake_write(&f->log, (size_t)y * STRIDE + x * 4, count * 4, value);
}

static void test_nothing(struct fixture *f, gconstpointer data)
{
	rest(f);
	expect(f, "");
}

static void test_one_pixel(struct fixture *f, gconstpointer data)
{
	rest(f);
	pixels(f, 100, 20, 1, 1);
	expect(f, "64,16 64x16");
	expect(f, "");
}

static void test_corners(struct fixture *f, gconstpointer data)
{
	rest(f);
	pixels(f, 0, 0, 1, 1);
	pixels(f, WIDTH - 1, HEIGHT - 1, 1, 1);
	expect(f, "0,0 64x16; 960,752 64x16");
}

static void test_row_of_tiles(struct fixture *f, gconstpointer data)
{
	rest(f);
	pixels(f, 60, 5, 200, 1);
	expect(f, "0,0 320x16");
}

static void test_block(struct fixture *f, gconstpointer data)
{
	rest(f);
	for (uint32_t y = 100; y < 200; y++)
		pixels(f, 300, y, 100, 1);
	expect(f, "256,96 192x112");
}

/* Side by side, at different heights: a region has them in bands, the damage has not. */
static void test_side_by_side(struct fixture *f, gconstpointer data)
{
	rest(f);
	for (uint32_t y = 0; y < 64; y++)
		pixels(f, 0, y, 10, 1);
	for (uint32_t y = 32; y < 96; y++)
		pixels(f, 512, y, 10, 1);
	expect(f, "0,0 64x64; 512,32 64x64");
}

static void test_same_written_again(struct fixture *f, gconstpointer data)
{
	rest(f);
	pixels(f, 10, 10, 50, 7);
	expect(f, "0,0 64x16");
	for (unsigned i = 0; i < 20; i++) {
		pixels(f, 10, 10, 50, 7);
		expect(f, "");
	}
}

/* Memory of the guest outside the picture is not ours to look at. */
static void test_outside(struct fixture *f, gconstpointer data)
{
	rest(f);
	fake_write(&f->log, (size_t)STRIDE * HEIGHT, 8192, 1);
	expect(f, "");
}

/* A change between the harvest and the consumer's look, undone before the next harvest, is shown again. */
static void test_undone(struct fixture *f, gconstpointer data)
{
	pixman_region32_t tile;

	pixman_region32_init_rect(&tile, 0, 0, 64, 16);
	rest(f);
	pixels(f, 0, 0, 1, 1);
	expect(f, "0,0 64x16");
	damage_tracker_given(f->tracker, &tile);
	pixels(f, 0, 0, 1, 2); /* the consumer may read this ... */
	pixels(f, 0, 0, 1, 1);
	expect(f, "");          /* ... nothing differs ... */
	expect(f, "0,0 64x16"); /* ... but when the tile is at rest it is shown once more */
	damage_tracker_given(f->tracker, &tile);
	rest(f);
	pixman_region32_fini(&tile);
}

/* The same while the guest never rests: shown once in a while. */
static void test_restless(struct fixture *f, gconstpointer data)
{
	unsigned shown = 0;

	rest(f);
	damage_tracker_given(f->tracker, NULL);
	for (unsigned i = 0; i < 80; i++) {
		g_autofree char *found = NULL;

		pixels(f, 0, 0, 1, 0);
		found = harvest(f);
		shown += found[0] != '\0';
	}
	g_assert_cmpuint(shown, ==, 10);
}

static void test_odd_layout(struct fixture *f, gconstpointer data)
{
	struct scanout odd = {
		.width = 100,
		.height = 50,
		.stride = 404,
		.offset = 5000,
		.format = PIXMAN_x8r8g8b8,
	};

	damage_tracker_free(f->tracker);
	track(f, &odd);
	rest(f);
	fake_write(&f->log, 5000 + 404 * 49 + 99 * 4, 4, 1); /* the last pixel */
	expect(f, "64,48 36x2");
	fake_write(&f->log, 5000 + 404 * 3 + 400, 4, 1); /* padding */
	expect(f, "");
	fake_write(&f->log, 4096, 900, 1); /* before the first pixel */
	expect(f, "");
}

static void test_depths(struct fixture *f, gconstpointer data)
{
	static const struct {
		pixman_format_code_t format;
		uint32_t bytes;
	} depths[] = {
		{ PIXMAN_r5g6b5, 2 },
		{ PIXMAN_x1r5g5b5, 2 },
		{ PIXMAN_r8g8b8, 3 },
		{ PIXMAN_b8g8r8x8, 4 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(depths); i++) {
		struct scanout scanout = picture;

		scanout.format = depths[i].format;
		scanout.stride = WIDTH * depths[i].bytes;
		damage_tracker_free(f->tracker);
		track(f, &scanout);
		rest(f);
		fake_write(&f->log, 20 * scanout.stride + 130 * depths[i].bytes, 1, i + 1);
		expect(f, "128,16 64x16");
	}
}

/* What a device tells is compared like written pages when there is a log. */
static void test_told(struct fixture *f, gconstpointer data)
{
	rest(f);
	video_memory_bytes(f->log.memory)[STRIDE * 40 + 4] = 9; /* by the device: not in the log */
	pixman_region32_union_rect(&f->told, &f->told, 0, 40, 640, 1);
	expect(f, "0,32 64x16");
}

static void test_no_log(struct fixture *f, gconstpointer data)
{
	damage_tracker_free(f->tracker);
	video_memory_set_dirty_log(f->log.memory, NULL, NULL);
	track(f, &picture);
	g_assert_false(damage_tracker_polls(f->tracker));
	pixman_region32_union_rect(&f->told, &f->told, 3, 4, 5, 6);
	expect(f, "3,4 5x6");
	/* A log that comes later: once everything, then what changes. */
	video_memory_set_dirty_log(f->log.memory, &fake_log_ops, &f->log);
	expect(f, "0,0 1024x768");
	g_assert_true(damage_tracker_polls(f->tracker));
	rest(f);
	pixels(f, 0, 0, 1, 5);
	expect(f, "0,0 64x16");
}

static void fill(struct fixture *f, uint8_t value, uint32_t rows)
{
	fake_write(&f->log, 0, (size_t)rows * STRIDE, value);
}

static void test_full_motion(struct fixture *f, gconstpointer data)
{
	rest(f);
	for (unsigned i = 0; i < 4; i++) {
		g_assert_false(damage_tracker_full_motion(f->tracker));
		fill(f, i + 1, HEIGHT);
		expect(f, "0,0 1024x768");
	}
	g_assert_true(damage_tracker_full_motion(f->tracker));
	/* Nothing is protected any more, all changes are still found. */
	f->log.kept = 0;
	fill(f, 77, HEIGHT);
	expect(f, "0,0 1024x768");
	g_assert_cmpuint(f->log.kept, ==, 1);
	fill(f, 78, 32);
	expect(f, "0,0 1024x32");
	/* Little changes: back to the log. */
	for (unsigned i = 0; i < 7; i++)
		g_free(harvest(f));
	g_assert_false(damage_tracker_full_motion(f->tracker));
	g_free(harvest(f));
	rest(f);
	pixels(f, 0, 0, 1, 1);
	expect(f, "0,0 64x16");
}

/* A picture that is half new every time is not full motion. */
static void test_half_motion(struct fixture *f, gconstpointer data)
{
	rest(f);
	for (unsigned i = 0; i < 20; i++) {
		fill(f, i + 1, HEIGHT / 2);
		expect(f, "0,0 1024x384");
	}
	g_assert_false(damage_tracker_full_motion(f->tracker));
}

/* Two pictures in one memory: what one fetches from the log is not lost to the other. */
static void test_two_watchers(struct fixture *f, gconstpointer data)
{
	struct fixture second = { .log = { .memory = f->log.memory } };

	pixman_region32_init(&second.told);
	track(&second, &picture);
	g_assert_cmpuint(f->log.turned_on, ==, 1);
	rest(f);
	rest(&second);
	pixels(f, 0, 0, 1, 1);
	expect(f, "0,0 64x16");
	expect(&second, "0,0 64x16");
	pixels(f, 64, 0, 1, 1);
	expect(&second, "64,0 64x16");
	expect(f, "64,0 64x16");
	damage_tracker_free(second.tracker);
	pixman_region32_fini(&second.told);
	g_assert_true(f->log.active);
}

/* Whatever the region, few rectangles cover all of it. */
static void test_rectangles_cover(struct fixture *f, gconstpointer data)
{
	for (unsigned round = 0; round < 200; round++) {
		unsigned boxes = g_test_rand_int_range(1, round < 100 ? 30 : 600);
		unsigned most = g_test_rand_int_range(1, 20);
		struct rectangle areas[20];
		pixman_region32_t region, left;
		unsigned count;

		pixman_region32_init(&region);
		for (unsigned i = 0; i < boxes; i++)
			pixman_region32_union_rect(&region, &region,
				g_test_rand_int_range(0, 64) * 16,
				g_test_rand_int_range(0, 64) * 16, g_test_rand_int_range(1, 64),
				g_test_rand_int_range(1, 64));
		count = damage_rectangles(&region, areas, most);
		g_assert_cmpuint(count, >=, 1);
		g_assert_cmpuint(count, <=, most);
		pixman_region32_init(&left);
		pixman_region32_copy(&left, &region);
		for (unsigned i = 0; i < count; i++) {
			pixman_region32_t area;
			pixman_box32_t *extents = pixman_region32_extents(&region);

			g_assert_cmpint(areas[i].x, >=, extents->x1);
			g_assert_cmpint(areas[i].x + areas[i].width, <=, extents->x2);
			pixman_region32_init_rect(
				&area, areas[i].x, areas[i].y, areas[i].width, areas[i].height);
			pixman_region32_subtract(&left, &left, &area);
			pixman_region32_fini(&area);
		}
		g_assert_false(pixman_region32_not_empty(&left));
		pixman_region32_fini(&left);
		pixman_region32_fini(&region);
	}
}

/* Random pictures and random writes: what differs from what was shown before is in the damage, always. */
static void test_nothing_is_missed(struct fixture *f, gconstpointer data)
{
	g_autofree uint8_t *shown = g_malloc(MEMORY);

	for (unsigned round = 0; round < 50; round++) {
		struct scanout scanout = {
			.width = g_test_rand_int_range(1, 700),
			.height = g_test_rand_int_range(1, 300),
			.offset = g_test_rand_int_range(0, 3 * 4096),
			.format = PIXMAN_x8r8g8b8,
		};

		scanout.stride = scanout.width * 4 + g_test_rand_int_range(0, 30) * 4;
		damage_tracker_free(f->tracker);
		track(f, &scanout);
		memcpy(shown, video_memory_bytes(f->log.memory), MEMORY);
		for (unsigned turn = 0; turn < 20; turn++) {
			size_t size =
				scanout.offset + (size_t)scanout.height * scanout.stride + 4096;
			pixman_region32_t damage;

			for (int writes = g_test_rand_int_range(0, 30); writes > 0; writes--)
				fake_write(&f->log, g_test_rand_int_range(0, size),
					g_test_rand_int_range(1, turn % 5 ? 100 : 20000),
					g_test_rand_int());
			pixman_region32_init(&damage);
			damage_tracker_harvest(f->tracker, &f->told, g_test_rand_bit(), &damage);
			if (g_test_rand_bit())
				damage_tracker_given(f->tracker, &damage);
			for (uint32_t y = 0; y < scanout.height; y++) {
				for (uint32_t x = 0; x < scanout.width; x++) {
					size_t at =
						scanout.offset + (size_t)y * scanout.stride + x * 4;

					if (memcmp(shown + at,
						    video_memory_bytes(f->log.memory) + at, 4))
						g_assert_true(pixman_region32_contains_point(
							&damage, x, y, NULL));
				}
			}
			pixman_region32_fini(&damage);
			memcpy(shown, video_memory_bytes(f->log.memory), MEMORY);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(struct fixture *, gconstpointer);
	} tests[] = {
		{ "/damage/nothing", test_nothing },
		{ "/damage/one-pixel", test_one_pixel },
		{ "/damage/corners", test_corners },
		{ "/damage/row-of-tiles", test_row_of_tiles },
		{ "/damage/block", test_block },
		{ "/damage/side-by-side", test_side_by_side },
		{ "/damage/same-written-again", test_same_written_again },
		{ "/damage/outside", test_outside },
		{ "/damage/undone", test_undone },
		{ "/damage/restless", test_restless },
		{ "/damage/odd-layout", test_odd_layout },
		{ "/damage/depths", test_depths },
		{ "/damage/told", test_told },
		{ "/damage/no-log", test_no_log },
		{ "/damage/full-motion", test_full_motion },
		{ "/damage/half-motion", test_half_motion },
		{ "/damage/two-watchers", test_two_watchers },
		{ "/damage/nothing-is-missed", test_nothing_is_missed },
		{ "/damage/rectangles-cover", test_rectangles_cover },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
