/* The guest's sound on the display bus: the Audio object, and the listeners that were handed over to it.
 *
 * Playback goes out as Write calls; a listener with too many of them unanswered misses what comes meanwhile. What is
 * captured is asked for with Read as the guest takes it. A listener that does not even hear of changes is dropped.
 */
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "base/log.h"
#include "display/audio.h"
#include "display/bus-server-private.h"
#include "display/bus-setup.h"
#include "display/display1-info.h"

enum {
	LISTENERS_HERE_MOST = 16,   /* of one guest */
	LISTENERS_OF_ONE_MOST = 4,  /* of one peer */
	WRITES_MOST = 64,           /* without an answer; then the listener misses some */
	BYTES_MOST = 512 << 10,     /* of these writes */
	CALLS_MOST = 256,           /* without an answer; then the listener is dropped */
	READ_BYTES_MOST = 12 << 10, /* at once */
	READ_WAITING_MOST = 64 << 10,
	NO_TIMEOUT = G_MAXINT,
};

/* A stream that a listener knows. */
struct known_stream {
	uint64_t id;
	struct audio_format format;
	bool reading;   /* a Read has not been answered */
	size_t waiting; /* bytes to be asked for then */
};

struct audio_listener {
	unsigned references;
	struct bus_server *server;
	uint64_t peer_id; /* who handed it over */
	enum audio_direction direction;
	GCancellable *cancellable;
	GDBusConnection *connection; /* NULL until it is set up */
	struct bus_guard *guard;
	struct audio_consumer *consumer;
	GArray *streams; /* of struct known_stream */
	bool dropped;
	unsigned calls, writes; /* without an answer */
	size_t bytes;           /* of the writes */
};

/* A call on its way. */
struct listener_call {
	struct audio_listener *listener;
	size_t bytes; /* of a Write, else 0 */
	bool is_read;
	uint64_t id;
	size_t asked; /* of a Read */
};

static struct audio_listener *listener_ref(struct audio_listener *listener)
{
	listener->references++;
	return listener;
}

static void listener_unref(struct audio_listener *listener)
{
	if (--listener->references > 0)
		return;
	g_clear_object(&listener->cancellable);
	g_clear_object(&listener->connection);
	g_array_unref(listener->streams);
	g_free(listener);
}

static void drop(struct audio_listener *listener, const char *reason)
{
	if (listener->dropped)
		return;
	listener->dropped = true;
	if (reason)
		log_limited(&listener->server->complaints, 16,
			"an audio listener of the display bus is dropped: %s", reason);
	g_ptr_array_remove_fast(listener->server->audio_listeners, listener);
	g_cancellable_cancel(listener->cancellable);
	if (listener->consumer)
		audio_remove_consumer(listener->consumer);
	listener->consumer = NULL;
	g_clear_pointer(&listener->guard, bus_guard_free);
	if (listener->connection) {
		g_signal_handlers_disconnect_by_data(listener->connection, listener);
		g_dbus_connection_close(listener->connection, NULL, NULL, NULL);
	}
	listener_unref(listener);
}

static struct known_stream *find_stream(struct audio_listener *listener, uint64_t id)
{
	for (guint i = 0; i < listener->streams->len; i++) {
		struct known_stream *stream =
			&g_array_index(listener->streams, struct known_stream, i);

		if (stream->id == id)
			return stream;
	}
	return NULL;
}

static void ask_for(struct audio_listener *listener, struct known_stream *stream);

static void take_capture(
	struct audio_listener *listener, const struct listener_call *call, GVariant *reply)
{
	struct known_stream *stream = find_stream(listener, call->id);
	g_autoptr(GVariant) data = NULL;
	gsize length;
	const void *bytes;

	if (!stream)
		return;
	stream->reading = false;
	if (reply && g_variant_is_of_type(reply, G_VARIANT_TYPE("(ay)"))) {
		g_variant_get(reply, "(@ay)", &data);
		bytes = g_variant_get_fixed_array(data, &length, 1);
		audio_capture(display_audio(listener->server->display), call->id, bytes,
			MIN(length, call->asked));
	}
	if (stream->waiting > 0)
		ask_for(listener, stream);
}

/* A listener may not know every method: errors that it sends are its own business. */
static void answered(GObject *source, GAsyncResult *result, gpointer data)
{
	struct listener_call *call = data;
	struct audio_listener *listener = call->listener;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

	listener->calls--;
	listener->bytes -= call->bytes;
	listener->writes -= call->bytes > 0;
	if (!reply && !g_dbus_error_is_remote_error(error))
		drop(listener, g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED)
				       ? NULL
				       : error->message);
	else if (call->is_read && !listener->dropped)
		take_capture(listener, call, reply);
	listener_unref(listener);
	g_free(call);
}

