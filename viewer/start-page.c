/* The page without a guest. */
#include "viewer/start-page.h"

#include <glib/gi18n.h>
#include <string.h>

enum {
	WIDTH = 400
};

struct start_page {
	start_page_chosen_func chosen;
	void *owner;
	GtkWidget *widget, *list, *entry, *problem;
};

static const char name_key[] = "guest-name";

static void on_row_activated(GtkListBox *list, GtkListBoxRow *row, gpointer user_data)
{
	const struct start_page *page = user_data;
	g_autofree char *name = g_strdup(g_object_get_data(G_OBJECT(row), name_key));

	page->chosen(page->owner, name);
}

static void on_entry_activated(GtkEntry *entry, gpointer user_data)
{
	struct start_page *page = user_data;
	g_autofree char *text = g_strstrip(g_strdup(gtk_entry_get_text(entry)));
	g_autofree char *address = NULL;

	if (text[0] == '\0')
		return;
	address = strstr(text, "://") ? g_strdup(text) : g_strconcat("vnc://", text, NULL);
	page->chosen(page->owner, address);
}

static void on_connect_clicked(GtkButton *button, gpointer user_data)
{
	const struct start_page *page = user_data;

	on_entry_activated(GTK_ENTRY(page->entry), user_data);
}

static void on_entry_changed(GtkEditable *entry, gpointer user_data)
{
	start_page_set_problem(user_data, NULL);
}

static gint by_name(GtkListBoxRow *one, GtkListBoxRow *other, gpointer user_data)
{
	return strcmp(g_object_get_data(G_OBJECT(one), name_key),
		g_object_get_data(G_OBJECT(other), name_key));
}

static GtkWidget *left_label(const char *text, const char *class)
{
	GtkWidget *label = gtk_label_new(text);

	gtk_label_set_xalign(GTK_LABEL(label), 0);
	gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
	if (class)
		gtk_style_context_add_class(gtk_widget_get_style_context(label), class);
	return label;
}

static GtkWidget *row_new(const struct runtime_guest *guest)
{
	GtkWidget *row = gtk_list_box_row_new();
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
	GtkWidget *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
	g_autofree char *details =
		g_strdup_printf(_("%s, process %d"), guest->record->machine, guest->record->pid);

	gtk_container_add(GTK_CONTAINER(words), left_label(guest->name, "guest-name"));
	gtk_container_add(GTK_CONTAINER(words), left_label(details, "dim-label"));
	gtk_box_pack_start(GTK_BOX(box),
		gtk_image_new_from_icon_name("computer-symbolic", GTK_ICON_SIZE_LARGE_TOOLBAR),
		FALSE, FALSE, 0);
	gtk_box_pack_start(GTK_BOX(box), words, TRUE, TRUE, 0);
	gtk_box_pack_end(GTK_BOX(box),
		gtk_image_new_from_icon_name("go-next-symbolic", GTK_ICON_SIZE_BUTTON), FALSE,
		FALSE, 0);
	g_object_set(box, "margin", 12, NULL);
	gtk_container_add(GTK_CONTAINER(row), box);
	g_object_set_data_full(G_OBJECT(row), name_key, g_strdup(guest->name), g_free);
	gtk_widget_show_all(row);
	return row;
}

static GtkWidget *row_of(const struct start_page *page, const char *name)
{
	g_autoptr(GList) rows = gtk_container_get_children(GTK_CONTAINER(page->list));

	for (GList *row = rows; row; row = row->next) {
		if (strcmp(g_object_get_data(row->data, name_key), name) == 0)
			return row->data;
	}
	return NULL;
}

void start_page_guest_changed(struct start_page *page, const struct runtime_guest *guest)
{
	GtkWidget *old = row_of(page, guest->name);

	if (old)
		gtk_widget_destroy(old);
	if (guest->state == RUNTIME_RUNNING && guest->record)
		gtk_container_add(GTK_CONTAINER(page->list), row_new(guest));
}

void start_page_set_problem(struct start_page *page, const char *text)
{
	gtk_label_set_text(GTK_LABEL(page->problem), text ? text : "");
	gtk_widget_set_visible(page->problem, text != NULL);
}

