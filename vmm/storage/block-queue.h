/* Requests of disk controllers whose state lies under the machine's lock (AHCI, IDE, SCSI, USB storage).
 *
 * Submitting never waits; a request's end is told on the main loop with the lock held. Error policy is applied here: with
 * stop (or enospc) a failed request is kept, the machine stops with BLOCK_IO_ERROR, and the request is done again when the
 * machine goes on: the device hears of it only when it has ended for good. A request that was acknowledged is never lost.
 */
#pragma once

#include "vmm/storage/block-worker.h"
#include "vmm/storage/drives.h"

struct machine;
struct block_queue;

/* @result: 0 or a negative errno. @request is the device's again. */
typedef void (*block_done_func)(void *device, struct block_request *request, int result);

/* The queue belongs to the device; the drive was taken by it (drives_take()). With the lock. */
struct block_queue *block_queue_new(
	struct machine *machine, struct drive *drive, block_done_func done, void *device);
/* Waits until nothing is in flight any more; done() is not called again. */
void block_queue_free(struct block_queue *queue);

/* At most BLOCK_REQUESTS_MAX in flight. What is written is copied before this returns; what is read is in its place when done()
 * is called. Without a medium the request ends with -ENOMEDIUM. With the lock. */
void block_queue_submit(struct block_queue *queue, struct block_request *request);
/* Gives up a request, or all that have not ended: done() is not called, their memory is not touched any more, and a write is
 * done or not. Never waits; what is submitted later begins when what was given up has ended on the host. Nothing for a request
 * that has ended. With the lock. */
void block_queue_cancel(struct block_queue *queue, struct block_request *request);
void block_queue_cancel_all(struct block_queue *queue);
unsigned block_queue_in_flight(const struct block_queue *queue);
/* The machine pauses: nothing is in flight on the host when this returns; requests not yet begun, or to be done again, wait
 * for the machine to go on. For set_running(). With the lock. */
void block_queue_set_running(struct block_queue *queue, bool running);
