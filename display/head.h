/* A head: one picture that the guest shows.
 *
 * A device sets the scanout as one value, defines and moves the cursor, and either adds damage itself or leaves it to the
 * dirty log of the video memory. What it sets is pending until the head's next turn on the main loop, which commits it and
 * tells the listeners. A listener gets the next update only after it said that it is done with the last; what happens
 * meanwhile is merged. With no listener nothing runs at all.
 */
#pragma once

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/display.h"
#include "display/scanout.h"
#include "display/video-memory.h"

enum {
	CURSOR_MAX_SIZE = 512, /* pixels in each direction */
};

/* A cursor image: premultiplied a8r8g8b8 in host order, rows without padding. Reference counted. */
struct cursor {
	gatomicrefcount references;
	uint32_t width, height; /* 1..CURSOR_MAX_SIZE */
	uint32_t hot_x, hot_y;  /* inside the image */
	uint32_t pixels[];
};

/* NULL when a size is out of range; hot spots outside are moved inside. Pixels start transparent. */
struct cursor *cursor_new(uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y);
struct cursor *cursor_ref(struct cursor *cursor);
void cursor_unref(struct cursor *cursor);

/* What a viewer would like the guest to show: org.qemu.Display1.Console.SetUIInfo. */
struct head_ui_info {
	uint16_t width_mm, height_mm;
	int32_t x_offset, y_offset; /* where this head lies among others, pixels */
	uint32_t width, height;     /* pixels; 0 and 0: no wish */
};

/* What a head asks of its device; called on the main loop with the display's lock held. Members may be NULL. */
struct head_ops {
	/* Bring a picture that the device draws itself (text, palette modes) up to date and add its damage: once before each
	 * harvest and before a screendump. */
	void (*refresh)(void *device);
	/* Bring into the memory of the picture what the device told as damage, and only that, as late as this: at the same
	 * times. Unlike with refresh there is nothing to find when nothing was told, so nobody looks from time to time. */
	void (*fetch)(void *device);
	/* The size that a viewer wishes: put it into the EDID and tell the guest. */
	void (*set_ui_info)(void *device, const struct head_ui_info *info);
};

struct head_config {
	const char *label;          /* for people: the device's name or id */
	const char *device_address; /* e.g. "pci/0000/01.0", as QEMU prints it */
	uint32_t number;            /* head of the device, from 0 */
	const struct head_ops *ops;
	void *device;
};

/* With the display's lock held, on the main loop. */
struct head *head_new(struct display *display, const struct head_config *config);
/* The device goes: listeners are shown that there is no picture, and the display's watchers are told. */
void head_free(struct head *head);

/* Device side: with the display's lock held, from any thread. */
/* Another part of the device is behind the head now; the device stays the same. */
void head_set_ops(struct head *head, const struct head_ops *ops);
void head_set_scanout(
	struct head *head, struct video_memory *memory, const struct scanout *scanout);
void head_disable(struct head *head); /* no picture: listeners show that there is none */
void head_damage(struct head *head, const struct rectangle *area); /* clipped to the picture */
void head_set_cursor(struct head *head, struct cursor *cursor); /* NULL: the guest draws its own */
void head_move_cursor(struct head *head, int32_t x, int32_t y, bool visible);

/* Consumer side: on the main loop, without the lock. Who keeps a head holds a reference: after its device went it has no
 * picture. */
struct head *head_ref(struct head *head);
void head_unref(struct head *head);
const char *head_label(const struct head *head);
const char *head_device_address(const struct head *head);
uint32_t head_number(const struct head *head);
void head_set_ui_info(struct head *head, const struct head_ui_info *info);
void head_wake(struct head *head); /* somebody expects a change: harvest now */
/* The size of the picture in pixels; 0 and 0 when there is none. */
void head_size(struct head *head, uint32_t *width, uint32_t *height);

/* The picture as it stands, refreshed: for screendump. False when the head shows none. @memory is a new reference. */
bool head_picture(struct head *head, struct video_memory **memory, struct scanout *scanout);

struct head_listener;

/* All called on the main loop, without the lock; a new listener first gets scanout (or disable), cursor and mouse. After
 * any of these the listener gets nothing more, once the head's turn is over, until it called head_listener_done(), which
 * it may do within the call. It may read the pixels it was given until then; a later look can miss a change. */
struct head_listener_ops {
	void (*scanout)(void *owner, struct video_memory *memory, const struct scanout *scanout);
	void (*disable)(void *owner);
	void (*update)(void *owner, const pixman_region32_t *damage);
	void (*cursor)(void *owner, struct cursor *cursor); /* NULL: none */
	void (*mouse)(void *owner, int32_t x, int32_t y, bool visible);
};

/* @interval_ms: the shortest time between two updates that the listener has use for, 1..1000 */
struct head_listener *head_add_listener(
	struct head *head, const struct head_listener_ops *ops, void *owner, uint32_t interval_ms);
/* Everything that was given so far has been used. */
void head_listener_done(struct head_listener *listener);
void head_remove_listener(struct head_listener *listener);
