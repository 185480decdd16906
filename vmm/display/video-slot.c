/* Video memory in the guest: a memory slot over it whose dirty log the display harvests. */
#include "vmm/display/video-slot.h"

static void set_active(void *owner, bool active)
{
	memory_slot_set_log(owner, active);
}

static void harvest(void *owner, uint64_t first, uint64_t count, unsigned long *bitmap, bool keep)
{
	memory_slot_harvest(owner, first, count, bitmap, keep);
}

static const struct dirty_log_ops log_ops = { .set_active = set_active, .harvest = harvest };

struct memory_slot *video_slot_new(
	struct guest_memory *guest, const char *name, struct video_memory *memory)
{
	struct memory_slot *slot = memory_slot_new(
		guest, name, video_memory_bytes(memory), video_memory_size(memory), 0);

	video_memory_set_dirty_log(memory, &log_ops, slot);
	return slot;
}

void video_slot_free(struct memory_slot *slot, struct video_memory *memory)
{
	if (!slot)
		return;
	video_memory_set_dirty_log(memory, NULL, NULL);
	memory_slot_free(slot);
}
