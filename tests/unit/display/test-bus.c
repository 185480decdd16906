/* The display bus, both sides in one process: pictures, damage, input and what is told of changes. */
#include <string.h>
#include <unistd.h>

#include "base/sockets.h"
#include "display/bus-client.h"
#include "display/bus-server.h"
#include "display/head.h"
#include "tests/unit/display/fake-log.h"

enum {
	WIDTH = 320,
	HEIGHT = 200,
	MEMORY = 1 << 20
};

struct fixture {
	GMutex lock;
	struct display *display;
	struct head *head;
	struct video_memory *memory;
	struct bus_server *server;
	struct bus_client *client;
	struct bus_console *console;

	/* What the client saw. */
	bool ready, ended;
	guint scanouts, disables, updates;
	struct bus_picture picture;
	struct rectangle area;
	bool hold; /* answer updates later */
	struct cursor *cursor;
	int32_t mouse_x, mouse_y;
	bool mouse_visible, absolute;
	uint32_t lights;

	/* What the device saw. */
	GString *input;
	struct fake_log log;
	bool draws; /* at each key */
};

static void spin(void)
{
	g_main_context_iteration(NULL, TRUE);
}

/* Every wait has an end, far away: a test that hangs says where. */
#define wait_for(condition) \
	G_STMT_START \
	{ \
		gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; \
		guint ticks = g_timeout_add(50, keep_turning, NULL); \
		while (!(condition)) { \
			spin(); \
			g_assert_cmpint(g_get_monotonic_time(), <, deadline); \
		} \
		g_source_remove(ticks); \
	} \
	G_STMT_END

static gboolean keep_turning(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

static void on_ready(void *owner)
{
	((struct fixture *)owner)->ready = true;
}

static void on_ended(void *owner, const GError *reason)
{
	((struct fixture *)owner)->ended = true;
}

static void on_scanout(void *owner, const struct bus_picture *picture)
{
	struct fixture *f = owner;

	f->scanouts++;
	f->picture = *picture;
}

static void on_disable(void *owner)
{
	((struct fixture *)owner)->disables++;
}

static bool on_update(void *owner, const struct rectangle *areas, guint count)
{
	struct fixture *f = owner;

	g_assert_cmpuint(count, >=, 1);
	f->updates++;
	f->area = areas[0];
	return !f->hold;
}

static void on_cursor(void *owner, const struct cursor *cursor)
{
	struct fixture *f = owner;

	cursor_unref(f->cursor);
	f->cursor = cursor ? cursor_ref((struct cursor *)cursor) : NULL;
}

static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	struct fixture *f = owner;

	f->mouse_x = x;
	f->mouse_y = y;
	f->mouse_visible = visible;
}

static void on_lights(void *owner, uint32_t lights)
{
	((struct fixture *)owner)->lights = lights;
}

static void on_pointer_kind(void *owner, bool absolute)
{
	((struct fixture *)owner)->absolute = absolute;
}

static const struct bus_client_ops client_ops = { .ready = on_ready, .ended = on_ended };

static const struct bus_console_ops console_ops = {
	.scanout = on_scanout,
	.disable = on_disable,
	.update = on_update,
	.cursor = on_cursor,
	.mouse = on_mouse,
	.lights = on_lights,
	.pointer_kind = on_pointer_kind,
};

static void device_key(void *device, uint8_t qnum, bool down)
{
	struct fixture *f = device;

	g_string_append_printf(f->input, "key %u %d;", qnum, down);
	if (f->draws)
		fake_write(&f->log, 0, 4, f->input->len);
}

static void device_position(void *device, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	g_string_append_printf(
		((struct fixture *)device)->input, "at %u,%u of %ux%u;", x, y, width, height);
}

static void device_motion(void *device, int32_t dx, int32_t dy)
{
	g_string_append_printf(((struct fixture *)device)->input, "by %d,%d;", dx, dy);
}

