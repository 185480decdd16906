/* The bus server and peers that are not ours: listeners without shared memory, and those that misbehave. */
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/bus-names.h"
#include "display/bus-server.h"
#include "display/head.h"
#include "tests/unit/display/bus-peer.h"

enum {
	WIDTH = 100,
	HEIGHT = 50,
	STRIDE = 512,
	OFFSET = 4096,
	MEMORY = 1 << 20
};

/* How a listener behaves. */
enum manner {
	ANSWERS,
	HOLDS,   /* answers nothing */
	REFUSES, /* answers with errors */
};

struct listener {
	enum manner manner;
	GDBusConnection *connection;
	guint object;
	GDBusNodeInfo *node;
	GString *seen;
	GVariant *last; /* parameters */
	GPtrArray *held;
	bool closed;
};

struct fixture {
	GMutex lock;
	struct display *display;
	struct head *head;
	struct video_memory *memory;
	struct bus_server *server;
	GDBusConnection *peer;
	bool closed;
	GString *input;
};

static const struct scanout picture = {
	.width = WIDTH,
	.height = HEIGHT,
	.stride = STRIDE,
	.offset = OFFSET,
	.format = PIXMAN_x8r8g8b8,
};

/* A listener as QEMU 7.2's friends have it: no Interfaces, no shared memory. */
static const char old_listener[] =
	"<node><interface name='org.qemu.Display1.Listener'>"
	"<method name='Scanout'><arg type='u' direction='in'/><arg type='u' direction='in'/>"
	"<arg type='u' direction='in'/><arg type='u' direction='in'/>"
	"<arg type='ay' direction='in'/></method>"
	"<method name='Update'><arg type='i' direction='in'/><arg type='i' direction='in'/>"
	"<arg type='i' direction='in'/><arg type='i' direction='in'/>"
	"<arg type='u' direction='in'/><arg type='u' direction='in'/>"
	"<arg type='ay' direction='in'/></method>"
	"<method name='Disable'/>"
	"<method name='MouseSet'><arg type='i' direction='in'/><arg type='i' direction='in'/>"
	"<arg type='i' direction='in'/></method>"
	"</interface></node>";

static void device_key(void *device, uint8_t qnum, bool down)
{
	g_string_append_printf(((struct fixture *)device)->input, "key %u %d;", qnum, down);
}

static const struct keyboard_ops keyboard = { .key = device_key };

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	*(bool *)data = true;
}

static int adopted_socket(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_assert_true(socket_pair(pair, &error));
	bus_server_adopt(f->server, pair[0]);
	return pair[1];
}

static void set_up(struct fixture *f, gconstpointer data)
{
	struct head_config config = { .label = "VGA", .device = f };
	g_autoptr(GError) error = NULL;

	g_mutex_init(&f->lock);
	f->input = g_string_new(NULL);
	f->display = display_new(&f->lock);
	f->memory = video_memory_new("test", MEMORY, &error);
	g_assert_no_error(error);
	g_mutex_lock(&f->lock);
	f->head = head_new(f->display, &config);
	display_set_keyboard(f->display, &keyboard, f);
	head_set_scanout(f->head, f->memory, &picture);
	g_mutex_unlock(&f->lock);
	f->server = bus_server_new(f->display, "guest", NULL);
	f->peer = foreign_connection(adopted_socket(f), false);
	g_signal_connect(f->peer, "closed", G_CALLBACK(on_closed), &f->closed);
	g_dbus_connection_start_message_processing(f->peer);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_signal_handlers_disconnect_by_data(f->peer, &f->closed);
	g_object_unref(f->peer);
	bus_server_free(f->server);
	g_mutex_lock(&f->lock);
	head_free(f->head);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	video_memory_unref(f->memory);
	g_string_free(f->input, TRUE);
	g_mutex_clear(&f->lock);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void called(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	struct listener *listener = data;

	g_string_append_printf(listener->seen, "%s;", name);
	if (strcmp(name, "MouseSet") != 0) {
		g_clear_pointer(&listener->last, g_variant_unref);
		listener->last = g_variant_ref(parameters);
	}
	if (listener->manner == ANSWERS)
		g_dbus_method_invocation_return_value(call, NULL);
	else if (listener->manner == HOLDS)
		g_ptr_array_add(listener->held, call);
	else
		g_dbus_method_invocation_return_error_literal(
			call, G_DBUS_ERROR, G_DBUS_ERROR_FAILED, "no");
}

static const GDBusInterfaceVTable vtable = { .method_call = called };

static char *register_fd(struct fixture *f, int fd)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();

	g_unix_fd_list_append(fds, fd, NULL);
	return ask(f->peer, BUS_CONSOLE_PREFIX "0", BUS_CONSOLE, "RegisterListener",
		g_variant_new("(h)", 0), fds);
}

