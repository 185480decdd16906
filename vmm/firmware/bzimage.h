/* Linux kernel images: from the bytes of a bzImage to what a loader needs to know of it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Offsets in the setup, for the loader to fill in. */
enum bzimage_field {
	BZIMAGE_TYPE_OF_LOADER = 0x210,  /* 1 byte */
	BZIMAGE_LOAD_FLAGS = 0x211,      /* 1 */
	BZIMAGE_RAMDISK_ADDRESS = 0x218, /* 4, little endian as all */
	BZIMAGE_RAMDISK_SIZE = 0x21c,    /* 4 */
	BZIMAGE_HEAP_END = 0x224,        /* 2 */
	BZIMAGE_COMMAND_LINE = 0x228,    /* 4 */
};

enum {
	BZIMAGE_LOADED_HIGH = 1 << 0, /* load flags */
	BZIMAGE_CAN_USE_HEAP = 1 << 7,
	BZIMAGE_LOAD_ADDRESS = 0x100000, /* of the kernel proper */
};

struct bzimage {
	uint16_t version;           /* of the boot protocol: 0x020f is 2.15 */
	uint32_t setup_size;        /* bytes from the start of the file: the part for real mode */
	uint32_t kernel_size;       /* bytes behind it: the rest of the file */
	uint32_t ramdisk_last;      /* highest address that the ramdisk's last byte may have */
	uint32_t command_line_size; /* the most it takes, bytes without the zero */
	uint64_t
		memory_end; /* the kernel uses memory from 1 MiB up to here before it looks at its memory map */
};

/**
 * bzimage_parse - checks and reads the header
 * @bytes, @length: the whole file
 * @image: set when it is a bzImage that can be loaded
 *
 * Returns false with @error saying what is wrong with it.
 */
bool bzimage_parse(const uint8_t *bytes, size_t length, struct bzimage *image, GError **error);
