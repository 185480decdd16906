/* How a connected socket becomes a D-Bus connection.
 *
 * GDBus speaks the authentication protocol with blocking reads. Each attempt does so on a thread of its own: the pool that
 * g_dbus_connection_new() takes its threads from is small, and peers that say nothing would keep all of it from others.
 */
#include "display/bus-setup.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "display/bus-names.h"

struct setup {
	GCancellable *user;    /* the caller's */
	GCancellable *attempt; /* also cancelled when time is over */
	gulong user_handler;
	GSource *deadline;
	bus_setup_func done;
	void *owner;
	GError *early;
	bool server;
};

static void setup_free(struct setup *setup)
{
	if (setup->user)
		g_cancellable_disconnect(setup->user, setup->user_handler);
	g_clear_object(&setup->user);
	g_clear_object(&setup->attempt);
	g_clear_error(&setup->early);
	if (setup->deadline) {
		g_source_destroy(setup->deadline);
		g_source_unref(setup->deadline);
	}
	g_free(setup);
}

static void finish(struct setup *setup, GDBusConnection *connection, const GError *error)
{
	if (setup->user && g_cancellable_is_cancelled(setup->user)) {
		if (connection) {
			g_dbus_connection_close(connection, NULL, NULL, NULL);
			g_object_unref(connection);
		}
	} else {
		setup->done(connection, error, setup->owner);
	}
	setup_free(setup);
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	GDBusConnection *connection = NULL;

	if (g_task_propagate_boolean(G_TASK(result), &error))
		connection = g_object_ref(G_DBUS_CONNECTION(source));

	/* It is read from already, so it may be over before anybody could be told. */
	if (connection && g_dbus_connection_is_closed(connection)) {
		g_clear_object(&connection);
		fail(&error, VITRINE_ERROR_STATE, "the peer closed its connection at once");
	}
	finish(data, connection, error);
}

/* On its own thread. */
static void *authenticate(void *data)
{
	g_autoptr(GTask) task = data;
	GInitable *connection = G_INITABLE(g_task_get_source_object(task));
	GError *error = NULL;

	if (g_initable_init(connection, g_task_get_cancellable(task), &error))
		g_task_return_boolean(task, TRUE);
	else
		g_task_return_error(task, error);
	return NULL;
}

static gboolean failed_early(gpointer data)
{
	struct setup *setup = data;

	finish(setup, NULL, setup->early);
	return G_SOURCE_REMOVE;
}

static gboolean too_late(gpointer data)
{
	struct setup *setup = data;

	g_cancellable_cancel(setup->attempt);
	return G_SOURCE_REMOVE;
}

static void user_cancelled(GCancellable *user, gpointer attempt)
{
	g_cancellable_cancel(attempt);
}

/* Credentials come with the socket; the other mechanisms would have us write cookie files. */
static gboolean allow_mechanism(GDBusAuthObserver *observer, const char *mechanism, gpointer data)
{
	return g_str_equal(mechanism, "EXTERNAL");
}

static GSource *attach(GSource *source, GSourceFunc func, void *data)
{
	g_autoptr(GMainContext) context = g_main_context_ref_thread_default();

	g_source_set_callback(source, func, data, NULL);
	g_source_attach(source, context);
	return source;
}

static bool is_unix_stream(int fd)
{
	int domain = -1, type = -1;
	socklen_t domain_size = sizeof(domain), type_size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && domain == AF_UNIX &&
	       type == SOCK_STREAM;
}

/* GLib closes what it cannot take, whatever its documentation says: it is only asked for what it can. */
static GSocketConnection *stream_of(int fd, GError **error)
{
	g_autoptr(GSocket) socket = NULL;

	if (!is_unix_stream(fd)) {
		close(fd);
		fail(error, VITRINE_ERROR_INPUT, "a UNIX stream socket is needed");
		return NULL;
	}
	socket = g_socket_new_from_fd(fd, error);
	return socket ? g_socket_connection_factory_create_connection(socket) : NULL;
}

/* The connection, which does not speak yet. */
static GDBusConnection *connection_on(GSocketConnection *stream, bool server)
{
	g_autoptr(GDBusAuthObserver) observer = server ? g_dbus_auth_observer_new() : NULL;
	g_autofree char *guid = server ? g_dbus_generate_guid() : NULL;
	GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING;

	if (server) {
		g_signal_connect(observer, "allow-mechanism", G_CALLBACK(allow_mechanism), NULL);
		flags |= G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER;
	} else {
		flags |= G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;
	}
	return g_object_new(G_TYPE_DBUS_CONNECTION, "stream", stream, "guid", guid, "flags", flags,
		"authentication-observer", observer, NULL);
}

static bool start(struct setup *setup, int fd, bool server)
{
	g_autoptr(GSocketConnection) stream = stream_of(fd, &setup->early);
	g_autoptr(GDBusConnection) connection = NULL;
	g_autoptr(GTask) task = NULL;
	GError *error = NULL;
	GThread *thread;

	if (!stream)
		return false;
	connection = connection_on(stream, server);
	task = g_task_new(connection, setup->attempt, connected, setup);
	/* A connection that came about is always told of, so that it is closed. */
	g_task_set_check_cancellable(task, FALSE);
	thread = g_thread_try_new("bus-setup", authenticate, g_object_ref(task), &error);
	if (thread) {
		g_thread_unref(thread);
	} else {
		g_task_return_error(task, error);
		g_object_unref(task);
	}
	return true;
}

void bus_setup(int fd, bool server, GCancellable *cancellable, bus_setup_func done, void *owner)
{
	struct setup *setup = g_new0(struct setup, 1);

	setup->done = done;
	setup->owner = owner;
	setup->attempt = g_cancellable_new();
	if (cancellable) {
		setup->user = g_object_ref(cancellable);
		setup->user_handler = g_cancellable_connect(
			cancellable, G_CALLBACK(user_cancelled), setup->attempt, NULL);
	}
	if (start(setup, fd, server))
		setup->deadline =
			attach(g_timeout_source_new_seconds(BUS_SETUP_SECONDS), too_late, setup);
	else
		g_source_unref(attach(g_idle_source_new(), failed_early, setup));
}