static void send(struct audio_listener *listener, const char *method, GVariant *parameters,
	const struct listener_call *what)
{
	bool out = listener->direction == AUDIO_PLAYBACK;
	struct listener_call *call;

	if (listener->calls >= CALLS_MOST) {
		g_variant_unref(g_variant_ref_sink(parameters));
		drop(listener, "it does not answer");
		return;
	}
	call = g_new(struct listener_call, 1);
	*call = *what;
	call->listener = listener_ref(listener);
	listener->calls++;
	listener->bytes += call->bytes;
	listener->writes += call->bytes > 0;
	g_dbus_connection_call(listener->connection, NULL,
		out ? BUS_AUDIO_OUT_PATH : BUS_AUDIO_IN_PATH, out ? BUS_AUDIO_OUT : BUS_AUDIO_IN,
		method, parameters, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, NO_TIMEOUT, NULL,
		answered, call);
}

static void tell(struct audio_listener *listener, const char *method, GVariant *parameters)
{
	struct listener_call call = { .bytes = 0 };

	send(listener, method, parameters, &call);
}

/* Asks for what is wanted, or as much as may be asked for. */
static void ask_for(struct audio_listener *listener, struct known_stream *stream)
{
	size_t frame = audio_frame_bytes(&stream->format);
	size_t length = MIN(stream->waiting, READ_BYTES_MOST);
	struct listener_call call = { .is_read = true, .id = stream->id };

	length -= length % frame;
	stream->waiting = 0;
	if (length == 0)
		return;
	call.asked = length;
	stream->reading = true;
	send(listener, "Read", g_variant_new("(tt)", stream->id, (guint64)length), &call);
}

/* What the guest's streams do */

static void give_init(void *owner, uint64_t id, const struct audio_format *format)
{
	struct audio_listener *listener = owner;
	struct known_stream stream = { .id = id, .format = *format };
	uint32_t frame = audio_frame_bytes(format);

	g_array_append_val(listener->streams, stream);
	tell(listener, "Init",
		g_variant_new("(tybbuyuub)", id, format->bits, format->is_signed, format->is_float,
			format->frequency, format->channels, frame, frame * format->frequency,
			FALSE));
}

static void give_fini(void *owner, uint64_t id)
{
	struct audio_listener *listener = owner;

	for (guint i = 0; i < listener->streams->len; i++) {
		if (g_array_index(listener->streams, struct known_stream, i).id == id) {
			g_array_remove_index(listener->streams, i);
			break;
		}
	}
	tell(listener, "Fini", g_variant_new("(t)", id));
}

static void give_enabled(void *owner, uint64_t id, bool enabled)
{
	tell(owner, "SetEnabled", g_variant_new("(tb)", id, enabled));
}

static void give_volume(void *owner, uint64_t id, const struct audio_format *format,
	const struct audio_volume *volume)
{
	tell(owner, "SetVolume",
		g_variant_new("(tb@ay)", id, volume->mute,
			g_variant_new_fixed_array(
				G_VARIANT_TYPE_BYTE, volume->channels, format->channels, 1)));
}

static void give_bytes(void *owner, uint64_t id, GBytes *bytes)
{
	struct audio_listener *listener = owner;
	struct listener_call call = { .bytes = g_bytes_get_size(bytes) };

	if (listener->writes >= WRITES_MOST || listener->bytes + call.bytes > BYTES_MOST)
		return;
	send(listener, "Write",
		g_variant_new("(t@ay)", id,
			g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes, TRUE)),
		&call);
}

static bool ask_capture(void *owner, uint64_t id, size_t length)
{
	struct audio_listener *listener = owner;
	struct known_stream *stream = find_stream(listener, id);

	if (!stream || stream->waiting >= READ_WAITING_MOST)
		return false;
	stream->waiting += MIN(length, READ_WAITING_MOST);
	if (!stream->reading)
		ask_for(listener, stream);
	return true;
}

static const struct audio_consumer_ops ops = {
	.init = give_init,
	.fini = give_fini,
	.set_enabled = give_enabled,
	.set_volume = give_volume,
	.write = give_bytes,
	.read = ask_capture,
};

/* Listeners come and go */

static void listener_closed(
	GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	drop(data, NULL);
}

