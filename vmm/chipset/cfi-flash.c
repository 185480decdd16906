/* A parallel NOR flash chip with Intel's command set. */
#include "vmm/chipset/cfi-flash.h"

#include <glib.h>
#include <string.h>

enum command {
	READ_ARRAY = 0x00, /* as it is kept; the guest may as well write 0xf0 or 0xff */
	WRITE_BYTE = 0x10,
	ERASE_BLOCK = 0x20,
	WRITE_BYTE_TOO = 0x40,
	CLEAR_STATUS = 0x50,
	LOCK = 0x60,
	READ_STATUS = 0x70,
	READ_ID = 0x90,
	CFI_QUERY = 0x98,
	WRITE_BUFFER = 0xe8,

	CONFIRM = 0xd0, /* what follows ERASE_BLOCK, LOCK (unlock it) and the buffer's bytes */
	LOCK_BLOCK = 0x01,
};

enum {
	QUERY_SIZE_AT = 0x27,
	QUERY_BLOCKS_AT = 0x2d,
	QUERY_LENGTH = 0x52,
};

/* Size and number of blocks are put in when they are asked for. */
static const uint8_t query[QUERY_LENGTH] = {
	[0x10] = 'Q',
	'R',
	'Y',
	0x01,
	0x00, /* Intel's extended command set */
	[0x15] = 0x31,
	0x00, /* where its table is */
	[0x1b] = 0x45,
	0x55, /* 4.5 V to 5.5 V */
	[0x1f] = 0x07,
	0x07,
	0x0a,
	0x00, /* typical times, powers of two */
	[0x23] = 0x04,
	0x04,
	0x04,
	0x00, /* longest ones, powers of two of those */
	[0x28] = 0x02,
	0x00,
	0x08,
	0x00,
	0x01, /* 8 and 16 bits; 256 bytes of buffer; one region */
	[0x2f] = CFI_FLASH_BLOCK >> 8,
	CFI_FLASH_BLOCK >> 16,
	[0x31] = 'P',
	'R',
	'I',
	'1',
	'0',
	[0x3f] = 0x01, /* one field of protection registers */
};

static void show_bytes(struct cfi_flash *flash)
{
	flash->command = READ_ARRAY;
	flash->cycle = 0;
}

void cfi_flash_reset(struct cfi_flash *flash)
{
	show_bytes(flash);
	flash->status = CFI_FLASH_READY;
	flash->left = 0;
	flash->first = 0;
	memset(flash->filled, 0, sizeof(flash->filled));
}

bool cfi_flash_shows_bytes(const struct cfi_flash *flash)
{
	return flash->command == READ_ARRAY;
}

static uint8_t query_byte(const struct cfi_flash *flash, uint32_t at)
{
	uint32_t blocks = flash->size / CFI_FLASH_BLOCK - 1;

	if (at >= QUERY_LENGTH)
		return 0;
	if (at == QUERY_SIZE_AT)
		return __builtin_ctz(flash->size);
	if (at == QUERY_BLOCKS_AT)
		return blocks & 0xff;
	if (at == QUERY_BLOCKS_AT + 1)
		return blocks >> 8;
	return query[at];
}

static uint8_t read_byte(const struct cfi_flash *flash, uint32_t offset)
{
	switch (flash->command) {
	case READ_ARRAY:
		return flash->bytes[offset];
	case READ_ID:
		return 0; /* QEMU's chips name neither maker nor kind */
	case CFI_QUERY:
		return query_byte(flash, offset & 0xff);
	default:
		return flash->status;
	}
}

uint32_t cfi_flash_read(const struct cfi_flash *flash, uint32_t offset, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)read_byte(flash, offset + i) << 8 * i;
	return value;
}

