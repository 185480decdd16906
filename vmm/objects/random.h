/* Sources of random numbers for the guest. */
#pragma once

#include "vmm/objects.h"

/* How many bytes there are now, at most @length; 0: none now, wait for random_fd(); -1: the source has failed. Never
 * blocks. */
ssize_t random_read(struct object *object, void *bytes, size_t length);

/* A descriptor to wait on for more; -1: there is always more. */
int random_fd(const struct object *object);
