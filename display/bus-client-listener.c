/* The pictures of a console: what arrives on the connection that was handed over, checked and passed on.
 *
 * Updates that arrive together are passed on together. An update is answered when its receiver is done with it, which is
 * what keeps the sender from running ahead; some senders (QEMU) do not wait, so that only so many answers are held back.
 */
#include <gio/gunixfdlist.h>
#include <string.h>

#include "base/error.h"
#include "display/bus-client-private.h"
#include "display/bus-picture.h"
#include "display/bus-setup.h"
#include "display/damage.h"
#include "display/display1-info.h"

enum {
	HELD_MOST = 64,  /* calls that wait for their answer */
	AREAS_MOST = 16, /* of one update */
	TOGETHER_MS = 1, /* what arrives within this time is one update */
};

struct bus_picture_listener {
	unsigned references;
	bool over;
	GCancellable *cancellable;
	GDBusConnection *connection;
	struct bus_guard *guard;
	guint registrations[2];
	const struct bus_console_ops *ops;
	void *owner;
	const struct bus_picture_listener_hooks *hooks;
	void *data;

	struct shown_picture picture;
	pixman_region32_t damage; /* not yet passed on */
	GQueue held;              /* calls that are answered when the receiver is done */
	GSource *flush;
	bool receiving; /* the receiver has an update and is not done */
};

static void listener_unref(struct bus_picture_listener *listener)
{
	if (--listener->references > 0)
		return;
	shown_picture_clear(&listener->picture);
	pixman_region32_fini(&listener->damage);
	g_clear_object(&listener->cancellable);
	g_clear_object(&listener->connection);
	g_free(listener);
}

static void answer(GDBusMethodInvocation *call)
{
	g_dbus_method_invocation_return_value(call, NULL);
}

static void answer_held(struct bus_picture_listener *listener)
{
	GDBusMethodInvocation *call;

	while ((call = g_queue_pop_head(&listener->held)))
		answer(call);
}

static void stop_flush(struct bus_picture_listener *listener)
{
	if (!listener->flush)
		return;
	g_source_destroy(listener->flush);
	g_clear_pointer(&listener->flush, g_source_unref);
}

/* Leaves the connection. */
static void disconnect(struct bus_picture_listener *listener)
{
	stop_flush(listener);
	g_cancellable_cancel(listener->cancellable);
	if (!listener->connection)
		return;
	answer_held(listener);
	g_signal_handlers_disconnect_by_data(listener->connection, listener);
	for (gsize i = 0; i < G_N_ELEMENTS(listener->registrations); i++)
		g_dbus_connection_unregister_object(
			listener->connection, listener->registrations[i]);
	g_clear_pointer(&listener->guard, bus_guard_free);
	g_dbus_connection_close(listener->connection, NULL, NULL, NULL);
	g_clear_object(&listener->connection);
}

/* Ends everything but the memory of the picture, which the receiver may still look at. */
static void close_down(struct bus_picture_listener *listener)
{
	if (listener->over)
		return;
	listener->over = true;
	disconnect(listener);
}

static void fail_listener(struct bus_picture_listener *listener, const GError *reason)
{
	if (listener->over)
		return;
	close_down(listener);
	listener->hooks->failed(listener->data, reason);
}

/* The peer broke the rules. */
static void reject(
	struct bus_picture_listener *listener, GDBusMethodInvocation *call, const GError *reason)
{
	g_dbus_method_invocation_return_error_literal(
		call, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, reason->message);
	fail_listener(listener, reason);
}

static void pass_on(struct bus_picture_listener *listener)
{
	struct rectangle areas[AREAS_MOST];
	unsigned count;
	bool done;

	if (listener->receiving || listener->over)
		return;
	count = damage_rectangles(&listener->damage, areas, AREAS_MOST);
	pixman_region32_clear(&listener->damage);
	if (count == 0) {
		answer_held(listener);
		return;
	}
	listener->receiving = true;
	done = listener->ops->update(listener->owner, areas, count);
	if (done && !listener->over)
		bus_picture_listener_done(listener);
}

