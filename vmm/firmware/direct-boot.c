/* Starting a Linux kernel without a boot loader.
 *
 * The header of the kernel's setup is filled in here; the option ROM (linuxboot.S) fetches the parts by DMA and jumps. Where
 * the ramdisk goes is a proposal: the ROM lowers it when the firmware keeps memory there for itself.
 *
 * Specification: Linux, Documentation/arch/x86/boot.rst; QEMU's docs/specs/fw_cfg.rst (selectors).
 */
#include "vmm/firmware/direct-boot.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/firmware/bzimage.h"
#include "vmm/firmware/file-bytes.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/firmware/linuxboot.h"
#include "vmm/machine/machine.h"

enum {
	SETUP_ADDRESS = 0x10000,
	COMMAND_LINE_ADDRESS = 0x20000, /* right behind the setup's 64 KiB */
	COMMAND_LINE_LIMIT = 0xfff0,
	HEAP_END = 0xfe00, /* in the setup's 64 KiB; the stack is above */
	LOADER_UNKNOWN = 0xff,
	PAGE = 4 * KiB,
	FIRMWARE_MEMORY = 512 * KiB, /* at the end of RAM below 4 GiB, for tables */
	ROM_BLOCK = 512,
	ROM_SIZE_AT = 2,
};

/* One part of what is loaded: three items that say where it goes, how long it is, and what it is. */
static void add_part(struct fw_cfg *cfg, uint16_t address_selector, uint32_t address,
	uint16_t size_selector, uint16_t data_selector, GBytes *data)
{
	fw_cfg_add_u32(cfg, address_selector, address);
	fw_cfg_add_u32(cfg, size_selector, g_bytes_get_size(data));
	fw_cfg_add(cfg, data_selector, data);
}

/* The same for all that can be wrong with a file: the option, the file, @reason (which it frees), what is accepted. */
static bool fail_file(const char *option, const char *path, GError *reason, GError **error)
{
	static const char kernel[] = "a Linux bzImage", ramdisk[] = "a RAM disk's image";

	fail(error, (enum vitrine_error)reason->code, "-%s %s: %s; -%s takes %s", option, path,
		reason->message, option, strcmp(option, "kernel") == 0 ? kernel : ramdisk);
	g_error_free(reason);
	return false;
}

static GBytes *load_file(const char *option, const char *path, GError **error)
{
	GError *reason = NULL;
	GBytes *bytes = file_bytes(path, &reason);

	if (!bytes)
		fail_file(option, path, reason, error);
	return bytes;
}

static void put_long(uint8_t *setup, enum bzimage_field field, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(setup + field, &value, sizeof(value));
}

static void put_word(uint8_t *setup, enum bzimage_field field, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	memcpy(setup + field, &value, sizeof(value));
}

/* Where the memory ends that the firmware leaves to a kernel, below 4 GiB. */
static uint64_t free_memory_end(const struct machine *machine)
{
	return machine->low_memory - MIN(machine->low_memory, FIRMWARE_MEMORY);
}

/* Where the ramdisk goes: as high as kernel and memory allow. */
static bool place_ramdisk(struct machine *machine, const struct bzimage *image, GBytes *ramdisk,
	uint32_t *address, GError **error)
{
	uint64_t size = g_bytes_get_size(ramdisk);
	uint64_t end = MIN((uint64_t)image->ramdisk_last + 1, free_memory_end(machine));

	if (size > end || (end - size) / PAGE * PAGE < image->memory_end)
		return fail(error, VITRINE_ERROR_INPUT,
			"-initrd %s: no room for its %" PRIu64 " KiB behind the kernel in %" PRIu64
			" MiB of memory; give the guest more with -m",
			machine->config->initrd, size / KiB, end / MiB);
	*address = (end - size) / PAGE * PAGE;
	return true;
}

static bool add_ramdisk(
	struct machine *machine, const struct bzimage *image, uint8_t *setup, GError **error)
{
	g_autoptr(GBytes) ramdisk = NULL;
	uint32_t address = 0;

