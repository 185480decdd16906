/* One window: what it is built of, its pages and its titles. */
#include "viewer/window.h"

#include <glib/gi18n.h>

#include "viewer/window-private.h"

enum {
	FIRST_WIDTH = 800, /* before there is a picture */
	FIRST_HEIGHT = 600,
	WINDOW_BORDER = 12,  /* what a window has around header and picture, at most */
	SUBTITLE_WIDTH = 21, /* characters: enough for a size and a percentage */
};

static const char *const page_names[] = {
	[PAGE_START] = "start",
	[PAGE_STATUS] = "status",
	[PAGE_PASSWORD] = "password",
	[PAGE_SCREEN] = "screen",
};

void window_show_page(struct window *window, enum window_page page)
{
	if (page != PAGE_SCREEN)
		screen_release(window->screen);
	gtk_stack_set_visible_child_name(GTK_STACK(window->stack), page_names[page]);
	if (page == PAGE_SCREEN)
		gtk_widget_grab_focus(screen_widget(window->screen));
	else
		window_show_bar(window, false);
	window_update_titles(window);
	window_update_actions(window);
}

bool window_shows_screen(const struct window *window)
{
	return g_strcmp0(gtk_stack_get_visible_child_name(GTK_STACK(window->stack)),
		       page_names[PAGE_SCREEN]) == 0;
}

void window_show_status(struct window *window, const struct status_text *text)
{
	status_page_set(&window->status, text);
	window_show_page(window, PAGE_STATUS);
	/* Without a button the page itself has the focus, so that no other button is pressed by accident. */
	gtk_widget_grab_focus(text->action ? window->status.action : window->status.widget);
}

const char *window_guest_name(const struct window *window)
{
	if (window->guest)
		return window->guest;
	return window->target && window->target->title ? window->target->title : "";
}

static char *state_text(const struct window *window)
{
	uint32_t width, height;

	if (!window->source)
		return g_strdup(_("Not connected"));
	if (!window->connected)
		return g_strdup(_("Connecting…"));
	if (screen_is_grabbed(window->screen))
		return g_strdup(_("Ctrl+Alt lets keyboard and pointer go"));
	if (!screen_picture_size(window->screen, &width, &height))
		return g_strdup(_("No picture"));
	return g_strdup_printf(
		_("%u × %u at %.0f %%"), width, height, screen_percent(window->screen));
}

