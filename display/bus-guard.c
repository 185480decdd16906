/* Keeps a D-Bus connection from filling our memory. The filters run on GDBus's own thread. */
#include "display/bus-guard.h"

enum {
	CALLS_MOST = 1024, /* of a served peer, not yet answered or the answers not yet read */
	SIGNALS_MOST = 64, /* for a served peer, not yet read */
	SMALL_MESSAGE = 16 << 10, /* bytes; nothing that a served peer sends is larger */
	FOLLOW_BYTES = 160 << 20, /* read from the peer, but not yet looked at */
	FOLLOW_MESSAGES = 1024,
	FOLLOW_DESCRIPTORS = 64,
	FOLLOW_WAIT = G_USEC_PER_SEC, /* for the main loop, by one message */
};

struct bus_guard {
	gatomicrefcount references;
	GDBusConnection *connection;
	guint filter;
	enum bus_guard_kind kind;
	GMainContext *context;

	GMutex lock;
	GCond caught_up;
	unsigned calls, signals;
	size_t bytes, messages, descriptors;
	bool ended;
};

/* A message on its way to the main loop. */
struct passing {
	struct bus_guard *guard;
	size_t bytes, descriptors;
};

static void guard_unref(gpointer data)
{
	struct bus_guard *guard = data;

	if (!g_atomic_ref_count_dec(&guard->references))
		return;
	g_main_context_unref(guard->context);
	g_mutex_clear(&guard->lock);
	g_cond_clear(&guard->caught_up);
	g_free(guard);
}

static struct bus_guard *guard_ref(struct bus_guard *guard)
{
	g_atomic_ref_count_inc(&guard->references);
	return guard;
}

static size_t body_size(GDBusMessage *message)
{
	GVariant *body = g_dbus_message_get_body(message);

	return body ? g_variant_get_size(body) : 0;
}

static gint descriptors(GDBusMessage *message)
{
	GUnixFDList *list = g_dbus_message_get_unix_fd_list(message);

	return list ? g_unix_fd_list_get_length(list) : 0;
}

static GDBusMessage *drop(GDBusMessage *message)
{
	g_object_unref(message);
	return NULL;
}

static GDBusMessage *cut_off(GDBusConnection *connection, GDBusMessage *message)
{
	g_dbus_connection_close(connection, NULL, NULL, NULL);
	return drop(message);
}

