/* The PCI devices "VGA" and "secondary-vga", the second without VGA's own ports and memory: where the guest's accesses reach the VGA core of display/devices/.
 *
 * Specification: QEMU's docs/specs/standard-vga.rst for identity, BARs and ports.
 */
#include "vmm/display/vga-pci.h"

#include "base/checked.h"
#include "base/error.h"
#include "vmm/display/vga-legacy.h"
#include "vmm/display/video-front.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"

struct vga_pci {
	struct pci_device pci;
	struct video_front front;
	uint64_t memory_mib;

	struct vga *vga;
	struct vga_legacy legacy;
	struct io_region registers;
};

static const struct property vga_properties[] = {
	{ "vgamem_mb", PROPERTY_UINT64, offsetof(struct vga_pci, memory_mib), "16",
		"video memory in MiB, a power of two", 1, 512 },
	VIDEO_FRONT_PROPERTIES(struct vga_pci),
	{ .type = PROPERTY_END },
};

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	return vga_mmio_read(((struct vga_pci *)opaque)->vga, offset, size);
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_pci *device = opaque;

	vga_mmio_write(device->vga, offset, size, value);
	vga_legacy_update(&device->legacy);
}

static const struct io_ops register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 4,
};

static void vga_changed(struct pci_device *pci)
{
	vga_legacy_moved(&((struct vga_pci *)pci)->legacy);
}

static bool realize(struct device *base, bool legacy, GError **error)
{
	struct vga_pci *device = (struct vga_pci *)base;
	struct vga_config config = { 0 };

	if (device->memory_mib & (device->memory_mib - 1))
		return fail(error, VITRINE_ERROR_INPUT,
			"vgamem_mb=%" G_GUINT64_FORMAT " is no power of two", device->memory_mib);
	device->front.memory_size = device->memory_mib * MiB;
	if (!video_front_init(&device->front, &device->pci, error))
		return false;
	config.label = device->front.label;
	config.device_address = device->front.address;
	config.edid = video_front_edid(&device->front);
	device->vga = vga_new(base->machine->display, device->front.memory, &config, error);
	if (!device->vga)
		return false;
	vga_legacy_init(&device->legacy, &device->pci, device->vga, legacy);
	device->registers = (struct io_region) {
		.name = "vga-mmio",
		.ops = &register_ops,
		.device = device,
		.size = VGA_MMIO_SIZE,
	};
	video_front_add_bars(&device->front, &device->pci, &device->registers);
	device->pci.vga_changed = vga_changed;
	return true;
}

static bool vga_realize(struct device *base, GError **error)
{
	return realize(base, true, error);
}

static bool secondary_vga_realize(struct device *base, GError **error)
{
	return realize(base, false, error);
}

static void vga_pci_reset(struct device *base)
{
	struct vga_pci *device = (struct vga_pci *)base;

	vga_reset(device->vga);
	vga_legacy_update(&device->legacy);
}

static void vga_unrealize(struct device *base)
{
	struct vga_pci *device = (struct vga_pci *)base;

	pci_device_unmap(&device->pci);
	vga_legacy_finish(&device->legacy);
	g_clear_pointer(&device->vga, vga_free);
	video_front_finish(&device->front);
}

static const struct pci_identity vga_identity = VIDEO_FRONT_IDENTITY(0x030000);
static const struct pci_identity secondary_vga_identity = VIDEO_FRONT_IDENTITY(0x038000);

const struct device_class vga_pci_class = {
	.name = "VGA",
	.cold_plug_only = true,
	.description = "standard VGA with VBE and a linear frame buffer",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct vga_pci),
	.pci = &vga_identity,
	.rom_file = "vgabios-stdvga.bin",
	.properties = vga_properties,
	.realize = vga_realize,
	.reset = vga_pci_reset,
	.unrealize = vga_unrealize,
};

const struct device_class secondary_vga_pci_class = {
	.name = "secondary-vga",
	.description = "standard VGA without ports and memory of its own, for a second display",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct vga_pci),
	.pci = &secondary_vga_identity,
	.properties = vga_properties,
	.realize = secondary_vga_realize,
	.reset = vga_pci_reset,
	.unrealize = vga_unrealize,
};
