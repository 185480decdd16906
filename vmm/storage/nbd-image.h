/* An image behind an NBD server: another machine's, or a helper of our own (nbd-helper.h) that knows its format.
 *
 * What was acknowledged survives the server (write-log.h): when the connection breaks, the helper is started again, or the
 * server is connected to again, what the log holds is written once more, and requests that had no answer are sent anew. Only
 * when that fails the guest's requests do, and the drive's error policy has its say.
 *
 * Specification: doc/proto.md of the NBD project; libnbd speaks it.
 */
#pragma once

#include <libnbd.h>

#include "vmm/storage/block-engine.h"
#include "vmm/storage/nbd-helper.h"
#include "vmm/storage/write-log.h"

enum {
	NBD_PATIENCE =
		10000, /* milliseconds for an answer to a handshake, and when the machine stops */
};

struct nbd_image {
	struct block_backend backend;
	char *uri;           /* of a server that is not ours; NULL: a helper */
	char **arguments;    /* of the helper */
	const char *package; /* that has it */
	int image_fd;        /* for the helper; -1: none */
	char *file;          /* for block_resize through qemu-img; NULL: not possible */

	/* The disk's thread has these while it runs, the main loop otherwise. */
	struct nbd_handle *connection; /* NULL: none, or broken */
	struct nbd_helper *helper;
	struct write_log log;
	int64_t tried;     /* microseconds, monotonic: when connecting was last tried */
	unsigned failures; /* to connect, one after the other */
	bool can_flush, can_trim;
};

/* Connects, and writes what the log holds. Waits, but not for ever. */
bool nbd_image_connect(struct nbd_image *image, GError **error);
/* The connection is broken, or has to be: closes it, and kills the helper. */
void nbd_image_drop(struct nbd_image *image);

/* Waits for the answer to a command; NULL cookie means that it could not be sent. */
bool nbd_image_wait(struct nbd_image *image, int64_t cookie, GError **error);

/* Moves bytes after poll() has said @events of the connection's descriptor; whether it is still of use. */
void nbd_image_move(struct nbd_handle *connection, short events);
bool nbd_image_is_lost(struct nbd_handle *connection);

struct block_engine *engine_nbd_new(struct nbd_image *image, struct block_worker *worker);