/* Every call is answered, so that the answers count it off again. */
static GDBusMessage *wanting_answer(GDBusMessage *message)
{
	GDBusMessageFlags flags = g_dbus_message_get_flags(message);
	GDBusMessage *copy;

	if (!(flags & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED))
		return message;
	copy = g_dbus_message_copy(message, NULL);
	g_object_unref(message);
	if (copy)
		g_dbus_message_set_flags(copy, flags & ~G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
	return copy;
}

static GDBusMessage *filter_serve(
	struct bus_guard *guard, GDBusConnection *connection, GDBusMessage *message, bool incoming)
{
	GDBusMessageType type = g_dbus_message_get_message_type(message);
	bool allowed = true;

	if (incoming && type != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
		return drop(message);
	if (incoming && (body_size(message) > SMALL_MESSAGE || descriptors(message) > 1))
		return cut_off(connection, message);
	g_mutex_lock(&guard->lock);
	if (incoming)
		allowed = guard->calls++ < CALLS_MOST;
	else if (type == G_DBUS_MESSAGE_TYPE_SIGNAL)
		guard->signals -= guard->signals > 0;
	else
		guard->calls -= guard->calls > 0;
	g_mutex_unlock(&guard->lock);
	if (!allowed)
		return cut_off(connection, message);
	return incoming ? wanting_answer(message) : message;
}

static GDBusMessage *filter_call(
	struct bus_guard *guard, GDBusConnection *connection, GDBusMessage *message, bool incoming)
{
	GDBusMessageType type = g_dbus_message_get_message_type(message);

	if (!incoming)
		return message;
	if (type == G_DBUS_MESSAGE_TYPE_METHOD_CALL || type == G_DBUS_MESSAGE_TYPE_SIGNAL)
		return drop(message);
	if (body_size(message) > SMALL_MESSAGE || descriptors(message) > 0)
		return cut_off(connection, message);
	return message;
}

static gboolean passed(gpointer data)
{
	struct passing *passing = data;
	struct bus_guard *guard = passing->guard;

	g_mutex_lock(&guard->lock);
	guard->bytes -= passing->bytes;
	guard->messages--;
	guard->descriptors -= passing->descriptors;
	g_cond_signal(&guard->caught_up);
	g_mutex_unlock(&guard->lock);
	return G_SOURCE_REMOVE;
}

static void passing_free(gpointer data)
{
	struct passing *passing = data;

	guard_unref(passing->guard);
	g_free(passing);
}

static bool has_room(const struct bus_guard *guard, const struct passing *passing)
{
	return guard->messages == 0 ||
	       (guard->messages < FOLLOW_MESSAGES &&
		       guard->bytes + passing->bytes <= FOLLOW_BYTES &&
		       guard->descriptors + passing->descriptors <= FOLLOW_DESCRIPTORS);
}

/* Holds the reading thread until there is room; what follows on the main loop, in the same order as the messages, counts
 * them off. Not for ever: all connections of a process share that thread, and the main loop may itself be waiting for
 * an answer from one of them. */
static GDBusMessage *filter_follow(
	struct bus_guard *guard, GDBusConnection *connection, GDBusMessage *message, bool incoming)
{
	gint64 deadline = g_get_monotonic_time() + FOLLOW_WAIT;
	struct passing *passing;
	g_autoptr(GSource) source = NULL;

	if (!incoming)
		return message;
	if (descriptors(message) > 1)
		return drop(message);
	passing = g_new0(struct passing, 1);
	passing->guard = guard_ref(guard);
	passing->bytes = body_size(message);
	passing->descriptors = descriptors(message);
	g_mutex_lock(&guard->lock);
	while (!guard->ended && !has_room(guard, passing) &&
		g_cond_wait_until(&guard->caught_up, &guard->lock, deadline))
		;
	guard->bytes += passing->bytes;
	guard->descriptors += passing->descriptors;
	guard->messages++;
	g_mutex_unlock(&guard->lock);

	source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, passed, passing, passing_free);
	g_source_attach(source, guard->context);
	return message;
}

static GDBusMessage *filter(
	GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
	static GDBusMessage *(*const filters[])(
		struct bus_guard *, GDBusConnection *, GDBusMessage *, bool) = {
		[BUS_GUARD_SERVE] = filter_serve,
		[BUS_GUARD_CALL] = filter_call,
		[BUS_GUARD_FOLLOW] = filter_follow,
	};
	struct bus_guard *guard = data;

	return filters[guard->kind](guard, connection, message, incoming);
}

struct bus_guard *bus_guard_new(GDBusConnection *connection, enum bus_guard_kind kind)
{
	struct bus_guard *guard = g_new0(struct bus_guard, 1);

	g_atomic_ref_count_init(&guard->references);
	guard->connection = g_object_ref(connection);
	guard->kind = kind;
	guard->context = g_main_context_ref_thread_default();
	g_mutex_init(&guard->lock);
	g_cond_init(&guard->caught_up);
	guard->filter =
		g_dbus_connection_add_filter(connection, filter, guard_ref(guard), guard_unref);
	return guard;
}

void bus_guard_free(struct bus_guard *guard)
{
	if (!guard)
		return;
	g_mutex_lock(&guard->lock);
	guard->ended = true;
	g_cond_signal(&guard->caught_up);
	g_mutex_unlock(&guard->lock);
	g_dbus_connection_remove_filter(guard->connection, guard->filter);
	g_clear_object(&guard->connection);
	guard_unref(guard);
}

void bus_guard_signal(struct bus_guard *guard, const char *path, const char *interface,
	const char *name, GVariant *parameters)
{
	g_autoptr(GVariant) held = g_variant_ref_sink(parameters);
	bool allowed;

	g_mutex_lock(&guard->lock);
	allowed = guard->signals++ < SIGNALS_MOST;
	g_mutex_unlock(&guard->lock);
	if (allowed)
		g_dbus_connection_emit_signal(
			guard->connection, NULL, path, interface, name, held, NULL);
	else
		g_dbus_connection_close(guard->connection, NULL, NULL, NULL);
}
