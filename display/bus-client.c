/* The display bus, client side: the connection, and what is found on it. */
#include "display/bus-client.h"

#include <string.h>

#include "base/error.h"
#include "base/sockets.h"
#include "display/bus-client-private.h"
#include "display/bus-setup.h"

enum {
	TEXT_MOST = 256, /* bytes of a name or a label */
};

static void found_free(gpointer data)
{
	struct found_console *found = data;

	g_free(found->path);
	g_free(found->label);
	g_free(found);
}

struct bus_client *bus_client_new(const struct bus_client_ops *ops, void *owner)
{
	struct bus_client *client = g_new0(struct bus_client, 1);

	client->references = 1;
	client->ops = ops;
	client->owner = owner;
	client->cancellable = g_cancellable_new();
	client->consoles = g_ptr_array_new_with_free_func(found_free);
	return client;
}

struct bus_client *bus_client_ref(struct bus_client *client)
{
	client->references++;
	return client;
}

void bus_client_unref(struct bus_client *client)
{
	if (--client->references > 0)
		return;
	g_clear_object(&client->cancellable);
	g_clear_object(&client->connection);
	g_ptr_array_unref(client->consoles);
	g_free(client->name);
	g_free(client->uuid);
	g_free(client);
}

static void disconnect(struct bus_client *client)
{
	g_cancellable_cancel(client->cancellable);
	if (!client->connection || !client->guard)
		return;
	g_signal_handlers_disconnect_by_data(client->connection, client);
	g_dbus_connection_signal_unsubscribe(client->connection, client->signals);
	g_clear_pointer(&client->guard, bus_guard_free);
	g_dbus_connection_close(client->connection, NULL, NULL, NULL);
}

void bus_client_end(struct bus_client *client, const GError *reason)
{
	if (client->ended || client->freed)
		return;
	client->ended = true;
	bus_client_ref(client);
	disconnect(client);
	client->ops->ended(client->owner, reason);
	bus_client_unref(client);
}

void bus_client_free(struct bus_client *client)
{
	if (!client)
		return;
	client->freed = true;
	for (guint i = 0; i < client->consoles->len; i++) {
		struct found_console *found = g_ptr_array_index(client->consoles, i);

		if (found->watched)
			bus_console_free(found->watched);
	}
	disconnect(client);
	bus_client_unref(client);
}

static void found_text(GVariant *properties, const char *name, char **value)
{
	const char *text;

	if (!g_variant_lookup(properties, name, "&s", &text))
		return;
	g_free(*value);
	*value = g_strndup(text, TEXT_MOST);
}

static struct found_console *found_by_path(struct bus_client *client, const char *path)
{
	for (guint i = 0; i < client->consoles->len; i++) {
		struct found_console *found = g_ptr_array_index(client->consoles, i);

		if (g_str_equal(found->path, path))
			return found;
	}
	return NULL;
}

/* Takes what is known of a console from any of its interfaces. */
static void note_properties(struct found_console *found, GVariant *properties)
{
	const char *type;
	gboolean absolute;

	found_text(properties, "Label", &found->label);
	if (g_variant_lookup(properties, "Type", "&s", &type))
		found->graphic = g_str_equal(type, "Graphic");
	if (g_variant_lookup(properties, "IsAbsolute", "b", &absolute))
		found->absolute = absolute;
	g_variant_lookup(properties, "Modifiers", "u", &found->lights);
	g_variant_lookup(properties, "Width", "u", &found->width);
	g_variant_lookup(properties, "Height", "u", &found->height);
}

static int graphic_first(gconstpointer a, gconstpointer b)
{
	const struct found_console *const *first = a;
	const struct found_console *const *second = b;

	if ((*first)->graphic != (*second)->graphic)
		return (*first)->graphic ? -1 : 1;
	return (*first)->id < (*second)->id ? -1 : 1;
}

/* Text consoles are monitors and serial lines of the VMM: they count only where there is nothing else. */
static void sort_consoles(struct bus_client *client)
{
	struct found_console *last;

	g_ptr_array_sort(client->consoles, graphic_first);
	if (client->consoles->len == 0 ||
		!((struct found_console *)g_ptr_array_index(client->consoles, 0))->graphic)
		return;
	while (last = g_ptr_array_index(client->consoles, client->consoles->len - 1),
		!last->graphic)
		g_ptr_array_set_size(client->consoles, client->consoles->len - 1);
}

static void ready(struct bus_client *client)
{
	g_autoptr(GError) error = NULL;

	sort_consoles(client);
	if (client->consoles->len == 0) {
		fail(&error, VITRINE_ERROR_NOT_FOUND, "the guest has no display");
		bus_client_end(client, error);
		return;
	}
	client->ready = true;
	client->ops->ready(client->owner);
}

/* Who asked about which object. */
struct question {
	struct bus_client *client;
	char *path;
	void (*learned)(struct bus_client *client, const char *path, GVariant *properties);
	bool needed;
};

static void answered(GObject *source, GAsyncResult *result, gpointer data)
{
	struct question *question = data;
	struct bus_client *client = question->client;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	g_autoptr(GVariant) properties = NULL;

	client->asking--;
	if (!client->ended && !client->freed) {
		if (reply) {
			g_variant_get(reply, "(@a{sv})", &properties);
			question->learned(client, question->path, properties);
		} else if (question->needed) {
			bus_client_end(client, error);
		}
		if (client->asking == 0 && !client->ended && !client->freed)
			ready(client);
	}
	bus_client_unref(client);
	g_free(question->path);
	g_free(question);
}