static void device_button(void *device, enum input_button button, bool down)
{
	g_string_append_printf(((struct fixture *)device)->input, "button %d %d;", button, down);
}

static void device_ui_info(void *device, const struct head_ui_info *info)
{
	g_string_append_printf(
		((struct fixture *)device)->input, "wish %ux%u;", info->width, info->height);
}

static const struct keyboard_ops keyboard = { .key = device_key };
static const struct pointer_ops tablet = {
	.absolute = true,
	.position = device_position,
	.button = device_button,
};
static const struct pointer_ops mouse = { .motion = device_motion, .button = device_button };
static const struct head_ops head_ops = { .set_ui_info = device_ui_info };

static const struct scanout picture = {
	.width = WIDTH,
	.height = HEIGHT,
	.stride = WIDTH * 4,
	.format = PIXMAN_x8r8g8b8,
};

static void set_up(struct fixture *f, gconstpointer data)
{
	struct head_config config = { .label = "VGA", .ops = &head_ops, .device = f };
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_mutex_init(&f->lock);
	f->input = g_string_new(NULL);
	f->display = display_new(&f->lock);
	f->memory = video_memory_new("test", MEMORY, &error);
	g_assert_no_error(error);
	g_mutex_lock(&f->lock);
	f->head = head_new(f->display, &config);
	display_set_keyboard(f->display, &keyboard, f);
	display_set_pointer(f->display, &tablet, f);
	g_mutex_unlock(&f->lock);
	f->server = bus_server_new(f->display, "guest", "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb");
	g_assert_true(socket_pair(pair, &error));
	bus_server_adopt(f->server, pair[0]);
	f->client = bus_client_adopt(pair[1], &client_ops, f);
	wait_for(f->ready);
}

