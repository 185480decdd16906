/* Inside the character devices: what a back end gives to the common code in chardev.c, which moves the bytes. */
#pragma once

#include <gio/gio.h>

#include "vmm/chardev/byte-ring.h"
#include "vmm/chardev/chardev.h"
#include "vmm/options/options.h"

enum {
	CHARDEV_CHUNK = 4096,      /* bytes moved at a time */
	CHARDEV_INPUT_SIZE = 4096, /* bytes kept of what a peer sent before it left */
	CHARDEV_LISTENERS = 4,     /* addresses that a host name stands for */
};

struct chardev_mux;
struct chardev_link;

struct chardev_backend {
	const char *name;
	/* Opens it: may set the descriptors, the terminal, the ring. */
	bool (*open)(struct chardev *chardev, const struct option_set *set, GError **error);
	/* NULL: nothing but the descriptors to close */
	void (*close)(struct chardev *chardev);
	/* As query-chardev has it; NULL: the name */
	char *(*filename)(const struct chardev *chardev);
	/* Somebody asks to connect at one of the listeners; NULL: there are none */
	void (*accept)(struct chardev *chardev, int listener);
	/* Whoever was there is gone: both descriptors are closed. NULL: nothing to do */
	void (*lost)(struct chardev *chardev);
};

struct chardev {
	const struct chardev_backend *backend;
	char *id;
	char *path;                /* of a file, socket or terminal */
	struct chardev_link *link; /* of a socket: where it goes; NULL: not one */
	struct chardev_mux *mux;   /* NULL: one front end */
	struct chardev *base;      /* of a channel: what it is a channel of */
	const struct chardev_ops *ops;
	void *front_end;
	gint open; /* somebody is there; atomic */

	GSource *source;
	int in_fd, out_fd; /* -1: none; they may be the same */
	void *in_tag, *out_tag;
	int listeners[CHARDEV_LISTENERS];
	void *listener_tags[CHARDEV_LISTENERS];
	unsigned listener_count;
	bool out_full; /* the last write took less than there was */

	/* Taken from the output, not yet written: main loop only. */
	uint8_t chunk[CHARDEV_CHUNK];
	size_t chunk_start, chunk_end;

	struct byte_ring input; /* of a peer that left */

	gint short_of_room; /* the front end waits for room; atomic */

	int log_fd;  /* logfile=, where a copy of all output goes; -1: none */
	GMutex lock; /* of output, log and ring */
	struct byte_ring output;
	struct byte_ring log;  /* on its way to the file; size 0: there is none */
	struct byte_ring ring; /* of a ring buffer; size 0: not one */

	unsigned warned;
	int other_side; /* of a pseudo-terminal; -1: none */
	bool raw;       /* stdio: this one made the terminal raw */
};

extern const struct chardev_backend chardev_stdio, chardev_file, chardev_socket, chardev_pty,
	chardev_null, chardev_ring, chardev_pipe;

/* One that is not open yet. */
struct chardev *chardev_alloc(const struct chardev_backend *backend, const char *id);
/* From now on it has channels. */
void chardev_make_mux(struct chardev *chardev);
void chardev_mux_free(struct chardev_mux *mux);

/* Starts to use descriptors, which it then owns but for the three standard ones. -1: none. */
void chardev_use(struct chardev *chardev, int in_fd, int out_fd);
/* Starts or stops looking at the listeners. */
void chardev_listen(struct chardev *chardev, bool on);
/* Tells the front end when that is a change. */
void chardev_set_open(struct chardev *chardev, bool open);

/* --- sockets that connect: socket-client.c --- */

/* Where a socket goes. */
struct chardev_link {
	bool server;
	bool owns_path; /* the socket file is removed at the end */
	char *host;     /* NULL: a UNIX socket, or a descriptor that was handed over */
	uint16_t port;
	unsigned reconnect; /* seconds after which it tries again; 0: never */
	guint timer;
	GCancellable *connecting;
	unsigned warned;
};

/* Whoever is at the other end of a connected socket is there now. */
void chardev_link_up(struct chardev *chardev, int fd);
/* Connects at once, and waits for it: for the start. */
bool chardev_link_connect(struct chardev *chardev, GError **error);
/* Connects in the background, again and again until there is somebody. */
void chardev_link_try(struct chardev *chardev);
/* The same in reconnect seconds; nothing without. */
void chardev_link_try_later(struct chardev *chardev);
void chardev_link_free(struct chardev_link *link);
