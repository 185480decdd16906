/* The page without a guest: those that run, and a place to type an address. */
#pragma once

#include <gtk/gtk.h>

#include "base/runtime-dir.h"

struct start_page;

/* Called with what was chosen or typed: a guest's name or an address, as for target_parse(). */
typedef void (*start_page_chosen_func)(void *owner, const char *text);

/* Freed with its widget. */
struct start_page *start_page_new(start_page_chosen_func chosen, void *owner);
GtkWidget *start_page_widget(struct start_page *page);

/* As a runtime_watch reports: shows, renews or removes the guest. */
void start_page_guest_changed(struct start_page *page, const struct runtime_guest *guest);

/* Why what was typed is not possible, below the entry; NULL: nothing. */
void start_page_set_problem(struct start_page *page, const char *text);
