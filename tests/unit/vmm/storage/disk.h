/* A disk of a machine that only remembers what it was asked, and images in a folder that goes away. */
#pragma once

#include "vmm/machine/machine.h"
#include "vmm/storage/block-queue.h"
#include "vmm/storage/image-open.h"

enum {
	DISK_BYTES = 1 << 20
};

struct disk {
	char *folder, *file;
	struct machine machine;
	struct device device;
	struct drives *drives;
	struct drive *drive;
	struct block_queue *queue;
	unsigned ended;
	int result; /* of the last one */
};

/* What the machine was asked, one after the other. */
extern unsigned disk_stops;
extern GString *disk_events; /* "read:stop write:report " */

/* An image made by qemu-img, or by this one for raw; @format is also what -drive says, NULL: raw without saying so. */
struct disk *disk_new(const char *format, const struct block_config *more);
/* The image is ours: @backend is taken. */
struct disk *disk_new_with(struct block_backend *backend);
void disk_free(struct disk *disk);

/* Fills @request and its piece. */
void disk_submit(struct disk *disk, struct block_request *request, struct iovec *piece,
	enum block_operation operation, uint64_t offset, void *bytes, uint64_t length);
/* Submits and waits; returns the result. */
int disk_do(struct disk *disk, enum block_operation operation, uint64_t offset, void *bytes,
	uint64_t length);
/* Until @count have ended since the start, or the machine was asked to stop. */
void disk_wait(struct disk *disk, unsigned count);
