/* The PCI devices "VGA" and "secondary-vga", the second without VGA's own ports and memory: where the guest's accesses reach the VGA core of display/devices/.
 *
 * Specification: QEMU's docs/specs/standard-vga.rst for identity, BARs and ports.
 */
#include "vmm/display/vga-pci.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "display/devices/vga.h"
#include "vmm/display/video-front.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"

enum {
	PORT_VGA = 0x3b0,
	PORT_VGA_COUNT = 0x30,
	PORT_DISPI = 0x1ce,
	PORT_DISPI_COUNT = 4,
};

struct vga_pci {
	struct pci_device pci;
	struct video_front front;
	uint64_t memory_mib;
	bool legacy; /* whether it has VGA's own ports and memory */

	struct vga *vga;
	struct memory_slot
		*window_slot; /* what of the legacy window is plain memory now, or NULL */
	unsigned window_serial;
	struct io_region ports, dispi_ports, window, registers;
};

static const struct property vga_properties[] = {
	{ "vgamem_mb", PROPERTY_UINT64, offsetof(struct vga_pci, memory_mib), "16",
		"video memory in MiB, a power of two", 1, 512 },
	VIDEO_FRONT_PROPERTIES(struct vga_pci),
	{ .type = PROPERTY_END },
};

/* Every register write may turn a part of the window into plain memory or back. */
static void update_window(struct vga_pci *device)
{
	struct vga_plain_window plain;
	g_autoptr(GError) error = NULL;

	if (vga_window_serial(device->vga) == device->window_serial)
		return;
	device->window_serial = vga_window_serial(device->vga);
	g_clear_pointer(&device->window_slot, memory_slot_free);
	if (!device->legacy || !device->pci.vga_reached || !vga_window_plain(device->vga, &plain))
		return;
	device->window_slot = memory_slot_new(device->pci.device.machine->memory, "VGA window",
		video_memory_bytes(plain.memory) + plain.memory_offset, plain.length, 0);
	if (!memory_slot_map(device->window_slot, VGA_WINDOW_BASE + plain.window_offset, &error)) {
		log_limited(&device->pci.complaints, PCI_COMPLAINTS_MAX, "VGA: %s", error->message);
		g_clear_pointer(&device->window_slot, memory_slot_free);
	}
}

static uint64_t read_ports(void *opaque, uint64_t offset, unsigned size)
{
	struct vga_pci *device = opaque;

	return vga_port_read(device->vga, PORT_VGA + offset, size);
}

static void write_ports(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_pci *device = opaque;

	vga_port_write(device->vga, PORT_VGA + offset, size, value);
	update_window(device);
}

static uint64_t read_dispi_ports(void *opaque, uint64_t offset, unsigned size)
{
	struct vga_pci *device = opaque;

	return vga_port_read(device->vga, PORT_DISPI + offset, size);
}

static void write_dispi_ports(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_pci *device = opaque;

	vga_port_write(device->vga, PORT_DISPI + offset, size, value);
	update_window(device);
}

static uint64_t read_window(void *opaque, uint64_t offset, unsigned size)
{
	return vga_window_read(((struct vga_pci *)opaque)->vga, offset, size);
}

static void write_window(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	vga_window_write(((struct vga_pci *)opaque)->vga, offset, size, value);
}

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	return vga_mmio_read(((struct vga_pci *)opaque)->vga, offset, size);
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_pci *device = opaque;

	vga_mmio_write(device->vga, offset, size, value);
	update_window(device);
}

static const struct io_ops port_ops = {
	.read = read_ports,
	.write = write_ports,
	.max_access = 4,
};
static const struct io_ops dispi_port_ops = {
	.read = read_dispi_ports,
	.write = write_dispi_ports,
	.max_access = 4,
};
static const struct io_ops window_ops = { .read = read_window, .write = write_window };
static const struct io_ops register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 4,
};

/* Behind a bridge, VGA's own addresses are there while the bridges have their VGA bits set. */
static void map_legacy(struct vga_pci *device)
{
	struct machine *machine = device->pci.device.machine;

	io_region_unmap(&device->ports);
	io_region_unmap(&device->dispi_ports);
	io_region_unmap(&device->window);
	if (!device->legacy || !device->pci.vga_reached)
		return;
	io_space_map(&machine->ports, &device->ports, PORT_VGA);
	io_space_map(&machine->ports, &device->dispi_ports, PORT_DISPI);
	io_space_map(&machine->mmio, &device->window, VGA_WINDOW_BASE);
}

static void vga_changed(struct pci_device *pci)
{
	struct vga_pci *device = (struct vga_pci *)pci;

	map_legacy(device);
	device->window_serial = vga_window_serial(device->vga) - 1;
	update_window(device);
}

static void map_regions(struct vga_pci *device)
{
	device->ports = (struct io_region) {
		.name = "vga",
		.ops = &port_ops,
		.device = device,
		.size = PORT_VGA_COUNT,
	};
	device->dispi_ports = (struct io_region) {
		.name = "vbe",
		.ops = &dispi_port_ops,
		.device = device,
		.size = PORT_DISPI_COUNT,
	};
	device->window = (struct io_region) {
		.name = "vga-window",
		.ops = &window_ops,
		.device = device,
		.size = VGA_WINDOW_SIZE,
	};
	device->registers = (struct io_region) {
		.name = "vga-mmio",
		.ops = &register_ops,
		.device = device,
		.size = VGA_MMIO_SIZE,
	};
	map_legacy(device);
	video_front_add_bars(&device->front, &device->pci, &device->registers);
}

static bool realize(struct device *base, bool legacy, GError **error)
{
	struct vga_pci *device = (struct vga_pci *)base;
	struct vga_config config = { 0 };

	if (device->memory_mib & (device->memory_mib - 1))
		return fail(error, VITRINE_ERROR_INPUT,
			"vgamem_mb=%" G_GUINT64_FORMAT " is no power of two", device->memory_mib);
	device->legacy = legacy;
	device->front.memory_size = device->memory_mib * MiB;
	if (!video_front_init(&device->front, &device->pci, error))
		return false;
	config.label = device->front.label;
	config.device_address = device->front.address;
	config.edid = video_front_edid(&device->front);
	device->vga = vga_new(base->machine->display, device->front.memory, &config, error);
	if (!device->vga)
		return false;
	device->window_serial = vga_window_serial(device->vga) - 1;
	map_regions(device);
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
	update_window(device);
}

static void vga_unrealize(struct device *base)
{
	struct vga_pci *device = (struct vga_pci *)base;

	io_region_unmap(&device->ports);
	io_region_unmap(&device->dispi_ports);
	io_region_unmap(&device->window);
	pci_device_unmap(&device->pci);
	g_clear_pointer(&device->window_slot, memory_slot_free);
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
