/* The display bus, server side: who is connected, and the object that stands for the guest. */
#include "display/bus-server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sockets.h"
#include "display/bus-server-private.h"
#include "display/bus-setup.h"
#include "display/display1-info.h"

enum {
	CALLERS_MOST = 64,            /* peers that came by the listening socket */
	CALLERS_LOGGING_IN_MOST = 16, /* of these: each takes a thread */
};

static GVariant *console_ids(struct bus_server *server)
{
	GVariantBuilder ids;

	g_variant_builder_init(&ids, G_VARIANT_TYPE("au"));
	for (guint i = 0; i < server->consoles->len; i++) {
		struct server_console *console = g_ptr_array_index(server->consoles, i);

		g_variant_builder_add(&ids, "u", console->id);
	}
	return g_variant_builder_end(&ids);
}

static GVariant *get_vm_property(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *property, GError **error, gpointer data)
{
	struct bus_server *server = data;

	if (g_str_equal(property, "Name"))
		return g_variant_new_string(server->name);
	if (g_str_equal(property, "UUID"))
		return g_variant_new_string(server->uuid);
	if (g_str_equal(property, "ConsoleIDs"))
		return console_ids(server);
	return g_variant_new_strv(NULL, 0);
}

static const GDBusInterfaceVTable vm_vtable = { .get_property = get_vm_property };

/* What of the VM object there is, a{sa{sv}}. */
static GVariant *vm_interfaces(struct bus_server *server)
{
	GVariantBuilder values, all;

	g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
	for (GDBusPropertyInfo **property = display1_vm_interface.properties; *property; property++)
		g_variant_builder_add(&values, "{sv}", (*property)->name,
			get_vm_property(NULL, NULL, NULL, NULL, (*property)->name, NULL, server));
	g_variant_builder_init(&all, G_VARIANT_TYPE("a{sa{sv}}"));
	g_variant_builder_add(&all, "{s@a{sv}}", BUS_VM, g_variant_builder_end(&values));
	return g_variant_builder_end(&all);
}

/* GetManagedObjects, the only method of the root. */
static void list_objects(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	struct bus_server *server = data;
	GVariantBuilder objects;

	g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
	g_variant_builder_add(&objects, "{o@a{sa{sv}}}", BUS_VM_PATH, vm_interfaces(server));
	g_variant_builder_add(&objects, "{o@a{sa{sv}}}", BUS_AUDIO_PATH, server_audio_interfaces());
	for (guint i = 0; i < server->consoles->len; i++) {
		struct server_console *console = g_ptr_array_index(server->consoles, i);

		g_variant_builder_add(&objects, "{o@a{sa{sv}}}", console->path,
			server_console_interfaces(console));
	}
	g_dbus_method_invocation_return_value(call, g_variant_new("(a{oa{sa{sv}}})", &objects));
}

static const GDBusInterfaceVTable root_vtable = { .method_call = list_objects };

/* Sends a signal to all peers; takes @parameters. */
static void tell_peers(struct bus_server *server, const char *path, const char *interface,
	const char *name, GVariant *parameters)
{
	g_autoptr(GVariant) held = g_variant_ref_sink(parameters);

	for (guint i = 0; i < server->peers->len; i++) {
		struct bus_peer *peer = g_ptr_array_index(server->peers, i);

		if (peer->guard)
			bus_guard_signal(peer->guard, path, interface, name, held);
	}
}

struct bus_peer *bus_server_peer(struct bus_server *server, GDBusConnection *connection)
{
	for (guint i = 0; i < server->peers->len; i++) {
		struct bus_peer *peer = g_ptr_array_index(server->peers, i);

		if (peer->connection == connection)
			return peer;
	}
	return NULL;
}

/* Lets go of what a peer held down when it went, or the guest would see it held for ever. */
static void release_input(struct bus_peer *peer)
{
	for (unsigned key = 0; key < 256; key++)
		if (peer->keys[key / 8] & 1 << key % 8)
			display_key(peer->server->display, key, false);
	for (unsigned button = 0; button < INPUT_BUTTONS; button++)
		if (peer->buttons & 1u << button)
			display_pointer_button(peer->server->display, button, false);
	for (unsigned slot = 0; slot < INPUT_TOUCH_SLOTS_MOST; slot++)
		if (peer->fingers & 1u << slot && display_head(peer->server->display, 0))
			display_touch(peer->server->display, display_head(peer->server->display, 0),
				INPUT_TOUCH_CANCEL, slot, 0, 0);
}