/* Commands of one write. Returns whether it was one. */
static bool begin(struct cfi_flash *flash, uint8_t command)
{
	switch (command) {
	case CLEAR_STATUS:
		flash->status = 0;
		show_bytes(flash);
		return true;
	case READ_STATUS:
	case READ_ID:
	case CFI_QUERY:
		flash->command = command;
		return true;
	case WRITE_BYTE:
	case WRITE_BYTE_TOO:
	case ERASE_BLOCK:
	case LOCK:
	case WRITE_BUFFER:
		flash->status |= CFI_FLASH_READY;
		flash->command = command;
		flash->cycle = 1;
		return true;
	default:
		return false;
	}
}

static bool refuse(struct cfi_flash *flash, uint8_t failure)
{
	flash->status |= CFI_FLASH_READY;
	if (flash->read_only)
		flash->status |= failure | CFI_FLASH_LOCKED;
	return flash->read_only;
}

static void program(struct cfi_flash *flash, uint32_t offset, unsigned size, uint32_t value)
{
	flash->cycle = 0;
	if (refuse(flash, CFI_FLASH_PROGRAM_FAILED))
		return;
	for (unsigned i = 0; i < size; i++)
		flash->bytes[offset + i] = value >> 8 * i;
	flash->changed(flash->owner, offset, size);
}

static void erase(struct cfi_flash *flash, uint32_t offset)
{
	flash->cycle = 0;
	if (refuse(flash, CFI_FLASH_ERASE_FAILED))
		return;
	offset -= offset % CFI_FLASH_BLOCK;
	memset(flash->bytes + offset, 0xff, CFI_FLASH_BLOCK);
	flash->changed(flash->owner, offset, CFI_FLASH_BLOCK);
}

/* Bytes for the buffer; the first one says which part of the chip they are for. Others are not taken. */
static void fill(struct cfi_flash *flash, uint32_t offset, unsigned size, uint32_t value)
{
	if (flash->cycle == 2) {
		flash->first = offset - offset % CFI_FLASH_BUFFER;
		memset(flash->filled, 0, sizeof(flash->filled));
		flash->cycle = 3;
	}
	for (unsigned i = 0; i < size; i++) {
		uint32_t at = offset + i - flash->first;

		if (at >= CFI_FLASH_BUFFER) {
			flash->status |= CFI_FLASH_PROGRAM_FAILED;
			continue;
		}
		flash->buffer[at] = value >> 8 * i;
		flash->filled[at / 8] |= 1 << at % 8;
	}
	if (flash->left-- == 0)
		flash->cycle = 4;
}

static void program_buffer(struct cfi_flash *flash)
{
	flash->cycle = 0;
	if (refuse(flash, CFI_FLASH_PROGRAM_FAILED))
		return;
	for (unsigned i = 0; i < CFI_FLASH_BUFFER; i++)
		if (flash->filled[i / 8] >> i % 8 & 1)
			flash->bytes[flash->first + i] = flash->buffer[i];
	flash->changed(flash->owner, flash->first, CFI_FLASH_BUFFER);
}

/* The second and further writes of a command; false when it is none of its. */
static bool go_on(struct cfi_flash *flash, uint32_t offset, unsigned size, uint32_t value)
{
	uint8_t command = value;

	switch (flash->command) {
	case WRITE_BYTE:
	case WRITE_BYTE_TOO:
		program(flash, offset, size, value);
		return true;
	case ERASE_BLOCK:
		if (command == CONFIRM)
			erase(flash, offset);
		return command == CONFIRM;
	case LOCK:
		/* Blocks have no locks of their own. */
		flash->cycle = 0;
		return command == CONFIRM || command == LOCK_BLOCK;
	case WRITE_BUFFER:
		if (flash->cycle == 1) {
			flash->left = command;
			flash->cycle = 2;
		} else if (flash->cycle < 4) {
			fill(flash, offset, size, value);
		} else if (command == CONFIRM) {
			program_buffer(flash);
		} else {
			return false;
		}
		return true;
	default:
		return false;
	}
}

void cfi_flash_write(struct cfi_flash *flash, uint32_t offset, unsigned size, uint32_t value)
{
	bool known = flash->cycle > 0 ? go_on(flash, offset, size, value) : begin(flash, value);

	if (!known)
		show_bytes(flash);
}