static GtkWidget *empty_new(void)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
	GtkWidget *icon = gtk_image_new_from_icon_name("computer-symbolic", GTK_ICON_SIZE_DIALOG);
	GtkWidget *title = gtk_label_new(_("No guest is running"));
	GtkWidget *text = gtk_label_new(_("A guest appears here as soon as it starts"));

	gtk_style_context_add_class(gtk_widget_get_style_context(icon), "dim-label");
	gtk_style_context_add_class(gtk_widget_get_style_context(title), "guest-name");
	gtk_style_context_add_class(gtk_widget_get_style_context(text), "dim-label");
	gtk_container_add(GTK_CONTAINER(box), icon);
	gtk_container_add(GTK_CONTAINER(box), title);
	gtk_container_add(GTK_CONTAINER(box), text);
	g_object_set(box, "margin", 24, NULL);
	gtk_widget_show_all(box);
	return box;
}

static GtkWidget *list_new(struct start_page *page)
{
	GtkWidget *frame = gtk_frame_new(NULL);

	page->list = gtk_list_box_new();
	gtk_list_box_set_selection_mode(GTK_LIST_BOX(page->list), GTK_SELECTION_NONE);
	gtk_list_box_set_placeholder(GTK_LIST_BOX(page->list), empty_new());
	gtk_list_box_set_sort_func(GTK_LIST_BOX(page->list), by_name, NULL, NULL);
	g_signal_connect(page->list, "row-activated", G_CALLBACK(on_row_activated), page);
	gtk_container_add(GTK_CONTAINER(frame), page->list);
	return frame;
}

static GtkWidget *address_new(struct start_page *page)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
	GtkWidget *button = gtk_button_new_with_mnemonic(_("_Connect"));

	page->entry = gtk_entry_new();
	gtk_entry_set_placeholder_text(GTK_ENTRY(page->entry), _("host:port"));
	atk_object_set_name(gtk_widget_get_accessible(page->entry), _("Address of a VNC server"));
	gtk_widget_set_hexpand(page->entry, TRUE);
	gtk_style_context_add_class(gtk_widget_get_style_context(box), "linked");
	gtk_container_add(GTK_CONTAINER(box), page->entry);
	gtk_container_add(GTK_CONTAINER(box), button);
	g_signal_connect(page->entry, "activate", G_CALLBACK(on_entry_activated), page);
	g_signal_connect(page->entry, "changed", G_CALLBACK(on_entry_changed), page);
	g_signal_connect(button, "clicked", G_CALLBACK(on_connect_clicked), page);
	return box;
}

static void on_destroy(GtkWidget *widget, gpointer user_data)
{
	g_free(user_data);
}

struct start_page *start_page_new(start_page_chosen_func chosen, void *owner)
{
	struct start_page *page = g_new0(struct start_page, 1);
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);

	page->chosen = chosen;
	page->owner = owner;
	gtk_container_add(GTK_CONTAINER(box), left_label(_("Running guests"), "start-heading"));
	gtk_container_add(GTK_CONTAINER(box), list_new(page));
	gtk_container_add(
		GTK_CONTAINER(box), left_label(_("VNC server (host:port)"), "start-heading"));
	gtk_container_add(GTK_CONTAINER(box), address_new(page));
	page->problem = left_label(NULL, "start-problem");
	gtk_label_set_line_wrap(GTK_LABEL(page->problem), TRUE);
	gtk_label_set_ellipsize(GTK_LABEL(page->problem), PANGO_ELLIPSIZE_NONE);
	gtk_container_add(GTK_CONTAINER(box), page->problem);
	gtk_widget_set_size_request(box, WIDTH, -1);
	gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
	gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
	g_object_set(box, "margin", 24, NULL);

	page->widget = gtk_scrolled_window_new(NULL, NULL);
	gtk_scrolled_window_set_policy(
		GTK_SCROLLED_WINDOW(page->widget), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
	gtk_container_add(GTK_CONTAINER(page->widget), box);
	g_signal_connect(page->widget, "destroy", G_CALLBACK(on_destroy), page);
	gtk_widget_show_all(page->widget);
	gtk_widget_hide(page->problem);
	return page;
}

GtkWidget *start_page_widget(struct start_page *page)
{
	return page->widget;
}
