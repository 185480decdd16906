/* The page that asks for a password. */
#include "viewer/password-page.h"

#include <glib/gi18n.h>

enum {
	WIDTH = 320
};

struct password_page {
	password_page_given_func given;
	void *owner;
	GtkWidget *widget, *title, *user_name, *password;
};

static void on_given(GtkWidget *widget, gpointer user_data)
{
	struct password_page *page = user_data;
	bool with_name = gtk_widget_get_visible(page->user_name);

	page->given(page->owner, with_name ? gtk_entry_get_text(GTK_ENTRY(page->user_name)) : NULL,
		gtk_entry_get_text(GTK_ENTRY(page->password)));
	gtk_entry_set_text(GTK_ENTRY(page->password), "");
}

static void on_destroy(GtkWidget *widget, gpointer user_data)
{
	g_free(user_data);
}

static GtkWidget *entry_new(struct password_page *page, const char *hint)
{
	GtkWidget *entry = gtk_entry_new();

	gtk_entry_set_placeholder_text(GTK_ENTRY(entry), hint);
	atk_object_set_name(gtk_widget_get_accessible(entry), hint);
	g_signal_connect(entry, "activate", G_CALLBACK(on_given), page);
	return entry;
}

struct password_page *password_page_new(password_page_given_func given, void *owner)
{
	struct password_page *page = g_new0(struct password_page, 1);
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
	GtkWidget *icon =
		gtk_image_new_from_icon_name("dialog-password-symbolic", GTK_ICON_SIZE_DIALOG);
	GtkWidget *button = gtk_button_new_with_mnemonic(_("_Connect"));

	page->given = given;
	page->owner = owner;
	page->widget = box;
	page->title = gtk_label_new(NULL);
	page->user_name = entry_new(page, _("User name"));
	page->password = entry_new(page, _("Password"));
	gtk_entry_set_visibility(GTK_ENTRY(page->password), FALSE);
	gtk_entry_set_input_purpose(GTK_ENTRY(page->password), GTK_INPUT_PURPOSE_PASSWORD);
	gtk_label_set_line_wrap(GTK_LABEL(page->title), TRUE);
	gtk_label_set_justify(GTK_LABEL(page->title), GTK_JUSTIFY_CENTER);
	gtk_style_context_add_class(gtk_widget_get_style_context(icon), "dim-label");
	gtk_style_context_add_class(gtk_widget_get_style_context(page->title), "status-title");
	gtk_style_context_add_class(gtk_widget_get_style_context(button), "suggested-action");
	gtk_style_context_add_class(gtk_widget_get_style_context(button), "pill");
	gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
	g_signal_connect(button, "clicked", G_CALLBACK(on_given), page);
	gtk_container_add(GTK_CONTAINER(box), icon);
	gtk_container_add(GTK_CONTAINER(box), page->title);
	gtk_container_add(GTK_CONTAINER(box), page->user_name);
	gtk_container_add(GTK_CONTAINER(box), page->password);
	gtk_container_add(GTK_CONTAINER(box), button);
	gtk_widget_set_size_request(box, WIDTH, -1);
	gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
	gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
	g_signal_connect(box, "destroy", G_CALLBACK(on_destroy), page);
	gtk_widget_show_all(box);
	return page;
}

GtkWidget *password_page_widget(struct password_page *page)
{
	return page->widget;
}

void password_page_ask(struct password_page *page, const char *whose, bool user_name_too)
{
	g_autofree char *title = g_strdup_printf(_("%s wants a password"), whose);

	gtk_label_set_text(GTK_LABEL(page->title), title);
	gtk_entry_set_text(GTK_ENTRY(page->user_name), "");
	gtk_entry_set_text(GTK_ENTRY(page->password), "");
	gtk_widget_set_visible(page->user_name, user_name_too);
	gtk_widget_grab_focus(user_name_too ? page->user_name : page->password);
}
