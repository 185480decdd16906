/* Any writes and reads of a guest to a flash chip: it stays in its bytes, and a read-only one keeps them. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "vmm/chipset/cfi-flash.h"

enum {
	SIZE = 3 * CFI_FLASH_BLOCK,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_change(void *owner, uint32_t offset, uint32_t length)
{
	const struct cfi_flash *flash = owner;

	if (flash->read_only || offset > flash->size || length > flash->size - offset)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	uint8_t *content = g_malloc0(SIZE);
	struct cfi_flash flash = {
		.bytes = content,
		.size = SIZE,
		.read_only = reader_u8(&in) & 1,
		.changed = check_change,
	};

	flash.owner = &flash;
	cfi_flash_reset(&flash);
	while (reader_left(&in) >= 5) {
		uint8_t step = reader_u8(&in);
		unsigned size = 1u << step % 3;
		uint32_t offset = reader_u16(&in) % (SIZE - size + 1);
		uint32_t value = reader_u16(&in);

		if (step & 0x80)
			cfi_flash_read(&flash, offset, size);
		else
			cfi_flash_write(&flash, offset, size, value);
		if (cfi_flash_shows_bytes(&flash) &&
			cfi_flash_read(&flash, offset, 1) != content[offset])
			abort();
	}
	for (unsigned i = 0; flash.read_only && i < SIZE; i++)
		if (content[i] != 0)
			abort();
	g_free(content);
	return 0;
}
