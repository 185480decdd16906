/* Character devices: where a serial port, a console or a control protocol ends on the host.
 *
 * Front ends (a UART, isa-debugcon, QMP) write and receive bytes; back ends are stdio, a file, a socket that
 * listens or connects, a pty, a pipe, a ring buffer, or nothing. A slow or absent reader never stops the guest: output is queued up to a bound and then
 * the oldest is dropped; a socket keeps the last 64 KiB written while nobody is connected and gives them to the next
 * who connects. Input stays with the back end while the front end has no room for it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chardev;
struct option_set;

enum chardev_event {
	CHARDEV_OPENED, /* somebody is there: a client connected */
	CHARDEV_CLOSED,
	CHARDEV_FOCUSED, /* of several front ends (mux.h), this one gets what is typed from now on */
	CHARDEV_BREAK,   /* a break on the line */
};

/* All on the main loop, without any lock. */
struct chardev_ops {
	/* How many bytes the front end can take now; 0: none. */
	size_t (*can_receive)(void *front_end);
	void (*receive)(
		void *front_end, const uint8_t *bytes, size_t length); /* at most can_receive() */
	void (*event)(void *front_end, enum chardev_event event);      /* may be NULL */
	/* chardev_room() was short of what was asked for, and there is more again; may be NULL */
	void (*drained)(void *front_end);
};

enum {
	CHARDEV_RING_SIZE =
		64 << 10, /* bytes that a ring buffer keeps unless size= says otherwise */
	CHARDEV_QUEUE_SIZE = 64 << 10, /* bytes that wait for a slow or absent reader */
};

/* Whether a -chardev option makes sense, as far as can be told without opening anything. */
bool chardev_check(const struct option_set *set, GError **error);

/**
 * chardev_new - a back end from its options
 * @set: a -chardev option: its back end, its id and the keys of that back end
 *
 * With wait=on it returns when a client is there.
 *
 * Returns NULL with @error, which names the id and what was wrong.
 */
struct chardev *chardev_new(const struct option_set *set, GError **error);
void chardev_free(struct chardev *chardev); /* removes its socket file, restores its terminal */

const char *chardev_id(const struct chardev *chardev);
char *chardev_filename(const struct chardev *chardev); /* as query-chardev has it; to be freed */
bool chardev_is_open(const struct chardev *chardev);   /* somebody is there; any thread */

/* One front end at most; NULL ops to leave. When somebody is there already, it is told so at once. */
void chardev_attach(struct chardev *chardev, const struct chardev_ops *ops, void *front_end);
bool chardev_is_taken(const struct chardev *chardev);

/* How much waits for a slow or absent reader, instead of CHARDEV_QUEUE_SIZE. */
void chardev_set_queue_size(struct chardev *chardev, size_t size);

/* Takes up to @length of the oldest bytes out of a ring buffer. Any thread. */
bool chardev_is_ring(const struct chardev *chardev);
size_t chardev_ring_read(struct chardev *chardev, void *bytes, size_t length);

/* Queues bytes for the host; never blocks; any thread. */
void chardev_write(struct chardev *chardev, const void *bytes, size_t length);
/* How many of @wanted bytes can be written now without any being lost, for front ends that can wait: drained() is called when
 * it was less and there is room again. Where nobody reads, or only the latest bytes are kept, all of them. Any thread. */
size_t chardev_room(struct chardev *chardev, size_t wanted);
/* The front end has room again; any thread. */
void chardev_accept_input(struct chardev *chardev);
