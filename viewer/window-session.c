/* One window: following the guest, from the first attempt to connect to its end, and its return. */
#include "viewer/window-private.h"

#include <glib/gi18n.h>
#include <string.h>

static void show_ended(struct window *window, const GError *reason);

/* --- what the source says --- */

static void on_connected(void *owner, const char *name)
{
	struct window *window = owner;

	window->connected = true;
	g_free(window->guest);
	window->guest = name && name[0] != '\0' ? g_strdup(name) : NULL;
	window_show_page(window, PAGE_SCREEN);
}

static void on_picture(void *owner, const struct source_picture *picture)
{
	struct window *window = owner;

	screen_set_picture(window->screen, picture);
	window_fit_to_picture(window);
	window_update_titles(window);
	window_update_actions(window);
}

static void on_no_picture(void *owner)
{
	struct window *window = owner;

	screen_set_no_picture(window->screen);
	window_update_titles(window);
	window_update_actions(window);
}

static void on_changed(void *owner, const struct rectangle *areas, guint count)
{
	screen_picture_changed(((struct window *)owner)->screen, areas, count);
}

static void on_cursor(void *owner, const struct cursor *cursor)
{
	screen_set_cursor(((struct window *)owner)->screen, cursor);
}

static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	screen_move_cursor(((struct window *)owner)->screen, x, y, visible);
}

static void on_pointer_kind(void *owner, bool absolute)
{
	screen_set_absolute(((struct window *)owner)->screen, absolute);
}

static void on_password_wanted(void *owner, bool user_name_too)
{
	struct window *window = owner;

	window_show_page(window, PAGE_PASSWORD);
	password_page_ask(window->password, window_guest_name(window), user_name_too);
}

static void on_ended(void *owner, const GError *reason)
{
	struct window *window = owner;

	window_end_session(window);
	show_ended(window, reason);
}

static const struct source_events events = {
	.connected = on_connected,
	.picture = on_picture,
	.no_picture = on_no_picture,
	.changed = on_changed,
	.cursor = on_cursor,
	.mouse = on_mouse,
	.pointer_kind = on_pointer_kind,
	.password_wanted = on_password_wanted,
	.ended = on_ended,
};

void window_end_session(struct window *window)
{
	screen_set_source(window->screen, NULL);
	g_clear_pointer(&window->source, source_free);
	window->connected = false;
}

/* --- why there is nothing to see --- */

static void show_waiting(struct window *window, const char *title)
{
	const struct status_text text = {
		.icon = "computer-symbolic",
		.title = title,
		.text = _("It is shown here as soon as it starts."),
		.action = _("Running Guests"),
		.action_name = "win.guests",
	};

	window_show_status(window, &text);
}

static void show_gone(struct window *window)
{
	g_autofree char *title = g_strdup_printf(_("%s has ended"), window_guest_name(window));

	show_waiting(window, title);
}

static void show_lost(struct window *window, const GError *reason)
{
	g_autofree char *title = g_strdup_printf(
		window->guest ? _("The connection to %s is lost") : _("%s cannot be shown"),
		window_guest_name(window));
	const struct status_text text = {
		.icon = "network-offline-symbolic",
		.title = title,
		.text = reason ? reason->message : _("The other side has ended the connection."),
		.action = _("Reconnect"),
		.action_name = "win.reconnect",
	};

	window_show_status(window, &text);
}

/* A guest in the registry is known to live or not; of others only the connection's end is known. */
static void show_ended(struct window *window, const GError *reason)
{
	g_autoptr(runtime_guest) guest = NULL;

	if (window->target->kind == TARGET_NAME)
		guest = runtime_dir_find(window->base, window->target->text, NULL);
	if (window->target->kind == TARGET_NAME && !guest)
		show_gone(window);
	else
		show_lost(window, reason);
}

/* --- connecting --- */

static void connect_to(struct window *window, const struct target *target)
{
	g_autofree char *title = g_strdup_printf(_("Connecting to %s"), window_guest_name(window));
	const struct status_text busy = { .title = title };

	window->source = source_new(target, &events, window);
	screen_set_source(window->screen, window->source);
	window_show_status(window, &busy);
}

static void connect_to_guest(struct window *window, const struct runtime_guest *guest)
{
	g_autofree char *path = NULL;
	g_autoptr(target) bus = NULL;

	if (!guest->record->display) {
		const struct status_text text = {
			.icon = "video-display-symbolic",
			.title = _("This guest has no display"),
			.text = _("Its serial line may be there: vitrine-console attach NAME."),
			.action = _("Running Guests"),
			.action_name = "win.guests",
		};

		window_show_status(window, &text);
		return;
	}
	path = runtime_guest_path(guest, guest->record->display);
	bus = target_new(TARGET_BUS, path);
	connect_to(window, bus);
}

void window_reconnect(struct window *window)
{
	g_autoptr(runtime_guest) guest = NULL;
	g_autoptr(GError) error = NULL;

	if (!window->target)
		return;
	window_end_session(window);
	if (window->target->kind != TARGET_NAME) {
		connect_to(window, window->target);
		return;
	}
	guest = runtime_dir_find(window->base, window->target->text, &error);
	if (guest) {
		connect_to_guest(window, guest);
	} else {
		g_autofree char *title =
			g_strdup_printf(_("%s is not running"), window->target->text);

		show_waiting(window, title);
	}
}

void window_open(struct window *window, const struct target *target)
{
	window_end_session(window);
	g_clear_pointer(&window->target, target_free);
	g_clear_pointer(&window->guest, g_free);
	if (target->kind == TARGET_NONE) {
		window_show_page(window, PAGE_START);
		return;
	}
	window->target = target_copy(target);
	window_reconnect(window);
}

/* --- the registry --- */

static void on_guest_changed(void *owner, const struct runtime_guest *guest)
{
	struct window *window = owner;

	start_page_guest_changed(window->start, guest);
	if (!window->target || window->target->kind != TARGET_NAME || window->source ||
		strcmp(guest->name, window->target->text) != 0)
		return;
	if (guest->state == RUNTIME_RUNNING && guest->record)
		connect_to_guest(window, guest);
	else if (guest->state == RUNTIME_STALE)
		show_gone(window);
}

void window_follow_registry(struct window *window)
{
	g_autoptr(GError) error = NULL;

	window->watch = runtime_watch_new(window->base, on_guest_changed, window, &error);
	if (!window->watch)
		start_page_set_problem(window->start, error->message);
}
