/* Where the picture comes from and where input goes: the guest, seen from the server.
 *
 * There are two sources: the display bus of a guest, and a built-in test picture. Everything happens on the main loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/display.h"
#include "display/head.h"
#include "vnc-server/picture.h"

struct source;

/* What a source tells the server; none is called from within a function of struct source_class. */
struct source_events {
	/* The first call: what is to be shown is there, its name and its pictures are to be had. */
	void (*ready)(void *owner);
	/* Another picture from now on; the memory of the last one is gone when this returns. NULL: there is none. */
	void (*picture)(void *owner, const struct picture *picture);
	/* Areas of the picture have changed; the next such call comes after source_done(). */
	void (*damage)(void *owner, const struct rectangle *areas, guint count);
	/* NULL: the guest shows none. Valid during the call. */
	void (*cursor)(void *owner, struct cursor *cursor);
	void (*pointer_kind)(void *owner, bool absolute);
	void (*lights)(void *owner, uint32_t lights); /* enum input_light */
	void (*name)(void *owner, const char *name);
	/* The last call: there will be no more pictures. @reason NULL: the guest ended in order. Without ready() before it
	 * there never were any. */
	void (*ended)(void *owner, const GError *reason);
};

struct source_class {
	/* Starts and stops the flow of pictures. The first picture() follows a start; a stop ends the validity of the last. */
	void (*watch)(struct source *source, bool on);
	/* The last damage has been dealt with. */
	void (*done)(struct source *source);
	void (*key)(struct source *source, uint8_t qnum, bool down);
	void (*position)(struct source *source, uint32_t x, uint32_t y); /* inside the picture */
	void (*motion)(struct source *source, int32_t dx, int32_t dy);
	void (*button)(struct source *source, enum input_button button, bool down);
	/* The size that a client would like the picture to have: a wish. */
	void (*set_size)(struct source *source, uint32_t width, uint32_t height);
	void (*free)(struct source *source);
};

struct source {
	const struct source_class *class;
	const struct source_events *events;
	void *owner;
};

/* A test picture of @width by @height pixels (1..LIMIT_DESKTOP_SIZE each) that moves while it is watched. It follows
 * set_size(), and shows the keys and the pointer that reach it. */
struct source *source_pattern_new(
	uint32_t width, uint32_t height, const struct source_events *events, void *owner);

/* The first console of the guest at the other end of a connected bus socket; takes the descriptor. */
struct source *source_bus_new(int fd, const struct source_events *events, void *owner);
