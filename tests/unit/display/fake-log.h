/* A guest that draws into video memory, and the dirty log that sees it. */
#pragma once

#include <string.h>

#include "display/bitmap.h"
#include "display/video-memory.h"

enum {
	FAKE_PAGES = 4096
};

struct fake_log {
	struct video_memory *memory;
	bool active;
	unsigned turned_on, harvests, kept;
	unsigned long dirty[FAKE_PAGES / BITMAP_BITS];
};

static inline void fake_set_active(void *owner, bool active)
{
	struct fake_log *log = owner;

	g_assert_true(log->active != active);
	log->active = active;
	log->turned_on += active;
	if (active)
		memset(log->dirty, 0xff, sizeof(log->dirty));
}

static inline void fake_harvest(
	void *owner, uint64_t first, uint64_t count, unsigned long *bitmap, bool keep)
{
	struct fake_log *log = owner;

	g_assert_true(log->active);
	log->harvests++;
	log->kept += keep;
	for (uint64_t page = first; page < first + count; page++) {
		unsigned long bit = 1ul << page % BITMAP_BITS;

		bitmap[page / BITMAP_BITS] |= log->dirty[page / BITMAP_BITS] & bit;
		if (!keep)
			log->dirty[page / BITMAP_BITS] &= ~bit;
	}
}

static const struct dirty_log_ops fake_log_ops = {
	.set_active = fake_set_active,
	.harvest = fake_harvest,
};

/* The guest writes @length bytes of @value at @offset. */
static inline void fake_write(struct fake_log *log, size_t offset, size_t length, uint8_t value)
{
	memset(video_memory_bytes(log->memory) + offset, value, length);
	for (size_t page = offset / 4096; page <= (offset + length - 1) / 4096; page++)
		log->dirty[page / BITMAP_BITS] |= 1ul << page % BITMAP_BITS;
}
