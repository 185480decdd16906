/* What a flash chip holds: a file of the host, in memory, and a thread that writes changes back to it.
 *
 * The guest never waits for the host's disk. What it changed is written in the order of the file, soon; before the program
 * ends, and before the guest stays stopped, it has been.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	FLASH_FILE_MAX = 8 << 20, /* bytes */
};

struct flash_file;

/**
 * flash_file_open - the bytes of a flash image
 * @path: a regular file of whole 4 KiB blocks, at most FLASH_FILE_MAX
 * @read_only: it is neither written nor locked against others that read it
 *
 * Locked like disk images, see vmm/storage/image-lock.h. Returns NULL with @error, which names the file.
 */
struct flash_file *flash_file_open(const char *path, bool read_only, GError **error);
void flash_file_close(struct flash_file *file); /* what was changed has been written then */

/* Page-aligned; changes of them become changes of the file when they are told with flash_file_changed(). */
uint8_t *flash_file_bytes(const struct flash_file *file);
uint32_t flash_file_size(const struct flash_file *file);

/* One thread at a time may change bytes and call this. */
void flash_file_changed(struct flash_file *file, uint32_t offset, uint32_t length);

/* Waits until everything that was changed has been written, or could not be. */
void flash_file_flush(struct flash_file *file);
