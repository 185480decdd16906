/* One listener of a console: what a head gives it, as calls on the connection that it handed over.
 *
 * A listener that does not answer gets nothing more; one that answers with an error, that goes, or that calls us, is
 * dropped. Pixels cross as a descriptor when the listener can map memory, else as bytes.
 */
#include <gio/gunixfdlist.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "display/bus-server-private.h"
#include "display/bus-setup.h"
#include "display/damage.h"

enum {
	INTERVAL_MS = 16,     /* shows all that a screen of 60 Hz can */
	RECTANGLES_MOST = 16, /* of one update */
	NO_TIMEOUT = G_MAXINT,
};

struct bus_listener {
	unsigned references;
	struct bus_server *server;
	uint64_t peer_id; /* who handed it over */
	struct head *head;
	GCancellable *cancellable;
	GDBusConnection *connection; /* NULL until it is set up */
	struct bus_guard *guard;
	struct head_listener *listener;
	bool maps;       /* takes shared memory */
	bool has_cursor; /* was given an image */
	bool too_large;  /* the picture does not fit a message */
	bool dropped;
	unsigned outstanding; /* calls not answered yet */
	/* The picture as it was last given. */
	struct video_memory *memory;
	struct scanout scanout;
};

static struct bus_listener *listener_ref(struct bus_listener *listener)
{
	listener->references++;
	return listener;
}

static void listener_unref(struct bus_listener *listener)
{
	if (--listener->references > 0)
		return;
	head_unref(listener->head);
	video_memory_unref(listener->memory);
	g_clear_object(&listener->cancellable);
	g_clear_object(&listener->connection);
	g_free(listener);
}

struct head *bus_listener_head(const struct bus_listener *listener)
{
	return listener->head;
}

void bus_listener_drop(struct bus_listener *listener, const char *reason)
{
	if (listener->dropped)
		return;
	listener->dropped = true;
	if (reason)
		log_limited(&listener->server->complaints, 16,
			"a listener of the display bus is dropped: %s", reason);
	g_ptr_array_remove_fast(listener->server->listeners, listener);
	g_cancellable_cancel(listener->cancellable);
	if (listener->listener)
		head_remove_listener(listener->listener);
	listener->listener = NULL;
	g_clear_pointer(&listener->guard, bus_guard_free);
	if (listener->connection) {
		g_signal_handlers_disconnect_by_data(listener->connection, listener);
		g_dbus_connection_close(listener->connection, NULL, NULL, NULL);
	}
	listener_unref(listener);
}

static void settle(struct bus_listener *listener)
{
	if (listener->outstanding == 0 && listener->listener)
		head_listener_done(listener->listener);
}

static void answered(GObject *source, GAsyncResult *result, gpointer data)
{
	struct bus_listener *listener = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
		G_DBUS_CONNECTION(source), NULL, result, &error);

	listener->outstanding--;
	if (!reply)
		bus_listener_drop(listener, g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED)
						    ? NULL
						    : error->message);
	else
		settle(listener);
	listener_unref(listener);
}

static void send_with(struct bus_listener *listener, const char *interface, const char *method,
	GVariant *parameters, GUnixFDList *fds)
{
	listener->outstanding++;
	g_dbus_connection_call_with_unix_fd_list(listener->connection, NULL, BUS_LISTENER_PATH,
		interface, method, parameters, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, NO_TIMEOUT,
		fds, NULL, answered, listener_ref(listener));
}

static void send(struct bus_listener *listener, const char *method, GVariant *parameters)
{
	send_with(listener, BUS_LISTENER, method, parameters, NULL);
}

/* The bytes of a rectangle of the picture, in rows without padding but to a multiple of four. */
static GVariant *copy_pixels(
	struct bus_listener *listener, const struct rectangle *area, uint32_t *stride)
{
	const struct scanout *scanout = &listener->scanout;
	uint32_t pixel_bytes = scanout_pixel_bytes(scanout->format);
	size_t row_bytes = (size_t)area->width * pixel_bytes;
	const uint8_t *from = video_memory_bytes(listener->memory) + scanout->offset +
			      (uint64_t)area->y * scanout->stride + (uint64_t)area->x * pixel_bytes;
	uint8_t *pixels;

	*stride = (row_bytes + 3) & ~3u;
	pixels = g_malloc0((size_t)*stride * area->height);
	for (int32_t row = 0; row < area->height; row++)
		memcpy(pixels + (size_t)row * *stride, from + (uint64_t)row * scanout->stride,
			row_bytes);
	return g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, pixels,
		(size_t)*stride * area->height, TRUE, g_free, pixels);
}

static bool fits_message(const struct scanout *scanout)
{
	uint64_t row =
		((uint64_t)scanout->width * scanout_pixel_bytes(scanout->format) + 3) & ~3ull;

	return row * scanout->height <= BUS_ARRAY_MOST;
}

static void send_map(struct bus_listener *listener)
{
	const struct scanout *scanout = &listener->scanout;
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(GError) error = NULL;

	if (g_unix_fd_list_append(fds, video_memory_read_only_fd(listener->memory), &error) < 0) {
		log_limited(&listener->server->complaints, 16,
			"the picture cannot be given to a listener: %s", error->message);
		send(listener, "Disable", NULL);
		return;
	}
	send_with(listener, BUS_MAP, "ScanoutMap",
		g_variant_new("(huuuuu)", 0, (guint32)scanout->offset, scanout->width,
			scanout->height, scanout->stride, (guint32)scanout->format),
		fds);
}

static void send_pixels(struct bus_listener *listener)
{
	const struct scanout *scanout = &listener->scanout;
	struct rectangle whole = { 0, 0, scanout->width, scanout->height };
	uint32_t stride;
	GVariant *pixels = copy_pixels(listener, &whole, &stride);

	send(listener, "Scanout",
		g_variant_new("(uuuu@ay)", scanout->width, scanout->height, stride,
			(guint32)scanout->format, pixels));
}

