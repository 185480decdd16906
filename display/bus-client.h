/* The display bus, client side: what a server or a viewer sees of a guest.
 *
 * Works against our VMM and against QEMU's -display dbus,p2p=on. Everything runs on the thread-default main context of the
 * creator; every callback comes from there. A peer is not trusted: sizes, formats and offsets are checked against the
 * memory before a picture is handed out, and a peer that breaks the rules loses the connection (ended() says why).
 */
#pragma once

#include <gio/gio.h>
#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/display.h"
#include "display/head.h"
#include "display/scanout.h"

struct bus_client;
struct bus_console;

/* A picture as it can be read now. The bytes may change under the reader at any time (the guest draws into them); they
 * stay mapped until the next scanout(), disable() or the end. */
struct bus_picture {
	uint32_t width, height; /* pixels, 1..16384 */
	uint32_t stride;        /* bytes */
	pixman_format_code_t format;
	const uint8_t *pixels; /* first pixel of the first row */
};

struct bus_client_ops {
	/* The guest's name and consoles are known; called once. */
	void (*ready)(void *owner);
	/* The connection is over: @reason is NULL when the guest went away in order. Called at most once, also when
	 * connecting failed; then free the client. */
	void (*ended)(void *owner, const GError *reason);
};

struct bus_console_ops {
	void (*scanout)(void *owner, const struct bus_picture *picture);
	void (*disable)(void *owner);
	/* @areas are inside the picture. The peer is told that we are done when this returns, unless it returned false: then
	 * when bus_console_done() is called. Until then no further update comes. Pixels are to be read before that: a later
	 * look can miss a change, or see one that is gone again. */
	bool (*update)(void *owner, const struct rectangle *areas, guint count);
	/* NULL: none; valid during the call, ref to keep. May be missing, like all that follow. */
	void (*cursor)(void *owner, const struct cursor *cursor);
	void (*mouse)(void *owner, int32_t x, int32_t y, bool visible);
	void (*lights)(void *owner, uint32_t lights); /* enum input_light */
	void (*pointer_kind)(void *owner, bool absolute);
};

/* Connects to a bus socket, asynchronously. */
struct bus_client *bus_client_connect(
	const char *path, const struct bus_client_ops *ops, void *owner);
/* The same over a connected socket, taking the descriptor. */
struct bus_client *bus_client_adopt(int fd, const struct bus_client_ops *ops, void *owner);
/* A QEMU started with -display dbus,p2p=on, through its QMP socket (getfd, add_client). */
struct bus_client *bus_client_connect_qmp(
	const char *qmp_path, const struct bus_client_ops *ops, void *owner);
void bus_client_free(struct bus_client *client);

/* Once ready: */
const char *bus_client_name(const struct bus_client *client);
const char *bus_client_uuid(const struct bus_client *client);
guint bus_client_console_count(const struct bus_client *client);

/**
 * bus_client_watch - start to receive the picture of a console
 * @index: 0..bus_client_console_count() - 1
 *
 * The first scanout() or disable() follows. Owned by the client, until bus_console_unwatch() or the client's end.
 */
struct bus_console *bus_client_watch(
	struct bus_client *client, guint index, const struct bus_console_ops *ops, void *owner);
void bus_console_unwatch(struct bus_console *console);
void bus_console_done(struct bus_console *console);
const char *bus_console_label(const struct bus_console *console);
bool bus_console_pointer_is_absolute(const struct bus_console *console);

/* Input; sent in order, without waiting for an answer. */
void bus_console_key(struct bus_console *console, uint8_t qnum, bool down);
void bus_console_motion(struct bus_console *console, int32_t dx, int32_t dy);
void bus_console_position(struct bus_console *console, uint32_t x, uint32_t y);
void bus_console_button(struct bus_console *console, enum input_button button, bool down);
void bus_console_set_ui_info(struct bus_console *console, const struct head_ui_info *info);
