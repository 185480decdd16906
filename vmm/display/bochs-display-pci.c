/* The PCI device "bochs-display": a linear picture without VGA, for guests that have a driver.
 *
 * Specification: QEMU's docs/specs/standard-vga.rst for identity and BARs.
 */
#include "vmm/display/bochs-display-pci.h"

#include "base/checked.h"
#include "base/error.h"
#include "display/devices/bochs-display.h"
#include "vmm/display/video-slot.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"

enum {
	BAR_MEMORY = 0,
	BAR_REGISTERS = 2,
};

struct bochs_display_pci {
	struct pci_device pci;
	uint64_t memory_size;
	uint32_t width, height;

	struct video_memory *memory;
	struct bochs_display *core;
	struct memory_slot *slot;
	struct io_region registers;
	char *label, *address;
};

static const struct property bochs_display_properties[] = {
	{ "vgamem", PROPERTY_SIZE, offsetof(struct bochs_display_pci, memory_size), "16M",
		"video memory, a power of two", 4 * MiB, 256 * MiB },
	{ "xres", PROPERTY_UINT32, offsetof(struct bochs_display_pci, width), "1280",
		"preferred width of the monitor, pixels", 64, 16000 },
	{ "yres", PROPERTY_UINT32, offsetof(struct bochs_display_pci, height), "800",
		"preferred height of the monitor, pixels", 64, 12000 },
	{ .type = PROPERTY_END },
};

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	return bochs_display_mmio_read(((struct bochs_display_pci *)opaque)->core, offset, size);
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	bochs_display_mmio_write(((struct bochs_display_pci *)opaque)->core, offset, size, value);
}

static const struct io_ops register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 4,
};

static bool bochs_realize(struct device *base, GError **error)
{
	struct bochs_display_pci *device = (struct bochs_display_pci *)base;
	struct bochs_display_config config = { 0 };

	if (device->memory_size & (device->memory_size - 1))
		return fail(error, VITRINE_ERROR_INPUT,
			"vgamem=%" G_GUINT64_FORMAT " is no power of two", device->memory_size);
	device->memory = video_memory_new("bochs-display", device->memory_size, error);
	if (!device->memory)
		return false;
	device->label = g_strdup(base->id ? base->id : base->class->name);
	device->address = pci_device_path(&device->pci);
	config.label = device->label;
	config.device_address = device->address;
	config.edid.preferred_width = device->width;
	config.edid.preferred_height = device->height;
	config.edid.serial = device->address;
	device->core = bochs_display_new(base->machine->display, device->memory, &config);
	device->slot = video_slot_new(
		base->machine->memory, "video memory of bochs-display", device->memory);
	device->registers = (struct io_region) {
		.name = "bochs-display",
		.ops = &register_ops,
		.device = device,
		.size = BOCHS_DISPLAY_MMIO_SIZE,
	};
	pci_device_add_bar(&device->pci, BAR_MEMORY, PCI_BAR_PREFETCHABLE, device->memory_size,
		NULL, device->slot);
	pci_device_add_bar(
		&device->pci, BAR_REGISTERS, 0, BOCHS_DISPLAY_MMIO_SIZE, &device->registers, NULL);
	return true;
}

static void bochs_reset(struct device *base)
{
	bochs_display_reset(((struct bochs_display_pci *)base)->core);
}

static void bochs_unrealize(struct device *base)
{
	struct bochs_display_pci *device = (struct bochs_display_pci *)base;

	pci_device_unmap(&device->pci);
	video_slot_free(device->slot, device->memory);
	g_clear_pointer(&device->core, bochs_display_free);
	g_clear_pointer(&device->memory, video_memory_unref);
	g_free(device->label);
	g_free(device->address);
}

static const struct pci_identity bochs_identity = {
	.vendor = 0x1234,
	.device = 0x1111,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x038000,
	.revision = 2,
};

const struct device_class bochs_display_pci_class = {
	.name = "bochs-display",
	.description = "linear frame buffer without VGA",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct bochs_display_pci),
	.pci = &bochs_identity,
	.rom_file = "vgabios-bochs-display.bin",
	.properties = bochs_display_properties,
	.realize = bochs_realize,
	.reset = bochs_reset,
	.unrealize = bochs_unrealize,
};
