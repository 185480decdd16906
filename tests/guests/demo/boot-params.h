/* What the loader and the BIOS told: the boot parameters of the Linux protocol. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Memory from here on is the program's, as far as the memory map has it usable. */
	ROOM_START = 4 << 20,
};

struct boot {
	const char *command_line;
	uint32_t initrd, initrd_bytes;
	/* Usable memory in KiB, and where the usable memory that holds ROOM_START ends. */
	uint32_t memory_kib, room_end;
	/* 256 characters of 8x16 pixels from the BIOS, or NULL. */
	const uint8_t *font;
	/* The ACPI root pointer, when the loader knew it; otherwise 0. */
	uint32_t acpi_root;
};

struct boot boot_read(const uint8_t *params);

/* Takes "WIDTHxHEIGHT" off the front of @text. */
bool boot_parse_size(const char **text, uint32_t *width, uint32_t *height);

/* Looks for "mode=WIDTHxHEIGHT" on the command line. */
bool boot_mode(const struct boot *boot, uint32_t *width, uint32_t *height);
