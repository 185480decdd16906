/* The thread that does a disk's input and output, through io_uring.
 *
 * It runs between start and stop. On it, the owner is told when its kick descriptor was written, submits requests, and is
 * told of each one's end. Where the kernel forbids io_uring, the same thread does one request after the other.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/storage/block.h"

enum {
	BLOCK_REQUESTS_MAX = 256 /* in flight at a time */
};

enum block_operation {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,
	BLOCK_DISCARD,
};

struct block_request {
	enum block_operation operation;
	uint64_t offset, length; /* bytes */
	bool durable;            /* WRITE: on the disk before it ends */
	struct iovec
		*pieces; /* for READ and WRITE; together @length bytes; used up by the worker */
	unsigned count;
	uint64_t done; /* the worker's */
};

/* All on the worker's thread. */
struct block_worker_ops {
	void (*kicked)(void *owner);
	/* @result: 0 or a negative errno */
	void (*completed)(void *owner, struct block_request *request, int result);
	/* After a batch of the above: the moment to tell the guest. */
	void (*settled)(void *owner);
};

struct block_worker;

struct block_worker *block_worker_new(
	struct block_backend *backend, const struct block_worker_ops *ops, void *owner);
void block_worker_free(struct block_worker *worker);

/* Starts the thread; kicked() is called at once, and whenever @kick (an eventfd) is written. */
void block_worker_start(struct block_worker *worker, int kick);
/* Waits until all requests have ended and the thread has too. */
void block_worker_stop(struct block_worker *worker);

/* On the worker's thread; the request belongs to the worker until completed(). At most BLOCK_REQUESTS_MAX at a time. */
void block_worker_submit(struct block_worker *worker, struct block_request *request);