/* Setting a text lays the header out anew, which may be what brought us here: only what differs is set. */
static void set_label(GtkWidget *label, const char *text)
{
	if (g_strcmp0(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
		gtk_label_set_text(GTK_LABEL(label), text);
}

static void set_titles(
	struct window *window, const char *title, const char *name, const char *state)
{
	set_label(window->title, name);
	set_label(window->subtitle, state);
	set_label(window->bar_title, name);
	gtk_widget_set_visible(window->subtitle, state[0] != '\0');
	if (g_strcmp0(gtk_window_get_title(window->window), title) != 0)
		gtk_window_set_title(window->window, title);
}

void window_update_titles(struct window *window)
{
	const char *name = window_guest_name(window);
	g_autofree char *state = NULL, *title = NULL;

	if (window->destroyed)
		return;
	if (!window->target) {
		set_titles(window, _("Vitrine Viewer"), _("Vitrine Viewer"), "");
		return;
	}
	state = state_text(window);
	if (window->connected)
		title = g_strdup_printf(_("%s - Vitrine Viewer"), name);
	else
		title = g_strdup_printf(_("%s (%s) - Vitrine Viewer"), name, state);
	set_titles(window, title, name, state);
}

/* --- the size --- */

static void work_area(const struct window *window, GdkRectangle *area)
{
	GdkDisplay *display = gtk_widget_get_display(GTK_WIDGET(window->window));
	GdkWindow *own = gtk_widget_get_window(GTK_WIDGET(window->window));
	GdkMonitor *monitor = own ? gdk_display_get_monitor_at_window(display, own)
				  : gdk_display_get_monitor(display, 0);

	*area = (GdkRectangle) { 0, 0, FIRST_WIDTH, FIRST_HEIGHT };
	if (monitor)
		gdk_monitor_get_workarea(monitor, area);
}

/* Whether the person has chosen a size; a window that is as we made it follows the picture. */
static bool has_own_size(struct window *window)
{
	int width, height;

	gtk_window_get_size(window->window, &width, &height);
	window->settled |= width == window->width && height == window->height;
	return window->settled && (width != window->width || height != window->height);
}

void window_fit_to_picture(struct window *window)
{
	int scale = gtk_widget_get_scale_factor(GTK_WIDGET(window->window));
	struct geometry fitting;
	uint32_t width, height;
	GdkRectangle area;
	int header;

	if (!screen_picture_size(window->screen, &width, &height) || window->full_screen ||
		gtk_window_is_maximized(window->window) || has_own_size(window))
		return;
	gtk_widget_get_preferred_height(window->header, &header, NULL);
	work_area(window, &area);
	window->settled = false;
	/* As large as the picture is; as large as it can be in its shape where that is too much. */
	fitting = geometry_of(MAX(area.width - WINDOW_BORDER, 1) * scale,
		MAX(area.height - WINDOW_BORDER - header, 1) * scale, width, height, GEOMETRY_FIT);
	window->width = MIN((int)width, fitting.width) / scale;
	window->height = MIN((int)height, fitting.height) / scale;
	gtk_window_resize(window->window, window->width, window->height);
}

/* --- events --- */

static void on_chosen(void *owner, const char *text)
{
	struct window *window = owner;
	g_autoptr(GError) error = NULL;
	g_autoptr(target) target = target_parse(text, &error);

	if (target)
		window_open(window, target);
	else
		start_page_set_problem(window->start, error->message);
}

static void on_password(void *owner, const char *user_name, const char *password)
{
	struct window *window = owner;
	const struct status_text busy = { .title = _("Connecting"), .text = NULL };

	if (!window->source)
		return;
	source_answer(window->source, user_name, password);
	window_show_status(window, &busy);
}

/* Ctrl+Alt: the keyboard is the host's until the picture is clicked. */
static void on_left(void *owner)
{
	struct window *window = owner;

	if (window->full_screen) {
		window_show_bar(window, true);
		/* Until it has been shown once, it could not take the focus. */
		gtk_widget_realize(window->bar_first);
		gtk_widget_grab_focus(window->bar_first);
	} else {
		gtk_widget_grab_focus(window->menu_button);
	}
}

static void on_grabbed(void *owner, bool grabbed)
{
	window_update_titles(owner);
}

static const struct screen_ops screen_ops = { .left = on_left, .grabbed = on_grabbed };

/* The guest has the keyboard while its screen has the focus; only the key that leaves full screen is ours. */
static gboolean on_key(GtkWidget *widget, GdkEventKey *event, gpointer user_data)
{
	struct window *window = user_data;
	guint modifiers = event->state & gtk_accelerator_get_default_mod_mask();

	if (!gtk_widget_has_focus(screen_widget(window->screen)))
		return FALSE;
	if (event->keyval == GDK_KEY_F11 && modifiers == 0) {
		if (event->type == GDK_KEY_PRESS)
			g_action_group_activate_action(
				G_ACTION_GROUP(window->window), "full-screen", NULL);
		return TRUE;
	}
	gtk_window_propagate_key_event(window->window, event);
	return TRUE;
}

static gboolean on_state(GtkWidget *widget, GdkEventWindowState *event, gpointer user_data)
{
	struct window *window = user_data;
	bool full_screen = event->new_window_state & GDK_WINDOW_STATE_FULLSCREEN;
	const char *way_out = _("F11 leaves full screen, Ctrl+Alt shows the menu");

	if (full_screen == window->full_screen)
		return FALSE;
	window->full_screen = full_screen;
	window_show_bar(window, false);
	if (!full_screen)
		window_withdraw(window, way_out);
	else if (window_shows_screen(window))
		window_notify(window, way_out);
	window_update_actions(window);
	return FALSE;
}

static gboolean on_resized(gpointer user_data)
{
	struct window *window = user_data;

	window->resized = 0;
	window_update_titles(window);
	return G_SOURCE_REMOVE;
}

/* While sizes are given out, a new title would not be laid out: it is set afterwards. */
static void on_screen_size(GtkWidget *widget, GdkRectangle *allocation, gpointer user_data)
{
	struct window *window = user_data;

	has_own_size(window);
	if (window->resized == 0)
		window->resized = g_idle_add(on_resized, window);
}

static void on_destroy(GtkWidget *widget, gpointer user_data)
{
	struct window *window = user_data;

	window->destroyed = true;
	g_clear_handle_id(&window->notice_timer, g_source_remove);
	g_clear_handle_id(&window->resized, g_source_remove);
	g_clear_pointer(&window->watch, runtime_watch_free);
	window->screen = NULL;
	g_clear_pointer(&window->source, source_free);
	g_clear_pointer(&window->target, target_free);
	g_free(window->guest);
	g_free(window->base);
	g_free(window);
}

/* --- building --- */

static GtkWidget *menu_button_new(const char *icon, const char *name, GMenuModel *model)
{
	GtkWidget *button = gtk_menu_button_new();

	gtk_button_set_image(
		GTK_BUTTON(button), gtk_image_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON));
	gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), model);
	gtk_widget_set_tooltip_text(button, name);
	atk_object_set_name(gtk_widget_get_accessible(button), name);
	g_object_unref(model);
	return button;
}

