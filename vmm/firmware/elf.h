/* ELF kernels: from the bytes of a vmlinux to what a loader needs to start it by PVH's entry. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ELF_SEGMENTS_MAX = 64, /* program headers that a file may have */
};

/* What is copied to the guest's memory: @size bytes at @offset of the file to @address, then zeroes up to @memory_size. */
struct elf_segment {
	size_t offset;
	uint32_t address; /* physical */
	uint32_t size, memory_size;
};

struct elf_kernel {
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	unsigned segment_count; /* at least 1 */
	uint32_t start;         /* all segments lie from here */
	uint64_t end;           /* to here, at most 4 GiB */
	uint32_t entry;         /* of 32 bits, paging off; in that range */
};

/* Whether the bytes begin as those of an ELF file do. */
bool elf_is(const uint8_t *bytes, size_t length);

/**
 * elf_parse - checks and reads headers and notes
 * @bytes, @length: the whole file
 * @kernel: set when it is an x86 program of 32 or 64 bits with PVH's entry
 *
 * Returns false with @error saying what is wrong with it.
 */
bool elf_parse(const uint8_t *bytes, size_t length, struct elf_kernel *kernel, GError **error);
