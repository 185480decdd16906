/* VGA's own ports and memory. Specification: QEMU's docs/specs/standard-vga.rst for the ports. */
#include "vmm/display/vga-legacy.h"

#include "base/log.h"
#include "vmm/machine/machine.h"

enum {
	PORT_VGA = 0x3b0,
	PORT_VGA_COUNT = 0x30,
	PORT_DISPI = 0x1ce,
	PORT_DISPI_COUNT = 4,
};

/* Every register write may turn a part of the window into plain memory or back. */
void vga_legacy_update(struct vga_legacy *legacy)
{
	struct vga_plain_window plain;
	g_autoptr(GError) error = NULL;

	if (vga_window_serial(legacy->vga) == legacy->window_serial)
		return;
	legacy->window_serial = vga_window_serial(legacy->vga);
	g_clear_pointer(&legacy->window_slot, memory_slot_free);
	if (!legacy->present || !legacy->pci->vga_reached || !vga_window_plain(legacy->vga, &plain))
		return;
	legacy->window_slot = memory_slot_new(legacy->pci->device.machine->memory, "VGA window",
		video_memory_bytes(plain.memory) + plain.memory_offset, plain.length, 0);
	if (!memory_slot_map(legacy->window_slot, VGA_WINDOW_BASE + plain.window_offset, &error)) {
		log_limited(
			&legacy->pci->complaints, PCI_COMPLAINTS_MAX, "VGA: %s", error->message);
		g_clear_pointer(&legacy->window_slot, memory_slot_free);
	}
}

static uint64_t read_ports(void *opaque, uint64_t offset, unsigned size)
{
	struct vga_legacy *legacy = opaque;

	return vga_port_read(legacy->vga, PORT_VGA + offset, size);
}

static void write_ports(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_legacy *legacy = opaque;

	vga_port_write(legacy->vga, PORT_VGA + offset, size, value);
	vga_legacy_update(legacy);
}

static uint64_t read_dispi_ports(void *opaque, uint64_t offset, unsigned size)
{
	struct vga_legacy *legacy = opaque;

	return vga_port_read(legacy->vga, PORT_DISPI + offset, size);
}

static void write_dispi_ports(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga_legacy *legacy = opaque;

	vga_port_write(legacy->vga, PORT_DISPI + offset, size, value);
	vga_legacy_update(legacy);
}

static uint64_t read_window(void *opaque, uint64_t offset, unsigned size)
{
	return vga_window_read(((struct vga_legacy *)opaque)->vga, offset, size);
}

static void write_window(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	vga_window_write(((struct vga_legacy *)opaque)->vga, offset, size, value);
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
/* Behind a bridge, VGA's own addresses are there while the bridges have their VGA bits set. */
static void map_legacy(struct vga_legacy *legacy)
{
	struct machine *machine = legacy->pci->device.machine;

	io_region_unmap(&legacy->ports);
	io_region_unmap(&legacy->dispi_ports);
	io_region_unmap(&legacy->window);
	if (!legacy->present || !legacy->pci->vga_reached)
		return;
	io_space_map(&machine->ports, &legacy->ports, PORT_VGA);
	io_space_map(&machine->ports, &legacy->dispi_ports, PORT_DISPI);
	io_space_map(&machine->mmio, &legacy->window, VGA_WINDOW_BASE);
}

void vga_legacy_moved(struct vga_legacy *legacy)
{
	map_legacy(legacy);
	legacy->window_serial = vga_window_serial(legacy->vga) - 1;
	vga_legacy_update(legacy);
}

void vga_legacy_init(
	struct vga_legacy *legacy, struct pci_device *pci, struct vga *vga, bool present)
{
	*legacy = (struct vga_legacy) {
		.pci = pci,
		.vga = vga,
		.present = present,
		.window_serial = vga_window_serial(vga) - 1,
	};
	legacy->ports = (struct io_region) {
		.name = "vga",
		.ops = &port_ops,
		.device = legacy,
		.size = PORT_VGA_COUNT,
	};
	legacy->dispi_ports = (struct io_region) {
		.name = "vbe",
		.ops = &dispi_port_ops,
		.device = legacy,
		.size = PORT_DISPI_COUNT,
	};
	legacy->window = (struct io_region) {
		.name = "vga-window",
		.ops = &window_ops,
		.device = legacy,
		.size = VGA_WINDOW_SIZE,
	};
	map_legacy(legacy);
}

void vga_legacy_finish(struct vga_legacy *legacy)
{
	io_region_unmap(&legacy->ports);
	io_region_unmap(&legacy->dispi_ports);
	io_region_unmap(&legacy->window);
	g_clear_pointer(&legacy->window_slot, memory_slot_free);
}