static gboolean flush(gpointer data)
{
	struct bus_picture_listener *listener = data;

	listener->references++;
	stop_flush(listener);
	pass_on(listener);
	listener_unref(listener);
	return G_SOURCE_REMOVE;
}

static void flush_soon(struct bus_picture_listener *listener)
{
	g_autoptr(GMainContext) context = NULL;

	if (listener->flush || listener->receiving)
		return;
	context = g_main_context_ref_thread_default();
	listener->flush = g_timeout_source_new(TOGETHER_MS);
	g_source_set_callback(listener->flush, flush, listener, NULL);
	g_source_attach(listener->flush, context);
}

void bus_picture_listener_done(struct bus_picture_listener *listener)
{
	if (!listener->receiving || listener->over)
		return;
	listener->receiving = false;
	if (pixman_region32_not_empty(&listener->damage))
		flush_soon(listener);
	else
		answer_held(listener);
}

static void hold(struct bus_picture_listener *listener, GDBusMethodInvocation *call)
{
	g_queue_push_tail(&listener->held, call);
	if (listener->held.length > HELD_MOST)
		answer(g_queue_pop_head(&listener->held));
}

static void updated(struct bus_picture_listener *listener, const struct rectangle *area,
	GDBusMethodInvocation *call)
{
	pixman_region32_union_rect(
		&listener->damage, &listener->damage, area->x, area->y, area->width, area->height);
	hold(listener, call);
	flush_soon(listener);
}

/* What was to be shown of the old picture does not matter any more. */
static void forget_updates(struct bus_picture_listener *listener)
{
	stop_flush(listener);
	pixman_region32_clear(&listener->damage);
	listener->receiving = false;
	answer_held(listener);
}

static void show(struct bus_picture_listener *listener)
{
	const struct scanout *scanout = &listener->picture.scanout;
	struct bus_picture picture = {
		.width = scanout->width,
		.height = scanout->height,
		.stride = scanout->stride,
		.format = scanout->format,
		.pixels = listener->picture.pixels,
	};

	listener->ops->scanout(listener->owner, &picture);
}

/* Puts a new picture in place. The receiver may look at the old one until it was given the new one. */
static void replace_picture(struct bus_picture_listener *listener, struct shown_picture *picture)
{
	struct shown_picture old = listener->picture;

	forget_updates(listener);
	listener->picture = *picture;
	show(listener);
	shown_picture_clear(&old);
}

static void scanout(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	struct shown_picture picture = { 0 };
	struct scanout sent = { 0 };
	g_autoptr(GVariant) data = NULL;
	g_autoptr(GError) error = NULL;
	guint32 format;

	g_variant_get(
		parameters, "(uuuu@ay)", &sent.width, &sent.height, &sent.stride, &format, &data);
	sent.format = format;
	if (!shown_picture_take(
		    &picture, &sent, g_variant_get_data(data), g_variant_get_size(data), &error)) {
		reject(listener, call, error);
		return;
	}
	answer(call);
	replace_picture(listener, &picture);
}

/* A sender may change its mode without a new scanout (QEMU 7.2 does in text modes). */
static bool outgrows(const struct bus_picture_listener *listener, const struct rectangle *area)
{
	const struct scanout *scanout = &listener->picture.scanout;

	return (int64_t)area->x + area->width > scanout->width ||
	       (int64_t)area->y + area->height > scanout->height;
}

static void update(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	struct rectangle area;
	g_autoptr(GVariant) data = NULL;
	g_autoptr(GError) error = NULL;
	guint32 stride, format;

	g_variant_get(parameters, "(iiiiuu@ay)", &area.x, &area.y, &area.width, &area.height,
		&stride, &format, &data);
	if (listener->picture.scanout.width == 0 || outgrows(listener, &area)) {
		answer(call);
		listener->hooks->outgrown(listener->data);
	} else if (shown_picture_update(&listener->picture, &area, stride, format,
			   g_variant_get_data(data), g_variant_get_size(data), &error)) {
		updated(listener, &area, call);
	} else {
		reject(listener, call, error);
	}
}

