/* What the two halves of the screen share: screen.c draws, screen-input.c takes input. */
#pragma once

#include "viewer/keymap.h"
#include "viewer/picture.h"
#include "viewer/screen.h"

enum {
	KEYCODES = 256
};

struct pressed_key {
	bool down;
	uint32_t
		keysym; /* as it was pressed: a modifier let go meanwhile must not change what is released */
	uint8_t qnum;
};

struct screen {
	const struct screen_ops *ops;
	void *owner;
	GtkWidget *area;
	struct source *source; /* NULL: input goes nowhere */
	struct picture *picture;
	int zoom;

	struct cursor *cursor; /* the guest's, NULL: none */
	int32_t cursor_x, cursor_y;
	bool cursor_visible;
	bool cursor_defined; /* the guest has ever shown one */

	enum keymap_kind keymap;
	struct pressed_key keys[KEYCODES];
	bool chord;    /* Ctrl and Alt are down and nothing else was pressed since */
	guint buttons; /* bits of enum input_button */
	double scroll; /* smooth scrolling, in notches */
	bool absolute;
	bool grabbed;
	bool warping; /* the pointer was put back and the event of that is still to come */
	int warp_x, warp_y;
	double last_x, last_y; /* of the pointer on the whole screen, while grabbed */
};

/* Where the picture lies in the widget now; only with a picture. */
struct geometry screen_geometry(const struct screen *screen);
void screen_update_cursor(struct screen *screen);

void screen_input_connect(struct screen *screen);