static void listener_ready(GDBusConnection *connection, const GError *error, void *owner)
{
	struct audio_listener *listener = owner;
	struct audio_consumer *consumer;

	if (!connection) {
		drop(listener, error->message);
		return;
	}
	listener->connection = connection;
	listener->guard = bus_guard_new(connection, BUS_GUARD_CALL);
	g_signal_connect(connection, "closed", G_CALLBACK(listener_closed), listener);
	g_dbus_connection_start_message_processing(connection);
	listener_ref(listener);
	consumer = audio_add_consumer(
		display_audio(listener->server->display), listener->direction, &ops, listener);
	if (listener->dropped)
		audio_remove_consumer(consumer);
	else
		listener->consumer = consumer;
	listener_unref(listener);
}

static unsigned count_of(const struct bus_server *server, uint64_t peer_id)
{
	unsigned count = 0;

	for (guint i = 0; i < server->audio_listeners->len; i++) {
		const struct audio_listener *listener = server->audio_listeners->pdata[i];

		count += listener->peer_id == peer_id;
	}
	return count;
}

static void listener_start(
	struct bus_server *server, enum audio_direction direction, uint64_t peer_id, int fd)
{
	struct audio_listener *listener = g_new0(struct audio_listener, 1);

	listener->references = 1;
	listener->server = server;
	listener->peer_id = peer_id;
	listener->direction = direction;
	listener->cancellable = g_cancellable_new();
	listener->streams = g_array_new(FALSE, FALSE, sizeof(struct known_stream));
	g_ptr_array_add(server->audio_listeners, listener);
	bus_setup(fd, true, listener->cancellable, listener_ready, listener);
}

void server_audio_drop_listeners(struct bus_server *server)
{
	while (server->audio_listeners->len > 0)
		drop(server->audio_listeners->pdata[0], NULL);
}

/* The Audio object */

/* The socket that came with a call, or -1: the call has been answered with what is wrong. */
static int take_socket(struct bus_server *server, const struct bus_peer *peer, GVariant *parameters,
	GDBusMethodInvocation *call)
{
	GUnixFDList *fds =
		g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(call));
	g_autoptr(GError) error = NULL;
	gint32 index;
	int fd;

	g_variant_get(parameters, "(h)", &index);
	if (!fds || index < 0 || index >= g_unix_fd_list_get_length(fds)) {
		g_dbus_method_invocation_return_error(call, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
			"the listener's socket is missing");
		return -1;
	}
	if (!peer) {
		g_dbus_method_invocation_return_error(
			call, G_DBUS_ERROR, G_DBUS_ERROR_FAILED, "the connection is being closed");
		return -1;
	}
	if (server->audio_listeners->len >= LISTENERS_HERE_MOST ||
		count_of(server, peer->id) >= LISTENERS_OF_ONE_MOST) {
		g_dbus_method_invocation_return_error(call, G_DBUS_ERROR,
			G_DBUS_ERROR_LIMITS_EXCEEDED,
			"at most %d audio listeners are taken, and %d of one connection",
			LISTENERS_HERE_MOST, LISTENERS_OF_ONE_MOST);
		return -1;
	}
	fd = g_unix_fd_list_get(fds, index, &error);
	if (fd < 0)
		g_dbus_method_invocation_return_gerror(call, error);
	return fd;
}

static void call_method(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	struct bus_server *server = data;
	struct bus_peer *peer = bus_server_peer(server, connection);
	int fd = take_socket(server, peer, parameters, call);

	if (fd < 0)
		return;
	g_dbus_method_invocation_return_value(call, NULL);
	listener_start(server,
		g_str_equal(name, "RegisterOutListener") ? AUDIO_PLAYBACK : AUDIO_CAPTURE, peer->id,
		fd);
}

static GVariant *get_property(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *property, GError **error, gpointer data)
{
	return g_variant_new_strv(NULL, 0);
}

static const GDBusInterfaceVTable vtable = {
	.method_call = call_method,
	.get_property = get_property,
};

guint server_audio_serve(struct bus_server *server, GDBusConnection *connection)
{
	return g_dbus_connection_register_object(connection, BUS_AUDIO_PATH,
		(GDBusInterfaceInfo *)&display1_audio_interface, &vtable, server, NULL, NULL);
}

GVariant *server_audio_interfaces(void)
{
	GVariantBuilder all, values;

	g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&values, "{sv}", "Interfaces", g_variant_new_strv(NULL, 0));
	g_variant_builder_init(&all, G_VARIANT_TYPE("a{sa{sv}}"));
	g_variant_builder_add(&all, "{s@a{sv}}", BUS_AUDIO, g_variant_builder_end(&values));
	return g_variant_builder_end(&all);
}
