/* Listens to a guest on the display bus by GDBus alone, as any client may: a tone goes into a file, or a constant into the
 * guest's line-in.
 *
 *	audio-listener BUS-SOCKET out FILE
 *	audio-listener BUS-SOCKET in
 *
 * Says on standard output what it is told, a line for each call but Write and Read; runs until it is killed.
 */
#include <gio/gio.h>
#include <gio/gunixconnection.h>
#include <gio/gunixfdlist.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LOUDNESS = 0x1234,
};

#define COMMON \
	"<method name='Init'><arg type='t'/><arg type='y'/><arg type='b'/><arg type='b'/>" \
	"<arg type='u'/><arg type='y'/><arg type='u'/><arg type='u'/><arg type='b'/></method>" \
	"<method name='Fini'><arg type='t'/></method>" \
	"<method name='SetEnabled'><arg type='t'/><arg type='b'/></method>" \
	"<method name='SetVolume'><arg type='t'/><arg type='b'/><arg type='ay'/></method>"

static const char interfaces[] =
	"<node><interface name='org.qemu.Display1.AudioOutListener'>" COMMON
	"<method name='Write'><arg type='t'/><arg type='ay'/></method></interface>"
	"<interface name='org.qemu.Display1.AudioInListener'>" COMMON
	"<method name='Read'><arg type='t'/><arg type='t'/><arg type='ay' "
	"direction='out'/></method>"
	"</interface></node>";

static void say(const char *name, GVariant *parameters)
{
	g_autofree char *text = g_variant_print(parameters, FALSE);

	printf("%s%s\n", name, text);
	fflush(stdout);
}

static void keep(FILE *file, GVariant *parameters)
{
	g_autoptr(GVariant) data = g_variant_get_child_value(parameters, 1);
	gsize length;
	const void *bytes = g_variant_get_fixed_array(data, &length, 1);

	fwrite(bytes, 1, length, file);
	fflush(file);
}

static GVariant *speak(GVariant *parameters)
{
	g_autofree gint16 *samples = NULL;
	guint64 id, size;

	g_variant_get(parameters, "(tt)", &id, &size);
	samples = g_malloc0(size + sizeof(*samples));
	for (guint64 i = 0; i < size / sizeof(*samples); i++)
		samples[i] = GINT16_TO_LE(LOUDNESS);
	return g_variant_new(
		"(@ay)", g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, samples, size, 1));
}

static void called(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	GVariant *answer = NULL;

	if (g_str_equal(name, "Write"))
		keep(data, parameters);
	else if (g_str_equal(name, "Read"))
		answer = speak(parameters);
	else
		say(name, parameters);
	g_dbus_method_invocation_return_value(call, answer);
}

static const GDBusInterfaceVTable vtable = { .method_call = called };

static GDBusConnection *connection_on(GSocketConnection *stream)
{
	g_autoptr(GError) error = NULL;
	GDBusConnection *connection = g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
			G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
		NULL, NULL, &error);

	if (!connection)
		g_error("the bus: %s", error->message);
	return connection;
}

static GDBusConnection *call_bus(const char *path)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketConnection) stream =
		g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &error);
	GDBusConnection *connection;

	if (!stream)
		g_error("%s: %s", path, error->message);
	connection = connection_on(stream);
	g_dbus_connection_start_message_processing(connection);
	return connection;
}

static void listen_to(GDBusConnection *bus, const char *direction, FILE *file)
{
	bool out = strcmp(direction, "out") == 0;
	g_autoptr(GError) error = NULL;
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(interfaces, &error);
	g_autoptr(GSocket) socket = NULL;
	GDBusConnection *connection;
	GVariant *reply;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		g_error("there is no socket pair");
	g_unix_fd_list_append(fds, pair[1], NULL);
	close(pair[1]);
	reply = g_dbus_connection_call_with_unix_fd_list_sync(bus, NULL, "/org/qemu/Display1/Audio",
		"org.qemu.Display1.Audio", out ? "RegisterOutListener" : "RegisterInListener",
		g_variant_new("(h)", 0), NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, NULL,
		&error);
	if (!reply)
		g_error("the listener is not taken: %s", error->message);
	g_variant_unref(reply);
	socket = g_socket_new_from_fd(pair[0], &error);
	connection = connection_on(g_socket_connection_factory_create_connection(socket));
	g_dbus_connection_register_object(connection,
		out ? "/org/qemu/Display1/AudioOutListener" : "/org/qemu/Display1/AudioInListener",
		node->interfaces[out ? 0 : 1], &vtable, file, NULL, &error);
	g_dbus_connection_start_message_processing(connection);
}

int main(int argc, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	FILE *file = argc == 4 ? fopen(argv[3], "wb") : NULL;

	if (argc < 3 || (argc == 4 && !file)) {
		fprintf(stderr, "usage: audio-listener BUS-SOCKET (out FILE | in)\n");
		return 2;
	}
	listen_to(call_bus(argv[1]), argv[2], file);
	g_main_loop_run(loop);
	return 0;
}
