/* The device "ramfb": a picture in guest memory, for firmware and guests without a driver for anything else.
 *
 * It is no part of any bus: firmware writes the file etc/ramfb of fw_cfg, and SeaBIOS finds its VGA BIOS there as well.
 *
 * Specification: QEMU's docs/specs/fw_cfg.rst.
 */
#include "vmm/display/ramfb-device.h"

#include "base/error.h"
#include "base/log.h"
#include "display/devices/ramfb.h"
#include "vmm/firmware/files.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/machine/machine.h"
#include "vmm/memory/guest-memory.h"

enum {
	COMPLAINTS_MAX = 8,
};

#define CONFIG_FILE "etc/ramfb"
#define ROM_FILE    "vgabios-ramfb.bin"

struct ramfb_device {
	struct device device;
	struct ramfb *core;
	unsigned complaints;
};

static const uint8_t *map_guest(void *owner, uint64_t address, uint64_t length)
{
	struct ramfb_device *ramfb = owner;

	return guest_memory_pointer(ramfb->device.machine->memory, address, length);
}

static void config_written(void *owner, const uint8_t *bytes, size_t length)
{
	struct ramfb_device *ramfb = owner;
	const char *reason = NULL;

	if (length == RAMFB_CONFIG_SIZE && !ramfb_write(ramfb->core, bytes, &reason))
		log_limited(&ramfb->complaints, COMPLAINTS_MAX,
			"ramfb: the guest describes %s; the picture stays as it is", reason);
}

static bool ramfb_realize(struct device *device, GError **error)
{
	static const uint8_t nothing[RAMFB_CONFIG_SIZE];
	struct ramfb_device *ramfb = (struct ramfb_device *)device;
	struct fw_cfg *cfg = device->machine->fw_cfg;
	g_autoptr(GBytes) config = g_bytes_new_static(nothing, sizeof(nothing));
	g_autoptr(GBytes) rom = NULL;

	if (fw_cfg_has_file(cfg, CONFIG_FILE))
		return fail(error, VITRINE_ERROR_INPUT,
			"there is a ramfb already; a machine has room for one");
	if (!fw_cfg_takes_files(cfg))
		return fail(error, VITRINE_ERROR_INPUT, "fw_cfg has no room for " CONFIG_FILE);
	rom = firmware_file_load(ROM_FILE, error);
	if (!rom)
		return false;
	ramfb->core = ramfb_new(device->machine->display,
		device->id ? device->id : device->class->name, map_guest, ramfb);
	fw_cfg_add_writable_file(cfg, CONFIG_FILE, config, config_written, ramfb);
	if (fw_cfg_takes_files(cfg) && !fw_cfg_has_file(cfg, "vgaroms/" ROM_FILE))
		fw_cfg_add_file(cfg, "vgaroms/" ROM_FILE, rom);
	return true;
}

static void ramfb_device_reset(struct device *device)
{
	ramfb_reset(((struct ramfb_device *)device)->core);
}

static void ramfb_unrealize(struct device *device)
{
	g_clear_pointer(&((struct ramfb_device *)device)->core, ramfb_free);
}

const struct device_class ramfb_class = {
	.name = "ramfb",
	.description = "picture in guest memory, set up by firmware",
	.bus = BUS_SYSTEM,
	.user_creatable = true,
	.cold_plug_only = true,
	.size = sizeof(struct ramfb_device),
	.realize = ramfb_realize,
	.reset = ramfb_device_reset,
	.unrealize = ramfb_unrealize,
};
