/* Video memory in the guest: a memory slot over it whose dirty log the display harvests. */
#pragma once

#include "display/video-memory.h"
#include "vmm/memory/guest-memory.h"

/* A slot over all of @memory, and its log for whoever watches. */
struct memory_slot *video_slot_new(
	struct guest_memory *guest, const char *name, struct video_memory *memory);
void video_slot_free(struct memory_slot *slot, struct video_memory *memory);
