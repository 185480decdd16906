/* The drive behind a disk controller's command: jobs of any length, done in steps that the host takes.
 *
 * A job may have more pieces of memory, or more bytes, than one request of a block queue, and there may be more jobs than
 * the queue has in flight at a time. All with the machine's lock.
 */
#pragma once

#include "vmm/storage/block-queue.h"

enum {
	DISK_STEP_BYTES = 1 << 20,
	DISK_BYTES_IN_FLIGHT = 16 << 20, /* copied at a time; one step at least */
	DISK_STEP_PIECES = 1024,         /* what one readv() takes */
};

struct disk_job {
	struct block_request request; /* first: the queue gives it back */

	/* by the owner, unchanged until done() */
	enum block_operation operation;
	uint64_t offset, length; /* bytes, whole sectors; 0 for BLOCK_FLUSH */
	bool durable;            /* BLOCK_WRITE: on the disk before it ends */
	const struct iovec
		*pieces; /* READ, WRITE: together at least @length bytes, of memory that stays */
	unsigned count;
	void (*done)(struct disk_job *job, int result); /* 0 or a negative errno */

	/* the disk's */
	uint64_t finished, step_length;
	unsigned next_piece; /* the first one that is not finished, and how much of it is */
	size_t piece_offset;
	struct iovec *step;
	bool in_flight, waiting;
};

struct disk {
	struct machine *machine;
	struct drive *drive;
	struct block_queue *queue;
	GQueue in_flight, waiting; /* of struct disk_job */
	uint64_t bytes_in_flight;
};

/* Takes the drive named by drive=@drive_id for @owner, with @data for @ops; false with @error. */
bool disk_init(struct disk *disk, const char *drive_id, struct device *owner,
	const struct drive_ops *ops, void *data, GError **error);
/* Cancels what has not ended, and waits for the host to be done with it; nothing when it was not initialised. */
void disk_finish(struct disk *disk);

/* Starts a job; its done() is called later, never from here. */
void disk_start(struct disk *disk, struct disk_job *job);
/* Gives up a job, or all of them, and does not wait: their memory is not touched any more, and done() is not called. Nothing
 * when the job is not under way. */
void disk_cancel(struct disk *disk, struct disk_job *job);
void disk_cancel_all(struct disk *disk);
/* For set_running(). */
void disk_set_running(struct disk *disk, bool running);

/* The guest, or somebody for it, opened or closed the tray: whoever controls the machine is told (DEVICE_TRAY_MOVED). */
void disk_tell_tray(const struct disk *disk, bool open);

/* The medium: whether there is one, its bytes, whether it may be written. */
static inline bool disk_has_medium(const struct disk *disk)
{
	return disk->drive && disk->drive->image;
}

static inline uint64_t disk_size(const struct disk *disk)
{
	return disk_has_medium(disk) ? disk->drive->image->size : 0;
}

static inline bool disk_is_read_only(const struct disk *disk)
{
	return disk->drive->read_only || (disk_has_medium(disk) && disk->drive->image->read_only);
}
