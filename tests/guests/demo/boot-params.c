/* What the loader and the BIOS told: the boot parameters of the Linux protocol.
 *
 * Specification: Linux x86 boot protocol (Documentation/arch/x86/boot.rst, zero-page.rst).
 */
#include "boot-params.h"

#include "memory.h"

enum {
	ACPI_ROOT = 0x070,
	MEMORY_ENTRIES = 0x1e8,
	INITRD = 0x218,
	INITRD_BYTES = 0x21c,
	COMMAND_LINE = 0x228,
	SETUP_DATA = 0x250,
	MEMORY_TABLE = 0x2d0,
	MEMORY_ENTRY_BYTES = 20,
	MEMORY_ENTRIES_MAX = 128,
	MEMORY_USABLE = 1,
	SETUP_DATA_FONT = 0x746e6f66,
	SETUP_DATA_NODES_MAX = 16,
	FONT_BYTES = 4096,
	/* Taken for there when the loader gave no memory map. */
	ROOM_UNKNOWN = 12 << 20,
};

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static void read_memory_map(const uint8_t *params, struct boot *boot)
{
	unsigned count = params[MEMORY_ENTRIES];
	uint64_t total = 0;

	for (unsigned i = 0; i < count && i < MEMORY_ENTRIES_MAX; i++) {
		const uint8_t *entry = params + MEMORY_TABLE + i * MEMORY_ENTRY_BYTES;
		uint64_t start = get64(entry), bytes = get64(entry + 8);

		if (get32(entry + 16) != MEMORY_USABLE)
			continue;
		total += bytes;
		if (start <= ROOM_START && start + bytes > ROOM_START)
			boot->room_end =
				start + bytes > 0xfffff000 ? 0xfffff000 : (uint32_t)(start + bytes);
	}
	boot->memory_kib = (uint32_t)(total / 1024);
	if (count == 0)
		boot->room_end = ROOM_START + ROOM_UNKNOWN;
}

struct boot boot_read(const uint8_t *params)
{
	uint64_t node = get64(params + SETUP_DATA);
	uint32_t command_line = get32(params + COMMAND_LINE);
	struct boot boot = {
		.command_line = command_line ? (const char *)(uintptr_t)command_line : "",
		.initrd = get32(params + INITRD),
		.initrd_bytes = get32(params + INITRD_BYTES),
		.acpi_root = get64(params + ACPI_ROOT) >> 32 ? 0 : get32(params + ACPI_ROOT),
		.room_end = ROOM_START,
	};

	read_memory_map(params, &boot);
	for (unsigned i = 0; i < SETUP_DATA_NODES_MAX && node != 0 && node >> 32 == 0; i++) {
		const uint8_t *data = (const uint8_t *)(uintptr_t)node;

		if (get32(data + 8) == SETUP_DATA_FONT && get32(data + 12) == FONT_BYTES)
			boot.font = data + 16;
		node = get64(data);
	}
	return boot;
}

bool boot_parse_size(const char **text, uint32_t *width, uint32_t *height)
{
	const char *at = *text;

	if (!text_number(&at, 10, width) || *at++ != 'x' || !text_number(&at, 10, height))
		return false;
	*text = at;
	return true;
}

bool boot_mode(const struct boot *boot, uint32_t *width, uint32_t *height)
{
	static const char key[] = "mode=";

	for (const char *at = boot->command_line; *at; at++) {
		const char *value = at + sizeof(key) - 1;

		if ((at == boot->command_line || at[-1] == ' ') &&
			memcmp(at, key, sizeof(key) - 1) == 0)
			return boot_parse_size(&value, width, height) &&
			       (*value == 0 || *value == ' ');
	}
	return false;
}
