/* A flash chip right below 4 GiB: the first one (unit 0) ends there and has the firmware, the second one lies below it and
 * has the firmware's variables.
 *
 * While the chip shows its bytes they are read as memory, without an exit; every write, and reads of anything else, come here.
 *
 * Specification: see vmm/chipset/cfi-flash.h.
 */
#include "vmm/chipset/pflash.h"

#include "base/error.h"
#include "base/log.h"
#include "vmm/chipset/cfi-flash.h"
#include "vmm/chipset/flash-file.h"
#include "vmm/machine/legacy-area.h"
#include "vmm/machine/machine.h"

enum {
	LOW_COPY_END = 0x100000,
	LOW_COPY_SIZE =
		0x20000, /* the end of the first chip, where the processor starts in real mode */
	COMPLAINTS_MAX = 4,
};

struct pflash {
	struct device device;
	uint8_t unit;
	uint64_t base;

	struct flash_file *file;
	struct cfi_flash chip;
	struct io_region region;
	struct memory_slot *slot;
	unsigned complaints;
};

static const struct state_field pflash_state[] = {
	STATE_UINT8(struct pflash, chip.command),
	STATE_UINT8(struct pflash, chip.cycle),
	STATE_UINT8(struct pflash, chip.status),
	STATE_UINT16(struct pflash, chip.left),
	STATE_UINT32(struct pflash, chip.first),
	STATE_UINT8_ARRAY(struct pflash, chip.buffer, CFI_FLASH_BUFFER),
	STATE_UINT8_ARRAY(struct pflash, chip.filled, CFI_FLASH_BUFFER / 8),
	STATE_END,
};

static const struct property pflash_properties[] = {
	{ "unit", PROPERTY_UINT8, offsetof(struct pflash, unit), "0",
		"0: the firmware's chip; 1: the variables'", .maximum = MACHINE_FLASH_CHIPS - 1 },
	{},
};

/* As memory, or as registers. */
static void update_slot(struct pflash *flash)
{
	g_autoptr(GError) reason = NULL;

	if (!cfi_flash_shows_bytes(&flash->chip))
		memory_slot_unmap(flash->slot);
	else if (!memory_slot_map(flash->slot, flash->base, &reason))
		log_limited(&flash->complaints, COMPLAINTS_MAX, "%s", reason->message);
}

static uint64_t pflash_read(void *device, uint64_t offset, unsigned size)
{
	struct pflash *flash = device;

	return cfi_flash_read(&flash->chip, offset, size);
}

static void pflash_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pflash *flash = device;

	cfi_flash_write(&flash->chip, offset, size, value);
	update_slot(flash);
}

static const struct io_ops pflash_ops = { pflash_read, pflash_write, .max_access = 4 };

static void pflash_changed(void *owner, uint32_t offset, uint32_t length)
{
	struct pflash *flash = owner;

	flash_file_changed(flash->file, offset, length);
}

/* The chips that are there already lie above. */
static uint64_t end_of_chip(const struct pflash *flash)
{
	const struct machine *machine = flash->device.machine;
	uint64_t end = UINT64_C(1) << 32;

	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *other = machine->devices->pdata[i];

		if (other->class == &pflash_class && other != &flash->device)
			end = MIN(end, ((const struct pflash *)other)->base);
	}
	return end;
}

static bool pflash_realize(struct device *device, GError **error)
{
	struct pflash *flash = (struct pflash *)device;
	struct machine *machine = device->machine;
	const struct machine_flash *image = &machine->config->flash[flash->unit];

	if (!image->file)
		return fail(error, VITRINE_ERROR_INPUT,
			"unit=%u: there is no -drive if=pflash,unit=%u", flash->unit, flash->unit);
	flash->file = flash_file_open(image->file, image->read_only, error);
	if (!flash->file)
		return false;
	flash->chip = (struct cfi_flash) {
		.bytes = flash_file_bytes(flash->file),
		.size = flash_file_size(flash->file),
		.read_only = image->read_only,
		.changed = pflash_changed,
		.owner = flash,
	};
	flash->base = end_of_chip(flash) - flash->chip.size;
	flash->region = (struct io_region) {
		.name = "flash", .ops = &pflash_ops, .device = flash, .size = flash->chip.size
	};
	flash->slot = memory_slot_new(machine->memory, flash->unit == 0 ? "firmware" : "variables",
		flash->chip.bytes, flash->chip.size, MEMORY_SLOT_READ_ONLY);
	cfi_flash_reset(&flash->chip);
	if (!memory_slot_map(flash->slot, flash->base, error))
		return false;
	io_space_map(&machine->mmio, &flash->region, flash->base);
	/* The firmware's end is found below 1 MiB as well. */
	return flash->unit != 0 || legacy_area_set_rom(machine->legacy_area, flash->chip.bytes,
					   flash->chip.size, error);
}

static void pflash_reset(struct device *device)
{
	struct pflash *flash = (struct pflash *)device;

	cfi_flash_reset(&flash->chip);
	update_slot(flash);
}

static void pflash_unrealize(struct device *device)
{
	struct pflash *flash = (struct pflash *)device;

	io_region_unmap(&flash->region);
	g_clear_pointer(&flash->slot, memory_slot_free);
	g_clear_pointer(&flash->file, flash_file_close);
}

static void pflash_set_running(struct device *device, bool running)
{
	struct pflash *flash = (struct pflash *)device;

	if (!running)
		flash_file_flush(flash->file);
}

const struct device_class pflash_class = {
	.name = "cfi.pflash01",
	.description = "flash chip for firmware or its variables",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct pflash),
	.properties = pflash_properties,
	.state = pflash_state,
	.realize = pflash_realize,
	.reset = pflash_reset,
	.unrealize = pflash_unrealize,
	.set_running = pflash_set_running,
};
