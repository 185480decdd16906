/* Starting a kernel without a boot loader: a Linux bzImage, or an ELF file with PVH's entry.
 *
 * The block that the kernel is given is filled in here; the option ROM (linuxboot.S) fetches the parts by DMA and jumps. Where
 * the ramdisk goes is a proposal: the ROM lowers it when the firmware keeps memory there for itself.
 *
 * Specification: Linux, Documentation/arch/x86/boot.rst; QEMU's docs/specs/fw_cfg.rst (selectors).
 */
#include "vmm/firmware/direct-boot.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/firmware/elf.h"
#include "vmm/firmware/file-bytes.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/firmware/kernel-image.h"
#include "vmm/firmware/linuxboot.h"
#include "vmm/machine/machine.h"

enum {
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
	static const char kernel[] = "a Linux bzImage or an ELF kernel with PVH's entry",
			  ramdisk[] = "a RAM disk's image";

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

static void put_long(uint8_t *setup, uint32_t field, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(setup + field, &value, sizeof(value));
}

/* Where the memory ends that the firmware leaves to a kernel, below 4 GiB. */
static uint64_t free_memory_end(const struct machine *machine)
{
	return machine->low_memory - MIN(machine->low_memory, FIRMWARE_MEMORY);
}

/* Where the ramdisk goes: as high as kernel and memory allow. */
static bool place_ramdisk(struct machine *machine, const struct kernel_image *image,
	GBytes *ramdisk, uint32_t *address, GError **error)
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

static bool add_ramdisk(struct machine *machine, struct kernel_image *image, GError **error)
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
	put_long(image->setup, image->ramdisk_address_at, address);
	put_long(image->setup, image->ramdisk_size_at, g_bytes_get_size(ramdisk));
	add_part(machine->fw_cfg, FW_CFG_INITRD_ADDR, address, FW_CFG_INITRD_SIZE,
		FW_CFG_INITRD_DATA, ramdisk);
	return true;
}

static bool add_command_line(
	struct machine *machine, const struct kernel_image *image, GError **error)
{
	const char *text = machine->config->append ? machine->config->append : "";
	size_t length = strlen(text),
	       limit = MIN(image->command_line_size, KERNEL_COMMAND_LINE_LIMIT);
	g_autoptr(GBytes) data = g_bytes_new(text, length + 1);

	if (length > limit)
		return fail(error, VITRINE_ERROR_INPUT,
			"-append: the command line has %zu bytes, this kernel takes at most %zu",
			length, limit);
	add_part(machine->fw_cfg, FW_CFG_CMDLINE_ADDR, KERNEL_COMMAND_LINE_ADDRESS,
		FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, data);
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

static bool prepare_kernel(
	struct machine *machine, GBytes *file, struct kernel_image *image, GError **error)
{
	uint64_t free_end = free_memory_end(machine);
	gsize length;
	const uint8_t *bytes = g_bytes_get_data(file, &length);

	if (elf_is(bytes, length))
		return kernel_image_from_elf(
			file, machine->config->initrd != NULL, free_end, image, error);
	return kernel_image_from_bzimage(file, free_end, image, error);
}

bool direct_boot_add(struct machine *machine, GError **error)
{
	const char *path = machine->config->kernel;
	struct fw_cfg *cfg = machine->fw_cfg;
	g_autoptr(GBytes) file = NULL;
	g_autoptr(GBytes) setup = NULL;
	GError *reason = NULL;
	struct kernel_image image;
	bool good;

	if (!path)
		return true;
	file = load_file("kernel", path, error);
	if (!file)
		return false;
	if (!prepare_kernel(machine, file, &image, &reason))
		return fail_file("kernel", path, reason, error);
	good = add_ramdisk(machine, &image, error) && add_command_line(machine, &image, error);
	if (good) {
		setup = g_bytes_new(image.setup, image.setup_size);
		add_part(cfg, FW_CFG_SETUP_ADDR, KERNEL_SETUP_ADDRESS, FW_CFG_SETUP_SIZE,
			FW_CFG_SETUP_DATA, setup);
		add_part(cfg, FW_CFG_KERNEL_ADDR, image.kernel_address, FW_CFG_KERNEL_SIZE,
			FW_CFG_KERNEL_DATA, image.kernel);
		add_rom(cfg);
	}
	kernel_image_clear(&image);
	return good;
}