	if (!machine->config->initrd) {
		fw_cfg_add_u32(machine->fw_cfg, FW_CFG_INITRD_SIZE, 0);
		return true;
	}
	ramdisk = load_file("initrd", machine->config->initrd, error);
	if (!ramdisk || !place_ramdisk(machine, image, ramdisk, &address, error))
		return false;
	put_long(setup, BZIMAGE_RAMDISK_ADDRESS, address);
	put_long(setup, BZIMAGE_RAMDISK_SIZE, g_bytes_get_size(ramdisk));
	add_part(machine->fw_cfg, FW_CFG_INITRD_ADDR, address, FW_CFG_INITRD_SIZE,
		FW_CFG_INITRD_DATA, ramdisk);
	return true;
}

static bool add_command_line(struct machine *machine, const struct bzimage *image, GError **error)
{
	const char *text = machine->config->append ? machine->config->append : "";
	size_t length = strlen(text), limit = MIN(image->command_line_size, COMMAND_LINE_LIMIT);
	g_autoptr(GBytes) data = g_bytes_new(text, length + 1);

	if (length > limit)
		return fail(error, VITRINE_ERROR_INPUT,
			"-append: the command line has %zu bytes, this kernel takes at most %zu",
			length, limit);
	add_part(machine->fw_cfg, FW_CFG_CMDLINE_ADDR, COMMAND_LINE_ADDRESS, FW_CFG_CMDLINE_SIZE,
		FW_CFG_CMDLINE_DATA, data);
	return true;
}

/* The ROM with its size in blocks and a last byte that makes its sum zero. */
static GBytes *make_rom(void)
{
	size_t length = linuxboot_rom_size;
	size_t size = (length + 1 + ROM_BLOCK - 1) / ROM_BLOCK * ROM_BLOCK;
	uint8_t *rom = g_malloc0(size), sum = 0;

	memcpy(rom, linuxboot_rom, length);
	rom[ROM_SIZE_AT] = size / ROM_BLOCK;
	for (size_t i = 0; i < size; i++)
		sum += rom[i];
	rom[size - 1] = -sum;
	return g_bytes_new_take(rom, size);
}

static void add_rom(struct fw_cfg *cfg)
{
	g_autoptr(GBytes) rom = make_rom();

	fw_cfg_add_file(cfg, LINUXBOOT_FILE, rom);
}

bool direct_boot_add(struct machine *machine, GError **error)
{
	const char *path = machine->config->kernel;
	g_autoptr(GBytes) file = NULL;
	g_autoptr(GBytes) kernel = NULL;
	g_autoptr(GBytes) setup_data = NULL;
	g_autofree uint8_t *setup = NULL;
	GError *reason = NULL;
	struct bzimage image;
	const uint8_t *bytes;
	gsize length;

	if (!path)
		return true;
	file = load_file("kernel", path, error);
	if (!file)
		return false;
	bytes = g_bytes_get_data(file, &length);
	if (!bzimage_parse(bytes, length, &image, &reason))
		return fail_file("kernel", path, reason, error);
	if (image.memory_end > free_memory_end(machine))
		return fail(error, VITRINE_ERROR_INPUT,
			"-kernel %s: it needs memory up to %" PRIu64
			" MiB; give the guest more with -m",
			path, image.memory_end / MiB + 1);
	setup = g_memdup2(bytes, image.setup_size);
	setup[BZIMAGE_TYPE_OF_LOADER] = LOADER_UNKNOWN;
	setup[BZIMAGE_LOAD_FLAGS] |= BZIMAGE_CAN_USE_HEAP;
	put_word(setup, BZIMAGE_HEAP_END, HEAP_END);
	put_long(setup, BZIMAGE_COMMAND_LINE, COMMAND_LINE_ADDRESS);
	if (!add_ramdisk(machine, &image, setup, error) ||
		!add_command_line(machine, &image, error))
		return false;
	setup_data = g_bytes_new(setup, image.setup_size);
	kernel = g_bytes_new_from_bytes(file, image.setup_size, image.kernel_size);
	add_part(machine->fw_cfg, FW_CFG_SETUP_ADDR, SETUP_ADDRESS, FW_CFG_SETUP_SIZE,
		FW_CFG_SETUP_DATA, setup_data);
	add_part(machine->fw_cfg, FW_CFG_KERNEL_ADDR, BZIMAGE_LOAD_ADDRESS, FW_CFG_KERNEL_SIZE,
		FW_CFG_KERNEL_DATA, kernel);
	add_rom(machine->fw_cfg);
	return true;
}
