/* A head's turns: what its listeners get, when they get it, and what it costs when nobody listens. */
#include "display/damage.h"
#include "display/head.h"
#include "tests/unit/display/fake-log.h"

enum {
	WIDTH = 640,
	HEIGHT = 480,
	STRIDE = WIDTH * 4,
	MEMORY = FAKE_PAGES * 4096
};

static const struct scanout picture = {
	.width = WIDTH,
	.height = HEIGHT,
	.stride = STRIDE,
	.format = PIXMAN_x8r8g8b8,
};

struct watcher {
	struct head_listener *listener;
	GString *seen;
	bool hold; /* not done until told */
};

struct fixture {
	GMutex lock;
	struct display *display;
	struct head *head;
	struct fake_log log;
	struct watcher first, second;
	unsigned refreshes;
	bool draws; /* the device draws at each refresh */
};

static gboolean keep_turning(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

#define wait_for(condition) \
	G_STMT_START \
	{ \
		gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; \
		guint ticks = g_timeout_add(20, keep_turning, NULL); \
		while (!(condition)) { \
			g_main_context_iteration(NULL, TRUE); \
			g_assert_cmpint(g_get_monotonic_time(), <, deadline); \
		} \
		g_source_remove(ticks); \
	} \
	G_STMT_END

static gboolean set_true(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

/* Lets the main loop run for a while in which something must not happen. */
static void let_pass(guint milliseconds)
{
	bool passed = false;

	g_timeout_add(milliseconds, set_true, &passed);
	wait_for(passed);
}

static void done(struct watcher *watcher)
{
	if (!watcher->hold)
		head_listener_done(watcher->listener);
}

static void on_scanout(void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	struct watcher *watcher = owner;

	g_string_append_printf(watcher->seen, "scanout %ux%u;", scanout->width, scanout->height);
	done(watcher);
}

static void on_disable(void *owner)
{
	g_string_append(((struct watcher *)owner)->seen, "disable;");
	done(owner);
}

static void on_update(void *owner, const pixman_region32_t *damage)
{
	struct watcher *watcher = owner;
	struct rectangle areas[8];
	unsigned count = damage_rectangles(damage, areas, G_N_ELEMENTS(areas));

	g_string_append(watcher->seen, "update");
	for (unsigned i = 0; i < count; i++)
		g_string_append_printf(watcher->seen, " %d,%d %dx%d", areas[i].x, areas[i].y,
			areas[i].width, areas[i].height);
	g_string_append(watcher->seen, ";");
	done(watcher);
}

static void on_cursor(void *owner, struct cursor *cursor)
{
	struct watcher *watcher = owner;

	g_string_append_printf(watcher->seen, "cursor %u;", cursor ? cursor->width : 0);
	done(watcher);
}

static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	struct watcher *watcher = owner;

	g_string_append_printf(watcher->seen, "mouse %d,%d %d;", x, y, visible);
	done(watcher);
}

static const struct head_listener_ops listener_ops = {
	.scanout = on_scanout,
	.disable = on_disable,
	.update = on_update,
	.cursor = on_cursor,
	.mouse = on_mouse,
};

static void device_refresh(void *device)
{
	struct fixture *f = device;
	struct rectangle area = { 8, 8, 8, 8 };

	f->refreshes++;
	if (f->draws)
		head_damage(f->head, &area);
}

static const struct head_ops refreshed_ops = { .refresh = device_refresh };

static void set_up(struct fixture *f, gconstpointer data)
{
	const struct head_ops *ops = data;
	struct head_config config = { .label = "VGA", .ops = ops, .device = f };
	g_autoptr(GError) error = NULL;

	g_mutex_init(&f->lock);
	f->display = display_new(&f->lock);
	f->log.memory = video_memory_new("test", MEMORY, &error);
	g_assert_no_error(error);
	f->first.seen = g_string_new(NULL);
	f->second.seen = g_string_new(NULL);
	g_mutex_lock(&f->lock);
	f->head = head_new(f->display, &config);
	g_mutex_unlock(&f->lock);
}

static void listen(struct fixture *f, struct watcher *watcher)
{
	watcher->listener = head_add_listener(f->head, &listener_ops, watcher, 10);
}

static void leave(struct watcher *watcher)
{
	if (watcher->listener)
		head_remove_listener(watcher->listener);
	watcher->listener = NULL;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	leave(&f->first);
	leave(&f->second);
	g_assert_false(f->log.active);
	g_mutex_lock(&f->lock);
	head_free(f->head);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	video_memory_set_dirty_log(f->log.memory, NULL, NULL);
	video_memory_unref(f->log.memory);
	g_string_free(f->first.seen, TRUE);
	g_string_free(f->second.seen, TRUE);
	g_mutex_clear(&f->lock);
}

static void show(struct fixture *f, const struct scanout *scanout)
{
	g_mutex_lock(&f->lock);
	head_set_scanout(f->head, f->log.memory, scanout);
	g_mutex_unlock(&f->lock);
}

static void damage(struct fixture *f, int32_t x, int32_t y, int32_t width, int32_t height)
{
	struct rectangle area = { x, y, width, height };

	g_mutex_lock(&f->lock);
	head_damage(f->head, &area);
	g_mutex_unlock(&f->lock);
}

static void with_log(struct fixture *f)
{
	video_memory_set_dirty_log(f->log.memory, &fake_log_ops, &f->log);
}

#define START "scanout 640x480;cursor 0;mouse 0,0 0;"

static void test_start(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	g_assert_cmpstr(f->first.seen->str, ==, START);
}

static void test_start_without_picture(struct fixture *f, gconstpointer data)
{
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	g_assert_cmpstr(f->first.seen->str, ==, "disable;cursor 0;mouse 0,0 0;");
	show(f, &picture);
	wait_for(strstr(f->first.seen->str, "scanout 640x480;"));
}

static void test_told_damage(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	damage(f, -5, -5, 15, 15);
	damage(f, 700, 10, 10, 10);
	damage(f, 630, 470, 100, 100);
	wait_for(strstr(f->first.seen->str, "update"));
	g_assert_cmpstr(f->first.seen->str, ==, START "update 0,0 10x10 630,470 10x10;");
}

static void test_logged_damage(struct fixture *f, gconstpointer data)
{
	with_log(f);
	show(f, &picture);
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	wait_for(f->log.harvests >= 4); /* all at rest */
	g_string_truncate(f->first.seen, 0);
	fake_write(&f->log, STRIDE * 100 + 200 * 4, 4, 1);
	wait_for(f->first.seen->len > 0);
	g_assert_cmpstr(f->first.seen->str, ==, "update 192,96 64x16;");
}

static void test_nobody_listens(struct fixture *f, gconstpointer data)
{
	with_log(f);
	show(f, &picture);
	damage(f, 0, 0, 10, 10);
	head_wake(f->head);
	let_pass(100);
	g_assert_cmpuint(f->log.turned_on, ==, 0);
	g_assert_cmpuint(f->refreshes, ==, 0);
	listen(f, &f->first);
	wait_for(f->log.harvests > 0);
	leave(&f->first);
	g_assert_false(f->log.active);
	f->log.harvests = 0;
	f->refreshes = 0;
	damage(f, 0, 0, 10, 10);
	head_wake(f->head);
	let_pass(100);
	g_assert_cmpuint(f->log.harvests, ==, 0);
	g_assert_cmpuint(f->refreshes, ==, 0);
}

static void test_busy_is_merged(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	f->first.hold = true;
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	damage(f, 0, 0, 10, 10);
	damage(f, 10, 0, 10, 10);
	g_mutex_lock(&f->lock);
	head_move_cursor(f->head, 1, 1, true);
	head_move_cursor(f->head, 2, 2, true);
	g_mutex_unlock(&f->lock);
	let_pass(100);
	g_assert_cmpstr(f->first.seen->str, ==, START);
	head_listener_done(f->first.listener);
	wait_for(strstr(f->first.seen->str, "update"));
	g_assert_cmpstr(f->first.seen->str, ==, START "mouse 2,2 1;update 0,0 20x10;");
}

/* A listener that does not answer keeps nothing from the other one. */
static void test_one_is_busy(struct fixture *f, gconstpointer data)
{
	with_log(f);
	show(f, &picture);
	f->first.hold = true;
	listen(f, &f->first);
	listen(f, &f->second);
	wait_for(f->first.seen->len > 0 && f->second.seen->len > 0);
	wait_for(f->log.harvests >= 4);
	fake_write(&f->log, 0, 4, 1);
	wait_for(strstr(f->second.seen->str, "update 0,0 "));
	fake_write(&f->log, STRIDE * 64, 4, 1);
	wait_for(strstr(f->second.seen->str, " 0,64 "));
	g_assert_cmpstr(f->first.seen->str, ==, START);
	head_listener_done(f->first.listener);
	wait_for(strstr(f->first.seen->str, "update"));
	/* One update with all of it; tiles of the same pages may be with them. */
	g_assert_true(g_str_has_prefix(f->first.seen->str, START "update 0,0 "));
	g_assert_nonnull(strstr(f->first.seen->str, " 0,64 "));
	g_assert_null(strstr(strstr(f->first.seen->str, "update") + 1, "update"));
}

static void test_switch_while_busy(struct fixture *f, gconstpointer data)
{
	struct scanout small = { 64, 32, 256, 4096, PIXMAN_x8r8g8b8 };

	show(f, &picture);
	f->first.hold = true;
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	damage(f, 600, 400, 10, 10);
	let_pass(50);
	for (unsigned i = 0; i < 100; i++) {
		show(f, i % 2 ? &small : &picture);
		let_pass(1);
	}
	damage(f, 0, 0, 640, 480); /* cut to the picture that is there now */
	head_listener_done(f->first.listener);
	wait_for(strstr(f->first.seen->str, "64x32"));
	/* Only the last of all the pictures, and no damage of another one. */
	g_assert_cmpstr(f->first.seen->str, ==, START "scanout 64x32;");
}

static void test_cursor(struct fixture *f, gconstpointer data)
{
	struct cursor *cursor = cursor_new(16, 16, 99, 99);

	g_assert_cmpuint(cursor->hot_x, ==, 15);
	g_assert_null(cursor_new(0, 16, 0, 0));
	g_assert_null(cursor_new(16, CURSOR_MAX_SIZE + 1, 0, 0));
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	g_string_truncate(f->first.seen, 0);
	g_mutex_lock(&f->lock);
	head_set_cursor(f->head, cursor);
	g_mutex_unlock(&f->lock);
	cursor_unref(cursor);
	wait_for(f->first.seen->len > 0);
	g_assert_cmpstr(f->first.seen->str, ==, "cursor 16;");
}

static void test_refresh(struct fixture *f, gconstpointer data)
{
	struct video_memory *memory;
	struct scanout scanout;

	g_assert_false(head_picture(f->head, &memory, &scanout));
	show(f, &picture);
	f->draws = true;
	g_assert_true(head_picture(f->head, &memory, &scanout));
	g_assert_true(memory == f->log.memory);
	g_assert_true(scanout_equal(&scanout, &picture));
	video_memory_unref(memory);
	g_assert_cmpuint(f->refreshes, ==, 2);
	listen(f, &f->first);
	wait_for(strstr(f->first.seen->str, "update 8,8 8x8;update 8,8 8x8;"));
}

/* Looks become rarer while nothing happens, and frequent at once when input is made. */
static void test_idle(struct fixture *f, gconstpointer data)
{
	unsigned idle, awake;

	with_log(f);
	show(f, &picture);
	listen(f, &f->first);
	let_pass(2000);
	f->log.harvests = 0;
	let_pass(1000);
	idle = f->log.harvests;
	g_assert_cmpuint(idle, <=, 6);
	f->log.harvests = 0;
	display_key(f->display, 1, true);
	let_pass(400);
	awake = f->log.harvests;
	g_test_message("%u looks in an idle second, %u in 400 ms after a key", idle, awake);
	g_assert_cmpuint(awake, >=, 3);
}

static void test_head_goes(struct fixture *f, gconstpointer data)
{
	struct head_config config = { .label = "second", .ops = &refreshed_ops, .device = f };

	with_log(f);
	show(f, &picture);
	listen(f, &f->first);
	wait_for(f->first.seen->len > 0);
	g_mutex_lock(&f->lock);
	head_free(f->head);
	f->head = head_new(f->display, &config);
	g_mutex_unlock(&f->lock);
	g_assert_cmpuint(display_head_count(f->display), ==, 1);
	wait_for(strstr(f->first.seen->str, "disable;"));
	g_assert_false(f->log.active);
}

/* Listeners that leave while they are being told something. */
static void leave_in_update(void *owner, const pixman_region32_t *damage)
{
	leave(owner);
}

static void leave_in_scanout(
	void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	leave(owner);
}

static void test_leave_within(struct fixture *f, gconstpointer data)
{
	struct head_listener_ops at_scanout = listener_ops;
	struct head_listener_ops at_update = listener_ops;

	at_scanout.scanout = leave_in_scanout;
	at_update.update = leave_in_update;
	show(f, &picture);
	f->first.listener = head_add_listener(f->head, &at_scanout, &f->first, 10);
	f->second.listener = head_add_listener(f->head, &at_update, &f->second, 10);
	wait_for(f->second.seen->len > 0);
	g_assert_null(f->first.listener);
	damage(f, 0, 0, 1, 1);
	wait_for(!f->second.listener);
}

/* Devices set pictures from any thread while listeners come and go. */
static gpointer draw(gpointer data)
{
	struct fixture *f = data;
	struct scanout small = { 64, 32, 256, 4096, PIXMAN_x8r8g8b8 };

	for (unsigned i = 0; i < 20000; i++) {
		if (i % 100 == 0)
			show(f, i % 200 ? &small : &picture);
		damage(f, i % 64, i % 32, 8, 8);
		fake_write(&f->log, (i * 4096) % MEMORY, 64, i);
	}
	return NULL;
}

static void test_threads(struct fixture *f, gconstpointer data)
{
	GThread *thread = g_thread_new("device", draw, f);

	for (unsigned i = 0; i < 100; i++) {
		listen(f, &f->first);
		listen(f, &f->second);
		for (unsigned turns = 0; turns < 20; turns++)
			g_main_context_iteration(NULL, FALSE);
		leave(&f->first);
		g_main_context_iteration(NULL, FALSE);
		leave(&f->second);
	}
	g_thread_join(thread);
}

int main(int argc, char **argv)
{
	static const struct head_ops plain_ops = { 0 };
	static const struct {
		const char *name;
		const struct head_ops *ops;
		void (*test)(struct fixture *, gconstpointer);
	} tests[] = {
		{ "/head/start", &plain_ops, test_start },
		{ "/head/start-without-picture", &plain_ops, test_start_without_picture },
		{ "/head/told-damage", &plain_ops, test_told_damage },
		{ "/head/logged-damage", &plain_ops, test_logged_damage },
		{ "/head/nobody-listens", &refreshed_ops, test_nobody_listens },
		{ "/head/busy-is-merged", &plain_ops, test_busy_is_merged },
		{ "/head/one-is-busy", &plain_ops, test_one_is_busy },
		{ "/head/switch-while-busy", &plain_ops, test_switch_while_busy },
		{ "/head/cursor", &plain_ops, test_cursor },
		{ "/head/refresh", &refreshed_ops, test_refresh },
		{ "/head/idle", &plain_ops, test_idle },
		{ "/head/head-goes", &plain_ops, test_head_goes },
		{ "/head/leave-within", &plain_ops, test_leave_within },
		{ "/head/threads", &refreshed_ops, test_threads },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, tests[i].ops, set_up, tests[i].test,
			tear_down);
	return g_test_run();
}
