/* From what -drive and -blockdev say to an open image. */
#pragma once

#include "vmm/storage/block.h"
#include "vmm/storage/nbd-image.h"

/* A raw file or block device; @guarded: its format was not given (image-format.h). */
struct block_backend *raw_image_open(
	const struct block_config *config, bool guarded, GError **error);

/* Takes @image, of which the caller has filled in what does not change. */
struct block_backend *nbd_image_open(struct nbd_image *image, GError **error);
/* Flushes what the log holds. */
bool nbd_image_settle(struct nbd_image *image, GError **error);

/* "driver=...,file.filename=..." with commas doubled; of a helper's argument. To be freed. */
char *helper_image_options(const char *format, const char *file, bool is_device);
