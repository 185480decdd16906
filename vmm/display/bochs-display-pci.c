/* The PCI device "bochs-display": a linear picture without VGA, for guests that have a driver.
 *
 * Specification: QEMU's docs/specs/standard-vga.rst for identity and BARs.
 */
#include "vmm/display/bochs-display-pci.h"

#include "base/checked.h"
#include "base/error.h"
#include "display/devices/bochs-display.h"
#include "vmm/display/video-front.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"

struct bochs_display_pci {
	struct pci_device pci;
	struct video_front front;

	struct bochs_display *core;
	struct io_region registers;
};

static const struct property bochs_display_properties[] = {
	{ "vgamem", PROPERTY_SIZE, offsetof(struct bochs_display_pci, front.memory_size), "16M",
		"video memory, a power of two", 4 * MiB, 256 * MiB },
	VIDEO_FRONT_PROPERTIES(struct bochs_display_pci),
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

	if (device->front.memory_size & (device->front.memory_size - 1))
		return fail(error, VITRINE_ERROR_INPUT,
			"vgamem=%" G_GUINT64_FORMAT " is no power of two",
			device->front.memory_size);
	if (!video_front_init(&device->front, &device->pci, error))
		return false;
	config.label = device->front.label;
	config.device_address = device->front.address;
	config.edid = video_front_edid(&device->front);
	device->core = bochs_display_new(base->machine->display, device->front.memory, &config);
	device->registers = (struct io_region) {
		.name = "bochs-display",
		.ops = &register_ops,
		.device = device,
		.size = BOCHS_DISPLAY_MMIO_SIZE,
	};
	video_front_add_bars(&device->front, &device->pci, &device->registers);
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
	g_clear_pointer(&device->core, bochs_display_free);
	video_front_finish(&device->front);
}

static const struct pci_identity bochs_identity = VIDEO_FRONT_IDENTITY(0x038000);

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
