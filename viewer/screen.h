/* The widget that shows a guest's picture and takes input for it. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

#include "viewer/geometry.h"
#include "viewer/source.h"

struct screen;

struct screen_ops {
	/* Ctrl and Alt were pressed and released with nothing between: the person wants out. */
	void (*left)(void *owner);
	/* Keyboard and pointer are the guest's alone now, or no longer. */
	void (*grabbed)(void *owner, bool grabbed);
};

/* Freed with its widget. */
struct screen *screen_new(const struct screen_ops *ops, void *owner);
GtkWidget *screen_widget(struct screen *screen);

/* Where input goes; NULL: nowhere. Keys and buttons held down are released first. */
void screen_set_source(struct screen *screen, struct source *source);

/* What the source shows. */
void screen_set_picture(struct screen *screen, const struct source_picture *picture);
void screen_set_no_picture(struct screen *screen);
void screen_picture_changed(struct screen *screen, const struct rectangle *areas, guint count);
void screen_set_cursor(struct screen *screen, const struct cursor *cursor);
void screen_move_cursor(struct screen *screen, int32_t x, int32_t y, bool visible);
void screen_set_absolute(struct screen *screen, bool absolute);

/* Percent, or GEOMETRY_FIT. */
void screen_set_zoom(struct screen *screen, int zoom);
int screen_zoom(const struct screen *screen);
/* What one of the guest's pixels measures now, in percent of a device pixel; 0 without a picture. */
double screen_percent(const struct screen *screen);

/* Pixels of the guest's picture; false when there is none. */
bool screen_picture_size(const struct screen *screen, uint32_t *width, uint32_t *height);
/* The picture as a PNG file. */
bool screen_save(const struct screen *screen, const char *path, GError **error);

/* Presses keys in order and releases them in the opposite order; see viewer/send-keys.h. */
struct send_keys;
void screen_send_keys(struct screen *screen, const struct send_keys *keys);

/* Lets go of everything that is held down, and of a grab. */
void screen_release(struct screen *screen);
bool screen_is_grabbed(const struct screen *screen);
