/* A picture over VNC, through gvnc: gtk-vnc's connection without its widget, so that every source is shown and typed at in
 * the same way.
 *
 * gvnc decodes into a buffer of ours. The buffer belongs to gvnc's framebuffer object, which lives for as long as
 * anything may still be decoded into it.
 */
#include "viewer/source.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <gvnc.h>

#include "base/checked.h"
#include "base/error.h"

enum {
	POINTER_CENTRE = 0x7fff /* what a motion is counted from in QEMU's relative mode */
};

struct source_vnc {
	struct source source;
	VncConnection *connection;
	GError *reason;  /* what went wrong, until the end is reported */
	guint request;   /* an update is about to be asked for */
	uint8_t buttons; /* as RFB has them */
	uint32_t x, y;
	bool absolute;
	bool ended;
};

static struct source_vnc *vnc_of(struct source *source)
{
	return (struct source_vnc *)source;
}

/* Ours: x8r8g8b8 in host order, which is what is drawn without converting. */
static const VncPixelFormat own_format = {
	.bits_per_pixel = 32,
	.depth = 24,
	.byte_order = G_BYTE_ORDER,
	.true_color_flag = 1,
	.red_max = 255,
	.green_max = 255,
	.blue_max = 255,
	.red_shift = 16,
	.green_shift = 8,
	.blue_shift = 0,
};

static gint32 encodings[] = {
	VNC_CONNECTION_ENCODING_TIGHT,
	VNC_CONNECTION_ENCODING_ZRLE,
	VNC_CONNECTION_ENCODING_HEXTILE,
	VNC_CONNECTION_ENCODING_RRE,
	VNC_CONNECTION_ENCODING_COPY_RECT,
	VNC_CONNECTION_ENCODING_RAW,
	VNC_CONNECTION_ENCODING_EXTENDED_DESKTOP_RESIZE,
	VNC_CONNECTION_ENCODING_DESKTOP_RESIZE,
	VNC_CONNECTION_ENCODING_DESKTOP_NAME,
	VNC_CONNECTION_ENCODING_LAST_RECT,
	VNC_CONNECTION_ENCODING_ALPHA_CURSOR,
	VNC_CONNECTION_ENCODING_RICH_CURSOR,
	VNC_CONNECTION_ENCODING_XCURSOR,
	VNC_CONNECTION_ENCODING_POINTER_CHANGE,
	VNC_CONNECTION_ENCODING_EXT_KEY_EVENT,
};

/* A new buffer of the size that the server announced, shown at once. */
static bool renew_picture(struct source_vnc *vnc)
{
	int width = vnc_connection_get_width(vnc->connection);
	int height = vnc_connection_get_height(vnc->connection);
	g_autoptr(GObject) framebuffer = NULL;
	uint64_t size;
	uint8_t *pixels;

	if (width < 1 || height < 1 || width > SCANOUT_MAX_WIDTH || height > SCANOUT_MAX_HEIGHT ||
		!checked_multiply((uint64_t)width * 4, height, &size))
		return fail(&vnc->reason, VITRINE_ERROR_INPUT,
			"the server's picture of %d by %d pixels is not 1 to %d pixels wide and "
			"high",
			width, height, SCANOUT_MAX_WIDTH);
	pixels = g_try_malloc0(size);
	if (!pixels)
		return fail(&vnc->reason, VITRINE_ERROR_HOST,
			"there is no memory for a picture of %d by %d pixels", width, height);
	framebuffer = G_OBJECT(vnc_base_framebuffer_new(pixels, width, height, width * 4,
		&own_format, vnc_connection_get_pixel_format(vnc->connection)));
	g_object_set_data_full(framebuffer, "pixels", pixels, g_free);
	/* The old pixels go with the old framebuffer: who shows them is told first. */
	vnc->source.events->picture(vnc->source.owner, &(const struct source_picture) {
							       .width = width,
							       .height = height,
							       .stride = width * 4,
							       .format = PIXMAN_x8r8g8b8,
							       .pixels = pixels,
						       });
	vnc_connection_set_framebuffer(vnc->connection, VNC_FRAMEBUFFER(framebuffer));
	return true;
}

