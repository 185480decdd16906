/* Locks on images of disks and flash chips: those of QEMU (single bytes from 100 and 200, of the kind that belongs to the open
 * file), so that neither program opens for writing what the other uses.
 */
#pragma once

#include <stdbool.h>

/* Locks an open image for as long as @fd is open. False when somebody else writes to it, or, without @read_only, uses it. */
bool image_lock(int fd, bool read_only);
