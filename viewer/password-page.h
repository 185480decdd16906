/* The page that asks for what a VNC server wants to know. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

struct password_page;

typedef void (*password_page_given_func)(void *owner, const char *user_name, const char *password);

/* Freed with its widget. */
struct password_page *password_page_new(password_page_given_func given, void *owner);
GtkWidget *password_page_widget(struct password_page *page);
/* Empties the entries and takes the focus. */
void password_page_ask(struct password_page *page, const char *whose, bool user_name_too);