static void request_update(struct source_vnc *vnc, bool incremental)
{
	vnc_connection_framebuffer_update_request(vnc->connection, incremental, 0, 0,
		vnc_connection_get_width(vnc->connection),
		vnc_connection_get_height(vnc->connection));
}

static void on_initialized(VncConnection *connection, gpointer user_data)
{
	struct source_vnc *vnc = user_data;

	vnc_connection_set_pixel_format(connection, &own_format);
	vnc_connection_set_encodings(connection, G_N_ELEMENTS(encodings), encodings);
	vnc->source.events->connected(vnc->source.owner, vnc_connection_get_name(connection));
	vnc->source.events->pointer_kind(vnc->source.owner, vnc->absolute);
	if (renew_picture(vnc))
		request_update(vnc, false);
	else
		vnc_connection_shutdown(connection);
}

static void on_desktop_resize(
	VncConnection *connection, guint width, guint height, gpointer user_data)
{
	struct source_vnc *vnc = user_data;

	if (renew_picture(vnc))
		request_update(vnc, false);
	else
		vnc_connection_shutdown(connection);
}

static gboolean on_request(gpointer user_data)
{
	struct source_vnc *vnc = user_data;

	vnc->request = 0;
	request_update(vnc, true);
	return G_SOURCE_REMOVE;
}

static void on_framebuffer_update(
	VncConnection *connection, guint x, guint y, guint width, guint height, gpointer user_data)
{
	struct source_vnc *vnc = user_data;
	const struct rectangle area = { x, y, width, height };

	vnc->source.events->changed(vnc->source.owner, &area, 1);
	/* After what is drawn, so that a server is not asked for more than can be shown. */
	if (vnc->request == 0)
		vnc->request = g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_request, vnc, NULL);
}

/* Straight red, green, blue and alpha bytes, to premultiplied a8r8g8b8. */
static uint32_t premultiplied(const uint8_t *rgba)
{
	uint32_t alpha = rgba[3];

	return alpha << 24 | (rgba[0] * alpha / 255) << 16 | (rgba[1] * alpha / 255) << 8 |
	       (rgba[2] * alpha / 255);
}

static void on_cursor_changed(VncConnection *connection, VncCursor *shape, gpointer user_data)
{
	struct source_vnc *vnc = user_data;
	struct cursor *cursor = NULL;

	if (shape)
		cursor = cursor_new(vnc_cursor_get_width(shape), vnc_cursor_get_height(shape),
			vnc_cursor_get_hotx(shape), vnc_cursor_get_hoty(shape));
	for (uint32_t i = 0; cursor && i < cursor->width * cursor->height; i++)
		cursor->pixels[i] = premultiplied(vnc_cursor_get_data(shape) + i * 4);
	vnc->source.events->cursor(vnc->source.owner, cursor);
	g_clear_pointer(&cursor, cursor_unref);
}

static void on_pointer_mode_changed(
	VncConnection *connection, gboolean absolute, gpointer user_data)
{
	struct source_vnc *vnc = user_data;

	vnc->absolute = absolute;
	vnc->source.events->pointer_kind(vnc->source.owner, absolute);
}

static void on_error(VncConnection *connection, const char *message, gpointer user_data)
{
	struct source_vnc *vnc = user_data;

	if (!vnc->reason)
		fail(&vnc->reason, VITRINE_ERROR_HOST, "%s", message);
}

static void on_auth_failure(VncConnection *connection, const char *message, gpointer user_data)
{
	struct source_vnc *vnc = user_data;

	g_clear_error(&vnc->reason);
	fail(&vnc->reason, VITRINE_ERROR_INPUT, "the server refuses the password: %s", message);
}

static void on_disconnected(VncConnection *connection, gpointer user_data)
{
	struct source_vnc *vnc = user_data;
	g_autoptr(GError) reason = g_steal_pointer(&vnc->reason);

	g_clear_handle_id(&vnc->request, g_source_remove);
	vnc->ended = true;
	vnc->source.events->ended(vnc->source.owner, reason);
}

