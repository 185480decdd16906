/* A head as an object of the display bus: Console, Keyboard, Mouse and MultiTouch. */
#include <gio/gunixfdlist.h>
#include <math.h>
#include <unistd.h>

#include "display/bus-server-private.h"
#include "display/display1-info.h"

struct console_registration {
	struct bus_peer *peer;
	guint id;
};

static void done(GDBusMethodInvocation *call)
{
	g_dbus_method_invocation_return_value(call, NULL);
}

static void refuse(GDBusMethodInvocation *call, GDBusError code, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static void refuse(GDBusMethodInvocation *call, GDBusError code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_dbus_method_invocation_return_error_valist(call, G_DBUS_ERROR, code, format, arguments);
	va_end(arguments);
}

/* Refuses a call when its peer has as many listeners as it may. */
static bool may_register(
	struct server_console *console, const struct bus_peer *peer, GDBusMethodInvocation *call)
{
	struct bus_server *server = console->server;
	unsigned logging_in;
	unsigned count = bus_listener_count(server, peer->id, console->head, &logging_in);

	if (server->listeners->len >= LISTENERS_MOST)
		refuse(call, G_DBUS_ERROR_LIMITS_EXCEEDED,
			"%d listeners are there, no more are taken", LISTENERS_MOST);
	else if (count >= LISTENERS_OF_PEER_MOST)
		refuse(call, G_DBUS_ERROR_LIMITS_EXCEEDED,
			"%d listeners were handed over by this connection, no more are taken",
			LISTENERS_OF_PEER_MOST);
	else if (logging_in >= LISTENERS_LOGGING_IN_MOST)
		refuse(call, G_DBUS_ERROR_LIMITS_EXCEEDED,
			"%d listeners of this console have not logged in yet, no more are taken",
			LISTENERS_LOGGING_IN_MOST);
	else
		return true;
	return false;
}

static void register_listener(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	GDBusMessage *message = g_dbus_method_invocation_get_message(call);
	GUnixFDList *fds = g_dbus_message_get_unix_fd_list(message);
	struct bus_peer *peer =
		bus_server_peer(console->server, g_dbus_method_invocation_get_connection(call));
	g_autoptr(GError) error = NULL;
	gint32 index;
	int fd;

	g_variant_get(parameters, "(h)", &index);
	if (!fds || index < 0 || index >= g_unix_fd_list_get_length(fds)) {
		refuse(call, G_DBUS_ERROR_INVALID_ARGS, "the listener's socket is missing");
		return;
	}
	if (!peer) {
		refuse(call, G_DBUS_ERROR_FAILED, "the connection is being closed");
		return;
	}
	if (!may_register(console, peer, call))
		return;
	fd = g_unix_fd_list_get(fds, index, &error);
	if (fd < 0) {
		refuse(call, G_DBUS_ERROR_FAILED, "%s", error->message);
		return;
	}
	done(call);
	bus_listener_start(console->server, console->head, peer->id, fd);
}

static void set_ui_info(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	struct head_ui_info info;

	g_variant_get(parameters, "(qqiiuu)", &info.width_mm, &info.height_mm, &info.x_offset,
		&info.y_offset, &info.width, &info.height);
	if (info.width > SCANOUT_MAX_WIDTH || info.height > SCANOUT_MAX_HEIGHT) {
		refuse(call, G_DBUS_ERROR_INVALID_ARGS,
			"%u by %u pixels: at most %d by %d are possible", info.width, info.height,
			SCANOUT_MAX_WIDTH, SCANOUT_MAX_HEIGHT);
		return;
	}
	head_set_ui_info(console->head, &info);
	done(call);
}

static void key(struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call,
	bool down)
{
	struct bus_peer *peer =
		bus_server_peer(console->server, g_dbus_method_invocation_get_connection(call));
	guint32 code;

	g_variant_get(parameters, "(u)", &code);
	if (code == 0 || code > 255) {
		refuse(call, G_DBUS_ERROR_INVALID_ARGS, "%u is no key: they are 1 to 255", code);
		return;
	}
	if (peer && down)
		peer->keys[code / 8] |= 1 << code % 8;
	else if (peer)
		peer->keys[code / 8] &= ~(1 << code % 8);
	display_key(console->server->display, code, down);
	done(call);
}

static void key_press(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	key(console, parameters, call, true);
}

static void key_release(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	key(console, parameters, call, false);
}

static void press_button(struct server_console *console, GDBusMethodInvocation *call,
	enum input_button button, bool down)
{
	struct bus_peer *peer =
		bus_server_peer(console->server, g_dbus_method_invocation_get_connection(call));

	if (peer && down)
		peer->buttons |= 1u << button;
	else if (peer)
		peer->buttons &= ~(1u << button);
	display_pointer_button(console->server->display, button, down);
}

static void button(struct server_console *console, GVariant *parameters,
	GDBusMethodInvocation *call, bool down)
{
	guint32 number;

	g_variant_get(parameters, "(u)", &number);
	if (number >= INPUT_BUTTONS) {
		refuse(call, G_DBUS_ERROR_INVALID_ARGS, "%u is no button: they are 0 to %d", number,
			INPUT_BUTTONS - 1);
		return;
	}
	press_button(console, call, number, down);
	done(call);
}

static void button_press(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	button(console, parameters, call, true);
}

static void button_release(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	button(console, parameters, call, false);
}

static void set_abs_position(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	guint32 x, y;

	if (!display_pointer_is_absolute(console->server->display)) {
		refuse(call, G_DBUS_ERROR_NOT_SUPPORTED, "the pointer takes motions now");
		return;
	}
	g_variant_get(parameters, "(uu)", &x, &y);
	display_pointer_position(console->server->display, console->head, x, y);
	done(call);
}

static void rel_motion(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	gint32 dx, dy;

	if (display_pointer_is_absolute(console->server->display)) {
		refuse(call, G_DBUS_ERROR_NOT_SUPPORTED, "the pointer takes positions now");
		return;
	}
	g_variant_get(parameters, "(ii)", &dx, &dy);
	display_pointer_motion(console->server->display, dx, dy);
	done(call);
}

/* Fingers that a viewer may use: those of a touch screen, else one, which is a pointer with its left button held. */
static unsigned touch_slots(const struct server_console *console)
{
	unsigned slots = display_touch_slots(console->server->display);

	return slots > 0 ? slots : BUS_TOUCH_SLOTS;
}

static void note_finger(
	struct server_console *console, GDBusMethodInvocation *call, unsigned slot, bool down)
{
	struct bus_peer *peer =
		bus_server_peer(console->server, g_dbus_method_invocation_get_connection(call));

	if (peer && down)
		peer->fingers |= 1u << slot;
	else if (peer)
		peer->fingers &= ~(1u << slot);
}

static void send_touch(
	struct server_console *console, GVariant *parameters, GDBusMethodInvocation *call)
{
	struct display *display = console->server->display;
	guint64 slot;
	guint32 kind;
	double x, y;

	g_variant_get(parameters, "(utdd)", &kind, &slot, &x, &y);
	if (kind > BUS_TOUCH_CANCEL || slot >= touch_slots(console) || !isfinite(x) ||
		!isfinite(y)) {
		refuse(call, G_DBUS_ERROR_INVALID_ARGS,
			"no such touch: kinds are 0 to %d, slots 0 to %u", BUS_TOUCH_CANCEL,
			touch_slots(console) - 1);
		return;
	}
	x = CLAMP(x, 0, SCANOUT_MAX_WIDTH);
	y = CLAMP(y, 0, SCANOUT_MAX_HEIGHT);
	if (display_touch(display, console->head, (enum input_touch)kind, slot, x, y)) {
		note_finger(console, call, slot, kind <= BUS_TOUCH_UPDATE);
		done(call);
		return;
	}
	if (!display_pointer_is_absolute(display)) {
		refuse(call, G_DBUS_ERROR_NOT_SUPPORTED, "the pointer takes motions now");
		return;
	}
	display_pointer_position(display, console->head, x, y);
	if (kind != BUS_TOUCH_UPDATE)
		press_button(console, call, INPUT_BUTTON_LEFT, kind == BUS_TOUCH_BEGIN);
	done(call);
}

static const struct {
	const char *interface, *name;
	void (*call)(struct server_console *, GVariant *, GDBusMethodInvocation *);
} methods[] = {
	{ BUS_CONSOLE, "RegisterListener", register_listener },
	{ BUS_CONSOLE, "SetUIInfo", set_ui_info },
	{ BUS_KEYBOARD, "Press", key_press },
	{ BUS_KEYBOARD, "Release", key_release },
	{ BUS_MOUSE, "Press", button_press },
	{ BUS_MOUSE, "Release", button_release },
	{ BUS_MOUSE, "SetAbsPosition", set_abs_position },
	{ BUS_MOUSE, "RelMotion", rel_motion },
	{ BUS_TOUCH, "SendEvent", send_touch },
};

static void call_method(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GVariant *parameters, GDBusMethodInvocation *call,
	gpointer data)
{
	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (g_str_equal(methods[i].interface, interface) &&
			g_str_equal(methods[i].name, name)) {
			methods[i].call(data, parameters, call);
			return;
		}
	}
	refuse(call, G_DBUS_ERROR_UNKNOWN_METHOD, "%s.%s is not served", interface, name);
}

