/* The script by which firmware places tables in guest memory: allocate files, add their addresses to pointers, compute
 * checksums.
 *
 * Specification: QEMU's include/hw/acpi/bios-linker-loader.h (the interface is QEMU's; SeaBIOS and OVMF run it).
 */
#pragma once

#include <glib.h>
#include <stdint.h>

enum table_zone {
	TABLE_ZONE_HIGH = 1, /* anywhere below 4 GiB */
	TABLE_ZONE_FSEG = 2, /* 0xf0000 to 0xfffff, where operating systems look for the RSDP */
};

/* Each appends one command to @script. File names have at most 55 bytes; offsets and lengths are bytes in the file. */
void table_loader_allocate(
	GByteArray *script, const char *file, uint32_t align, enum table_zone zone);

/* Adds the address of @source to the number of @size bytes (1, 2, 4, 8) at @offset of @file. */
void table_loader_add_pointer(
	GByteArray *script, const char *file, uint32_t offset, uint8_t size, const char *source);

/* Sets the byte at @offset so that those from @start on sum to zero. */
void table_loader_add_checksum(
	GByteArray *script, const char *file, uint32_t offset, uint32_t start, uint32_t length);