static void attend(struct fixture *f, struct listener *listener, enum manner manner)
{
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_assert_true(socket_pair(pair, &error));
	g_assert_null(register_fd(f, pair[1]));
	close(pair[1]);
	listener->manner = manner;
	listener->seen = g_string_new(NULL);
	listener->held = g_ptr_array_new();
	listener->node = g_dbus_node_info_new_for_xml(old_listener, &error);
	g_assert_no_error(error);
	listener->connection = foreign_connection(pair[0], false);
	g_signal_connect(listener->connection, "closed", G_CALLBACK(on_closed), &listener->closed);
	listener->object = g_dbus_connection_register_object(listener->connection,
		BUS_LISTENER_PATH, listener->node->interfaces[0], &vtable, listener, NULL, NULL);
	g_dbus_connection_start_message_processing(listener->connection);
}

static void answer_all(struct listener *listener)
{
	for (guint i = 0; i < listener->held->len; i++)
		g_dbus_method_invocation_return_value(g_ptr_array_index(listener->held, i), NULL);
	g_ptr_array_set_size(listener->held, 0);
}

static void leave(struct listener *listener)
{
	answer_all(listener);
	/* Calls that have come already are not delivered any more. */
	g_dbus_connection_unregister_object(listener->connection, listener->object);
	g_signal_handlers_disconnect_by_data(listener->connection, &listener->closed);
	g_dbus_connection_close(listener->connection, NULL, NULL, NULL);
	g_object_unref(listener->connection);
	g_dbus_node_info_unref(listener->node);
	g_clear_pointer(&listener->last, g_variant_unref);
	g_string_free(listener->seen, TRUE);
	g_ptr_array_unref(listener->held);
}

static void damage(struct fixture *f, int32_t x, int32_t y, int32_t width, int32_t height)
{
	struct rectangle area = { x, y, width, height };

	g_mutex_lock(&f->lock);
	head_damage(f->head, &area);
	g_mutex_unlock(&f->lock);
}

/* A listener without shared memory gets bytes: whole rows at first, then the bytes of what changed. */
static void test_pixels(struct fixture *f, gconstpointer data)
{
	uint8_t *bytes = video_memory_bytes(f->memory) + OFFSET;
	struct listener listener = { 0 };
	g_autoptr(GVariant) pixels = NULL;
	guint32 width, height, stride, format;
	gint32 x, y, w, h;

	for (uint32_t row = 0; row < HEIGHT; row++)
		memset(bytes + row * STRIDE, row + 1, WIDTH * 4);
	attend(f, &listener, ANSWERS);
	wait_for(strstr(listener.seen->str, "Scanout;"));
	g_variant_get(listener.last, "(uuuu@ay)", &width, &height, &stride, &format, &pixels);
	g_assert_cmpuint(width, ==, WIDTH);
	g_assert_cmpuint(height, ==, HEIGHT);
	g_assert_cmpuint(stride, ==, WIDTH * 4);
	g_assert_cmpuint(format, ==, PIXMAN_x8r8g8b8);
	g_assert_cmpuint(g_variant_get_size(pixels), ==, WIDTH * 4 * HEIGHT);
	for (uint32_t i = 0; i < WIDTH * 4 * HEIGHT; i++)
		g_assert_cmpuint(
			((const uint8_t *)g_variant_get_data(pixels))[i], ==, i / (WIDTH * 4) + 1);

	memset(bytes + 10 * STRIDE + 7 * 4, 0xaa, 3 * 4);
	memset(bytes + 11 * STRIDE + 7 * 4, 0xbb, 3 * 4);
	damage(f, 7, 10, 3, 2);
	wait_for(strstr(listener.seen->str, "Update;"));
	g_clear_pointer(&pixels, g_variant_unref);
	g_variant_get(listener.last, "(iiiiuu@ay)", &x, &y, &w, &h, &stride, &format, &pixels);
	g_assert_cmpint(x, ==, 7);
	g_assert_cmpint(y, ==, 10);
	g_assert_cmpint(w, ==, 3);
	g_assert_cmpint(h, ==, 2);
	g_assert_cmpuint(stride, ==, 12);
	g_assert_cmpmem(g_variant_get_data(pixels), g_variant_get_size(pixels),
		"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
		"\xbb\xbb\xbb\xbb\xbb\xbb\xbb\xbb\xbb\xbb\xbb\xbb",
		24);
	leave(&listener);
}

