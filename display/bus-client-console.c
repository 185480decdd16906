/* A console that is watched: registering for its pictures, and the input for it.
 *
 * Input is sent in order, and the guest's end is followed: while it does not answer, movements are merged and only so
 * many keys and buttons are sent on.
 */
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "base/sockets.h"
#include "display/bus-client-private.h"

enum {
	EAGER_MOST = 32,     /* calls not answered; movements beyond are merged */
	PRESSES_MOST = 512,  /* calls not answered; presses beyond are lost */
	RELEASES_MOST = 768, /* the same for releases, so that nothing stays pressed */
	RESTART_MS = 100,    /* for a new picture to come by itself after the size changed */
	LOST_MOST = 3,       /* registrations that come to nothing, one after the other */
};

struct bus_console {
	unsigned references;
	struct bus_client *client; /* NULL after unwatching */
	struct found_console *found;
	const struct bus_console_ops *ops;
	void *owner;
	struct bus_picture_listener *listener;
	GSource *restart;
	unsigned lost;         /* registrations, one after the other */
	int64_t registered_at; /* monotonic, microseconds */

	unsigned outstanding;
	bool has_position, has_info;
	uint32_t x, y;            /* while has_position */
	int64_t dx, dy;           /* not sent yet */
	struct head_ui_info info; /* while has_info */
};

static void send_merged(struct bus_console *console);

static void console_unref(struct bus_console *console)
{
	if (--console->references == 0)
		g_free(console);
}

static void answered(GObject *source, GAsyncResult *result, gpointer data)
{
	struct bus_console *console = data;
	G_GNUC_UNUSED g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);

	/* A refusal changes nothing: the pointer may just have changed its kind. */
	console->outstanding--;
	if (console->client)
		send_merged(console);
	console_unref(console);
}

static void send(struct bus_console *console, const char *interface, const char *method,
	GVariant *parameters)
{
	console->outstanding++;
	console->references++;
	g_dbus_connection_call(console->client->connection, NULL, console->found->path, interface,
		method, parameters, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, NULL, answered,
		console);
}

static void send_position(struct bus_console *console)
{
	console->has_position = false;
	send(console, BUS_MOUSE, "SetAbsPosition", g_variant_new("(uu)", console->x, console->y));
}

static void send_motion(struct bus_console *console)
{
	int32_t dx = CLAMP(console->dx, INT16_MIN, INT16_MAX);
	int32_t dy = CLAMP(console->dy, INT16_MIN, INT16_MAX);

	console->dx = 0;
	console->dy = 0;
	send(console, BUS_MOUSE, "RelMotion", g_variant_new("(ii)", dx, dy));
}

static void send_info(struct bus_console *console)
{
	const struct head_ui_info *info = &console->info;

	console->has_info = false;
	send(console, BUS_CONSOLE, "SetUIInfo",
		g_variant_new("(qqiiuu)", info->width_mm, info->height_mm, info->x_offset,
			info->y_offset, info->width, info->height));
}

/* Whether anything can be sent at all: the connection may be over while the owner has not noticed. */
static bool connected(const struct bus_console *console)
{
	return console->client && console->client->connection && !console->client->ended;
}

static void send_merged(struct bus_console *console)
{
	if (!connected(console) || console->outstanding >= EAGER_MOST)
		return;
	if (console->has_position)
		send_position(console);
	if (console->dx != 0 || console->dy != 0)
		send_motion(console);
	if (console->has_info)
		send_info(console);
}

/* A press or a release, after the movements that came before it. */
static void send_edge(struct bus_console *console, const char *interface, uint32_t what, bool down)
{
	if (!connected(console) || console->outstanding >= (down ? PRESSES_MOST : RELEASES_MOST))
		return;
	if (console->has_position)
		send_position(console);
	if (console->dx != 0 || console->dy != 0)
		send_motion(console);
	send(console, interface, down ? "Press" : "Release", g_variant_new("(u)", what));
}

void bus_console_key(struct bus_console *console, uint8_t qnum, bool down)
{
	send_edge(console, BUS_KEYBOARD, qnum, down);
}

void bus_console_button(struct bus_console *console, enum input_button button, bool down)
{
	send_edge(console, BUS_MOUSE, button, down);
}

void bus_console_motion(struct bus_console *console, int32_t dx, int32_t dy)
{
	console->dx += dx;
	console->dy += dy;
	send_merged(console);
}

void bus_console_position(struct bus_console *console, uint32_t x, uint32_t y)
{
	console->has_position = true;
	console->x = x;
	console->y = y;
	send_merged(console);
}

void bus_console_set_ui_info(struct bus_console *console, const struct head_ui_info *info)
{
	console->has_info = true;
	console->info = *info;
	send_merged(console);
}

void bus_console_done(struct bus_console *console)
{
	if (console->listener)
		bus_picture_listener_done(console->listener);
}

const char *bus_console_label(const struct bus_console *console)
{
	return console->found->label;
}

bool bus_console_pointer_is_absolute(const struct bus_console *console)
{
	return console->found->absolute;
}

