/* One window: a guest's screen, or the page that says why there is none. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

#include "viewer/target.h"

struct window;

struct window_options {
	const char *base; /* of the registry; NULL: the default */
	bool full_screen; /* from the start */
};

/* Freed with its GtkWindow, which belongs to @application. */
struct window *window_new(GtkApplication *application, const struct window_options *options);

/* Shows that instead of what was shown before. TARGET_NONE: the start page. */
void window_open(struct window *window, const struct target *target);
void window_present(struct window *window);
