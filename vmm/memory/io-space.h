/* An address space of registers: which device answers at a port or at a memory-mapped address.
 *
 * Regions are looked up and called with the machine's lock held. A region of higher priority hides what lies beneath.
 * Addresses nobody answers read as all ones; writes to them vanish, as on a PC.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

struct io_ops {
	/* @offset from the region's start, @size 1, 2, 4 or 8 bytes; the access lies inside the region. */
	uint64_t (*read)(void *device, uint64_t offset, unsigned size);
	void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
	/* The largest access the device takes at once, 0: 8. Larger ones come in pieces, in ascending order. */
	unsigned max_access;
};

struct io_space;

struct io_region {
	const char *name;
	const struct io_ops *ops;
	void *device;
	uint64_t size;
	int priority; /* 0 for ordinary ones */

	/* set by io_space_map() */
	struct io_space *space;
	uint64_t base;
};

struct io_space {
	const char *name;
	GPtrArray *regions; /* of struct io_region, highest priority first */
};

void io_space_init(struct io_space *space, const char *name);
void io_space_clear(struct io_space *space);

/* The region belongs to the device and must outlive its mapping. Mapping it again moves it. */
void io_space_map(struct io_space *space, struct io_region *region, uint64_t base);
void io_region_unmap(struct io_region *region); /* nothing when it is not mapped */

/* Two regions of equal priority that want the same address: false when there are none. For devices with fixed addresses,
 * while a machine is built. */
bool io_space_find_conflict(
	const struct io_space *space, const struct io_region **one, const struct io_region **other);

/* @size 1, 2, 4 or 8. */
uint64_t io_space_read(struct io_space *space, uint64_t address, unsigned size);
void io_space_write(struct io_space *space, uint64_t address, unsigned size, uint64_t value);
