/* The bus client and guests that are not ours: one that sends bytes and does not wait, and those that break the rules. */
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memfd.h"
#include "display/bus-client.h"
#include "display/bus-names.h"
#include "tests/unit/display/bus-peer.h"

enum {
	MEMORY = 64 << 10
};

static const char objects[] =
	"<node><interface name='org.qemu.Display1.VM'><property name='Name' type='s' "
	"access='read'/>"
	"<property name='ConsoleIDs' type='au' access='read'/></interface>"
	"<interface name='org.qemu.Display1.Console'>"
	"<method name='RegisterListener'><arg type='h' direction='in'/></method>"
	"<property name='Label' type='s' access='read'/><property name='Type' type='s' "
	"access='read'/>"
	"<property name='Width' type='u' access='read'/><property name='Height' type='u' "
	"access='read'/>"
	"</interface></node>";

/* A guest's side of the bus: a VM with text console 0 and graphic consoles 1 and 2. */
struct guest {
	GDBusConnection *connection;
	GDBusNodeInfo *node;
	GDBusConnection *listener; /* the last that was registered */
	guint registered;
	bool closed; /* the listener's connection */
};

struct fixture {
	struct guest guest;
	struct bus_client *client;
	struct bus_console *console;
	bool ready, ended, hold;
	char *reason;
	guint scanouts, updates, disables;
	struct bus_picture picture;
	GString *areas;
	uint32_t cursor_width;
};

static void on_ready(void *owner)
{
	((struct fixture *)owner)->ready = true;
}

static void on_ended(void *owner, const GError *reason)
{
	struct fixture *f = owner;

	g_assert_false(f->ended);
	f->ended = true;
	f->reason = reason ? g_strdup(reason->message) : NULL;
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

	f->updates++;
	for (guint i = 0; i < count; i++)
		g_string_append_printf(f->areas, "%d,%d %dx%d;", areas[i].x, areas[i].y,
			areas[i].width, areas[i].height);
	return !f->hold;
}

static void on_cursor(void *owner, const struct cursor *cursor)
{
	((struct fixture *)owner)->cursor_width = cursor ? cursor->width : 0;
}

static const struct bus_client_ops client_ops = { .ready = on_ready, .ended = on_ended };
static const struct bus_console_ops console_ops = {
	.scanout = on_scanout,
	.disable = on_disable,
	.update = on_update,
	.cursor = on_cursor,
};

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	*(bool *)data = true;
}

static void drop_listener(struct guest *guest)
{
	if (!guest->listener)
		return;
	g_signal_handlers_disconnect_by_data(guest->listener, &guest->closed);
	g_dbus_connection_close(guest->listener, NULL, NULL, NULL);
	g_clear_object(&guest->listener);
}

static void register_listener(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	struct guest *guest = data;
	GDBusMessage *message = g_dbus_method_invocation_get_message(call);
	GUnixFDList *fds = g_dbus_message_get_unix_fd_list(message);
	int fd = g_unix_fd_list_get(fds, 0, NULL);

	g_dbus_method_invocation_return_value(call, NULL);
	drop_listener(guest);
	guest->closed = false;
	guest->registered++;
	guest->listener = foreign_connection(fd, true);
	g_signal_connect(guest->listener, "closed", G_CALLBACK(on_closed), &guest->closed);
	g_dbus_connection_start_message_processing(guest->listener);
}

static GVariant *get(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GError **error, gpointer data)
{
	static const guint32 ids[] = { 0, 2, 1 };

	if (g_str_equal(name, "ConsoleIDs"))
		return g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, ids, 3, 4);
	if (g_str_equal(name, "Name"))
		return g_variant_new_string("foreign");
	if (g_str_equal(name, "Type"))
		return g_variant_new_string(g_str_has_suffix(path, "_0") ? "Text" : "Graphic");
	if (g_str_equal(name, "Label"))
		return g_variant_new_string(path);
	return g_variant_new_uint32(0);
}

static const GDBusInterfaceVTable vtable = {
	.method_call = register_listener,
	.get_property = get,
};