/* One that does not answer is sent nothing more, and keeps nothing from another one. */
static void test_silent(struct fixture *f, gconstpointer data)
{
	struct listener silent = { 0 }, other = { 0 };

	attend(f, &silent, HOLDS);
	attend(f, &other, ANSWERS);
	wait_for(strstr(silent.seen->str, "MouseSet;") && strstr(other.seen->str, "MouseSet;"));
	for (unsigned i = 0; i < 5; i++) {
		g_string_truncate(other.seen, 0);
		damage(f, i, i, 2, 2);
		wait_for(strstr(other.seen->str, "Update;"));
	}
	g_assert_cmpstr(silent.seen->str, ==, "Scanout;MouseSet;");
	answer_all(&silent);
	wait_for(strstr(silent.seen->str, "Update;"));
	g_assert_false(silent.closed);
	leave(&silent);
	leave(&other);
}

static void test_refusing(struct fixture *f, gconstpointer data)
{
	struct listener listener = { 0 };

	attend(f, &listener, REFUSES);
	wait_for(listener.closed);
	leave(&listener);
}

/* A listener that calls us gets no answer, and no harm is done. */
static void test_calling(struct fixture *f, gconstpointer data)
{
	struct listener listener = { 0 };

	attend(f, &listener, ANSWERS);
	wait_for(strstr(listener.seen->str, "MouseSet;"));
	for (unsigned i = 0; i < 100; i++)
		g_dbus_connection_call(listener.connection, NULL, BUS_VM_PATH, BUS_PROPERTIES,
			"GetAll", g_variant_new("(s)", BUS_VM), NULL, G_DBUS_CALL_FLAGS_NONE,
			G_MAXINT, NULL, NULL, NULL);
	damage(f, 0, 0, 2, 2);
	wait_for(strstr(listener.seen->str, "Update;"));
	leave(&listener);
}

static void test_no_socket(struct fixture *f, gconstpointer data)
{
	g_autofree char *message = NULL;
	g_autofree char *missing = NULL;
	struct listener listener = { 0 };
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* What no socket is is found out after the answer, and dropped. */
	message = register_fd(f, file);
	close(file);
	missing = ask(f->peer, BUS_CONSOLE_PREFIX "0", BUS_CONSOLE, "RegisterListener",
		g_variant_new("(h)", 3), NULL);
	g_assert_nonnull(strstr(missing, "the listener's socket is missing"));
	attend(f, &listener, ANSWERS);
	wait_for(strstr(listener.seen->str, "Scanout;"));
	leave(&listener);
}

/* Other viewers find the consoles by the object manager. */
static void test_objects(struct fixture *f, gconstpointer data)
{
	g_autofree char *message = NULL;
	g_autoptr(GVariant) value = ask_value(
		f->peer, BUS_ROOT_PATH, BUS_OBJECTS, "GetManagedObjects", NULL, NULL, &message);
	g_autofree char *text = NULL;

	g_assert_null(message);
	text = g_variant_print(value, FALSE);
	g_assert_nonnull(strstr(text, "'/org/qemu/Display1/VM': {'org.qemu.Display1.VM': {'Name': "
				      "<'guest'>"));
	g_assert_nonnull(
		strstr(text, "'/org/qemu/Display1/Console_0': {'org.qemu.Display1.Console': "
			     "{'Label': <'VGA'>"));
	g_assert_nonnull(strstr(text, "'Width': <uint32 100>"));
	g_assert_nonnull(strstr(text, "'org.qemu.Display1.Mouse': {'IsAbsolute': <false>}"));
}

