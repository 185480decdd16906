/* Sound on the bus: streams of devices, listeners that hear them and speak, and listeners that do neither. */
#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "display/audio.h"
#include "display/bus-names.h"
#include "display/bus-server.h"
#include "tests/unit/display/bus-peer.h"

enum {
	BLOCK = 960, /* bytes: 5 ms */
};

struct listener {
	bool holds; /* answers no Write */
	GDBusConnection *connection;
	guint object;
	GDBusNodeInfo *node;
	GString *seen;
	GByteArray *heard;
	unsigned writes;
	GPtrArray *held;
	uint64_t read_size;
	bool closed;
};

struct fixture {
	GMutex lock;
	struct display *display;
	struct bus_server *server;
	GDBusConnection *peer;
};

static const struct audio_format format = {
	.frequency = 48000,
	.channels = 2,
	.bits = 16,
	.is_signed = true,
};

static const char interfaces[] =
	"<node><interface name='org.qemu.Display1.AudioOutListener'>"
	"<method name='Init'><arg type='t'/><arg type='y'/><arg type='b'/><arg type='b'/>"
	"<arg type='u'/><arg type='y'/><arg type='u'/><arg type='u'/><arg type='b'/></method>"
	"<method name='Fini'><arg type='t'/></method>"
	"<method name='SetEnabled'><arg type='t'/><arg type='b'/></method>"
	"<method name='SetVolume'><arg type='t'/><arg type='b'/><arg type='ay'/></method>"
	"<method name='Write'><arg type='t'/><arg type='ay'/></method></interface>"
	"<interface name='org.qemu.Display1.AudioInListener'>"
	"<method name='Init'><arg type='t'/><arg type='y'/><arg type='b'/><arg type='b'/>"
	"<arg type='u'/><arg type='y'/><arg type='u'/><arg type='u'/><arg type='b'/></method>"
	"<method name='Fini'><arg type='t'/></method>"
	"<method name='SetEnabled'><arg type='t'/><arg type='b'/></method>"
	"<method name='SetVolume'><arg type='t'/><arg type='b'/><arg type='ay'/></method>"
	"<method name='Read'><arg type='t'/><arg type='t'/><arg type='ay' "
	"direction='out'/></method>"
	"</interface></node>";

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	*(bool *)data = true;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_mutex_init(&f->lock);
	f->display = display_new(&f->lock);
	f->server = bus_server_new(f->display, "guest", NULL);
	g_assert_true(socket_pair(pair, &error));
	bus_server_adopt(f->server, pair[0]);
	f->peer = foreign_connection(pair[1], false);
	g_dbus_connection_start_message_processing(f->peer);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_object_unref(f->peer);
	bus_server_free(f->server);
	display_free(f->display);
	g_mutex_clear(&f->lock);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void take_write(struct listener *listener, GVariant *parameters)
{
	g_autoptr(GVariant) data = g_variant_get_child_value(parameters, 1);
	gsize length;
	const uint8_t *bytes = g_variant_get_fixed_array(data, &length, 1);

	g_byte_array_append(listener->heard, bytes, length);
	listener->writes++;
}

static GVariant *answer_read(struct listener *listener, GVariant *parameters)
{
	uint8_t *bytes;
	GVariant *data;
	uint64_t id;

	g_variant_get(parameters, "(tt)", &id, &listener->read_size);
	bytes = g_malloc(listener->read_size);
	memset(bytes, 0x5a, listener->read_size);
	data = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, listener->read_size, 1);
	g_free(bytes);
	return g_variant_new("(@ay)", data);
}

static void called(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	struct listener *listener = data;
	GVariant *answer = NULL;

	if (g_str_equal(name, "Write")) {
		take_write(listener, parameters);
	} else if (g_str_equal(name, "Read")) {
		answer = answer_read(listener, parameters);
	} else {
		g_autofree char *text = g_variant_print(parameters, FALSE);

		g_string_append_printf(listener->seen, "%s%s;", name, text);
	}
	if (listener->holds)
		g_ptr_array_add(listener->held, call);
	else
		g_dbus_method_invocation_return_value(call, answer);
}

static const GDBusInterfaceVTable vtable = { .method_call = called };