static void serve(struct guest *guest, const char *path, const char *interface)
{
	g_dbus_connection_register_object(guest->connection, path,
		g_dbus_node_info_lookup_interface(guest->node, interface), &vtable, guest, NULL,
		NULL);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_assert_true(socket_pair(pair, &error));
	f->areas = g_string_new(NULL);
	f->client = bus_client_adopt(pair[1], &client_ops, f);
	f->guest.node = g_dbus_node_info_new_for_xml(objects, &error);
	g_assert_no_error(error);
	f->guest.connection = foreign_connection(pair[0], true);
	serve(&f->guest, BUS_VM_PATH, BUS_VM);
	serve(&f->guest, BUS_CONSOLE_PREFIX "0", BUS_CONSOLE);
	serve(&f->guest, BUS_CONSOLE_PREFIX "1", BUS_CONSOLE);
	serve(&f->guest, BUS_CONSOLE_PREFIX "2", BUS_CONSOLE);
	g_dbus_connection_start_message_processing(f->guest.connection);
	wait_for(f->ready);
	f->console = bus_client_watch(f->client, 0, &console_ops, f);
	wait_for(f->guest.listener);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	bus_client_free(f->client);
	drop_listener(&f->guest);
	g_dbus_connection_close(f->guest.connection, NULL, NULL, NULL);
	g_object_unref(f->guest.connection);
	g_dbus_node_info_unref(f->guest.node);
	g_string_free(f->areas, TRUE);
	g_free(f->reason);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static char *say(struct fixture *f, const char *method, GVariant *parameters)
{
	return ask(f->guest.listener, BUS_LISTENER_PATH, BUS_LISTENER, method, parameters, NULL);
}

static GVariant *bytes(size_t length, uint8_t value)
{
	uint8_t *data = g_malloc(length + 1);

	memset(data, value, length);
	return g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, data, length, TRUE, g_free, data);
}

static char *say_scanout(struct fixture *f, guint32 width, guint32 height, uint8_t value)
{
	return say(f, "Scanout",
		g_variant_new("(uuuu@ay)", width, height, width * 4, (guint32)PIXMAN_x8r8g8b8,
			bytes((size_t)width * height * 4, value)));
}

static GVariant *update(gint32 x, gint32 y, gint32 width, gint32 height, uint8_t value)
{
	return g_variant_new("(iiiiuu@ay)", x, y, width, height, width * 4,
		(guint32)PIXMAN_x8r8g8b8, bytes((size_t)width * height * 4, value));
}

static void test_found(struct fixture *f, gconstpointer data)
{
	/* Text consoles do not count where there are graphic ones; these come in order. */
	g_assert_cmpuint(bus_client_console_count(f->client), ==, 2);
	g_assert_cmpstr(bus_client_name(f->client), ==, "foreign");
	g_assert_cmpstr(bus_console_label(f->console), ==, BUS_CONSOLE_PREFIX "1");
}

static void test_bytes(struct fixture *f, gconstpointer data)
{
	g_assert_null(say_scanout(f, 32, 16, 1));
	g_assert_cmpuint(f->scanouts, ==, 1);
	g_assert_cmpuint(f->picture.pixels[0], ==, 1);
	g_assert_null(say(f, "Update", update(4, 2, 3, 2, 9)));
	g_assert_cmpstr(f->areas->str, ==, "4,2 3x2;");
	g_assert_cmpuint(f->picture.pixels[2 * 128 + 4 * 4], ==, 9);
	g_assert_cmpuint(f->picture.pixels[2 * 128 + 7 * 4], ==, 1);
	g_assert_null(say(f, "Disable", NULL));
	g_assert_cmpuint(f->disables, ==, 1);
	g_assert_null(say(f, "Update", update(4, 2, 3, 2, 9)));
}

/* A sender that does not wait, and a receiver that takes its time: the areas are merged, the answers bounded. */
static void test_impatient(struct fixture *f, gconstpointer data)
{
	g_assert_null(say_scanout(f, 320, 100, 1));
	f->hold = true;
	for (unsigned i = 0; i < 1000; i++)
		g_dbus_connection_call(f->guest.listener, NULL, BUS_LISTENER_PATH, BUS_LISTENER,
			"Update", update(i % 300, i % 90, 8, 8, i), NULL, G_DBUS_CALL_FLAGS_NONE,
			G_MAXINT, NULL, NULL, NULL);
	g_assert_null(say(f, "MouseSet", g_variant_new("(iii)", 1, 2, 1)));
	wait_for(f->updates == 1);
	f->hold = false;
	bus_console_done(f->console);
	wait_for(f->updates == 2);
	g_assert_false(f->ended);
}

/* The mode changes without a new scanout: the client asks for one. */
static void test_outgrown(struct fixture *f, gconstpointer data)
{
	g_assert_null(say_scanout(f, 32, 16, 1));
	g_assert_null(say(f, "Update", update(0, 0, 40, 1, 9)));
	wait_for(f->guest.registered == 2);
	/* The old picture can still be looked at. */
	g_assert_cmpuint(f->picture.pixels[0], ==, 1);
	g_assert_null(say_scanout(f, 40, 16, 2));
	g_assert_cmpuint(f->picture.width, ==, 40);
	g_assert_false(f->ended);
}

