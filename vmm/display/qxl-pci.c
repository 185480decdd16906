/* The PCI devices "qxl-vga", which is the machine's VGA, and "qxl", a further display: where the guest's accesses reach the QXL core
 * of display/devices/.
 *
 * Specification: spice/qxl_dev.h; identity, sizes and the place of BAR 4 are those of QEMU's device.
 */
#include "vmm/display/qxl-pci.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"
#include "display/devices/qxl.h"
#include "vmm/display/vga-legacy.h"
#include "vmm/display/video-front.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"

enum {
	BAR_MEMORY = 0,
	BAR_SURFACES = 1,
	BAR_ROM = 2,
	BAR_PORTS = 3,
	BAR_SURFACES_64 = 4,
};

struct qxl_pci {
	struct pci_device pci;
	struct video_front front; /* BAR 0 */
	uint64_t frame_mib;
	uint64_t surfaces_size, surfaces_64_mib; /* bytes; MiB, 0: as BAR 1 */
	uint32_t surfaces, heads, revision;

	struct video_memory *surfaces_memory;
	struct memory_slot *surfaces_slot, *surfaces_slot_64, *rom_slot;
	uint8_t *rom;
	struct qxl *qxl;
	struct vga_legacy legacy;
	struct io_region ports;
	bool native;  /* the dirty log is off: all that changes is told */
	bool goes_on; /* a call that draws on is under way */
};

static const struct property qxl_properties[] = {
	{ "ram_size", PROPERTY_SIZE, offsetof(struct qxl_pci, front.memory_size), "64M",
		"memory behind BAR 0, a power of two and at least twice vgamem_mb", 16 * MiB,
		1024 * MiB },
	{ "vram_size", PROPERTY_SIZE, offsetof(struct qxl_pci, surfaces_size), "64M",
		"memory for surfaces behind BAR 1, a power of two", 4096, 1024 * MiB },
	{ "vram64_size_mb", PROPERTY_UINT64, offsetof(struct qxl_pci, surfaces_64_mib), "0",
		"memory for surfaces behind the 64-bit BAR 4 in MiB, a power of two; 0: no such "
		"BAR",
		0, 16384 },
	{ "vgamem_mb", PROPERTY_UINT64, offsetof(struct qxl_pci, frame_mib), "16",
		"memory for the picture in MiB, a power of two", 8, 256 },
	{ "revision", PROPERTY_UINT32, offsetof(struct qxl_pci, revision), "5",
		"revision of the device", QXL_REVISION_LEAST, QXL_REVISION_NEWEST },
	{ "surfaces", PROPERTY_UINT32, offsetof(struct qxl_pci, surfaces), "1024",
		"surfaces that a guest may have", 2, 1024 },
	{ "max_outputs", PROPERTY_UINT32, offsetof(struct qxl_pci, heads), "0",
		"heads of the device; 0: one", 0, QXL_HEADS_MOST },
	{ "xres", PROPERTY_UINT32, offsetof(struct qxl_pci, front.width), "0",
		"width of the monitor until a viewer has a wish, pixels; 0: the guest chooses", 0,
		16000 },
	{ "yres", PROPERTY_UINT32, offsetof(struct qxl_pci, front.height), "0",
		"height of the monitor until a viewer has a wish, pixels; 0: the guest chooses", 0,
		12000 },
	{ .type = PROPERTY_END },
};

static void set_interrupt(void *owner, bool level)
{
	pci_device_set_interrupt(owner, level);
}

/* Slots may lie behind any of the memory BARs. */
static bool locate(void *owner, uint64_t start, uint64_t end, unsigned *area, uint64_t *offset)
{
	static const struct {
		unsigned bar, area;
	} bars[] = { { BAR_MEMORY, 0 }, { BAR_SURFACES, 1 }, { BAR_SURFACES_64, 1 } };
	struct qxl_pci *device = owner;

	for (size_t i = 0; i < G_N_ELEMENTS(bars); i++) {
		const struct pci_bar *bar = &device->pci.bars[bars[i].bar];

		if (bar->size == 0 || bar->address == PCI_UNMAPPED || start < bar->address ||
			!checked_range(start - bar->address, end - start, bar->size))
			continue;
		*area = bars[i].area;
		*offset = start - bar->address;
		return true;
	}
	return false;
}