/* What is taken when the server offers several, best first. */
static const guint auth_types[] = {
	VNC_CONNECTION_AUTH_VENCRYPT,
	VNC_CONNECTION_AUTH_TLS,
	VNC_CONNECTION_AUTH_SASL,
	VNC_CONNECTION_AUTH_NONE,
	VNC_CONNECTION_AUTH_VNC,
};
static const guint auth_subtypes[] = {
	VNC_CONNECTION_AUTH_VENCRYPT_X509SASL,
	VNC_CONNECTION_AUTH_VENCRYPT_X509PLAIN,
	VNC_CONNECTION_AUTH_VENCRYPT_X509VNC,
	VNC_CONNECTION_AUTH_VENCRYPT_X509NONE,
	VNC_CONNECTION_AUTH_VENCRYPT_TLSSASL,
	VNC_CONNECTION_AUTH_VENCRYPT_TLSPLAIN,
	VNC_CONNECTION_AUTH_VENCRYPT_TLSVNC,
	VNC_CONNECTION_AUTH_VENCRYPT_TLSNONE,
};

G_GNUC_BEGIN_IGNORE_DEPRECATIONS /* GValueArray is what gvnc's signals carry */

	static guint
	choose(const guint *known, size_t count, const GValueArray *offered)
{
	for (size_t i = 0; i < count; i++) {
		for (guint j = 0; j < offered->n_values; j++) {
			if ((guint)g_value_get_enum(&offered->values[j]) == known[i])
				return known[i];
		}
	}
	return offered->n_values > 0 ? (guint)g_value_get_enum(&offered->values[0]) : 0;
}

static void on_choose_type(VncConnection *connection, GValueArray *types, gpointer user_data)
{
	vnc_connection_set_auth_type(
		connection, choose(auth_types, G_N_ELEMENTS(auth_types), types));
}

static void on_choose_subtype(
	VncConnection *connection, guint type, GValueArray *subtypes, gpointer user_data)
{
	vnc_connection_set_auth_subtype(
		connection, choose(auth_subtypes, G_N_ELEMENTS(auth_subtypes), subtypes));
}

static void on_credential(VncConnection *connection, GValueArray *wanted, gpointer user_data)
{
	struct source_vnc *vnc = user_data;
	bool user_name = false, password = false;

	for (guint i = 0; i < wanted->n_values; i++) {
		int kind = g_value_get_enum(&wanted->values[i]);

		user_name |= kind == VNC_CONNECTION_CREDENTIAL_USERNAME;
		password |= kind == VNC_CONNECTION_CREDENTIAL_PASSWORD;
		if (kind == VNC_CONNECTION_CREDENTIAL_CLIENTNAME)
			vnc_connection_set_credential(connection, kind, "vitrine");
	}
	if (user_name || password)
		vnc->source.events->password_wanted(vnc->source.owner, user_name);
}

G_GNUC_END_IGNORE_DEPRECATIONS

static void vnc_answer(struct source *source, const char *user_name, const char *password)
{
	VncConnection *connection = vnc_of(source)->connection;

	if (user_name)
		vnc_connection_set_credential(
			connection, VNC_CONNECTION_CREDENTIAL_USERNAME, user_name);
	vnc_connection_set_credential(connection, VNC_CONNECTION_CREDENTIAL_PASSWORD, password);
}

static void vnc_free(struct source *source)
{
	struct source_vnc *vnc = vnc_of(source);

	g_signal_handlers_disconnect_by_data(vnc->connection, vnc);
	if (!vnc->ended)
		vnc_connection_shutdown(vnc->connection);
	g_clear_handle_id(&vnc->request, g_source_remove);
	g_object_unref(vnc->connection);
	g_clear_error(&vnc->reason);
	g_free(vnc);
}

static bool can_send(const struct source_vnc *vnc)
{
	return !vnc->ended && vnc_connection_is_initialized(vnc->connection);
}