/* Memory that cannot be used is refused only; the peer may send bytes instead. */
static void scanout_map(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	GUnixFDList *fds =
		g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(call));
	struct shown_picture picture = { 0 };
	struct scanout sent = { 0 };
	g_autoptr(GError) error = NULL;
	guint32 offset, format;
	gint32 index;
	gint count = 0;
	const gint *all = fds ? g_unix_fd_list_peek_fds(fds, &count) : NULL;

	g_variant_get(parameters, "(huuuuu)", &index, &offset, &sent.width, &sent.height,
		&sent.stride, &format);
	sent.offset = offset;
	sent.format = format;
	if (index < 0 || index >= count) {
		fail(&error, VITRINE_ERROR_INPUT, "the guest's display sent no memory");
		reject(listener, call, error);
	} else if (shown_picture_map(&picture, all[index], &sent, &error)) {
		answer(call);
		replace_picture(listener, &picture);
	} else {
		g_dbus_method_invocation_return_error_literal(
			call, G_DBUS_ERROR, G_DBUS_ERROR_NOT_SUPPORTED, error->message);
	}
}

static void update_map(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	struct rectangle area;

	g_variant_get(parameters, "(iiii)", &area.x, &area.y, &area.width, &area.height);
	if (listener->picture.mapping && shown_picture_clip(&listener->picture, &area))
		updated(listener, &area, call);
	else
		answer(call);
}

/* Buffers of a GPU are not asked for; a peer that sends one all the same is told so, and sends bytes. */
static void refuse_dmabuf(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	g_dbus_method_invocation_return_error_literal(
		call, G_DBUS_ERROR, G_DBUS_ERROR_NOT_SUPPORTED, "dma-bufs are not shown here");
}

static void disable(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	struct shown_picture old = listener->picture;

	answer(call);
	forget_updates(listener);
	listener->picture = (struct shown_picture) { 0 };
	listener->ops->disable(listener->owner);
	shown_picture_clear(&old);
}

static void mouse_set(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	gint32 x, y, on;

	g_variant_get(parameters, "(iii)", &x, &y, &on);
	answer(call);
	if (listener->ops->mouse)
		listener->ops->mouse(listener->owner, x, y, on != 0);
}

static void cursor_define(
	struct bus_picture_listener *listener, GVariant *parameters, GDBusMethodInvocation *call)
{
	gint32 width, height, hot_x, hot_y;
	g_autoptr(GVariant) data = NULL;
	g_autoptr(GError) error = NULL;
	struct cursor *cursor = NULL;
	size_t size;

	g_variant_get(parameters, "(iiii@ay)", &width, &height, &hot_x, &hot_y, &data);
	if (width != 0 || height != 0) {
		cursor = width < 0 || height < 0
				 ? NULL
				 : cursor_new(width, height, MAX(hot_x, 0), MAX(hot_y, 0));
		size = cursor ? (size_t)width * height * sizeof(cursor->pixels[0]) : 0;
		if (!cursor || g_variant_get_size(data) < size) {
			cursor_unref(cursor);
			fail(&error, VITRINE_ERROR_INPUT,
				"the guest's display sent a cursor of %d by %d pixels in %zu "
				"bytes: at most %d by %d are possible",
				width, height, (size_t)g_variant_get_size(data), CURSOR_MAX_SIZE,
				CURSOR_MAX_SIZE);
			reject(listener, call, error);
			return;
		}
		memcpy(cursor->pixels, g_variant_get_data(data), size);
	}
	answer(call);
	if (listener->ops->cursor)
		listener->ops->cursor(listener->owner, cursor);
	cursor_unref(cursor);
}

