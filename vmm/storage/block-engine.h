/* What does the input and output of an image, on the disk's thread (block-worker.h).
 *
 * The thread is the engine's while run() lasts. It waits for the worker's descriptors and for its own, and tells the worker
 * what happened: a kick, the end of a request, the end of a batch.
 */
#pragma once

#include <poll.h>
#include <sys/types.h>

#include "vmm/storage/block-worker.h"

struct block_engine_ops {
	/* Returns once the worker was told to stop and nothing is in flight. Calls block_worker_kicked() for every kick at the
	 * start. */
	void (*run)(struct block_engine *engine);
	/* Called from inside block_worker_kicked() and block_worker_ended(). */
	void (*submit)(struct block_engine *engine, struct block_request *request);
	void (*free)(struct block_engine *engine);
};

struct block_engine {
	const struct block_engine_ops *ops;
	struct block_worker *worker;
};

/* The raw image's, through io_uring; NULL where the kernel forbids it: then one request after the other. */
struct block_engine *engine_ring_new(struct block_worker *worker, int fd);
struct block_engine *engine_plain_new(struct block_worker *worker, int fd);

/* Descriptors that say "stop" and "there is something to do"; the engine reads the count of 8 bytes. */
int block_worker_stop_fd(const struct block_worker *worker);
unsigned block_worker_kicks(const struct block_worker *worker, const int **fds);

void block_worker_kicked(struct block_worker *worker, unsigned kick);
/* @result: 0 or a negative errno; the request is not the engine's any more. */
void block_worker_ended(struct block_worker *worker, struct block_request *request, int result);
/* The request has not ended, and is done again when the worker starts anew. */
void block_worker_keep(struct block_worker *worker, struct block_request *request);
void block_worker_settled(struct block_worker *worker);
unsigned block_worker_in_flight(const struct block_worker *worker);

/* After a part of a request: @result is how many bytes were transferred (0 for what transfers none), or a negative errno.
 * True when the rest is to be submitted, otherwise *@end is what the request ended with. */
bool block_request_goes_on(struct block_request *request, ssize_t result, int *end);
