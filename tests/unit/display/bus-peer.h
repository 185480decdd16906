/* What the tests of the bus share: waiting on the main loop, and a peer that is not ours. */
#pragma once

#include <gio/gio.h>
#include <gio/gunixconnection.h>

#include "base/sockets.h"

static inline gboolean keep_turning(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

/* Every wait has an end, far away: a test that hangs says where. */
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

/* A D-Bus connection on a socket (taken), by GDBus alone; messages wait until they are started. */
static inline GDBusConnection *foreign_connection(int fd, bool server)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, &error);
	g_autoptr(GSocketConnection) stream = NULL;
	g_autofree char *guid = server ? g_dbus_generate_guid() : NULL;
	GDBusConnection *connection;

	g_assert_no_error(error);
	stream = g_socket_connection_factory_create_connection(socket);
	connection = g_dbus_connection_new_sync(G_IO_STREAM(stream), guid,
		G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING |
			(server ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
				: G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT),
		NULL, NULL, &error);
	g_assert_no_error(error);
	return connection;
}

struct answer {
	bool there;
	GVariant *value;
	GError *error;
};

static inline void take_answer(GObject *source, GAsyncResult *result, gpointer data)
{
	struct answer *answer = data;

	answer->value = g_dbus_connection_call_with_unix_fd_list_finish(
		G_DBUS_CONNECTION(source), NULL, result, &answer->error);
	answer->there = true;
}

/* A call and its answer, NULL when it is an error. */
static inline GVariant *ask_value(GDBusConnection *connection, const char *path,
	const char *interface, const char *method, GVariant *parameters, GUnixFDList *fds,
	char **message)
{
	struct answer answer = { 0 };

	g_dbus_connection_call_with_unix_fd_list(connection, NULL, path, interface, method,
		parameters, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, take_answer,
		&answer);
	wait_for(answer.there);
	*message = answer.error ? g_strdup(answer.error->message) : NULL;
	g_clear_error(&answer.error);
	return answer.value;
}

/* The same where only the error matters: its message, or NULL. */
static inline char *ask(GDBusConnection *connection, const char *path, const char *interface,
	const char *method, GVariant *parameters, GUnixFDList *fds)
{
	char *message;
	GVariant *value = ask_value(connection, path, interface, method, parameters, fds, &message);

	g_clear_pointer(&value, g_variant_unref);
	return message;
}
