/* One window: what lies over the picture. A bar at the top in full screen, where the header is hidden, and a notice at the
 * bottom that goes by itself.
 */
#include "viewer/window-private.h"

#include <glib/gi18n.h>
#include <string.h>

enum {
	NOTICE_SECONDS = 5
};

static GtkWidget *revealer_new(GtkAlign valign, GtkRevealerTransitionType transition)
{
	GtkWidget *revealer = gtk_revealer_new();

	gtk_revealer_set_transition_type(GTK_REVEALER(revealer), transition);
	gtk_widget_set_halign(revealer, GTK_ALIGN_CENTER);
	gtk_widget_set_valign(revealer, valign);
	return revealer;
}

void window_show_bar(struct window *window, bool shown)
{
	gtk_revealer_set_reveal_child(GTK_REVEALER(window->bar), shown);
}

static gboolean on_notice_over(gpointer user_data)
{
	struct window *window = user_data;

	window->notice_timer = 0;
	gtk_revealer_set_reveal_child(GTK_REVEALER(window->notice), FALSE);
	return G_SOURCE_REMOVE;
}

void window_notify(struct window *window, const char *text)
{
	gtk_label_set_text(GTK_LABEL(window->notice_text), text);
	gtk_revealer_set_reveal_child(GTK_REVEALER(window->notice), TRUE);
	g_clear_handle_id(&window->notice_timer, g_source_remove);
	window->notice_timer = g_timeout_add_seconds(NOTICE_SECONDS, on_notice_over, window);
}

void window_withdraw(struct window *window, const char *text)
{
	GtkRevealer *notice = GTK_REVEALER(window->notice);
	guint duration = gtk_revealer_get_transition_duration(notice);

	if (strcmp(gtk_label_get_text(GTK_LABEL(window->notice_text)), text) != 0)
		return;
	g_clear_handle_id(&window->notice_timer, g_source_remove);
	gtk_revealer_set_transition_duration(notice, 0);
	gtk_revealer_set_reveal_child(notice, FALSE);
	gtk_revealer_set_transition_duration(notice, duration);
}

/* The top edge brings the bar; the picture takes it away again. */
static gboolean on_pointer(GtkWidget *area, GdkEventMotion *event, gpointer user_data)
{
	struct window *window = user_data;

	if (window->full_screen && !screen_is_grabbed(window->screen))
		window_show_bar(window, event->y < 2);
	return FALSE;
}

static gboolean on_focus(GtkWidget *area, GdkEventFocus *event, gpointer user_data)
{
	window_show_bar(user_data, false);
	return FALSE;
}

static GtkWidget *bar_button(const char *icon, const char *name)
{
	GtkWidget *button = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);

	gtk_widget_set_tooltip_text(button, name);
	atk_object_set_name(gtk_widget_get_accessible(button), name);
	gtk_button_set_relief(GTK_BUTTON(button), GTK_RELIEF_NONE);
	return button;
}

static GtkWidget *bar_menu(const char *icon, const char *name, GMenuModel *model)
{
	GtkWidget *button = gtk_menu_button_new();

	gtk_button_set_image(
		GTK_BUTTON(button), gtk_image_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON));
	gtk_button_set_relief(GTK_BUTTON(button), GTK_RELIEF_NONE);
	gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), model);
	gtk_widget_set_tooltip_text(button, name);
	atk_object_set_name(gtk_widget_get_accessible(button), name);
	g_object_unref(model);
	return button;
}

static void build_bar(struct window *window)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
	GtkWidget *leave = bar_button("view-restore-symbolic", _("Leave full screen"));

	window->bar = revealer_new(GTK_ALIGN_START, GTK_REVEALER_TRANSITION_TYPE_SLIDE_DOWN);
	window->bar_title = gtk_label_new(NULL);
	gtk_label_set_ellipsize(GTK_LABEL(window->bar_title), PANGO_ELLIPSIZE_END);
	gtk_label_set_max_width_chars(GTK_LABEL(window->bar_title), 32);
	g_object_set(window->bar_title, "margin-start", 12, "margin-end", 12, NULL);
	window->bar_first = bar_menu("open-menu-symbolic", _("Menu"), window_menu());
	gtk_actionable_set_action_name(GTK_ACTIONABLE(leave), "win.full-screen");
	gtk_style_context_add_class(gtk_widget_get_style_context(box), "over-picture");
	gtk_container_add(GTK_CONTAINER(box), window->bar_first);
	window->bar_keys = bar_menu("input-keyboard-symbolic", _("Send keys"), window_keys_menu());
	gtk_container_add(GTK_CONTAINER(box), window->bar_keys);
	gtk_container_add(GTK_CONTAINER(box), window->bar_title);
	gtk_container_add(GTK_CONTAINER(box), leave);
	gtk_container_add(GTK_CONTAINER(window->bar), box);
}

static void build_notice(struct window *window)
{
	window->notice = revealer_new(GTK_ALIGN_END, GTK_REVEALER_TRANSITION_TYPE_CROSSFADE);
	window->notice_text = gtk_label_new(NULL);
	gtk_label_set_line_wrap(GTK_LABEL(window->notice_text), TRUE);
	gtk_style_context_add_class(
		gtk_widget_get_style_context(window->notice_text), "over-picture");
	gtk_style_context_add_class(gtk_widget_get_style_context(window->notice_text), "notice");
	gtk_container_add(GTK_CONTAINER(window->notice), window->notice_text);
}

GtkWidget *window_add_bars(struct window *window, GtkWidget *below)
{
	GtkWidget *overlay = gtk_overlay_new();
	GtkWidget *area = screen_widget(window->screen);

	build_bar(window);
	build_notice(window);
	gtk_container_add(GTK_CONTAINER(overlay), below);
	gtk_overlay_add_overlay(GTK_OVERLAY(overlay), window->bar);
	gtk_overlay_add_overlay(GTK_OVERLAY(overlay), window->notice);
	gtk_overlay_set_overlay_pass_through(GTK_OVERLAY(overlay), window->notice, TRUE);
	g_signal_connect(area, "motion-notify-event", G_CALLBACK(on_pointer), window);
	g_signal_connect(area, "focus-in-event", G_CALLBACK(on_focus), window);
	gtk_widget_show_all(overlay);
	return overlay;
}
