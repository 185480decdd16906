/* Memory that users make for the machine's RAM and for its NUMA nodes. */
#pragma once

#include "vmm/objects.h"

/* Where it is mapped; lives as long as the object. */
void *memory_backend_bytes(const struct object *object);
/* Maps it at @target instead, page-aligned, over what is mapped there; what it holds comes along. Before anyone uses it.
 * Fails when its pages are larger and @target is not aligned to them, or its size is none of whole pages. */
bool memory_backend_move(struct object *object, void *target, GError **error);
uint64_t memory_backend_size(const struct object *object);
/* A descriptor that others can map it with; -1: it is private. Borrowed. */
int memory_backend_fd(const struct object *object);
