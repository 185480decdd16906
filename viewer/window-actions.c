/* One window: its actions and the menus that offer them. */
#include "viewer/window-private.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/error.h"
#include "version.h"
#include "viewer/send-keys.h"

static void on_full_screen(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;

	if (window->full_screen)
		gtk_window_unfullscreen(window->window);
	else
		gtk_window_fullscreen(window->window);
}

static void set_zoom(struct window *window, int zoom)
{
	screen_set_zoom(window->screen, zoom);
	window_update_titles(window);
	window_update_actions(window);
}

/* The state is changed by hand: it follows every change of the zoom, not only this action. */
static void on_fit(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;
	bool fits = screen_zoom(window->screen) == GEOMETRY_FIT;
	double percent = screen_percent(window->screen);

	set_zoom(
		window, fits ? CLAMP(percent, GEOMETRY_ZOOM_MIN, GEOMETRY_ZOOM_MAX) : GEOMETRY_FIT);
}

static void on_zoom_original(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	set_zoom(user_data, 100);
}

static void on_zoom_in(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;

	set_zoom(window, geometry_next_zoom(screen_percent(window->screen), 1));
}

static void on_zoom_out(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;

	set_zoom(window, geometry_next_zoom(screen_percent(window->screen), -1));
}

static void on_send_keys(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;
	const struct send_keys *keys = send_keys_find(g_variant_get_string(parameter, NULL));

	if (keys)
		screen_send_keys(window->screen, keys);
	gtk_widget_grab_focus(screen_widget(window->screen));
}

/* In the folder for pictures, else at home; named so that sorting by name sorts by time. */
static char *screenshot_path(const struct window *window)
{
	const char *folder = g_get_user_special_dir(G_USER_DIRECTORY_PICTURES);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H-%M-%S");
	g_autofree char *name = g_strdup_printf("%s %s", window_guest_name(window), time);
	g_autofree char *file = NULL;

	if (!folder || g_mkdir_with_parents(folder, 0755) < 0)
		folder = g_get_home_dir();
	/* The name comes from the other side: it must not lead elsewhere. */
	g_strdelimit(name, "/\\", '-');
	if (name[0] == '.')
		name[0] = '-';
	file = g_strconcat(name, ".png", NULL);
	return g_build_filename(folder, file, NULL);
}

static void on_screenshot(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;
	g_autofree char *path = screenshot_path(window);
	g_autofree char *shown = g_filename_display_basename(path);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	if (screen_save(window->screen, path, &error))
		text = g_strdup_printf(_("Saved as “%s” among your pictures"), shown);
	else
		text = g_strdup(error->message);
	window_notify(window, text);
}

static void on_reconnect(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	window_reconnect(user_data);
}

static void on_guests(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	const struct target none = { .kind = TARGET_NONE };

	window_open(user_data, &none);
}

static void on_about(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	struct window *window = user_data;

	gtk_show_about_dialog(window->window, "program-name", _("Vitrine Viewer"), "version",
		VITRINE_VERSION, "logo-icon-name", "org.vitrine.Viewer", "comments",
		_("The screens of virtual machines"), "license-type", GTK_LICENSE_LGPL_2_1, NULL);
}

static void on_close(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
	gtk_window_close(((struct window *)user_data)->window);
}

enum needs {
	NEEDS_NOTHING,
	NEEDS_TARGET,
	NEEDS_SOURCE,
	NEEDS_SOURCE_OR_FULL_SCREEN, /* what ended meanwhile holds nobody in full screen */
	NEEDS_PICTURE
};

static const struct {
	GActionEntry entry;
	enum needs needs;
} actions[] = {
	{ { "full-screen", on_full_screen }, NEEDS_SOURCE_OR_FULL_SCREEN },
	{ { "fit", on_fit, NULL, "true" }, NEEDS_PICTURE },
	{ { "zoom-original", on_zoom_original }, NEEDS_PICTURE },
	{ { "zoom-in", on_zoom_in }, NEEDS_PICTURE },
	{ { "zoom-out", on_zoom_out }, NEEDS_PICTURE },
	{ { "send-keys", on_send_keys, "s" }, NEEDS_SOURCE },
	{ { "screenshot", on_screenshot }, NEEDS_PICTURE },
	{ { "reconnect", on_reconnect }, NEEDS_TARGET },
	{ { "guests", on_guests }, NEEDS_TARGET },
	{ { "about", on_about }, NEEDS_NOTHING },
	{ { "close", on_close }, NEEDS_NOTHING },
};