static GVariant *text(const char *value)
{
	return g_variant_new_take_string(g_utf8_make_valid(value ? value : "", -1));
}

static GVariant *get_label(struct server_console *console)
{
	return text(head_label(console->head));
}

static GVariant *get_head(struct server_console *console)
{
	return g_variant_new_uint32(head_number(console->head));
}

static GVariant *get_type(struct server_console *console)
{
	return g_variant_new_string("Graphic");
}

static GVariant *get_width(struct server_console *console)
{
	uint32_t width, height;

	head_size(console->head, &width, &height);
	return g_variant_new_uint32(width);
}

static GVariant *get_height(struct server_console *console)
{
	uint32_t width, height;

	head_size(console->head, &width, &height);
	return g_variant_new_uint32(height);
}

static GVariant *get_device_address(struct server_console *console)
{
	return text(head_device_address(console->head));
}

static GVariant *get_interfaces(struct server_console *console)
{
	static const char *const interfaces[] = { BUS_KEYBOARD, BUS_MOUSE, BUS_TOUCH };

	return g_variant_new_strv(interfaces, G_N_ELEMENTS(interfaces));
}

static GVariant *get_modifiers(struct server_console *console)
{
	return g_variant_new_uint32(display_lights(console->server->display));
}

static GVariant *get_is_absolute(struct server_console *console)
{
	return g_variant_new_boolean(display_pointer_is_absolute(console->server->display));
}

