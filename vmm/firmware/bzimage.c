/* Linux kernel images.
 *
 * Specification: Linux, Documentation/arch/x86/boot.rst.
 */
#include "vmm/firmware/bzimage.h"

#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/reader.h"

enum bzimage_offset {
	SETUP_SECTORS = 0x1f1,
	BOOT_FLAG = 0x1fe,
	MAGIC = 0x202,
	VERSION = 0x206,
	RAMDISK_LAST = 0x22c,
	COMMAND_LINE_SIZE = 0x238,
	PREFERRED_ADDRESS = 0x258,
	INIT_SIZE = 0x260,
	HEADER_END = 0x264,
};

enum {
	SECTOR = 512,
	SETUP_SECTORS_OLD = 4,  /* what 0 means */
	SETUP_SECTORS_MAX = 64, /* 32 KiB: real mode code, its heap and stack share 64 KiB */
	BOOT_FLAG_VALUE = 0xaa55,
	VERSION_MIN = 0x0203, /* has the ramdisk's highest address */
	VERSION_COMMAND_LINE = 0x0206,
	VERSION_INIT_SIZE = 0x020a,
	COMMAND_LINE_SIZE_OLD = 255,
};

static const uint8_t magic[] = { 'H', 'd', 'r', 'S' };

static struct reader at(const uint8_t *bytes, size_t offset)
{
	return reader_from(bytes + offset, HEADER_END - offset);
}

static uint8_t byte_at(const uint8_t *bytes, size_t offset)
{
	struct reader in = at(bytes, offset);

	return reader_u8(&in);
}

static uint16_t word_at(const uint8_t *bytes, size_t offset)
{
	struct reader in = at(bytes, offset);

	return reader_le16(&in);
}

static uint32_t long_at(const uint8_t *bytes, size_t offset)
{
	struct reader in = at(bytes, offset);

	return reader_le32(&in);
}

static uint64_t quad_at(const uint8_t *bytes, size_t offset)
{
	struct reader in = at(bytes, offset);

	return reader_le64(&in);
}

static uint64_t memory_end(const uint8_t *bytes, const struct bzimage *image)
{
	uint64_t loaded = (uint64_t)BZIMAGE_LOAD_ADDRESS + image->kernel_size, end;

	if (image->version < VERSION_INIT_SIZE)
		return loaded;
	if (!checked_add(quad_at(bytes, PREFERRED_ADDRESS), long_at(bytes, INIT_SIZE), &end))
		return UINT64_MAX;
	return MAX(end, loaded);
}

bool bzimage_parse(const uint8_t *bytes, size_t length, struct bzimage *image, GError **error)
{
	unsigned sectors;

	if (length < HEADER_END)
		return fail(error, VITRINE_ERROR_INPUT,
			"it has only %zu bytes, a bzImage has at least %u", length, HEADER_END);
	if (word_at(bytes, BOOT_FLAG) != BOOT_FLAG_VALUE ||
		memcmp(bytes + MAGIC, magic, sizeof(magic)) != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"it is no Linux kernel, the boot header is missing");
	*image = (struct bzimage) { .version = word_at(bytes, VERSION) };
	if (image->version < VERSION_MIN)
		return fail(error, VITRINE_ERROR_INPUT,
			"its boot protocol is %u.%02u, at least %u.%02u is needed",
			image->version >> 8, image->version & 0xff, VERSION_MIN >> 8,
			VERSION_MIN & 0xff);
	if (!(byte_at(bytes, BZIMAGE_LOAD_FLAGS) & BZIMAGE_LOADED_HIGH))
		return fail(error, VITRINE_ERROR_INPUT,
			"it is a zImage for memory below 640 KiB, a bzImage is needed");
	sectors = byte_at(bytes, SETUP_SECTORS);
	if (sectors == 0)
		sectors = SETUP_SECTORS_OLD;
	if (sectors > SETUP_SECTORS_MAX)
		return fail(error, VITRINE_ERROR_INPUT,
			"its setup has %u sectors, at most %u are possible", sectors,
			SETUP_SECTORS_MAX);
	image->setup_size = (sectors + 1) * SECTOR;
	if (length <= image->setup_size || length - image->setup_size > UINT32_MAX)
		return fail(error, VITRINE_ERROR_INPUT,
			"it has %zu bytes and a setup of %u: there is no kernel behind it", length,
			image->setup_size);
	image->kernel_size = length - image->setup_size;
	image->ramdisk_last = long_at(bytes, RAMDISK_LAST);
	image->command_line_size = image->version >= VERSION_COMMAND_LINE
					   ? long_at(bytes, COMMAND_LINE_SIZE)
					   : COMMAND_LINE_SIZE_OLD;
	image->memory_end = memory_end(bytes, image);
	return true;
}