static void test_resized(struct fixture *f, gconstpointer data)
{
	GVariantDict changed;

	g_assert_null(say_scanout(f, 32, 16, 1));
	g_variant_dict_init(&changed, NULL);
	g_variant_dict_insert(&changed, "Width", "u", 20);
	g_variant_dict_insert(&changed, "Height", "u", 10);
	g_dbus_connection_emit_signal(f->guest.connection, NULL, BUS_CONSOLE_PREFIX "1",
		BUS_PROPERTIES, "PropertiesChanged",
		g_variant_new("(s@a{sv}as)", BUS_CONSOLE, g_variant_dict_end(&changed), NULL),
		NULL);
	wait_for(f->guest.registered == 2);
	g_assert_null(say_scanout(f, 20, 10, 2));
}

static void test_lost(struct fixture *f, gconstpointer data)
{
	for (guint i = 1; i <= 3; i++) {
		drop_listener(&f->guest);
		wait_for(f->guest.registered == i + 1);
	}
	drop_listener(&f->guest);
	wait_for(f->ended);
}

static char *say_map(struct fixture *f, int fd, gint32 index, guint32 offset, guint32 width,
	guint32 height, guint32 stride)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();

	g_unix_fd_list_append(fds, fd, NULL);
	return ask(f->guest.listener, BUS_LISTENER_PATH, BUS_MAP, "ScanoutMap",
		g_variant_new(
			"(huuuuu)", index, offset, width, height, stride, (guint32)PIXMAN_x8r8g8b8),
		fds);
}

/* Memory that cannot be used is refused, and bytes are taken instead. */
static void test_bad_memory(struct fixture *f, gconstpointer data)
{
	g_autofree char *open_memory = NULL;
	g_autofree char *too_far = NULL;
	int unsealed = memfd_create("test", MFD_CLOEXEC);
	int sealed = memfd_create_sealed("test", MEMORY, NULL);

	g_assert_cmpint(ftruncate(unsealed, MEMORY), ==, 0);
	open_memory = say_map(f, unsealed, 0, 0, 16, 16, 64);
	g_assert_nonnull(strstr(open_memory, "sealed against shrinking"));
	too_far = say_map(f, sealed, 0, MEMORY - 64, 16, 16, 64);
	g_assert_nonnull(strstr(too_far, "does not fit"));
	g_assert_null(say_map(f, sealed, 0, 64, 16, 16, 64));
	g_assert_cmpuint(f->scanouts, ==, 1);
	/* A bad one leaves the good one in place. */
	g_free(say_map(f, sealed, 0, 0, 16, 16, 8));
	g_assert_cmpuint(f->picture.pixels[0], ==, 0);
	g_assert_null(say_scanout(f, 32, 16, 3));
	g_assert_cmpuint(f->picture.pixels[0], ==, 3);
	g_assert_false(f->ended);
	close(unsealed);
	close(sealed);
}

static void test_map_update(struct fixture *f, gconstpointer data)
{
	int sealed = memfd_create_sealed("test", MEMORY, NULL);

	g_assert_null(say_map(f, sealed, 0, 0, 16, 16, 64));
	g_assert_null(ask(f->guest.listener, BUS_LISTENER_PATH, BUS_MAP, "UpdateMap",
		g_variant_new("(iiii)", -5, 3, 100, INT32_MAX), NULL));
	g_assert_cmpstr(f->areas->str, ==, "0,3 16x13;");
	g_assert_null(ask(f->guest.listener, BUS_LISTENER_PATH, BUS_MAP, "UpdateMap",
		g_variant_new("(iiii)", 50, 50, -1, 0), NULL));
	g_assert_cmpuint(f->updates, ==, 1);
	close(sealed);
}

static const struct {
	const char *name, *method, *type, *parameters, *reason;
} offences[] = {
	{ "/bus-client/scanout-too-short", "Scanout", "(uuuuay)", "(32,16,128,0x20020888,[1,2])",
		"does not fit 2 bytes" },
	{ "/bus-client/scanout-too-large", "Scanout", "(uuuuay)",
		"(100000,100000,400000,0x20020888,[])", "does not fit 0 bytes" },
	{ "/bus-client/update-too-short", "Update", "(iiiiuuay)", "(0,0,8,8,32,0x20020888,[1])",
		"does not fit 1 bytes" },
	{ "/bus-client/update-format", "Update", "(iiiiuuay)", "(0,0,1,1,4,0x20028888,[1,2,3,4])",
		"of another picture" },
	{ "/bus-client/cursor-too-short", "CursorDefine", "(iiiiay)", "(8,8,0,0,[1])",
		"a cursor of 8 by 8 pixels in 1 bytes" },
	{ "/bus-client/cursor-negative", "CursorDefine", "(iiiiay)", "(-1,8,0,0,[1])",
		"a cursor of -1 by 8" },
	{ "/bus-client/cursor-too-large", "CursorDefine", "(iiiiay)", "(513,1,0,0,[1])",
		"a cursor of 513 by 1" },
};