static void give_scanout(void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	struct bus_listener *listener = owner;
	struct video_memory *old = listener->memory;

	listener->memory = video_memory_ref(memory);
	listener->scanout = *scanout;
	video_memory_unref(old);
	listener->too_large = false;
	if (listener->maps && scanout->offset <= UINT32_MAX) {
		send_map(listener);
	} else if (!listener->maps && fits_message(scanout)) {
		send_pixels(listener);
	} else {
		listener->too_large = true;
		log_limited(&listener->server->complaints, 16,
			"a picture of %u by %u pixels cannot be given to a listener: too large",
			scanout->width, scanout->height);
		send(listener, "Disable", NULL);
	}
}

static void give_disable(void *owner)
{
	struct bus_listener *listener = owner;

	g_clear_pointer(&listener->memory, video_memory_unref);
	send(listener, "Disable", NULL);
}

static void give_update(void *owner, const pixman_region32_t *damage)
{
	struct bus_listener *listener = owner;
	struct rectangle areas[RECTANGLES_MOST];
	unsigned count = damage_rectangles(damage, areas, RECTANGLES_MOST);

	if (listener->too_large)
		count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct rectangle *area = &areas[i];
		uint32_t stride;
		GVariant *pixels;

		if (listener->maps) {
			send_with(listener, BUS_MAP, "UpdateMap",
				g_variant_new(
					"(iiii)", area->x, area->y, area->width, area->height),
				NULL);
			continue;
		}
		pixels = copy_pixels(listener, area, &stride);
		send(listener, "Update",
			g_variant_new("(iiiiuu@ay)", area->x, area->y, area->width, area->height,
				stride, (guint32)listener->scanout.format, pixels));
	}
	settle(listener);
}

/* There is no word for "no image": one transparent pixel takes back the image that was given before. */
static void give_cursor(void *owner, struct cursor *cursor)
{
	struct bus_listener *listener = owner;
	struct cursor *nothing = NULL;
	size_t size;

	if (!cursor && listener->has_cursor)
		cursor = nothing = cursor_new(1, 1, 0, 0);
	listener->has_cursor = cursor && !nothing;
	if (cursor) {
		size = (size_t)cursor->width * cursor->height * sizeof(cursor->pixels[0]);
		send(listener, "CursorDefine",
			g_variant_new("(iiii@ay)", cursor->width, cursor->height, cursor->hot_x,
				cursor->hot_y,
				g_variant_new_fixed_array(
					G_VARIANT_TYPE_BYTE, cursor->pixels, size, 1)));
	}
	cursor_unref(nothing);
	settle(listener);
}

static void give_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	send(owner, "MouseSet", g_variant_new("(iii)", x, y, visible ? 1 : 0));
}

static const struct head_listener_ops ops = {
	.scanout = give_scanout,
	.disable = give_disable,
	.update = give_update,
	.cursor = give_cursor,
	.mouse = give_mouse,
};

/* What the listener can do; older ones cannot say, and are sent bytes. */
static void learned_interfaces(GObject *source, GAsyncResult *result, gpointer data)
{
	struct bus_listener *listener = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	g_autoptr(GVariant) value = NULL;

	if (listener->dropped) {
		listener_unref(listener);
		return;
	}
	if (reply)
		g_variant_get(reply, "(v)", &value);
	if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
		g_autofree const char **names = g_variant_get_strv(value, NULL);

		listener->maps = g_strv_contains(names, BUS_MAP);
	}
	if (reply || g_dbus_error_is_remote_error(error))
		listener->listener = head_add_listener(listener->head, &ops, listener, INTERVAL_MS);
	else
		bus_listener_drop(listener, error->message);
	listener_unref(listener);
}

static void listener_closed(
	GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	bus_listener_drop(data, NULL);
}

static void listener_ready(GDBusConnection *connection, const GError *error, void *owner)
{
	struct bus_listener *listener = owner;

	if (!connection) {
		bus_listener_drop(listener, error->message);
		return;
	}
	listener->connection = connection;
	listener->guard = bus_guard_new(connection, BUS_GUARD_CALL);
	g_signal_connect(connection, "closed", G_CALLBACK(listener_closed), listener);
	g_dbus_connection_start_message_processing(connection);
	g_dbus_connection_call(connection, NULL, BUS_LISTENER_PATH, BUS_PROPERTIES, "Get",
		g_variant_new("(ss)", BUS_LISTENER, "Interfaces"), G_VARIANT_TYPE("(v)"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, BUS_SETUP_SECONDS * 1000, listener->cancellable,
		learned_interfaces, listener_ref(listener));
}

unsigned bus_listener_count(
	struct bus_server *server, uint64_t peer_id, const struct head *head, unsigned *logging_in)
{
	unsigned count = 0;

	*logging_in = 0;
	for (guint i = 0; i < server->listeners->len; i++) {
		const struct bus_listener *listener = g_ptr_array_index(server->listeners, i);

		if (listener->peer_id != peer_id)
			continue;
		count++;
		*logging_in += !listener->connection && listener->head == head;
	}
	return count;
}

void bus_listener_start(struct bus_server *server, struct head *head, uint64_t peer_id, int fd)
{
	struct bus_listener *listener = g_new0(struct bus_listener, 1);

	listener->references = 1;
	listener->server = server;
	listener->peer_id = peer_id;
	listener->head = head_ref(head);
	listener->cancellable = g_cancellable_new();
	g_ptr_array_add(server->listeners, listener);
	bus_setup(fd, true, listener->cancellable, listener_ready, listener);
}