static void go_on(struct machine *machine, void *owner)
{
	struct qxl_pci *device = owner;

	device->goes_on = false;
	qxl_go_on(device->qxl);
}

/* One call at a time: a guest may ask for many. */
static void run_soon(void *owner)
{
	struct qxl_pci *device = owner;

	if (device->goes_on)
		return;
	device->goes_on = true;
	machine_run_soon(device->pci.device.machine, go_on, device);
}

static const struct qxl_ops core_ops = {
	.set_interrupt = set_interrupt,
	.locate = locate,
	.run_soon = run_soon,
};

/* In native modes the device knows what it draws, and the guest draws nothing by itself. */
static void update_log(struct machine *machine, void *owner)
{
	struct qxl_pci *device = owner;

	if (device->native == qxl_is_native(device->qxl))
		return;
	device->native = !device->native;
	video_front_set_log(&device->front, !device->native);
}

/* The log belongs to the main loop, and a processor may reset the device by its bridge. */
static void update_log_soon(struct qxl_pci *device)
{
	if (device->native != qxl_is_native(device->qxl))
		machine_run_soon(device->pci.device.machine, update_log, device);
}

static uint64_t read_ports(void *opaque, uint64_t offset, unsigned size)
{
	return 0xff;
}

static void write_ports(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct qxl_pci *device = opaque;

	qxl_port_write(device->qxl, offset, value);
	update_log_soon(device);
}

static const struct io_ops port_ops = {
	.read = read_ports,
	.write = write_ports,
	.max_access = 1,
};

static void vga_changed(struct pci_device *pci)
{
	vga_legacy_moved(&((struct qxl_pci *)pci)->legacy);
}

static bool is_power_of_two(uint64_t value)
{
	return (value & (value - 1)) == 0;
}

static bool check_sizes(const struct qxl_pci *device, GError **error)
{
	static const struct {
		const char *name;
		size_t offset;
	} sizes[] = {
		{ "ram_size", offsetof(struct qxl_pci, front.memory_size) },
		{ "vram_size", offsetof(struct qxl_pci, surfaces_size) },
		{ "vram64_size_mb", offsetof(struct qxl_pci, surfaces_64_mib) },
		{ "vgamem_mb", offsetof(struct qxl_pci, frame_mib) },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		uint64_t value =
			*(const uint64_t *)(const void *)((const char *)device + sizes[i].offset);

		if (!is_power_of_two(value))
			return fail(error, VITRINE_ERROR_INPUT,
				"%s=%" G_GUINT64_FORMAT " is no power of two", sizes[i].name,
				value);
	}
	if (device->front.memory_size < 2 * device->frame_mib * MiB)
		return fail(error, VITRINE_ERROR_INPUT,
			"ram_size=%" G_GUINT64_FORMAT
			" is less than twice vgamem_mb=%" G_GUINT64_FORMAT,
			device->front.memory_size, device->frame_mib);
	return true;
}

/* BAR 1 shows the first part of what BAR 4 shows, if there is one. */
static bool make_memory(struct qxl_pci *device, GError **error)
{
	struct guest_memory *memory = device->pci.device.machine->memory;
	uint64_t size = MAX(device->surfaces_size, device->surfaces_64_mib * MiB);

	if (!video_front_init(&device->front, &device->pci, error))
		return false;
	device->surfaces_memory = video_memory_new("qxl-surfaces", size, error);
	if (!device->surfaces_memory)
		return false;
	device->surfaces_slot = memory_slot_new(memory, "surfaces of qxl",
		video_memory_bytes(device->surfaces_memory), device->surfaces_size, 0);
	device->surfaces_slot_64 = memory_slot_new(memory, "surfaces of qxl, 64-bit",
		video_memory_bytes(device->surfaces_memory), size, 0);
	device->rom = aligned_alloc(4096, QXL_ROM_SIZE);
	g_assert(device->rom);
	device->rom_slot = memory_slot_new(
		memory, "ROM of qxl", device->rom, QXL_ROM_SIZE, MEMORY_SLOT_READ_ONLY);
	return true;
}

