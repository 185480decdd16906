/* A calm page that says one thing. */
#include "viewer/status-page.h"

enum {
	ICON_SIZE = 96,
	TEXT_WIDTH = 48 /* characters */
};

static GtkWidget *label(const char *class)
{
	GtkWidget *label = gtk_label_new(NULL);

	gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
	gtk_label_set_line_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
	gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
	gtk_label_set_max_width_chars(GTK_LABEL(label), TEXT_WIDTH);
	gtk_style_context_add_class(gtk_widget_get_style_context(label), class);
	return label;
}

void status_page_init(struct status_page *page)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);

	page->widget = box;
	page->icon = gtk_image_new();
	page->spinner = gtk_spinner_new();
	page->title = label("status-title");
	page->text = label("status-text");
	page->action = gtk_button_new();
	gtk_image_set_pixel_size(GTK_IMAGE(page->icon), ICON_SIZE);
	gtk_style_context_add_class(gtk_widget_get_style_context(page->icon), "dim-label");
	gtk_widget_set_size_request(page->spinner, ICON_SIZE / 2, ICON_SIZE / 2);
	gtk_widget_set_halign(page->action, GTK_ALIGN_CENTER);
	gtk_widget_set_margin_top(page->action, 12);
	gtk_style_context_add_class(gtk_widget_get_style_context(page->action), "pill");
	gtk_style_context_add_class(gtk_widget_get_style_context(page->action), "suggested-action");
	gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
	gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
	g_object_set(box, "margin", 24, NULL);
	gtk_container_add(GTK_CONTAINER(box), page->icon);
	gtk_container_add(GTK_CONTAINER(box), page->spinner);
	gtk_container_add(GTK_CONTAINER(box), page->title);
	gtk_container_add(GTK_CONTAINER(box), page->text);
	gtk_container_add(GTK_CONTAINER(box), page->action);
	gtk_widget_set_can_focus(box, TRUE);
	gtk_widget_show_all(box);
}

void status_page_set(struct status_page *page, const struct status_text *text)
{
	gtk_widget_set_visible(page->icon, text->icon != NULL);
	gtk_widget_set_visible(page->spinner, text->icon == NULL);
	g_object_set(page->spinner, "active", text->icon == NULL, NULL);
	if (text->icon)
		gtk_image_set_from_icon_name(
			GTK_IMAGE(page->icon), text->icon, GTK_ICON_SIZE_DIALOG);
	gtk_label_set_text(GTK_LABEL(page->title), text->title);
	gtk_label_set_text(GTK_LABEL(page->text), text->text);
	gtk_widget_set_visible(page->text, text->text != NULL && text->text[0] != '\0');
	gtk_widget_set_visible(page->action, text->action != NULL);
	if (text->action) {
		gtk_button_set_label(GTK_BUTTON(page->action), text->action);
		gtk_actionable_set_action_name(GTK_ACTIONABLE(page->action), text->action_name);
	}
}
