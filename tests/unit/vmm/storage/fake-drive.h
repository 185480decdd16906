/* A drive in memory whose requests end when the test says so: for tests of what controllers do with a block queue. */
#pragma once

#include "vmm/storage/block-queue.h"

enum {
	FAKE_DRIVE_BYTES = 1 << 20
};

struct fake_drive {
	struct drive drive;
	struct block_backend image;
	uint8_t bytes[FAKE_DRIVE_BYTES];
	int error; /* negative errno that requests end with, 0: none */
	unsigned flushes, discards, durable;
	unsigned
		failed_bounds; /* requests outside of the image, or with pieces that do not fit: never right */
};

/* One at a time; every drives_take() gives it, whatever the id. */
struct fake_drive *fake_drive_new(void);
void fake_drive_free(struct fake_drive *fake);
/* Does what has been submitted, and what that leads to; at most @limit requests. Returns how many. */
unsigned fake_drive_run(struct fake_drive *fake, unsigned limit);