static void add_bars(struct qxl_pci *device)
{
	uint64_t size = video_memory_size(device->surfaces_memory);

	device->ports = (struct io_region) {
		.name = "qxl",
		.ops = &port_ops,
		.device = device,
		.size = QXL_PORTS,
	};
	pci_device_add_bar(
		&device->pci, BAR_MEMORY, 0, device->front.memory_size, NULL, device->front.slot);
	pci_device_add_bar(
		&device->pci, BAR_SURFACES, 0, device->surfaces_size, NULL, device->surfaces_slot);
	pci_device_add_bar(&device->pci, BAR_ROM, 0, QXL_ROM_SIZE, NULL, device->rom_slot);
	pci_device_add_bar(&device->pci, BAR_PORTS, PCI_BAR_PORTS, QXL_PORTS, &device->ports, NULL);
	if (size > device->surfaces_size)
		pci_device_add_bar(&device->pci, BAR_SURFACES_64,
			PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE, size, NULL, device->surfaces_slot_64);
}

static bool realize(struct device *base, bool has_vga, GError **error)
{
	struct qxl_pci *device = (struct qxl_pci *)base;
	struct qxl_config config = { .ops = &core_ops, .owner = device, .has_vga = has_vga };

	if (!check_sizes(device, error) || !make_memory(device, error))
		return false;
	config.label = device->front.label;
	config.device_address = device->front.address;
	config.memory = device->front.memory;
	config.surfaces_memory = device->surfaces_memory;
	config.rom = device->rom;
	config.frame_size = device->frame_mib * MiB;
	config.surfaces = device->surfaces;
	config.heads = MAX(device->heads, 1);
	config.revision = device->revision;
	config.width = device->front.width;
	config.height = device->front.height;
	config.number = has_vga ? 0 : 1;
	device->qxl = qxl_new(base->machine->display, &config, error);
	if (!device->qxl)
		return false;
	device->pci.config[0x08] = device->revision;
	add_bars(device);
	if (has_vga) {
		vga_legacy_init(&device->legacy, &device->pci, qxl_vga(device->qxl), true);
		device->pci.vga_changed = vga_changed;
	}
	return true;
}

static bool qxl_vga_realize(struct device *base, GError **error)
{
	return realize(base, true, error);
}

static bool qxl_realize(struct device *base, GError **error)
{
	return realize(base, false, error);
}

static void qxl_pci_reset(struct device *base)
{
	struct qxl_pci *device = (struct qxl_pci *)base;

	qxl_reset(device->qxl);
	update_log_soon(device);
	if (device->legacy.vga)
		vga_legacy_update(&device->legacy);
}

static void qxl_unrealize(struct device *base)
{
	struct qxl_pci *device = (struct qxl_pci *)base;

	if (device->legacy.vga)
		vga_legacy_finish(&device->legacy);
	pci_device_unmap(&device->pci);
	machine_forget_calls(base->machine, device);
	g_clear_pointer(&device->qxl, qxl_free);
	g_clear_pointer(&device->rom_slot, memory_slot_free);
	g_clear_pointer(&device->surfaces_slot, memory_slot_free);
	g_clear_pointer(&device->surfaces_slot_64, memory_slot_free);
	g_clear_pointer(&device->surfaces_memory, video_memory_unref);
	g_clear_pointer(&device->rom, free);
	video_front_finish(&device->front);
}

#define QXL_IDENTITY(code) \
	{ \
		.vendor = 0x1b36, .device = 0x0100, .subsystem_vendor = 0x1af4, \
		.subsystem = 0x1100, .class_code = code, .revision = QXL_REVISION_NEWEST, \
		.interrupt_pin = 1, \
	}

static const struct pci_identity qxl_vga_identity = QXL_IDENTITY(0x030000);
static const struct pci_identity qxl_identity = QXL_IDENTITY(0x038000);

const struct device_class qxl_vga_pci_class = {
	.name = "qxl-vga",
	.cold_plug_only = true,
	.description = "QXL, a 2D accelerator of revision 5, with a VGA in it",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct qxl_pci),
	.pci = &qxl_vga_identity,
	.rom_file = "vgabios-qxl.bin",
	.properties = qxl_properties,
	.realize = qxl_vga_realize,
	.reset = qxl_pci_reset,
	.unrealize = qxl_unrealize,
};

const struct device_class qxl_pci_class = {
	.name = "qxl",
	.cold_plug_only = true,
	.description = "QXL, a 2D accelerator of revision 5, for a further display",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct qxl_pci),
	.pci = &qxl_identity,
	.properties = qxl_properties,
	.realize = qxl_realize,
	.reset = qxl_pci_reset,
	.unrealize = qxl_unrealize,
};
