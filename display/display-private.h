/* What a display and its heads know of each other. */
#pragma once

#include "display/display.h"

/* The lock that protects the devices, and the main loop's context. */
GMutex *display_lock(const struct display *display);
GMainContext *display_context(const struct display *display);

/* With the lock held, on the main loop. */
void display_add_head(struct display *display, struct head *head);
void display_remove_head(struct display *display, struct head *head);

/* With the lock held, from any thread: tells the watchers, on the main loop. */
void display_announce(struct display *display);
