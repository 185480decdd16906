/* Threads that users make for disks to work in. */
#pragma once

#include <sys/types.h>

#include "vmm/objects.h"

/* The loop that the thread runs; lives as long as the object. */
GMainContext *iothread_context(const struct object *object);
pid_t iothread_id(const struct object *object);