static char *register_fd(struct fixture *f, const char *method, int fd)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();

	g_unix_fd_list_append(fds, fd, NULL);
	return ask(f->peer, BUS_AUDIO_PATH, BUS_AUDIO, method, g_variant_new("(h)", 0), fds);
}

static void attend(struct fixture *f, struct listener *listener, bool out)
{
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_assert_true(socket_pair(pair, &error));
	g_assert_null(register_fd(f, out ? "RegisterOutListener" : "RegisterInListener", pair[1]));
	close(pair[1]);
	listener->seen = g_string_new(NULL);
	listener->heard = g_byte_array_new();
	listener->held = g_ptr_array_new();
	listener->node = g_dbus_node_info_new_for_xml(interfaces, &error);
	g_assert_no_error(error);
	listener->connection = foreign_connection(pair[0], false);
	g_signal_connect(listener->connection, "closed", G_CALLBACK(on_closed), &listener->closed);
	listener->object = g_dbus_connection_register_object(listener->connection,
		out ? BUS_AUDIO_OUT_PATH : BUS_AUDIO_IN_PATH,
		listener->node->interfaces[out ? 0 : 1], &vtable, listener, NULL, NULL);
	g_dbus_connection_start_message_processing(listener->connection);
}

static void leave(struct listener *listener)
{
	for (guint i = 0; i < listener->held->len; i++)
		g_dbus_method_invocation_return_value(listener->held->pdata[i], NULL);
	g_dbus_connection_unregister_object(listener->connection, listener->object);
	g_signal_handlers_disconnect_by_data(listener->connection, &listener->closed);
	g_dbus_connection_close(listener->connection, NULL, NULL, NULL);
	g_object_unref(listener->connection);
	g_dbus_node_info_unref(listener->node);
	g_string_free(listener->seen, TRUE);
	g_byte_array_unref(listener->heard);
	g_ptr_array_unref(listener->held);
}

static struct audio_stream *open_stream(struct fixture *f, enum audio_direction direction)
{
	struct audio_stream *stream;

	g_mutex_lock(&f->lock);
	stream = audio_stream_new(display_audio(f->display), direction, &format);
	audio_stream_set_enabled(stream, true);
	g_mutex_unlock(&f->lock);
	return stream;
}

static void close_stream(struct fixture *f, struct audio_stream *stream)
{
	g_mutex_lock(&f->lock);
	audio_stream_free(stream);
	g_mutex_unlock(&f->lock);
}

static void play(struct fixture *f, struct audio_stream *stream, uint8_t value)
{
	uint8_t block[BLOCK];

	memset(block, value, sizeof(block));
	g_mutex_lock(&f->lock);
	audio_stream_write(stream, block, sizeof(block));
	g_mutex_unlock(&f->lock);
}

static bool is_heard(struct fixture *f, struct audio_stream *stream)
{
	bool heard;

	g_mutex_lock(&f->lock);
	heard = audio_stream_is_heard(stream);
	g_mutex_unlock(&f->lock);
	return heard;
}

static void test_playback(struct fixture *f, gconstpointer data)
{
	struct audio_volume volume = { .channels = { 255, 100 } };
	struct audio_stream *stream = open_stream(f, AUDIO_PLAYBACK);
	struct audio_format other = format;
	struct listener listener = { 0 };

	play(f, stream, 1);
	attend(f, &listener, true);
	wait_for(is_heard(f, stream));
	wait_for(strstr(listener.seen->str, "SetEnabled"));
	g_assert_cmpstr(listener.seen->str, ==,
		"Init(1, 0x10, true, false, 48000, 0x02, 4, 192000, false);"
		"SetVolume(1, false, [0xff, 0xff]);SetEnabled(1, true);");
	g_string_truncate(listener.seen, 0);
	play(f, stream, 2);
	play(f, stream, 3);
	wait_for(listener.heard->len == 2 * BLOCK);
	g_assert_cmpint(listener.heard->data[0], ==, 2);
	g_assert_cmpint(listener.heard->data[2 * BLOCK - 1], ==, 3);

	g_mutex_lock(&f->lock);
	audio_stream_set_volume(stream, &volume);
	audio_stream_set_enabled(stream, false);
	g_mutex_unlock(&f->lock);
	play(f, stream, 4);
	wait_for(strstr(listener.seen->str, "SetEnabled"));
	g_assert_cmpstr(
		listener.seen->str, ==, "SetVolume(1, false, [0xff, 0x64]);SetEnabled(1, false);");
	g_string_truncate(listener.seen, 0);

	other.frequency = 44100;
	g_mutex_lock(&f->lock);
	audio_stream_set_format(stream, &other);
	g_mutex_unlock(&f->lock);
	wait_for(strstr(listener.seen->str, "SetVolume"));
	g_assert_cmpstr(listener.seen->str, ==,
		"Fini(1,);Init(2, 0x10, true, false, 44100, 0x02, 4, 176400, false);"
		"SetVolume(2, false, [0xff, 0x64]);");
	close_stream(f, stream);
	wait_for(strstr(listener.seen->str, "Fini(2,)"));
	g_assert_cmpuint(listener.heard->len, ==, 2 * BLOCK);
	leave(&listener);
}