static void test_head_comes_and_goes(struct fixture *f, gconstpointer data)
{
	struct head_config config = { .label = "second", .device = f };
	struct head *second;
	g_autofree char *found = NULL;
	g_autofree char *gone = NULL;
	gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	g_mutex_lock(&f->lock);
	second = head_new(f->display, &config);
	g_mutex_unlock(&f->lock);
	do {
		g_free(found);
		found = ask(f->peer, BUS_CONSOLE_PREFIX "1", BUS_PROPERTIES, "GetAll",
			g_variant_new("(s)", BUS_CONSOLE), NULL);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	} while (found);
	g_mutex_lock(&f->lock);
	head_free(second);
	g_mutex_unlock(&f->lock);
	do {
		g_free(gone);
		gone = ask(f->peer, BUS_CONSOLE_PREFIX "1", BUS_PROPERTIES, "GetAll",
			g_variant_new("(s)", BUS_CONSOLE), NULL);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	} while (!gone);
	g_assert_false(f->closed);
}

static const struct {
	const char *interface, *method, *type, *parameters, *error;
} refused[] = {
	{ BUS_KEYBOARD, "Press", "(u)", "(0,)", "0 is no key: they are 1 to 255" },
	{ BUS_KEYBOARD, "Release", "(u)", "(256,)", "256 is no key: they are 1 to 255" },
	{ BUS_MOUSE, "Press", "(u)", "(7,)", "7 is no button: they are 0 to 6" },
	{ BUS_MOUSE, "Release", "(u)", "(4294967295,)", "is no button" },
	{ BUS_MOUSE, "SetAbsPosition", "(uu)", "(1,1)", "the pointer takes motions now" },
	{ BUS_TOUCH, "SendEvent", "(utdd)", "(9,0,1.0,1.0)", "no such touch" },
	{ BUS_TOUCH, "SendEvent", "(utdd)", "(0,1,1.0,1.0)", "no such touch" },
	{ BUS_CONSOLE, "SetUIInfo", "(qqiiuu)", "(0,0,0,0,16385,1)", "at most 16384 by 16384" },
	{ BUS_KEYBOARD, "Press", "(s)", "('a',)", "Type of message" },
	{ BUS_KEYBOARD, "Hold", "(u)", "(1,)", "No such method" },
	{ "org.example.Other", "Press", "(u)", "(1,)", "No such interface" },
};

static void test_refused(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		GVariant *parameters = g_variant_parse(
			G_VARIANT_TYPE(refused[i].type), refused[i].parameters, NULL, NULL, NULL);
		g_autofree char *message = ask(f->peer, BUS_CONSOLE_PREFIX "0",
			refused[i].interface, refused[i].method, parameters, NULL);

		g_variant_unref(parameters);
		g_assert_nonnull(message);
		if (!strstr(message, refused[i].error))
			g_test_message("%s", message);
		g_assert_nonnull(strstr(message, refused[i].error));
	}
	g_assert_cmpstr(f->input->str, ==, "");
	g_assert_false(f->closed);
}

/* A raw peer that has logged in. */
static int raw_peer(struct fixture *f)
{
	static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	char answer[256] = "";
	size_t length = 0;
	int fd = adopted_socket(f);

	g_assert_cmpint(write(fd, hello, 1 + strlen(hello + 1)), ==, 1 + strlen(hello + 1));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (!strstr(answer, "OK ")) {
		ssize_t got = recv(fd, answer + length, sizeof(answer) - 1 - length, 0);

		if (got > 0)
			length += got;
		g_assert_cmpint(got, !=, 0);
		g_main_context_iteration(NULL, FALSE);
	}
	return fd;
}

