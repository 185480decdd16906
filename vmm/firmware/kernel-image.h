/* A kernel as the option ROM (linuxboot.S) loads it, whatever its format was: a block for the kernel's eyes at
 * KERNEL_SETUP_ADDRESS, the kernel proper, and what is to be known about both.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	KERNEL_SETUP_ADDRESS = 0x10000,
	KERNEL_COMMAND_LINE_ADDRESS = 0x20000, /* right behind the setup's 64 KiB */
	KERNEL_COMMAND_LINE_LIMIT = 0xfff0,
};

struct kernel_image {
	uint8_t *setup; /* owned */
	uint32_t setup_size;
	uint32_t ramdisk_address_at, ramdisk_size_at; /* offsets in the setup, 4 bytes each */
	GBytes *kernel;                               /* owned */
	uint32_t kernel_address;
	uint32_t ramdisk_last;      /* highest address that the ramdisk's last byte may have */
	uint32_t command_line_size; /* the most it takes, bytes without the zero */
	uint64_t memory_end;        /* memory up to here is the kernel's */
};

void kernel_image_clear(struct kernel_image *image);

/**
 * kernel_image_from_bzimage, kernel_image_from_elf - prepare a kernel by Linux's boot protocol, or by PVH
 * @file: all of it
 * @has_ramdisk: whether there will be one
 * @free_end: where the memory ends that a kernel can have, below 4 GiB
 * @image: set on success; free it with kernel_image_clear()
 *
 * Return false with @error saying what is wrong with the file, or that memory is short.
 */
bool kernel_image_from_bzimage(
	GBytes *file, uint64_t free_end, struct kernel_image *image, GError **error);
bool kernel_image_from_elf(GBytes *file, bool has_ramdisk, uint64_t free_end,
	struct kernel_image *image, GError **error);
