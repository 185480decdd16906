/* A disk image: a raw file or block device that is opened and locked, or an image behind an NBD server.
 *
 * What an image can do is the same for all of them: its engine (block-engine.h) runs on the thread of the disk that uses it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct block_engine;
struct block_worker;
struct block_backend;

enum {
	SECTOR = 512, /* bytes; offsets and lengths of guests' requests are multiples */
};

enum drive_error_policy {
	DRIVE_ERROR_REPORT, /* the guest gets an I/O error */
	DRIVE_ERROR_IGNORE, /* the guest is told that all went well */
	DRIVE_ERROR_STOP,   /* the guest stops; the request is done again when it goes on */
	DRIVE_ERROR_ENOSPC, /* stop when the host has no space left, else report */
};

struct block_config {
	const char *id;            /* how -device refers to it */
	const char *path;          /* NULL: no medium (drives_add() only) */
	const char *format;        /* of image_formats; NULL: what it looks like (image-format.h) */
	const char *detect_zeroes; /* "on", "unmap", NULL: off; not for raw images */
	bool read_only;
	bool discard;  /* discards of the guest free space on the host */
	bool no_cache; /* past the host's page cache (O_DIRECT) */
	bool no_flush; /* the guest's flushes do nothing: fast, and the disk may be lost with the host */
	bool write_through; /* what was written is on the disk before the guest hears of it */
	bool snapshot;      /* writes go to a file without a name, which ends with the guest */

	/* drives_add() only */
	const char *child; /* id of the node with the bytes; NULL: @path has them */
	bool is_node;      /* of -blockdev: without a format it is where a format's bytes are */
	enum drive_error_policy on_read_error, on_write_error;
};

struct block_backend_ops {
	void (*close)(struct block_backend *backend);
	/* Another size, a multiple of SECTOR; while no thread uses it. */
	bool (*resize)(struct block_backend *backend, uint64_t size, GError **error);
	/* For the disk's thread, which frees it; never NULL. */
	struct block_engine *(*new_engine)(
		struct block_backend *backend, struct block_worker *worker);
};

struct block_backend {
	const struct block_backend_ops *ops;
	char *path;         /* what people call it: a file's path, a URI */
	const char *format; /* "raw", "qcow2" */
	uint64_t size;      /* bytes, whole sectors */
	bool read_only, discard, no_flush, write_through;
	bool guarded; /* a raw image that has to go on looking like one (image-format.h) */
};

/**
 * block_backend_open - open an image and lock it against other writers
 *
 * May start a helper and wait for it, some seconds at most.
 * The locks are those of QEMU (single bytes from 100 and 200, of the kind that belongs to the open file), so that neither
 * opens for writing what the other uses. Returns NULL with @error: the path, what is wrong with it and what to do.
 */
struct block_backend *block_backend_open(const struct block_config *config, GError **error);
void block_backend_close(struct block_backend *backend); /* nothing for NULL */
