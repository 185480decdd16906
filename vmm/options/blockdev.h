/* One -blockdev, or the arguments of blockdev-add: a format over a protocol, or a protocol alone. Pure. */
#pragma once

#include "vmm/options/options.h"

struct blockdev {
	const char *name;
	const char *format; /* NULL: a protocol alone */
	char *path;         /* file, device or nbd URI; NULL: that of @child */
	const char *child;  /* node-name of the protocol, or NULL */
	bool read_only, discard, no_cache, no_flush;
	const char *detect_zeroes; /* NULL: off */
};

/* @set: of the option "blockdev", whose strings the result borrows. NULL with @error. */
struct blockdev *blockdev_new(const struct option_set *set, GError **error);
void blockdev_free(struct blockdev *blockdev);
