/* The drives of a machine: what -drive and -blockdev made, by the id that devices name them with.
 *
 * A drive is a place for a medium: a disk has one for ever, a CD-ROM's may be taken out and changed while the guest runs. The
 * device that uses a drive says how the guest takes part in that (tray, lock).
 */
#pragma once

#include "vmm/storage/block-worker.h"

struct drives;
struct device;

struct drive_statistics {
	uint64_t read_bytes, written_bytes, discarded_bytes;
	uint64_t reads, writes, flushes, discards;
	uint64_t failed_reads, failed_writes, failed_flushes;
	uint64_t read_ns, write_ns, flush_ns; /* of time spent, nanoseconds */
};

/* How the device that has the drive takes part; all with the lock, and with what it gave to drives_take(). NULL members: it does
 * not. */
struct drive_ops {
	bool is_cdrom;
	/* There is another medium, or none (drive->image), or it has another size. */
	void (*medium_changed)(void *data);
	/* Somebody wants the medium out while the guest has locked the tray: the guest is asked. */
	void (*eject_requested)(void *data, bool force);
	bool (*is_locked)(void *data); /* the guest forbids to open the tray */
	bool (*is_tray_open)(void *data);
	void (*set_tray)(void *data, bool open);
};

struct drive {
	char *id;                    /* "": a CD-ROM's that has no -drive */
	struct block_backend *image; /* NULL: no medium */
	struct device *owner;        /* NULL: no device uses it */
	const struct drive_ops *ops; /* the owner's */
	void *data;                  /* for them */
	bool read_only;              /* whatever medium there is */
	enum drive_error_policy on_read_error, on_write_error;
	struct drive_statistics statistics; /* any thread: atomic additions */

	bool is_node; /* of -blockdev: people know it as a node, not as a drive */

	/* the storage layer's own */
	struct block_config *closed;  /* a node that is opened when a device takes it */
	struct drive *parent, *child; /* nodes: the format above, the bytes below */
	struct drive *medium;         /* the node whose image this is; NULL: its own */
	struct block_worker *worker;  /* of the owner */
	int64_t told_since;           /* the worker's: errors told of late, microseconds */
	unsigned told;
	int troubled; /* atomic: -errno of the error that stopped the machine */
};

struct drives *drives_new(void);
void drives_free(struct drives *drives); /* closes all images; after the devices are gone */

/* Opens an image as a new drive; the id must be new. A node without a format is opened when a device takes it. */
bool drives_add(struct drives *drives, const struct block_config *config, GError **error);
/* Closes the image of a drive that no device and no other node has. */
bool drives_remove(struct drives *drives, const char *id, GError **error);

/* For a device: the drive with this id, which nobody else has; with @id NULL an empty one, for as long as the device has it.
 * NULL with @error, which lists the ids. Given back with drive_release(). */
struct drive *drives_take(struct drives *drives, const char *id, struct device *owner,
	const struct drive_ops *ops, void *data, GError **error);
void drive_release(struct drive *drive);

/* NULL: there is none by this id. */
struct drive *drives_find(const struct drives *drives, const char *id);
/* All of them, of struct drive, in the order of their making. */
GPtrArray *drives_list(const struct drives *drives);

/* Another medium, or none; the one before is closed. What is in flight ends first. With the machine's lock. */
void drive_set_image(struct drive *drive, struct block_backend *image);

/* A node as the medium of an empty drive; drive_set_image() gives it back. With the machine's lock. */
bool drive_insert(struct drive *drive, struct drive *node, GError **error);
/* @size: a multiple of SECTOR. What is in flight ends first. With the machine's lock. */
bool drive_resize(struct drive *drive, uint64_t size, GError **error);

/* For the disk's thread. Whether a request that failed with *@result is to be kept and done again; if not, *@result is what
 * the guest is told. Tells whoever controls the machine, and stops it, as the policy has it. */
bool drive_keeps_failed(struct drive *drive, enum block_operation operation, int *result);
/* Counts a request that ended after @duration nanoseconds. */
void drive_count(
	struct drive *drive, const struct block_request *request, int result, int64_t duration);

/* "report", "ignore", "stop", "enospc" */
const char *drive_error_policy_name(enum drive_error_policy policy);