/* Sends until the server has cut the connection; it must have by @most bytes. */
static void flood(int fd, const void *bytes, size_t length, size_t most)
{
	gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	size_t sent = 0, at = 0;

	while (g_get_monotonic_time() < deadline) {
		ssize_t got = send(fd, (const char *)bytes + at, length - at, MSG_NOSIGNAL);

		if (got < 0 && errno != EAGAIN)
			return;
		if (got > 0) {
			sent += got;
			at = (at + got) % length;
		}
		g_assert_cmpuint(sent, <=, most);
		g_main_context_iteration(NULL, FALSE);
	}
	g_assert_not_reached();
}

static GBytes *message_bytes(GVariant *body, GDBusMessageFlags flags)
{
	g_autoptr(GDBusMessage) message = g_dbus_message_new_method_call(
		NULL, BUS_CONSOLE_PREFIX "0", BUS_PROPERTIES, "GetAll");
	gsize length;
	guchar *blob;

	g_dbus_message_set_serial(message, 7);
	g_dbus_message_set_flags(message, flags);
	g_dbus_message_set_body(message, body);
	blob = g_dbus_message_to_blob(message, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
	return g_bytes_new_take(blob, length);
}

/* A peer that calls and never reads the answers. */
static void test_flood(struct fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) call = message_bytes(g_variant_new("(s)", BUS_CONSOLE), 0);
	int fd = raw_peer(f);

	flood(fd, g_bytes_get_data(call, NULL), g_bytes_get_size(call), 64 << 20);
	close(fd);
	g_assert_false(f->closed);
}

/* The same without wanting any. */
static void test_flood_without_answer(struct fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) call = message_bytes(
		g_variant_new("(s)", BUS_CONSOLE), G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
	int fd = raw_peer(f);

	flood(fd, g_bytes_get_data(call, NULL), g_bytes_get_size(call), 64 << 20);
	close(fd);
	g_assert_false(f->closed);
}

static void test_large_message(struct fixture *f, gconstpointer data)
{
	g_autofree char *text = g_strnfill(1 << 20, 'x');
	g_autoptr(GBytes) call = message_bytes(g_variant_new("(s)", text), 0);
	int fd = raw_peer(f);

	flood(fd, g_bytes_get_data(call, NULL), g_bytes_get_size(call), 16 << 20);
	close(fd);
	g_assert_false(f->closed);
}

static void test_garbage(struct fixture *f, gconstpointer data)
{
	g_autofree char *garbage = g_malloc(1 << 16);
	int fd = adopted_socket(f);

	for (size_t i = 0; i < 1 << 16; i++)
		garbage[i] = g_test_rand_int();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	flood(fd, garbage, 1 << 16, 64 << 20);
	close(fd);
	fd = raw_peer(f);
	flood(fd, garbage, 1 << 16, 64 << 20);
	close(fd);
	g_assert_false(f->closed);
}

/* Lights and pictures change all the time, and the peer reads nothing. */
static void test_unread_signals(struct fixture *f, gconstpointer data)
{
	gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	struct pollfd end = { .fd = raw_peer(f) };

	for (uint32_t lights = 0; poll(&end, 1, 0) == 0; lights = (lights + 1) % 8) {
		g_mutex_lock(&f->lock);
		display_set_lights(f->display, lights);
		g_mutex_unlock(&f->lock);
		g_main_context_iteration(NULL, FALSE);
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
	}
	g_assert_cmpint(end.revents & POLLHUP, !=, 0);
	close(end.fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(struct fixture *, gconstpointer);
	} tests[] = {
		{ "/bus-server/pixels", test_pixels },
		{ "/bus-server/silent", test_silent },
		{ "/bus-server/refusing", test_refusing },
		{ "/bus-server/calling", test_calling },
		{ "/bus-server/no-socket", test_no_socket },
		{ "/bus-server/objects", test_objects },
		{ "/bus-server/head-comes-and-goes", test_head_comes_and_goes },
		{ "/bus-server/refused", test_refused },
		{ "/bus-server/flood", test_flood },
		{ "/bus-server/flood-without-answer", test_flood_without_answer },
		{ "/bus-server/large-message", test_large_message },
		{ "/bus-server/garbage", test_garbage },
		{ "/bus-server/unread-signals", test_unread_signals },
	};

	g_test_init(&argc, &argv, NULL);
	/* GDBus warns of malformed messages before it closes a connection. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