static void ask(struct bus_client *client, const char *path, const char *interface, bool needed,
	void (*learned)(struct bus_client *, const char *, GVariant *))
{
	struct question *question = g_new0(struct question, 1);

	question->client = bus_client_ref(client);
	question->path = g_strdup(path);
	question->learned = learned;
	question->needed = needed;
	client->asking++;
	g_dbus_connection_call(client->connection, NULL, path, BUS_PROPERTIES, "GetAll",
		g_variant_new("(s)", interface), G_VARIANT_TYPE("(a{sv})"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, BUS_SETUP_SECONDS * 1000, client->cancellable,
		answered, question);
}

static void learned_console(struct bus_client *client, const char *path, GVariant *properties)
{
	struct found_console *found = found_by_path(client, path);

	if (found)
		note_properties(found, properties);
}

static void found_id(struct bus_client *client, uint32_t id)
{
	struct found_console *found = g_new0(struct found_console, 1);

	found->id = id;
	found->path = g_strdup_printf(BUS_CONSOLE_PREFIX "%u", id);
	found->label = g_strdup("");
	g_ptr_array_add(client->consoles, found);
	ask(client, found->path, BUS_CONSOLE, true, learned_console);
	ask(client, found->path, BUS_KEYBOARD, false, learned_console);
	ask(client, found->path, BUS_MOUSE, false, learned_console);
}

static void learned_vm(struct bus_client *client, const char *path, GVariant *properties)
{
	g_autoptr(GVariant) ids =
		g_variant_lookup_value(properties, "ConsoleIDs", G_VARIANT_TYPE("au"));
	const guint32 *all;
	gsize count = 0;

	found_text(properties, "Name", &client->name);
	found_text(properties, "UUID", &client->uuid);
	if (!ids)
		return;
	all = g_variant_get_fixed_array(ids, &count, sizeof(*all));
	for (gsize i = 0; i < MIN(count, BUS_CONSOLES_MOST); i++)
		found_id(client, all[i]);
}

static void properties_changed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer data)
{
	struct bus_client *client = data;
	struct found_console *found = found_by_path(client, path);
	g_autoptr(GVariant) changed = NULL;

	if (!found || !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
		return;
	changed = g_variant_get_child_value(parameters, 1);
	note_properties(found, changed);
	if (found->watched)
		bus_console_changed(found->watched, changed);
}

static void closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	bus_client_end(data, NULL);
}

static void connected(GDBusConnection *connection, const GError *error, void *owner)
{
	struct bus_client *client = owner;

	if (!connection) {
		bus_client_end(client, error);
		return;
	}
	client->connection = connection;
	client->guard = bus_guard_new(connection, BUS_GUARD_FOLLOW);
	client->signals = g_dbus_connection_signal_subscribe(connection, NULL, BUS_PROPERTIES,
		"PropertiesChanged", NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE, properties_changed,
		client, NULL);
	g_signal_connect(connection, "closed", G_CALLBACK(closed), client);
	g_dbus_connection_start_message_processing(connection);
	ask(client, BUS_VM_PATH, BUS_VM, true, learned_vm);
}

void bus_client_use(struct bus_client *client, int fd)
{
	bus_setup(fd, false, client->cancellable, connected, client);
}

struct bus_client *bus_client_adopt(int fd, const struct bus_client_ops *ops, void *owner)
{
	struct bus_client *client = bus_client_new(ops, owner);

	bus_client_use(client, fd);
	return client;
}

/* Failures are told from the main loop, when the owner has got its client. */
struct failure {
	struct bus_client *client;
	GError *reason;
};

static gboolean tell_failure(gpointer data)
{
	struct failure *failure = data;

	bus_client_end(failure->client, failure->reason);
	bus_client_unref(failure->client);
	g_error_free(failure->reason);
	g_free(failure);
	return G_SOURCE_REMOVE;
}

static void fail_later(struct bus_client *client, GError *reason)
{
	g_autoptr(GMainContext) context = g_main_context_ref_thread_default();
	g_autoptr(GSource) source = g_idle_source_new();
	struct failure *failure = g_new0(struct failure, 1);

	failure->client = bus_client_ref(client);
	failure->reason = reason;
	g_source_set_callback(source, tell_failure, failure, NULL);
	g_source_attach(source, context);
}

struct bus_client *bus_client_connect(
	const char *path, const struct bus_client_ops *ops, void *owner)
{
	struct bus_client *client = bus_client_new(ops, owner);
	GError *error = NULL;
	int fd = socket_connect_unix(path, &error);

	if (fd < 0)
		fail_later(client, error);
	else
		bus_client_use(client, fd);
	return client;
}

struct bus_client *bus_client_connect_qmp(
	const char *qmp_path, const struct bus_client_ops *ops, void *owner)
{
	struct bus_client *client = bus_client_new(ops, owner);
	GError *error = NULL;

	if (!bus_qmp_ask(client, qmp_path, &error))
		fail_later(client, error);
	return client;
}

const char *bus_client_name(const struct bus_client *client)
{
	return client->name ? client->name : "";
}

const char *bus_client_uuid(const struct bus_client *client)
{
	return client->uuid ? client->uuid : "";
}

guint bus_client_console_count(const struct bus_client *client)
{
	return client->consoles->len;
}

struct bus_console *bus_client_watch(
	struct bus_client *client, guint index, const struct bus_console_ops *ops, void *owner)
{
	struct found_console *found;

	g_return_val_if_fail(client->ready && index < client->consoles->len, NULL);
	found = g_ptr_array_index(client->consoles, index);
	g_return_val_if_fail(!found->watched, NULL);
	return bus_console_new(client, found, ops, owner);
}
