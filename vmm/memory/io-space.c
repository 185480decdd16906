/* An address space of registers: which device answers where. */
#include "vmm/memory/io-space.h"

void io_space_init(struct io_space *space, const char *name)
{
	space->name = name;
	space->regions = g_ptr_array_new();
}

void io_space_clear(struct io_space *space)
{
	g_clear_pointer(&space->regions, g_ptr_array_unref);
}

void io_space_map(struct io_space *space, struct io_region *region, uint64_t base)
{
	guint at = 0;

	io_region_unmap(region);
	region->space = space;
	region->base = base;
	/* Among equals the newest comes first. */
	while (at < space->regions->len &&
		((struct io_region *)space->regions->pdata[at])->priority > region->priority)
		at++;
	g_ptr_array_insert(space->regions, at, region);
}

void io_region_unmap(struct io_region *region)
{
	if (!region->space)
		return;
	g_ptr_array_remove(region->space->regions, region);
	region->space = NULL;
}

static bool overlap(const struct io_region *a, const struct io_region *b)
{
	return a->priority == b->priority && a->base < b->base + b->size &&
	       b->base < a->base + a->size;
}

bool io_space_find_conflict(
	const struct io_space *space, const struct io_region **one, const struct io_region **other)
{
	for (guint i = 0; i < space->regions->len; i++)
		for (guint j = i + 1; j < space->regions->len; j++)
			if (overlap(space->regions->pdata[i], space->regions->pdata[j])) {
				*one = space->regions->pdata[i];
				*other = space->regions->pdata[j];
				return true;
			}
	return false;
}

static struct io_region *find(const struct io_space *space, uint64_t address)
{
	for (guint i = 0; i < space->regions->len; i++) {
		struct io_region *region = space->regions->pdata[i];

		if (address - region->base < region->size)
			return region;
	}
	return NULL;
}

/* The largest piece of an access that one call of the device may take. */
static unsigned piece(const struct io_region *region, uint64_t address, unsigned size)
{
	uint64_t left = region->size - (address - region->base);
	unsigned most = region->ops->max_access ? region->ops->max_access : 8;

	/* A power of two that the rest of the access, the device and the region all hold. */
	while (most > size || most > left)
		most /= 2;
	return most;
}

static uint64_t all_ones(unsigned size)
{
	return size == 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

uint64_t io_space_read(struct io_space *space, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	for (unsigned done = 0, now; done < size; done += now) {
		struct io_region *region = find(space, address + done);
		uint64_t part;

		if (!region) {
			/* Nobody here, but a device may answer further on. */
			now = done == 0 && !find(space, address + size - 1) ? size : 1;
			part = UINT64_MAX;
		} else {
			now = piece(region, address + done, size - done);
			part = region->ops->read(
				region->device, address + done - region->base, now);
		}
		value |= (part & all_ones(now)) << (done * 8);
	}
	return value;
}

void io_space_write(struct io_space *space, uint64_t address, unsigned size, uint64_t value)
{
	for (unsigned done = 0, now; done < size; done += now) {
		struct io_region *region = find(space, address + done);

		if (!region) {
			now = 1;
			continue;
		}
		now = piece(region, address + done, size - done);
		region->ops->write(region->device, address + done - region->base, now,
			value >> (done * 8) & all_ones(now));
	}
}
