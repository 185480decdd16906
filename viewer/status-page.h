/* A calm page that says one thing: an icon, a title, a sentence, and what can be done. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

struct status_page {
	GtkWidget *widget;
	GtkWidget *icon, *spinner, *title, *text, *action;
};

struct status_text {
	const char *icon; /* symbolic icon; NULL: a spinner */
	const char *title;
	const char *text;
	const char *action;      /* of the button; NULL: none */
	const char *action_name; /* as for gtk_actionable_set_action_name() */
};

/* Owned by its widget. */
void status_page_init(struct status_page *page);
void status_page_set(struct status_page *page, const struct status_text *text);