static GVariant *get_max_slots(struct server_console *console)
{
	return g_variant_new_int32(touch_slots(console));
}

static const struct {
	const char *name;
	GVariant *(*get)(struct server_console *console);
} properties[] = {
	{ "Label", get_label },
	{ "Head", get_head },
	{ "Type", get_type },
	{ "Width", get_width },
	{ "Height", get_height },
	{ "DeviceAddress", get_device_address },
	{ "Interfaces", get_interfaces },
	{ "Modifiers", get_modifiers },
	{ "IsAbsolute", get_is_absolute },
	{ "MaxSlots", get_max_slots },
};

static GVariant *get_property(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GError **error, gpointer data)
{
	for (gsize i = 0; i < G_N_ELEMENTS(properties); i++)
		if (g_str_equal(properties[i].name, name))
			return properties[i].get(data);
	g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY, "%s.%s is not served",
		interface, name);
	return NULL;
}

static const GDBusInterfaceVTable vtable = {
	.method_call = call_method,
	.get_property = get_property,
};

static const GDBusInterfaceInfo *const interfaces[] = {
	&display1_console_interface,
	&display1_keyboard_interface,
	&display1_mouse_interface,
	&display1_multi_touch_interface,
};

/* Adds an interface with the properties that it has. */
static void add_interface(
	struct server_console *console, const GDBusInterfaceInfo *info, GVariantBuilder *all)
{
	GVariantBuilder values;

	g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
	for (GDBusPropertyInfo **property = info->properties; property && *property; property++)
		g_variant_builder_add(&values, "{sv}", (*property)->name,
			get_property(NULL, NULL, console->path, info->name, (*property)->name, NULL,
				console));
	g_variant_builder_add(all, "{s@a{sv}}", info->name, g_variant_builder_end(&values));
}