static void watch(struct fixture *f)
{
	f->console = bus_client_watch(f->client, 0, &console_ops, f);
	wait_for(f->scanouts + f->disables > 0);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	bus_client_free(f->client);
	bus_server_free(f->server);
	g_mutex_lock(&f->lock);
	head_free(f->head);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	video_memory_unref(f->memory);
	cursor_unref(f->cursor);
	g_string_free(f->input, TRUE);
	g_mutex_clear(&f->lock);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void show(struct fixture *f, const struct scanout *scanout)
{
	g_mutex_lock(&f->lock);
	head_set_scanout(f->head, f->memory, scanout);
	g_mutex_unlock(&f->lock);
}

static void damage(struct fixture *f, int32_t x, int32_t y, int32_t width, int32_t height)
{
	struct rectangle area = { x, y, width, height };

	g_mutex_lock(&f->lock);
	head_damage(f->head, &area);
	g_mutex_unlock(&f->lock);
}

static void test_found(struct fixture *f, gconstpointer data)
{
	g_assert_cmpstr(bus_client_name(f->client), ==, "guest");
	g_assert_cmpstr(bus_client_uuid(f->client), ==, "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb");
	g_assert_cmpuint(bus_client_console_count(f->client), ==, 1);
	watch(f);
	g_assert_cmpuint(f->disables, ==, 1);
	g_assert_cmpstr(bus_console_label(f->console), ==, "VGA");
	g_assert_true(bus_console_pointer_is_absolute(f->console));
}

static void test_picture(struct fixture *f, gconstpointer data)
{
	uint8_t *bytes = video_memory_bytes(f->memory);

	bytes[5] = 0x55;
	show(f, &picture);
	watch(f);
	g_assert_cmpuint(f->scanouts, ==, 1);
	g_assert_cmpuint(f->picture.width, ==, WIDTH);
	g_assert_cmpuint(f->picture.height, ==, HEIGHT);
	g_assert_cmpuint(f->picture.stride, ==, WIDTH * 4);
	g_assert_cmpuint(f->picture.format, ==, PIXMAN_x8r8g8b8);
	/* Shared, not copied: what the guest draws is there at once. */
	g_assert_cmpuint(f->picture.pixels[5], ==, 0x55);
	bytes[5] = 0x66;
	g_assert_cmpuint(f->picture.pixels[5], ==, 0x66);
}

static void test_update(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	watch(f);
	damage(f, 10, 20, 30, 40);
	wait_for(f->updates > 0);
	g_assert_cmpint(f->area.x, ==, 10);
	g_assert_cmpint(f->area.y, ==, 20);
	g_assert_cmpint(f->area.width, ==, 30);
	g_assert_cmpint(f->area.height, ==, 40);
}

static gboolean set_true(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

static void test_busy(struct fixture *f, gconstpointer data)
{
	bool later = false;

	show(f, &picture);
	watch(f);
	f->hold = true;
	damage(f, 0, 0, 8, 8);
	wait_for(f->updates == 1);
	damage(f, 16, 0, 8, 8);
	damage(f, 24, 0, 8, 8);
	g_timeout_add(200, set_true, &later);
	wait_for(later);
	/* Nothing more is sent to who is not done; what happened meanwhile is one update. */
	g_assert_cmpuint(f->updates, ==, 1);
	bus_console_done(f->console);
	wait_for(f->updates == 2);
	g_assert_cmpint(f->area.x, ==, 16);
	g_assert_cmpint(f->area.width, ==, 16);
}

static void test_mode_switch(struct fixture *f, gconstpointer data)
{
	struct scanout smaller = picture;

	show(f, &picture);
	watch(f);
	f->hold = true;
	damage(f, 0, 0, WIDTH, HEIGHT);
	wait_for(f->updates == 1);
	smaller.width = 64;
	smaller.height = 32;
	smaller.offset = 4096 + 64;
	show(f, &smaller);
	bus_console_done(f->console);
	wait_for(f->scanouts == 2);
	g_assert_cmpuint(f->picture.width, ==, 64);
	video_memory_bytes(f->memory)[4096 + 64] = 0x77;
	g_assert_cmpuint(f->picture.pixels[0], ==, 0x77);
	g_mutex_lock(&f->lock);
	head_disable(f->head);
	g_mutex_unlock(&f->lock);
	wait_for(f->disables == 1);
}

static void test_cursor(struct fixture *f, gconstpointer data)
{
	struct cursor *cursor = cursor_new(3, 2, 1, 1);

	cursor->pixels[5] = 0xff123456;
	watch(f);
	g_mutex_lock(&f->lock);
	head_set_cursor(f->head, cursor);
	head_move_cursor(f->head, -4, 300, true);
	g_mutex_unlock(&f->lock);
	wait_for(f->cursor && f->mouse_visible);
	g_assert_cmpuint(f->cursor->width, ==, 3);
	g_assert_cmpuint(f->cursor->height, ==, 2);
	g_assert_cmpuint(f->cursor->pixels[5], ==, 0xff123456);
	g_assert_cmpint(f->mouse_x, ==, -4);
	g_assert_cmpint(f->mouse_y, ==, 300);
	g_mutex_lock(&f->lock);
	head_set_cursor(f->head, NULL);
	g_mutex_unlock(&f->lock);
	wait_for(f->cursor->width == 1);
	g_assert_cmpuint(f->cursor->pixels[0], ==, 0);
	cursor_unref(cursor);
}

static void test_input(struct fixture *f, gconstpointer data)
{
	struct head_ui_info info = { .width = 800, .height = 600 };

	show(f, &picture);
	watch(f);
	bus_console_key(f->console, 0x1e, true);
	bus_console_key(f->console, 0x1e, false);
	bus_console_position(f->console, 5000, 6);
	bus_console_button(f->console, INPUT_BUTTON_RIGHT, true);
	bus_console_button(f->console, INPUT_BUTTON_RIGHT, false);
	bus_console_set_ui_info(f->console, &info);
	wait_for(strstr(f->input->str, "wish"));
	g_assert_cmpstr(f->input->str, ==,
		"key 30 1;key 30 0;at 319,6 of 320x200;button 2 1;button 2 0;wish 800x600;");
}

static void test_pointer_kind(struct fixture *f, gconstpointer data)
{
	watch(f);
	wait_for(f->absolute);
	g_mutex_lock(&f->lock);
	display_set_pointer(f->display, &mouse, &f->input);
	display_set_pointer(f->display, NULL, f);
	display_set_lights(f->display, INPUT_LIGHT_CAPS);
	g_mutex_unlock(&f->lock);
	wait_for(!f->absolute && f->lights == INPUT_LIGHT_CAPS);
	g_mutex_lock(&f->lock);
	/* Beside a mouse a tablet is what is used. */
	display_set_pointer(f->display, &tablet, f);
	g_mutex_unlock(&f->lock);
	wait_for(f->absolute);
	g_mutex_lock(&f->lock);
	display_set_pointer(f->display, NULL, &f->input);
	g_mutex_unlock(&f->lock);
}

/* Keys that a peer held when it went must not stay down in the guest. */
static void test_release_at_end(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	watch(f);
	bus_console_key(f->console, 0x2a, true);
	bus_console_button(f->console, INPUT_BUTTON_LEFT, true);
	wait_for(strstr(f->input->str, "button 0 1;"));
	bus_client_free(f->client);
	f->client = NULL;
	wait_for(strstr(f->input->str, "key 42 0;button 0 0;"));
}

static void test_guest_goes(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	watch(f);
	bus_server_free(f->server);
	f->server = NULL;
	wait_for(f->ended);
	/* Still there to be looked at. */
	g_assert_cmpuint(f->picture.pixels[0], ==, 0);
}

static void test_unwatch(struct fixture *f, gconstpointer data)
{
	show(f, &picture);
	watch(f);
	bus_console_unwatch(f->console);
	f->scanouts = 0;
	watch(f);
	g_assert_cmpuint(f->scanouts, ==, 1);
}

static int ascending(gconstpointer a, gconstpointer b)
{
	return *(const gint64 *)a < *(const gint64 *)b ? -1 : 1;
}

/* From a key to the picture that answers it, with a guest that has long been idle and draws at once. */
static void test_latency(struct fixture *f, gconstpointer data)
{
	gint64 times[9];

	f->log.memory = f->memory;
	video_memory_set_dirty_log(f->memory, &fake_log_ops, &f->log);
	show(f, &picture);
	watch(f);
	f->draws = true;
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
		bool idle = false;
		gint64 start;
		guint before;

		g_timeout_add(300, set_true, &idle);
		wait_for(idle);
		before = f->updates;
		start = g_get_monotonic_time();
		bus_console_key(f->console, i + 1, true);
		while (f->updates == before)
			g_main_context_iteration(NULL, TRUE);
		times[i] = g_get_monotonic_time() - start;
	}
	qsort(times, G_N_ELEMENTS(times), sizeof(times[0]), ascending);
	g_test_message("from key to update: %" G_GINT64_FORMAT " us in the median",
		times[G_N_ELEMENTS(times) / 2]);
	/* Far above what it takes, and below what waiting for an idle look would. */
	g_assert_cmpint(times[0], <, 150000);
	bus_console_unwatch(f->console);
	video_memory_set_dirty_log(f->memory, NULL, NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(struct fixture *, gconstpointer);
	} tests[] = {
		{ "/bus/found", test_found },
		{ "/bus/picture", test_picture },
		{ "/bus/update", test_update },
		{ "/bus/busy", test_busy },
		{ "/bus/mode-switch", test_mode_switch },
		{ "/bus/cursor", test_cursor },
		{ "/bus/input", test_input },
		{ "/bus/pointer-kind", test_pointer_kind },
		{ "/bus/release-at-end", test_release_at_end },
		{ "/bus/guest-goes", test_guest_goes },
		{ "/bus/unwatch", test_unwatch },
		{ "/bus/latency", test_latency },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