static GtkWidget *action_button_new(const char *icon, const char *name, const char *action)
{
	GtkWidget *button = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);

	gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
	gtk_widget_set_tooltip_text(button, name);
	atk_object_set_name(gtk_widget_get_accessible(button), name);
	return button;
}

/* Two labels of our own: GTK would give the header the window's title, which says more. */
static GtkWidget *build_title(struct window *window)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

	window->title = gtk_label_new(NULL);
	window->subtitle = gtk_label_new(NULL);
	gtk_label_set_ellipsize(GTK_LABEL(window->title), PANGO_ELLIPSIZE_END);
	gtk_label_set_ellipsize(GTK_LABEL(window->subtitle), PANGO_ELLIPSIZE_END);
	gtk_label_set_width_chars(GTK_LABEL(window->subtitle), SUBTITLE_WIDTH);
	gtk_style_context_add_class(gtk_widget_get_style_context(window->title), "title");
	gtk_style_context_add_class(gtk_widget_get_style_context(window->subtitle), "subtitle");
	gtk_container_add(GTK_CONTAINER(box), window->title);
	gtk_container_add(GTK_CONTAINER(box), window->subtitle);
	gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
	return box;
}

static void build_header(struct window *window)
{
	GtkHeaderBar *header = GTK_HEADER_BAR(gtk_header_bar_new());

	window->header = GTK_WIDGET(header);
	gtk_header_bar_set_show_close_button(header, TRUE);
	gtk_header_bar_set_custom_title(header, build_title(window));
	gtk_header_bar_pack_start(
		header, action_button_new("view-list-symbolic", _("Running guests"), "win.guests"));
	window->menu_button = menu_button_new("open-menu-symbolic", _("Menu"), window_menu());
	gtk_header_bar_pack_end(header, window->menu_button);
	gtk_header_bar_pack_end(header,
		action_button_new("view-fullscreen-symbolic", _("Full screen"), "win.full-screen"));
	window->keys_button =
		menu_button_new("input-keyboard-symbolic", _("Send keys"), window_keys_menu());
	gtk_header_bar_pack_end(header, window->keys_button);
	gtk_window_set_titlebar(window->window, window->header);
	gtk_widget_show_all(window->header);
}

static void build_pages(struct window *window)
{
	GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

	window->stack = gtk_stack_new();
	gtk_stack_set_homogeneous(GTK_STACK(window->stack), FALSE);
	gtk_stack_set_transition_type(
		GTK_STACK(window->stack), GTK_STACK_TRANSITION_TYPE_CROSSFADE);
	window->start = start_page_new(on_chosen, window);
	status_page_init(&window->status);
	window->password = password_page_new(on_password, window);
	window->screen = screen_new(&screen_ops, window);
	g_signal_connect_after(
		screen_widget(window->screen), "size-allocate", G_CALLBACK(on_screen_size), window);
	gtk_container_add(GTK_CONTAINER(scrolled), screen_widget(window->screen));
	gtk_widget_show_all(scrolled);
	gtk_stack_add_named(
		GTK_STACK(window->stack), start_page_widget(window->start), page_names[PAGE_START]);
	gtk_stack_add_named(
		GTK_STACK(window->stack), window->status.widget, page_names[PAGE_STATUS]);
	gtk_stack_add_named(GTK_STACK(window->stack), password_page_widget(window->password),
		page_names[PAGE_PASSWORD]);
	gtk_stack_add_named(GTK_STACK(window->stack), window_add_bars(window, scrolled),
		page_names[PAGE_SCREEN]);
	gtk_widget_show(window->stack);
	gtk_container_add(GTK_CONTAINER(window->window), window->stack);
}

struct window *window_new(GtkApplication *application, const struct window_options *options)
{
	struct window *window = g_new0(struct window, 1);

	window->application = application;
	window->base = g_strdup(options->base);
	window->window = GTK_WINDOW(gtk_application_window_new(application));
	gtk_window_set_default_size(window->window, FIRST_WIDTH, FIRST_HEIGHT);
	window_add_actions(window);
	build_header(window);
	build_pages(window);
	g_signal_connect(window->window, "key-press-event", G_CALLBACK(on_key), window);
	g_signal_connect(window->window, "key-release-event", G_CALLBACK(on_key), window);
	g_signal_connect(window->window, "window-state-event", G_CALLBACK(on_state), window);
	g_signal_connect(window->window, "destroy", G_CALLBACK(on_destroy), window);
	if (options->full_screen)
		gtk_window_fullscreen(window->window);
	window_follow_registry(window);
	return window;
}

void window_present(struct window *window)
{
	gtk_window_present(window->window);
}
