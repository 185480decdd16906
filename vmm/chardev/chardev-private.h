/* Inside the character devices: what a back end gives to the common code in chardev.c, which moves the bytes. */
#pragma once

#include "vmm/chardev/byte-ring.h"
#include "vmm/chardev/chardev.h"
#include "vmm/options/options.h"

enum {
	CHARDEV_CHUNK = 4096,      /* bytes moved at a time */
	CHARDEV_INPUT_SIZE = 4096, /* bytes kept of what a peer sent before it left */
};

struct chardev_mux;

struct chardev_backend {
	const char *name;
	/* Opens it: may set the descriptors, the terminal, the ring. */
	bool (*open)(struct chardev *chardev, const struct option_set *set, GError **error);
	/* NULL: nothing but the descriptors to close */
	void (*close)(struct chardev *chardev);
	/* As query-chardev has it; NULL: the name */
	char *(*filename)(const struct chardev *chardev);
	/* Somebody asks to connect at the listener; NULL: there is none */
	void (*accept)(struct chardev *chardev);
	/* Whoever was there is gone: both descriptors are closed. NULL: nothing to do */
	void (*lost)(struct chardev *chardev);
};

struct chardev {
	const struct chardev_backend *backend;
	char *id;
	char *path;              /* of a file, socket or terminal */
	struct chardev_mux *mux; /* NULL: one front end */
	struct chardev *base;    /* of a channel: what it is a channel of */
	const struct chardev_ops *ops;
	void *front_end;
	gint open; /* somebody is there; atomic */

	GSource *source;
	int in_fd, out_fd, listener; /* -1: none; in and out may be the same */
	void *in_tag, *out_tag, *listener_tag;
	bool out_full; /* the last write took less than there was */

	/* Taken from the output, not yet written: main loop only. */
	uint8_t chunk[CHARDEV_CHUNK];
	size_t chunk_start, chunk_end;

	struct byte_ring input; /* of a peer that left */

	gint short_of_room; /* the front end waits for room; atomic */

	GMutex lock; /* of output and ring */
	struct byte_ring output;
	struct byte_ring ring; /* of a ring buffer; size 0: not one */

	unsigned warned;
	int other_side; /* of a pseudo-terminal; -1: none */
	bool raw;       /* stdio: this one made the terminal raw */
};

extern const struct chardev_backend chardev_stdio, chardev_file, chardev_socket, chardev_pty,
	chardev_null, chardev_ring;

/* One that is not open yet. */
struct chardev *chardev_alloc(const struct chardev_backend *backend, const char *id);
/* From now on it has channels. */
void chardev_make_mux(struct chardev *chardev);
void chardev_mux_free(struct chardev_mux *mux);

/* Starts to use descriptors, which it then owns but for the three standard ones. -1: none. */
void chardev_use(struct chardev *chardev, int in_fd, int out_fd);
/* Starts or stops looking at the listener. */
void chardev_listen(struct chardev *chardev, bool on);
/* Tells the front end when that is a change. */
void chardev_set_open(struct chardev *chardev, bool open);
