/* The thread that does a disk's input and output.
 *
 * It runs between start and stop. On it, the owner is told when a kick descriptor was written, submits requests, and is told
 * of each one's end. The drive's error policies are applied here: a request that is to be done again when the machine goes
 * on is kept, and begins anew at the next start. So its owner hears of it only when it has ended for good.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/storage/block.h"

struct drive;

enum {
	BLOCK_REQUESTS_MAX = 256, /* in flight at a time */
	BLOCK_KICKS_MAX = 64,
};

enum block_operation {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,
	BLOCK_DISCARD,
	BLOCK_WRITE_ZEROES,
};

struct block_request {
	enum block_operation operation;
	uint64_t offset, length; /* bytes */
	bool durable;            /* WRITE, WRITE_ZEROES: on the disk before it ends */
	bool unmap;              /* WRITE_ZEROES: the space may be given back to the host */
	struct iovec
		*pieces; /* for READ and WRITE; together @length bytes; used up by the worker */
	unsigned count;

	/* the worker's */
	int given_up; /* atomic: see block_request_give_up() */
	uint64_t done;
	int64_t started; /* nanoseconds, monotonic */
	void *guard;     /* memory that @pieces point to */
	struct block_request *next;
};

/* All on the worker's thread. */
struct block_worker_ops {
	void (*kicked)(void *owner, unsigned kick);
	/* @result: 0 or a negative errno */
	void (*completed)(void *owner, struct block_request *request, int result);
	/* After a batch of the above: the moment to tell the guest. */
	void (*settled)(void *owner);
	/* After block_worker_stop_within() had to give up waiting: the last of the thread, and block_worker_stop() does not wait
	 * any more. NULL: that function is not used. */
	void (*stopped)(void *owner);
};

/* For the device that took @drive; one at a time for a drive. With the machine's lock, as what follows. */
struct block_worker *block_worker_new(
	struct drive *drive, const struct block_worker_ops *ops, void *owner);
void block_worker_free(struct block_worker *worker);

/* Starts the thread; kicked() is called at once for each kick, and whenever one of @kicks (eventfds) is written. */
void block_worker_start(struct block_worker *worker, const int *kicks, unsigned count);
/* The same, with the kicks of the last time. */
void block_worker_restart(struct block_worker *worker);
/* Waits until all requests have ended, or are kept to be done again, and the thread has ended too. */
void block_worker_stop(struct block_worker *worker);
/* The same, but waits for at most so long: false when the host is not done by then. The thread goes on to its end, which the
 * owner is told of by stopped(); block_worker_stop() waits for it as ever. */
bool block_worker_stop_within(struct block_worker *worker, unsigned milliseconds);
/* Between stop and start: the requests that were kept are the owner's again, and are not done. */
void block_worker_forget(struct block_worker *worker);
/* The same for those that @match: they come back as a list, by next. */
struct block_request *block_worker_forget_some(struct block_worker *worker,
	bool (*match)(const struct block_request *request, void *data), void *data);
/* On any thread, of a request that was submitted and has not ended: it is not done again when it fails, and does not begin when
 * it is kept; completed() is called all the same. */
void block_request_give_up(struct block_request *request);
bool block_worker_is_started(const struct block_worker *worker);
/* On the worker's thread: what was kept and then given up ends now, not at the next start. */
void block_worker_end_given_up(struct block_worker *worker);

/* On the worker's thread; the request belongs to the worker until completed(). At most BLOCK_REQUESTS_MAX at a time.
 * Without a medium it ends with -ENOMEDIUM. */
void block_worker_submit(struct block_worker *worker, struct block_request *request);
