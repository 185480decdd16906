/* A parallel NOR flash chip, eight bits wide, that is programmed with Intel's command set: the chip alone, over bytes that
 * belong to whoever has it.
 *
 * Specification: Intel StrataFlash embedded memory datasheet (command set, status register); JEDEC JESD68.01 (CFI query).
 * Where a real chip and QEMU's pflash_cfi01 differ, it is QEMU's, which OVMF is written for: programming stores what is
 * written, in place of only clearing bits, every command is done at once, and clearing the status clears "ready" as well until the
 * next command (OVMF takes a chip for flash by that).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	CFI_FLASH_BLOCK = 4096, /* bytes that are erased at once */
	CFI_FLASH_BUFFER = 256, /* bytes that are programmed at once */
};

/* Status register. */
enum cfi_flash_status {
	CFI_FLASH_LOCKED = 1 << 1, /* programming or erasing of what is read-only was tried */
	CFI_FLASH_PROGRAM_FAILED = 1 << 4,
	CFI_FLASH_ERASE_FAILED = 1 << 5,
	CFI_FLASH_READY = 1 << 7,
};

struct cfi_flash {
	uint8_t *bytes;
	uint32_t size; /* bytes, a multiple of CFI_FLASH_BLOCK */
	bool read_only;
	/* These bytes have changed. */
	void (*changed)(void *owner, uint32_t offset, uint32_t length);
	void *owner;

	uint8_t command; /* that is being carried out or shown; 0: the bytes are read */
	uint8_t cycle;   /* of the command, how many writes have been seen */
	uint8_t status;
	uint16_t left;  /* writes that the buffer still waits for */
	uint32_t first; /* offset that the buffer stands for */
	uint8_t buffer[CFI_FLASH_BUFFER];
	uint8_t filled[CFI_FLASH_BUFFER / 8]; /* one bit each: which of it has been written */
};

void cfi_flash_reset(struct cfi_flash *flash);

/* Whether reads give the bytes as they are. */
bool cfi_flash_shows_bytes(const struct cfi_flash *flash);

/* @offset + @size lie inside the chip; @size is 1, 2 or 4. */
uint32_t cfi_flash_read(const struct cfi_flash *flash, uint32_t offset, unsigned size);
void cfi_flash_write(struct cfi_flash *flash, uint32_t offset, unsigned size, uint32_t value);