static const struct {
	const char *interface, *name;
	void (*call)(struct bus_picture_listener *, GVariant *, GDBusMethodInvocation *);
} methods[] = {
	{ BUS_LISTENER, "Update", update },
	{ BUS_LISTENER, "Scanout", scanout },
	{ BUS_LISTENER, "ScanoutDMABUF", refuse_dmabuf },
	{ BUS_LISTENER, "UpdateDMABUF", refuse_dmabuf },
	{ BUS_LISTENER, "Disable", disable },
	{ BUS_LISTENER, "MouseSet", mouse_set },
	{ BUS_LISTENER, "CursorDefine", cursor_define },
	{ BUS_MAP, "ScanoutMap", scanout_map },
	{ BUS_MAP, "UpdateMap", update_map },
};

static void call_method(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	struct bus_picture_listener *listener = data;

	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (!g_str_equal(methods[i].interface, interface) ||
			!g_str_equal(methods[i].name, name))
			continue;
		listener->references++;
		methods[i].call(listener, parameters, call);
		listener_unref(listener);
		return;
	}
	g_dbus_method_invocation_return_error_literal(
		call, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD, "not served");
}

static GVariant *get_interfaces(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GError **error, gpointer data)
{
	static const char *const interfaces[] = { BUS_MAP };

	return g_variant_new_strv(interfaces, G_N_ELEMENTS(interfaces));
}

static const GDBusInterfaceVTable vtable = {
	.method_call = call_method,
	.get_property = get_interfaces,
};

static void closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
	struct bus_picture_listener *listener = data;

	listener->references++;
	disconnect(listener);
	listener->hooks->lost(listener->data, NULL);
	listener_unref(listener);
}

static void connected(GDBusConnection *connection, const GError *error, void *owner)
{
	static const GDBusInterfaceInfo *const interfaces[] = {
		&display1_listener_interface,
		&display1_listener_unix_map_interface,
	};
	struct bus_picture_listener *listener = owner;

	if (!connection) {
		listener->hooks->lost(listener->data, error);
		return;
	}
	listener->connection = connection;
	listener->guard = bus_guard_new(connection, BUS_GUARD_FOLLOW);
	for (gsize i = 0; i < G_N_ELEMENTS(interfaces); i++)
		listener->registrations[i] =
			g_dbus_connection_register_object(connection, BUS_LISTENER_PATH,
				(GDBusInterfaceInfo *)interfaces[i], &vtable, listener, NULL, NULL);
	g_signal_connect(connection, "closed", G_CALLBACK(closed), listener);
	g_dbus_connection_start_message_processing(connection);
}

static void use(struct bus_picture_listener *listener, int fd)
{
	listener->cancellable = g_cancellable_new();
	bus_setup(fd, false, listener->cancellable, connected, listener);
}

struct bus_picture_listener *bus_picture_listener_new(int fd, const struct bus_console_ops *ops,
	void *owner, const struct bus_picture_listener_hooks *hooks, void *data)
{
	struct bus_picture_listener *listener = g_new0(struct bus_picture_listener, 1);

	listener->references = 1;
	listener->ops = ops;
	listener->owner = owner;
	listener->hooks = hooks;
	listener->data = data;
	pixman_region32_init(&listener->damage);
	g_queue_init(&listener->held);
	use(listener, fd);
	return listener;
}

void bus_picture_listener_restart(struct bus_picture_listener *listener, int fd)
{
	disconnect(listener);
	g_clear_object(&listener->cancellable);
	use(listener, fd);
}

bool bus_picture_listener_differs(
	const struct bus_picture_listener *listener, uint32_t width, uint32_t height)
{
	const struct shown_picture *picture = &listener->picture;

	return picture->own &&
	       (picture->scanout.width != width || picture->scanout.height != height);
}

void bus_picture_listener_free(struct bus_picture_listener *listener)
{
	if (!listener)
		return;
	close_down(listener);
	listener_unref(listener);
}
