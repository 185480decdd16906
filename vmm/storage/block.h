/* A disk image on the host: a raw file or block device, opened and locked. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SECTOR = 512, /* bytes; offsets and lengths of guests' requests are multiples */
};

struct block_config {
	const char *id; /* how -device refers to it */
	const char *path;
	bool read_only;
	bool discard;  /* discards of the guest free space on the host */
	bool no_cache; /* past the host's page cache (O_DIRECT) */
	bool no_flush; /* the guest's flushes do nothing: fast, and the disk may be lost with the host */
};

struct block_backend {
	char *id, *path;
	int fd;
	uint64_t size; /* bytes, whole sectors */
	bool read_only, discard, no_flush;
	void *owner; /* the device that uses it, NULL: none yet */
};

/**
 * block_backend_open - open an image and lock it against other writers
 *
 * The locks are those of QEMU (single bytes from 100 and 200, of the kind that belongs to the open file), so that neither
 * opens for writing what the other uses. Returns NULL with @error: the path, what is wrong with it and what to do.
 */
struct block_backend *block_backend_open(const struct block_config *config, GError **error);
void block_backend_close(struct block_backend *backend);