static const struct {
	const char *action;
	const char *keys[3];
} accelerators[] = {
	{ "win.full-screen", { "F11" } },
	{ "win.zoom-original", { "<Primary>0" } },
	{ "win.zoom-in", { "<Primary>plus", "<Primary>equal" } },
	{ "win.zoom-out", { "<Primary>minus" } },
	{ "win.screenshot", { "<Primary>s" } },
	{ "win.close", { "<Primary>w", "<Primary>q" } },
};

void window_add_actions(struct window *window)
{
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
		g_action_map_add_action_entries(
			G_ACTION_MAP(window->window), &actions[i].entry, 1, window);
	for (size_t i = 0; i < G_N_ELEMENTS(accelerators); i++)
		gtk_application_set_accels_for_action(window->application, accelerators[i].action,
			(const char *const *)accelerators[i].keys);
}

static bool has(const struct window *window, enum needs needs)
{
	uint32_t width, height;

	switch (needs) {
	case NEEDS_NOTHING:
		return true;
	case NEEDS_TARGET:
		return window->target != NULL;
	case NEEDS_SOURCE:
		return window->connected;
	case NEEDS_SOURCE_OR_FULL_SCREEN:
		return window->connected || window->full_screen;
	case NEEDS_PICTURE:
		return window->connected && screen_picture_size(window->screen, &width, &height);
	}
	return false;
}

void window_update_actions(struct window *window)
{
	GActionMap *map = G_ACTION_MAP(window->window);
	GAction *fit = g_action_map_lookup_action(map, "fit");

	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
		g_simple_action_set_enabled(
			G_SIMPLE_ACTION(g_action_map_lookup_action(map, actions[i].entry.name)),
			has(window, actions[i].needs));
	gtk_widget_set_sensitive(window->keys_button, has(window, NEEDS_SOURCE));
	gtk_widget_set_sensitive(window->bar_keys, has(window, NEEDS_SOURCE));
	g_simple_action_set_state(G_SIMPLE_ACTION(fit),
		g_variant_new_boolean(screen_zoom(window->screen) == GEOMETRY_FIT));
}

/* --- menus --- */

static void append_section(GMenu *menu, GMenu *section)
{
	g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
	g_object_unref(section);
}

GMenuModel *window_keys_menu(void)
{
	GMenu *menu = g_menu_new();

	for (size_t i = 0; i < send_keys_count; i++) {
		g_autofree char *action = g_action_print_detailed_name(
			"win.send-keys", g_variant_new_string(send_keys_table[i].id));

		g_menu_append(menu, send_keys_table[i].label, action);
	}
	return G_MENU_MODEL(menu);
}

GMenuModel *window_menu(void)
{
	GMenu *menu = g_menu_new(), *view = g_menu_new(), *guest = g_menu_new();
	GMenu *program = g_menu_new();
	g_autoptr(GMenuModel) keys = window_keys_menu();

	g_menu_append(view, _("_Fit to Window"), "win.fit");
	g_menu_append(view, _("_Original Size"), "win.zoom-original");
	g_menu_append(view, _("Zoom _In"), "win.zoom-in");
	g_menu_append(view, _("Zoom _Out"), "win.zoom-out");
	g_menu_append(view, _("F_ull Screen"), "win.full-screen");
	g_menu_append_submenu(guest, _("Send _Keys"), keys);
	g_menu_append(guest, _("_Screenshot"), "win.screenshot");
	g_menu_append(guest, _("_Reconnect"), "win.reconnect");
	g_menu_append(guest, _("Running _Guests"), "win.guests");
	g_menu_append(program, _("_About Vitrine Viewer"), "win.about");
	g_menu_append(program, _("_Close"), "win.close");
	append_section(menu, view);
	append_section(menu, guest);
	append_section(menu, program);
	return G_MENU_MODEL(menu);
}