static void vnc_key(struct source *source, uint32_t keysym, uint8_t qnum, bool down)
{
	if (can_send(vnc_of(source)))
		vnc_connection_key_event(vnc_of(source)->connection, down, keysym, qnum);
}

static void send_pointer(struct source_vnc *vnc, uint32_t x, uint32_t y)
{
	if (can_send(vnc))
		vnc_connection_pointer_event(vnc->connection, vnc->buttons, x, y);
}

static void vnc_motion(struct source *source, int32_t dx, int32_t dy)
{
	send_pointer(vnc_of(source), CLAMP(POINTER_CENTRE + dx, 0, UINT16_MAX),
		CLAMP(POINTER_CENTRE + dy, 0, UINT16_MAX));
}

static void vnc_position(struct source *source, uint32_t x, uint32_t y)
{
	struct source_vnc *vnc = vnc_of(source);

	vnc->x = x;
	vnc->y = y;
	send_pointer(vnc, x, y);
}

static void vnc_button(struct source *source, enum input_button button, bool down)
{
	static const uint8_t bits[INPUT_BUTTONS] = {
		[INPUT_BUTTON_LEFT] = 1 << 0,
		[INPUT_BUTTON_MIDDLE] = 1 << 1,
		[INPUT_BUTTON_RIGHT] = 1 << 2,
		[INPUT_BUTTON_WHEEL_UP] = 1 << 3,
		[INPUT_BUTTON_WHEEL_DOWN] = 1 << 4,
		[INPUT_BUTTON_SIDE] = 1 << 7,
	};
	struct source_vnc *vnc = vnc_of(source);

	vnc->buttons = down ? vnc->buttons | bits[button] : vnc->buttons & ~bits[button];
	if (vnc->absolute)
		send_pointer(vnc, vnc->x, vnc->y);
	else
		send_pointer(vnc, POINTER_CENTRE, POINTER_CENTRE);
}

static const struct source_ops ops = {
	.free = vnc_free,
	.key = vnc_key,
	.motion = vnc_motion,
	.position = vnc_position,
	.button = vnc_button,
	.answer = vnc_answer,
};

static const struct {
	const char *signal;
	GCallback handler;
} handlers[] = {
	{ "vnc-initialized", G_CALLBACK(on_initialized) },
	{ "vnc-desktop-resize", G_CALLBACK(on_desktop_resize) },
	{ "vnc-framebuffer-update", G_CALLBACK(on_framebuffer_update) },
	{ "vnc-cursor-changed", G_CALLBACK(on_cursor_changed) },
	{ "vnc-pointer-mode-changed", G_CALLBACK(on_pointer_mode_changed) },
	{ "vnc-auth-choose-type", G_CALLBACK(on_choose_type) },
	{ "vnc-auth-choose-subtype", G_CALLBACK(on_choose_subtype) },
	{ "vnc-auth-credential", G_CALLBACK(on_credential) },
	{ "vnc-auth-failure", G_CALLBACK(on_auth_failure) },
	{ "vnc-error", G_CALLBACK(on_error) },
	{ "vnc-disconnected", G_CALLBACK(on_disconnected) },
};

struct source *source_vnc_new(const struct target *target)
{
	struct source_vnc *vnc = g_new0(struct source_vnc, 1);

	vnc->source.ops = &ops;
	vnc->absolute = true;
	vnc->connection = vnc_connection_new();
	/* Otherwise each new viewer would throw the others out. */
	vnc_connection_set_shared(vnc->connection, TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++)
		g_signal_connect(vnc->connection, handlers[i].signal, handlers[i].handler, vnc);
	if (target->kind == TARGET_VNC_UNIX) {
		g_autoptr(GSocketAddress) address = g_unix_socket_address_new(target->text);

		vnc_connection_open_addr(vnc->connection, address, "localhost");
	} else {
		g_autofree char *port = g_strdup_printf("%u", target->port);

		vnc_connection_open_host(vnc->connection, target->text, port);
	}
	return &vnc->source;
}