GVariant *server_console_interfaces(struct server_console *console)
{
	GVariantBuilder all;

	g_variant_builder_init(&all, G_VARIANT_TYPE("a{sa{sv}}"));
	for (gsize i = 0; i < G_N_ELEMENTS(interfaces); i++)
		add_interface(console, interfaces[i], &all);
	return g_variant_builder_end(&all);
}

GVariant *server_console_interface_names(void)
{
	const char *names[G_N_ELEMENTS(interfaces)];

	for (gsize i = 0; i < G_N_ELEMENTS(interfaces); i++)
		names[i] = interfaces[i]->name;
	return g_variant_new_strv(names, G_N_ELEMENTS(names));
}

static void note_values(struct server_console *console)
{
	head_size(console->head, &console->width, &console->height);
	console->lights = display_lights(console->server->display);
	console->absolute = display_pointer_is_absolute(console->server->display);
	console->slots = touch_slots(console);
}

struct server_console *server_console_new(struct bus_server *server, struct head *head)
{
	struct server_console *console = g_new0(struct server_console, 1);

	console->server = server;
	console->head = head_ref(head);
	console->id = server->next_console_id++;
	console->path = g_strdup_printf(BUS_CONSOLE_PREFIX "%u", console->id);
	console->registrations = g_array_new(FALSE, FALSE, sizeof(struct console_registration));
	note_values(console);
	return console;
}

void server_console_free(struct server_console *console)
{
	while (console->registrations->len > 0)
		server_console_leave(console,
			g_array_index(console->registrations, struct console_registration, 0).peer);
	g_array_unref(console->registrations);
	head_unref(console->head);
	g_free(console->path);
	g_free(console);
}

void server_console_serve(struct server_console *console, struct bus_peer *peer)
{
	for (gsize i = 0; i < G_N_ELEMENTS(interfaces); i++) {
		struct console_registration registration = { .peer = peer };

		registration.id = g_dbus_connection_register_object(peer->connection, console->path,
			(GDBusInterfaceInfo *)interfaces[i], &vtable, console, NULL, NULL);
		g_array_append_val(console->registrations, registration);
	}
}

void server_console_leave(struct server_console *console, struct bus_peer *peer)
{
	for (guint i = console->registrations->len; i-- > 0;) {
		struct console_registration *registration =
			&g_array_index(console->registrations, struct console_registration, i);

		if (registration->peer != peer)
			continue;
		g_dbus_connection_unregister_object(peer->connection, registration->id);
		g_array_remove_index_fast(console->registrations, i);
	}
}

static void tell(struct server_console *console, const char *interface, GVariant *changed)
{
	g_autoptr(GVariant) parameters =
		g_variant_ref_sink(g_variant_new("(s@a{sv}as)", interface, changed, NULL));
	GPtrArray *peers = console->server->peers;

	for (guint i = 0; i < peers->len; i++) {
		struct bus_peer *peer = g_ptr_array_index(peers, i);

		if (peer->guard)
			bus_guard_signal(peer->guard, console->path, BUS_PROPERTIES,
				"PropertiesChanged", parameters);
	}
}

void server_console_tell(struct server_console *console)
{
	struct server_console before = *console;
	GVariantDict changed;

	note_values(console);
	if (before.width != console->width || before.height != console->height) {
		g_variant_dict_init(&changed, NULL);
		g_variant_dict_insert(&changed, "Width", "u", console->width);
		g_variant_dict_insert(&changed, "Height", "u", console->height);
		tell(console, BUS_CONSOLE, g_variant_dict_end(&changed));
	}
	if (before.lights != console->lights) {
		g_variant_dict_init(&changed, NULL);
		g_variant_dict_insert(&changed, "Modifiers", "u", console->lights);
		tell(console, BUS_KEYBOARD, g_variant_dict_end(&changed));
	}
	if (before.absolute != console->absolute) {
		g_variant_dict_init(&changed, NULL);
		g_variant_dict_insert(&changed, "IsAbsolute", "b", (gboolean)console->absolute);
		tell(console, BUS_MOUSE, g_variant_dict_end(&changed));
	}
	if (before.slots != console->slots) {
		g_variant_dict_init(&changed, NULL);
		g_variant_dict_insert(&changed, "MaxSlots", "i", (gint32)console->slots);
		tell(console, BUS_TOUCH, g_variant_dict_end(&changed));
	}
}
