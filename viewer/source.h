/* Where a picture comes from and input goes to: one small interface over the display bus and VNC.
 *
 * A source starts to connect as it is made and reports through its events, on the default main context, never from
 * within a call to it. After ended() nothing more comes; it is then freed.
 */
#pragma once

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/display.h"
#include "display/head.h"
#include "display/scanout.h"
#include "viewer/target.h"

struct source;

/* Pixels as they can be read now; they stay until the next picture(), no_picture() or ended(). */
struct source_picture {
	uint32_t width, height, stride; /* pixels, pixels, bytes */
	pixman_format_code_t format;
	const uint8_t *pixels;
};

struct source_events {
	/* Connected; @name is what the other side calls itself, or NULL. */
	void (*connected)(void *owner, const char *name);
	void (*picture)(void *owner, const struct source_picture *picture);
	void (*no_picture)(void *owner);
	void (*changed)(void *owner, const struct rectangle *areas, guint count);
	void (*cursor)(void *owner, const struct cursor *cursor); /* NULL: none */
	void (*mouse)(void *owner, int32_t x, int32_t y, bool visible);
	void (*pointer_kind)(void *owner, bool absolute);
	/* The other side wants a password; source_answer() gives it. */
	void (*password_wanted)(void *owner, bool user_name_too);
	/* Over. @reason is NULL when the other side went in order. */
	void (*ended)(void *owner, const GError *reason);
};

struct source_ops {
	void (*free)(struct source *source);
	void (*key)(struct source *source, uint32_t keysym, uint8_t qnum, bool down);
	void (*motion)(struct source *source, int32_t dx, int32_t dy);
	void (*position)(struct source *source, uint32_t x, uint32_t y);
	void (*button)(struct source *source, enum input_button button, bool down);
	void (*answer)(struct source *source, const char *user_name, const char *password);
};

struct source {
	const struct source_ops *ops;
	const struct source_events *events;
	void *owner;
};

/* @target: TARGET_BUS, TARGET_QMP, TARGET_VNC_HOST or TARGET_VNC_UNIX. */
struct source *source_new(
	const struct target *target, const struct source_events *events, void *owner);
void source_free(struct source *source);

/* @keysym: an X keysym, 0: not known; @qnum: as in display.h, 0: not known. */
void source_key(struct source *source, uint32_t keysym, uint8_t qnum, bool down);
void source_motion(struct source *source, int32_t dx, int32_t dy);
void source_position(struct source *source, uint32_t x, uint32_t y);
void source_button(struct source *source, enum input_button button, bool down);
/* @user_name may be NULL. Once for each password_wanted(). */
void source_answer(struct source *source, const char *user_name, const char *password);

/* The kinds. */
struct source *source_bus_new(const struct target *target);
struct source *source_vnc_new(const struct target *target);
