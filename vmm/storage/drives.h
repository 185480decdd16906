/* The disk images of a machine, by the id that devices name them with. */
#pragma once

#include "vmm/storage/block.h"

struct drives;
struct device;

struct drives *drives_new(void);
void drives_free(struct drives *drives); /* closes all images; after the devices are gone */

/* Opens one; the id must be new. */
bool drives_add(struct drives *drives, const struct block_config *config, GError **error);

/* For a device: the image with this id, which nobody else has. NULL with @error, which lists the ids. */
struct block_backend *drives_take(
	struct drives *drives, const char *id, struct device *owner, GError **error);