/* Nobody waits for a listener that does not read: it misses some, others hear all. */
static void test_slow(struct fixture *f, gconstpointer data)
{
	struct audio_stream *stream = open_stream(f, AUDIO_PLAYBACK);
	struct listener slow = { .holds = true }, quick = { 0 };

	attend(f, &slow, true);
	attend(f, &quick, true);
	wait_for(strstr(quick.seen->str, "SetEnabled") && strstr(slow.seen->str, "SetEnabled"));
	for (unsigned i = 1; i <= 200; i++) {
		play(f, stream, i);
		wait_for(quick.heard->len == i * BLOCK);
	}
	g_assert_cmpuint(slow.writes, <=, 64);
	g_assert_false(slow.closed);
	/* One that does not even take changes is dropped. */
	for (unsigned i = 0; i < 300 && !slow.closed; i++) {
		g_mutex_lock(&f->lock);
		audio_stream_set_enabled(stream, i % 2);
		g_mutex_unlock(&f->lock);
		while (g_main_context_iteration(NULL, FALSE))
			;
	}
	wait_for(slow.closed);
	close_stream(f, stream);
	leave(&slow);
	leave(&quick);
}

/* The first byte of the next block. */
static uint8_t capture(struct fixture *f, struct audio_stream *stream, uint8_t *block)
{
	g_mutex_lock(&f->lock);
	audio_stream_read(stream, block, BLOCK);
	g_mutex_unlock(&f->lock);
	return block[0];
}

static void test_capture(struct fixture *f, gconstpointer data)
{
	struct audio_stream *stream = open_stream(f, AUDIO_CAPTURE);
	struct listener listener = { 0 };
	uint8_t block[BLOCK] = { 0xff };

	g_assert_cmpint(capture(f, stream, block), ==, 0); /* silence */
	attend(f, &listener, false);
	wait_for(strstr(listener.seen->str, "SetEnabled"));
	wait_for(capture(f, stream, block) == 0x5a);
	g_assert_cmpuint(listener.read_size % 4, ==, 0);
	close_stream(f, stream);
	wait_for(strstr(listener.seen->str, "Fini"));
	leave(&listener);
}

/* A peer's listeners are few; a call without a socket is refused. */
static void test_refused(struct fixture *f, gconstpointer data)
{
	struct listener listeners[4] = { 0 };
	g_autofree char *without = ask(f->peer, BUS_AUDIO_PATH, BUS_AUDIO, "RegisterOutListener",
		g_variant_new("(h)", 0), NULL);
	g_autofree char *more = NULL;

	g_assert_nonnull(strstr(without, "socket is missing"));
	for (unsigned i = 0; i < G_N_ELEMENTS(listeners); i++)
		attend(f, &listeners[i], i % 2);
	more = register_fd(f, "RegisterInListener", STDERR_FILENO);
	g_assert_nonnull(strstr(more, "at most 16 audio listeners"));
	for (unsigned i = 0; i < G_N_ELEMENTS(listeners); i++)
		leave(&listeners[i]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add(
		"/display/audio/playback", struct fixture, NULL, set_up, test_playback, tear_down);
	g_test_add("/display/audio/slow", struct fixture, NULL, set_up, test_slow, tear_down);
	g_test_add("/display/audio/capture", struct fixture, NULL, set_up, test_capture, tear_down);
	g_test_add("/display/audio/refused", struct fixture, NULL, set_up, test_refused, tear_down);
	return g_test_run();
}
