/* Kernels made ready for the option ROM.
 *
 * What PVH's entry is given lies in the setup's block: hvm_start_info first, by whose magic the ROM knows the protocol, then
 * one module (the ramdisk), segments for the processor, and room for the memory map, which the ROM asks the firmware for.
 * linuxboot.S has the same offsets.
 *
 * Specification: Linux, Documentation/arch/x86/boot.rst; Xen, docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h.
 */
#include "vmm/firmware/kernel-image.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/firmware/bzimage.h"
#include "vmm/firmware/elf.h"

enum {
	HEAP_END = 0xfe00, /* in the setup's 64 KiB; the stack is above */
	LOADER_UNKNOWN = 0xff,
};

enum pvh_offset {
	PVH_MAGIC = 0x00,
	PVH_VERSION = 0x04,
	PVH_MODULE_COUNT = 0x0c,
	PVH_MODULE_LIST = 0x10,
	PVH_COMMAND_LINE = 0x18,
	PVH_MEMORY_MAP = 0x28,
	PVH_MODULE_ADDRESS = 0x40,
	PVH_MODULE_SIZE = 0x48,
	PVH_SEGMENTS = 0x60, /* descriptors: none, code, data, task */
	PVH_SEGMENT_TABLE = 0x80,
	PVH_ENTRY = 0x88,
	PVH_MAP = 0x100, /* 24 bytes each */
	PVH_MAP_ENTRIES = 128,
	PVH_MAP_ENTRY_SIZE = 24,
	PVH_SIZE = PVH_MAP + PVH_MAP_ENTRIES * PVH_MAP_ENTRY_SIZE,
};

enum {
	PVH_MAGIC_VALUE = 0x336ec578,
	PVH_SEGMENTS_LIMIT = 4 * 8 - 1,
};

/* Flat segments, and a task state segment of 0x67 bytes at 0. */
static const uint64_t pvh_segments[] = {
	0,
	G_GUINT64_CONSTANT(0x00cf9b000000ffff),
	G_GUINT64_CONSTANT(0x00cf93000000ffff),
	G_GUINT64_CONSTANT(0x0000890000000067),
};

static void put_quad(uint8_t *setup, unsigned at, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(setup + at, &value, sizeof(value));
}

static void put_long(uint8_t *setup, unsigned at, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(setup + at, &value, sizeof(value));
}

static void put_word(uint8_t *setup, unsigned at, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	memcpy(setup + at, &value, sizeof(value));
}

void kernel_image_clear(struct kernel_image *image)
{
	g_clear_pointer(&image->setup, g_free);
	g_clear_pointer(&image->kernel, g_bytes_unref);
}

static bool check_memory(uint64_t needed, uint64_t free_end, GError **error)
{
	return needed <= free_end ||
	       fail(error, VITRINE_ERROR_INPUT,
		       "it needs memory up to %" PRIu64 " MiB; give the guest more with -m",
		       needed / MiB + 1);
}

bool kernel_image_from_bzimage(
	GBytes *file, uint64_t free_end, struct kernel_image *image, GError **error)
{
	struct bzimage header;
	gsize length;
	const uint8_t *bytes = g_bytes_get_data(file, &length);

	if (!bzimage_parse(bytes, length, &header, error) ||
		!check_memory(header.memory_end, free_end, error))
		return false;
	*image = (struct kernel_image) {
		.setup = g_memdup2(bytes, header.setup_size),
		.setup_size = header.setup_size,
		.ramdisk_address_at = BZIMAGE_RAMDISK_ADDRESS,
		.ramdisk_size_at = BZIMAGE_RAMDISK_SIZE,
		.kernel = g_bytes_new_from_bytes(file, header.setup_size, header.kernel_size),
		.kernel_address = BZIMAGE_LOAD_ADDRESS,
		.ramdisk_last = header.ramdisk_last,
		.command_line_size = header.command_line_size,
		.memory_end = header.memory_end,
	};
	image->setup[BZIMAGE_TYPE_OF_LOADER] = LOADER_UNKNOWN;
	image->setup[BZIMAGE_LOAD_FLAGS] |= BZIMAGE_CAN_USE_HEAP;
	put_word(image->setup, BZIMAGE_HEAP_END, HEAP_END);
	put_long(image->setup, BZIMAGE_COMMAND_LINE, KERNEL_COMMAND_LINE_ADDRESS);
	return true;
}

static uint8_t *make_pvh_setup(uint32_t entry, bool has_ramdisk)
{
	uint8_t *setup = g_malloc0(PVH_SIZE);

	put_long(setup, PVH_MAGIC, PVH_MAGIC_VALUE);
	put_long(setup, PVH_VERSION, 1);
	if (has_ramdisk) {
		put_long(setup, PVH_MODULE_COUNT, 1);
		put_quad(setup, PVH_MODULE_LIST, KERNEL_SETUP_ADDRESS + PVH_MODULE_ADDRESS);
	}
	put_quad(setup, PVH_COMMAND_LINE, KERNEL_COMMAND_LINE_ADDRESS);
	put_quad(setup, PVH_MEMORY_MAP, KERNEL_SETUP_ADDRESS + PVH_MAP);
	for (unsigned i = 0; i < G_N_ELEMENTS(pvh_segments); i++)
		put_quad(setup, PVH_SEGMENTS + i * sizeof(uint64_t), pvh_segments[i]);
	put_word(setup, PVH_SEGMENT_TABLE, PVH_SEGMENTS_LIMIT);
	put_long(setup, PVH_SEGMENT_TABLE + 2, KERNEL_SETUP_ADDRESS + PVH_SEGMENTS);
	put_long(setup, PVH_ENTRY, entry);
	return setup;
}

/* All segments in one piece. */
static GBytes *flatten(const struct elf_kernel *kernel, const uint8_t *bytes, GError **error)
{
	uint64_t size = kernel->end - kernel->start;
	uint8_t *flat = g_try_malloc0(size);

	if (!flat) {
		fail(error, VITRINE_ERROR_HOST, "there is no memory for its %" PRIu64 " MiB",
			size / MiB);
		return NULL;
	}
	for (unsigned i = 0; i < kernel->segment_count; i++)
		memcpy(flat + (kernel->segments[i].address - kernel->start),
			bytes + kernel->segments[i].offset, kernel->segments[i].size);
	return g_bytes_new_take(flat, size);
}

bool kernel_image_from_elf(GBytes *file, bool has_ramdisk, uint64_t free_end,
	struct kernel_image *image, GError **error)
{
	g_autofree struct elf_kernel *kernel = g_new(struct elf_kernel, 1);
	gsize length;
	const uint8_t *bytes = g_bytes_get_data(file, &length);
	GBytes *flat;

	if (!elf_parse(bytes, length, kernel, error) || !check_memory(kernel->end, free_end, error))
		return false;
	flat = flatten(kernel, bytes, error);
	if (!flat)
		return false;
	*image = (struct kernel_image) {
		.setup = make_pvh_setup(kernel->entry, has_ramdisk),
		.setup_size = PVH_SIZE,
		.ramdisk_address_at = PVH_MODULE_ADDRESS,
		.ramdisk_size_at = PVH_MODULE_SIZE,
		.kernel = flat,
		.kernel_address = kernel->start,
		.ramdisk_last = UINT32_MAX,
		.command_line_size = KERNEL_COMMAND_LINE_LIMIT,
		.memory_end = kernel->end,
	};
	return true;
}