static void test_offence(struct fixture *f, gconstpointer data)
{
	const typeof(offences[0]) *c = data;
	GVariant *parameters;
	g_autofree char *answer = NULL;

	g_assert_null(say_scanout(f, 32, 16, 1));
	parameters = g_variant_parse(G_VARIANT_TYPE(c->type), c->parameters, NULL, NULL, NULL);
	g_assert_nonnull(parameters);
	answer = say(f, c->method, parameters);
	g_variant_unref(parameters);
	g_assert_nonnull(answer);
	wait_for(f->ended);
	g_assert_nonnull(f->reason);
	if (!strstr(f->reason, c->reason))
		g_test_message("%s", f->reason);
	g_assert_nonnull(strstr(f->reason, c->reason));
	/* Still there to be looked at. */
	g_assert_cmpuint(f->picture.pixels[0], ==, 1);
}

static void test_cursor(struct fixture *f, gconstpointer data)
{
	g_assert_null(
		say(f, "CursorDefine", g_variant_new("(iiii@ay)", 4, 2, -9, 100, bytes(32, 0xff))));
	g_assert_cmpuint(f->cursor_width, ==, 4);
	g_assert_null(say(f, "CursorDefine", g_variant_new("(iiii@ay)", 0, 0, 0, 0, bytes(0, 0))));
	g_assert_cmpuint(f->cursor_width, ==, 0);
}

/* Input while the guest's side answers nothing: movements are merged, and memory does not grow. */
static void test_unanswered_input(struct fixture *f, gconstpointer data)
{
	for (unsigned i = 0; i < 100000; i++) {
		bus_console_position(f->console, i, i);
		bus_console_key(f->console, 30, i % 2 == 0);
	}
	g_assert_false(f->ended);
}

static void test_guest_goes(struct fixture *f, gconstpointer data)
{
	g_assert_null(say_scanout(f, 32, 16, 1));
	g_dbus_connection_close(f->guest.connection, NULL, NULL, NULL);
	wait_for(f->ended);
	g_assert_null(f->reason);
	bus_console_key(f->console, 1, true);
	bus_console_position(f->console, 1, 1);
	bus_console_done(f->console);
}

static void test_no_guest(void)
{
	struct fixture f = { 0 };

	f.client = bus_client_connect("/nonexistent/bus", &client_ops, &f);
	g_assert_false(f.ended);
	wait_for(f.ended);
	g_assert_nonnull(strstr(f.reason, "/nonexistent/bus"));
	bus_client_free(f.client);
	g_free(f.reason);
	f = (struct fixture) { 0 };
	f.client = bus_client_connect_qmp("/nonexistent/qmp", &client_ops, &f);
	wait_for(f.ended);
	bus_client_free(f.client);
	g_free(f.reason);
	/* Gone before it could be told. */
	f = (struct fixture) { 0 };
	bus_client_free(bus_client_connect("/nonexistent/bus", &client_ops, &f));
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_false(f.ended);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(struct fixture *, gconstpointer);
	} tests[] = {
		{ "/bus-client/found", test_found },
		{ "/bus-client/bytes", test_bytes },
		{ "/bus-client/impatient", test_impatient },
		{ "/bus-client/outgrown", test_outgrown },
		{ "/bus-client/resized", test_resized },
		{ "/bus-client/lost", test_lost },
		{ "/bus-client/bad-memory", test_bad_memory },
		{ "/bus-client/map-update", test_map_update },
		{ "/bus-client/cursor", test_cursor },
		{ "/bus-client/unanswered-input", test_unanswered_input },
		{ "/bus-client/guest-goes", test_guest_goes },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, set_up, tests[i].test, tear_down);
	for (gsize i = 0; i < G_N_ELEMENTS(offences); i++)
		g_test_add(offences[i].name, struct fixture, &offences[i], set_up, test_offence,
			tear_down);
	g_test_add_func("/bus-client/no-guest", test_no_guest);
	return g_test_run();
}