static void peer_free(struct bus_peer *peer)
{
	g_cancellable_cancel(peer->cancellable);
	g_object_unref(peer->cancellable);
	if (peer->connection) {
		g_signal_handlers_disconnect_by_data(peer->connection, peer);
		for (guint i = 0; i < peer->server->consoles->len; i++)
			server_console_leave(g_ptr_array_index(peer->server->consoles, i), peer);
		g_dbus_connection_unregister_object(peer->connection, peer->vm_registration);
		g_dbus_connection_unregister_object(peer->connection, peer->root_registration);
		g_dbus_connection_unregister_object(peer->connection, peer->audio_registration);
		bus_guard_free(peer->guard);
		g_dbus_connection_close(peer->connection, NULL, NULL, NULL);
		g_object_unref(peer->connection);
		release_input(peer);
	}
	g_free(peer);
}

static void peer_drop(struct bus_peer *peer)
{
	g_ptr_array_remove(peer->server->peers, peer);
	peer_free(peer);
}

static void peer_closed(
	GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	peer_drop(data);
}

static void peer_ready(GDBusConnection *connection, const GError *error, void *owner)
{
	struct bus_peer *peer = owner;
	struct bus_server *server = peer->server;

	if (!connection) {
		log_limited(&server->complaints, 16, "a peer of the display bus did not log in: %s",
			error->message);
		peer_drop(peer);
		return;
	}
	peer->connection = connection;
	peer->guard = bus_guard_new(connection, BUS_GUARD_SERVE);
	peer->vm_registration = g_dbus_connection_register_object(connection, BUS_VM_PATH,
		(GDBusInterfaceInfo *)&display1_vm_interface, &vm_vtable, server, NULL, NULL);
	peer->root_registration = g_dbus_connection_register_object(connection, BUS_ROOT_PATH,
		(GDBusInterfaceInfo *)&org_freedesktop_dbus_object_manager_interface, &root_vtable,
		server, NULL, NULL);
	peer->audio_registration = server_audio_serve(server, connection);
	for (guint i = 0; i < server->consoles->len; i++)
		server_console_serve(g_ptr_array_index(server->consoles, i), peer);
	g_signal_connect(connection, "closed", G_CALLBACK(peer_closed), peer);
	g_dbus_connection_start_message_processing(connection);
}

static void serve(struct bus_server *server, int fd, bool called)
{
	struct bus_peer *peer = g_new0(struct bus_peer, 1);

	peer->server = server;
	peer->id = server->next_peer_id++;
	peer->called = called;
	peer->cancellable = g_cancellable_new();
	g_ptr_array_add(server->peers, peer);
	bus_setup(fd, true, peer->cancellable, peer_ready, peer);
}

void bus_server_adopt(struct bus_server *server, int fd)
{
	serve(server, fd, false);
}

/* Makes place for one more caller. Whoever has taken longest to log in goes: callers that say nothing cannot keep away
 * those that do, however many they are. */
static bool make_place(struct bus_server *server)
{
	struct bus_peer *slowest = NULL;
	unsigned callers = 0, logging_in = 0;

	for (guint i = 0; i < server->peers->len; i++) {
		struct bus_peer *peer = g_ptr_array_index(server->peers, i);

		if (!peer->called)
			continue;
		callers++;
		if (peer->connection)
			continue;
		logging_in++;
		slowest = slowest ? slowest : peer;
	}
	if (callers < CALLERS_MOST && logging_in < CALLERS_LOGGING_IN_MOST)
		return true;
	if (!slowest) {
		log_limited(&server->complaints, 16,
			"a further peer of the display bus is turned away: %d are connected",
			CALLERS_MOST);
		return false;
	}
	log_limited(&server->complaints, 16,
		"a peer of the display bus that did not log in makes place for another one");
	peer_drop(slowest);
	return true;
}

static bool same_user(int fd)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 &&
	       (credentials.uid == 0 || credentials.uid == geteuid());
}

static gboolean accept_peer(int listening_fd, GIOCondition condition, gpointer data)
{
	struct bus_server *server = data;
	int fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return G_SOURCE_CONTINUE;
	if (!same_user(fd)) {
		log_limited(&server->complaints, 16,
			"another user's connection to the display bus is turned away");
		close(fd);
	} else if (make_place(server)) {
		serve(server, fd, true);
	} else {
		close(fd);
	}
	return G_SOURCE_CONTINUE;
}