static void listener_failed(void *data, const GError *reason)
{
	struct bus_console *console = data;

	bus_client_end(console->client, reason);
}

static void registered(GObject *source, GAsyncResult *result, gpointer data)
{
	struct bus_console *console = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
		G_DBUS_CONNECTION(source), NULL, result, &error);

	if (connected(console) && !reply)
		bus_client_end(console->client, error);
	if (connected(console) && console->ops->pointer_kind)
		console->ops->pointer_kind(console->owner, console->found->absolute);
	if (connected(console) && console->ops->lights)
		console->ops->lights(console->owner, console->found->lights);
	console_unref(console);
}

/* Hands one end of a pair to the peer; returns the other, or -1 with @error. */
static int register_listener(struct bus_console *console, GError **error)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	int pair[2];
	bool sent;

	if (!socket_pair(pair, error))
		return -1;
	sent = g_unix_fd_list_append(fds, pair[1], error) >= 0;
	close(pair[1]);
	if (!sent) {
		close(pair[0]);
		return -1;
	}
	console->registered_at = g_get_monotonic_time();
	console->references++;
	g_dbus_connection_call_with_unix_fd_list(console->client->connection, NULL,
		console->found->path, BUS_CONSOLE, "RegisterListener", g_variant_new("(h)", 0),
		NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, fds, NULL, registered, console);
	return pair[0];
}

static void stop_restart(struct bus_console *console)
{
	if (!console->restart)
		return;
	g_source_destroy(console->restart);
	g_clear_pointer(&console->restart, g_source_unref);
}

/* Registering anew brings the whole picture in its new size. */
static gboolean restart(gpointer data)
{
	struct bus_console *console = data;
	g_autoptr(GError) error = NULL;
	int fd;

	stop_restart(console);
	if (!connected(console))
		return G_SOURCE_REMOVE;
	fd = register_listener(console, &error);
	if (fd >= 0)
		bus_picture_listener_restart(console->listener, fd);
	else
		bus_client_end(console->client, error);
	return G_SOURCE_REMOVE;
}

static gboolean restart_if_different(gpointer data)
{
	struct bus_console *console = data;
	const struct found_console *found = console->found;

	if (console->listener && found->width > 0 &&
		bus_picture_listener_differs(console->listener, found->width, found->height))
		return restart(data);
	stop_restart(console);
	return G_SOURCE_REMOVE;
}

static void restart_later(struct bus_console *console, GSourceFunc func)
{
	g_autoptr(GMainContext) context = g_main_context_ref_thread_default();

	stop_restart(console);
	console->restart = g_timeout_source_new(RESTART_MS);
	g_source_set_callback(console->restart, func, console, NULL);
	g_source_attach(console->restart, context);
}

static void listener_outgrown(void *data)
{
	struct bus_console *console = data;

	if (!console->restart)
		restart_later(console, restart);
}

/* A listener may be taken for an earlier one that just went (QEMU 7.2 mixes them up), so its loss is not yet the end. */
static void listener_lost(void *data, const GError *reason)
{
	struct bus_console *console = data;

	if (g_get_monotonic_time() - console->registered_at > BUS_SETUP_SECONDS * G_USEC_PER_SEC)
		console->lost = 0;
	if (++console->lost > LOST_MOST)
		bus_client_end(console->client, reason);
	else
		restart_later(console, restart);
}

static const struct bus_picture_listener_hooks hooks = {
	.failed = listener_failed,
	.lost = listener_lost,
	.outgrown = listener_outgrown,
};

struct bus_console *bus_console_new(struct bus_client *client, struct found_console *found,
	const struct bus_console_ops *ops, void *owner)
{
	struct bus_console *console = g_new0(struct bus_console, 1);
	g_autoptr(GError) error = NULL;
	int fd;

	console->references = 1;
	console->client = client;
	console->found = found;
	console->ops = ops;
	console->owner = owner;
	found->watched = console;
	fd = register_listener(console, &error);
	if (fd >= 0)
		console->listener = bus_picture_listener_new(fd, ops, owner, &hooks, console);
	else
		bus_client_end(client, error);
	return console;
}

void bus_console_free(struct bus_console *console)
{
	stop_restart(console);
	g_clear_pointer(&console->listener, bus_picture_listener_free);
	console->found->watched = NULL;
	console->client = NULL;
	console_unref(console);
}

void bus_console_unwatch(struct bus_console *console)
{
	bus_console_free(console);
}

void bus_console_changed(struct bus_console *console, GVariant *changed)
{
	gboolean absolute;
	guint32 lights;

	console->references++;
	if (g_variant_lookup(changed, "Width", "u", NULL) && !console->restart)
		restart_later(console, restart_if_different);
	if (g_variant_lookup(changed, "IsAbsolute", "b", &absolute) && console->ops->pointer_kind)
		console->ops->pointer_kind(console->owner, absolute);
	if (console->client && g_variant_lookup(changed, "Modifiers", "u", &lights) &&
		console->ops->lights)
		console->ops->lights(console->owner, lights);
	console_unref(console);
}