bool bus_server_listen(struct bus_server *server, const char *path, GError **error)
{
	g_autoptr(GMainContext) context = g_main_context_ref_thread_default();
	int fd = socket_listen_unix(path, error);

	if (fd < 0)
		return false;
	g_assert(server->listening_fd < 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	server->listening_fd = fd;
	server->path = g_strdup(path);
	server->accepting = g_unix_fd_source_new(fd, G_IO_IN);
	g_source_set_callback(server->accepting, G_SOURCE_FUNC(accept_peer), server, NULL);
	g_source_attach(server->accepting, context);
	return true;
}

static struct server_console *console_of(struct bus_server *server, const struct head *head)
{
	for (guint i = 0; i < server->consoles->len; i++) {
		struct server_console *console = g_ptr_array_index(server->consoles, i);

		if (console->head == head)
			return console;
	}
	return NULL;
}

static bool head_present(struct display *display, const struct head *head)
{
	for (guint i = 0; i < display_head_count(display); i++)
		if (display_head(display, i) == head)
			return true;
	return false;
}

static void drop_listeners_of(struct bus_server *server, const struct head *head)
{
	for (guint i = server->listeners->len; i-- > 0;) {
		struct bus_listener *listener = g_ptr_array_index(server->listeners, i);

		if (!head || bus_listener_head(listener) == head)
			bus_listener_drop(listener, NULL);
	}
}

/* Makes the consoles what the heads are. */
static bool update_consoles(struct bus_server *server)
{
	struct display *display = server->display;
	bool changed = false;

	for (guint i = server->consoles->len; i-- > 0;) {
		struct server_console *console = g_ptr_array_index(server->consoles, i);

		if (head_present(display, console->head))
			continue;
		drop_listeners_of(server, console->head);
		tell_peers(server, BUS_ROOT_PATH, BUS_OBJECTS, "InterfacesRemoved",
			g_variant_new("(o@as)", console->path, server_console_interface_names()));
		g_ptr_array_remove_index(server->consoles, i);
		server_console_free(console);
		changed = true;
	}
	for (guint i = 0; i < display_head_count(display); i++) {
		struct head *head = display_head(display, i);
		struct server_console *console;

		if (console_of(server, head))
			continue;
		console = server_console_new(server, head);
		g_ptr_array_add(server->consoles, console);
		for (guint j = 0; j < server->peers->len; j++) {
			struct bus_peer *peer = g_ptr_array_index(server->peers, j);

			if (peer->connection)
				server_console_serve(console, peer);
		}
		tell_peers(server, BUS_ROOT_PATH, BUS_OBJECTS, "InterfacesAdded",
			g_variant_new("(o@a{sa{sv}})", console->path,
				server_console_interfaces(console)));
		changed = true;
	}
	return changed;
}

static void tell_console_ids(struct bus_server *server)
{
	GVariantDict changed;

	g_variant_dict_init(&changed, NULL);
	g_variant_dict_insert_value(&changed, "ConsoleIDs", console_ids(server));
	tell_peers(server, BUS_VM_PATH, BUS_PROPERTIES, "PropertiesChanged",
		g_variant_new("(s@a{sv}as)", BUS_VM, g_variant_dict_end(&changed), NULL));
}

static void display_changed(struct display *display, void *watcher)
{
	struct bus_server *server = watcher;

	if (update_consoles(server))
		tell_console_ids(server);
	for (guint i = 0; i < server->consoles->len; i++)
		server_console_tell(g_ptr_array_index(server->consoles, i));
}

struct bus_server *bus_server_new(
	struct display *display, const char *guest_name, const char *guest_uuid)
{
	struct bus_server *server = g_new0(struct bus_server, 1);

	server->display = display;
	server->name = g_utf8_make_valid(guest_name ? guest_name : "", -1);
	server->uuid = g_utf8_make_valid(guest_uuid ? guest_uuid : "", -1);
	server->peers = g_ptr_array_new();
	server->consoles = g_ptr_array_new();
	server->listeners = g_ptr_array_new();
	server->audio_listeners = g_ptr_array_new();
	server->listening_fd = -1;
	update_consoles(server);
	display_watch(display, display_changed, server);
	return server;
}

void bus_server_free(struct bus_server *server)
{
	if (!server)
		return;
	display_unwatch(server->display, server);
	if (server->accepting) {
		g_source_destroy(server->accepting);
		g_source_unref(server->accepting);
		close(server->listening_fd);
		unlink(server->path);
	}
	drop_listeners_of(server, NULL);
	server_audio_drop_listeners(server);
	while (server->peers->len > 0)
		peer_drop(g_ptr_array_index(server->peers, 0));
	for (guint i = 0; i < server->consoles->len; i++)
		server_console_free(g_ptr_array_index(server->consoles, i));
	g_ptr_array_unref(server->listeners);
	g_ptr_array_unref(server->audio_listeners);
	g_ptr_array_unref(server->peers);
	g_ptr_array_unref(server->consoles);
	g_free(server->path);
	g_free(server->name);
	g_free(server->uuid);
	g_free(server);
}
