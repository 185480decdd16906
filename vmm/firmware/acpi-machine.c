/* What the ACPI tables say of a machine.
 *
 * Addresses that the firmware chooses are read from the chips' registers: the base of the power management ports, the
 * configuration space in memory, the windows of bridges. What the board's own root bus passes on is what is left by RAM,
 * by other root buses and by fixed addresses.
 */
#include "vmm/firmware/acpi-machine.h"

#include <string.h>

#include "base/checked.h"
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/chipset/acpi-pm-ich9.h"
#include "vmm/chipset/hpet.h"
#include "vmm/chipset/piix4-pm.h"
#include "vmm/chipset/serial.h"
#include "vmm/firmware/firmware-config.h"
#include "vmm/machine/machine-types.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/pci/pci.h"

enum {
	BRIDGE_IO = 0x1c,
	BRIDGE_MEMORY = 0x20,
	BRIDGE_PREFETCHABLE = 0x24,
	BRIDGE_PREFETCHABLE_HIGH = 0x28,
	BRIDGE_IO_HIGH = 0x30,
	BRIDGE_SUBORDINATE = 0x1a,

	PM_BASE = 0x40, /* register of both boards' power management */
	PCIEXBAR = 0x60,
	PCIEXBAR_ENABLE = 1 << 0,
	PORT_CONFIG = 0xcf8,
	PORT_CONFIG_LAST = 0xcff,
	HOLE_LAST = 0xfebfffff, /* up to the I/O APIC */
	LAST_BUS = 255,
};

static const uint64_t four_gigabytes = (uint64_t)4 * GiB;

static void add_range(GArray *ranges, uint64_t first, uint64_t last)
{
	struct acpi_range range = { first, last };

	if (first <= last)
		g_array_append_val(ranges, range);
}

/* Takes [first, last] away from all ranges. */
static void cut_range(GArray *ranges, uint64_t first, uint64_t last)
{
	guint count = ranges->len;
	g_autofree struct acpi_range *before = g_memdup2(ranges->data, count * sizeof(*before));

	g_array_set_size(ranges, 0);
	for (guint i = 0; i < count; i++) {
		if (last < before[i].first || first > before[i].last) {
			g_array_append_val(ranges, before[i]);
			continue;
		}
		if (before[i].first < first)
			add_range(ranges, before[i].first, first - 1);
		if (before[i].last > last)
			add_range(ranges, last + 1, before[i].last);
	}
}

static void cut_ranges(GArray *ranges, const GArray *others)
{
	for (guint i = 0; i < others->len; i++) {
		const struct acpi_range *range = &g_array_index(others, struct acpi_range, i);

		cut_range(ranges, range->first, range->last);
	}
}

static const struct pci_device *find_chip(const struct machine *machine, const char *class)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (strcmp(device->class->name, class) == 0)
			return (const struct pci_device *)device;
	}
	return NULL;
}

static bool has_device(const struct machine *machine, const char *class)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (strcmp(device->class->name, class) == 0)
			return true;
	}
	return false;
}

/* Windows of root buses */

static void root_init(struct acpi_root *root, const struct pci_bus *bus)
{
	unsigned node = pci_bus_numa_node(bus);

	*root = (struct acpi_root) {
		.first_bus = pci_bus_number(bus),
		.last_bus = pci_bus_number(bus),
		.express = pci_bus_is_express(bus),
		.numa_node = node == PCI_NO_NUMA_NODE ? -1 : (int)node,
		.ports = g_array_new(FALSE, FALSE, sizeof(struct acpi_range)),
		.memory = g_array_new(FALSE, FALSE, sizeof(struct acpi_range)),
		.prefetchable = g_array_new(FALSE, FALSE, sizeof(struct acpi_range)),
	};
}

static void add_memory(struct acpi_root *root, uint64_t first, uint64_t last)
{
	add_range(first >= four_gigabytes ? root->prefetchable : root->memory, first, last);
}

static void add_bars(struct acpi_root *root, const struct pci_device *device)
{
	for (unsigned i = 0; i <= PCI_ROM_BAR; i++) {
		const struct pci_bar *bar = &device->bars[i];

		if (bar->size == 0 || bar->address == PCI_UNMAPPED)
			continue;
		if (bar->flags & PCI_BAR_PORTS)
			add_range(root->ports, bar->address, bar->address + bar->size - 1);
		else
			add_memory(root, bar->address, bar->address + bar->size - 1);
	}
}

/* What a bridge passes on: base and limit of each kind; a base above its limit is nothing. */
static void add_bridge(struct acpi_root *root, const struct pci_device *bridge)
{
	const uint8_t *config = bridge->config;
	uint64_t io = (uint64_t)(config[BRIDGE_IO] & 0xf0) << 8 |
		      (uint64_t)config_get16(config + BRIDGE_IO_HIGH) << 16;
	uint64_t io_last = ((uint64_t)(config[BRIDGE_IO + 1] & 0xf0) << 8 | 0xfff) |
			   (uint64_t)config_get16(config + BRIDGE_IO_HIGH + 2) << 16;
	uint64_t memory = (uint64_t)(config_get16(config + BRIDGE_MEMORY) & 0xfff0) << 16;
	uint64_t memory_last =
		(uint64_t)(config_get16(config + BRIDGE_MEMORY + 2) & 0xfff0) << 16 | 0xfffff;
	uint64_t prefetchable = (uint64_t)(config_get16(config + BRIDGE_PREFETCHABLE) & 0xfff0)
					<< 16 |
				(uint64_t)config_get32(config + BRIDGE_PREFETCHABLE_HIGH) << 32;
	uint64_t prefetchable_last =
		(uint64_t)(config_get16(config + BRIDGE_PREFETCHABLE + 2) & 0xfff0) << 16 |
		0xfffff | (uint64_t)config_get32(config + BRIDGE_PREFETCHABLE_HIGH + 4) << 32;

	if (io != 0 && io_last <= UINT16_MAX)
		add_range(root->ports, io, io_last);
	if (memory != 0)
		add_range(root->memory, memory, memory_last);
	if (prefetchable != 0)
		add_memory(root, prefetchable, prefetchable_last);
	root->last_bus = MAX(root->last_bus, config[BRIDGE_SUBORDINATE]);
}

static void add_used(struct acpi_root *root, struct pci_bus *bus)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
			const struct pci_device *device = pci_bus_device(bus, slot, function);

			if (!device)
				continue;
			add_bars(root, device);
			if (device->secondary)
				add_bridge(root, device);
		}
	}
}

/* Above RAM: from the lowest address that is used, or else from the next GiB on, and at least as large as the
 * machine type has it. */
static void add_window_64(const struct acpi_config *config, uint64_t least, struct acpi_root *root,
	struct pci_bus *bus)
{
	struct acpi_root used;
	uint64_t start = (four_gigabytes + config->high_memory + GiB - 1) / GiB * GiB, last = 0;
	bool moved = false;

	root_init(&used, bus);
	add_used(&used, bus);
	for (guint i = 0; i < used.prefetchable->len; i++) {
		const struct acpi_range *range =
			&g_array_index(used.prefetchable, struct acpi_range, i);

		start = moved ? MIN(start, range->first) : range->first;
		last = MAX(last, range->last);
		moved = true;
	}
	g_array_unref(used.ports);
	g_array_unref(used.memory);
	g_array_unref(used.prefetchable);
	last = MAX(last, (start + least + GiB - 1) / GiB * GiB - 1);
	add_range(root->prefetchable, start, last);
}

static void add_board_windows(const struct acpi_config *config, uint64_t least,
	struct acpi_root *root, struct pci_bus *bus)
{
	add_range(root->ports, 0, UINT16_MAX);
	cut_range(root->ports, PORT_CONFIG, PORT_CONFIG_LAST);
	add_range(root->memory, config->low_memory, HOLE_LAST);
	if (config->ecam_size > 0)
		cut_range(root->memory, config->ecam, config->ecam + config->ecam_size - 1);
	add_window_64(config, least, root, bus);
	root->last_bus = config->ecam_size > 0 ? config->ecam_size / MiB - 1 : LAST_BUS;
}

static void find_roots(struct acpi_machine *out, struct machine *machine)
{
	g_autoptr(GArray) roots = g_array_new(FALSE, TRUE, sizeof(struct acpi_root));
	struct acpi_root *board;

	for (struct pci_bus *bus = pci_next_root(machine, NULL); bus;
		bus = pci_next_root(machine, bus)) {
		struct acpi_root root;

		root_init(&root, bus);
		if (roots->len == 0)
			add_board_windows(
				&out->config, machine->config->type->pci_window, &root, bus);
		else
			add_used(&root, bus);
		g_array_append_val(roots, root);
	}
	out->config.root_count = roots->len;
	out->roots = (struct acpi_root *)g_array_free(g_steal_pointer(&roots), FALSE);
	out->config.roots = out->roots;
	board = &out->roots[0];
	for (unsigned i = 1; i < out->config.root_count; i++) {
		cut_ranges(board->ports, out->roots[i].ports);
		cut_ranges(board->memory, out->roots[i].memory);
		cut_ranges(board->prefetchable, out->roots[i].prefetchable);
		board->last_bus = MIN(board->last_bus, out->roots[i].first_bus - 1);
	}
}

/* Chips */

static void find_serial_ports(struct acpi_config *config, const struct machine *machine)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (device->class != &isa_serial_class || config->serial_ports == ACPI_SERIAL_PORTS)
			continue;
		isa_serial_place(device, &config->serial[config->serial_ports].port,
			&config->serial[config->serial_ports].irq);
		config->serial_ports++;
	}
}

/* Before the firmware has set the base, it is where it will be put. */
static uint16_t pm_base(const struct acpi_config *config, const struct machine *machine)
{
	bool q35 = config->board == ACPI_Q35;
	const struct pci_device *chip = find_chip(machine, q35 ? "ICH9-LPC" : "PIIX4_PM");
	uint16_t mask = ~((q35 ? ICH9_PM_SIZE : PIIX4_PM_SIZE) - 1);
	uint16_t base = chip ? config_get32(chip->config + PM_BASE) & mask : 0;

	return base != 0 ? base : PIIX4_PM_BASE;
}

static void find_ecam(struct acpi_config *config, const struct machine *machine)
{
	const struct pci_device *mch = find_chip(machine, "mch");
	uint64_t value = mch ? config_get64(mch->config + PCIEXBAR) : 0;
	unsigned length = value >> 1 & 3;

	if (!(value & PCIEXBAR_ENABLE) || length == 3)
		return;
	config->ecam_size = (uint64_t)256 * MiB >> length;
	config->ecam = value & ((UINT64_C(1) << 36) - 1) & ~(config->ecam_size - 1);
}

static bool slot_stays(struct pci_bus *bus, unsigned slot)
{
	for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
		const struct pci_device *device = pci_bus_device(bus, slot, function);

		if (device && (device->secondary || device->device.class->cold_plug_only ||
				      !device->device.class->user_creatable))
			return true;
	}
	return false;
}

static void add_hotplug_bus(
	GArray *buses, unsigned parent, const struct pci_device *bridge, struct pci_bus *bus)
{
	struct acpi_hotplug_bus entry = { .parent = parent };

	if (bridge) {
		entry.slot = bridge->slot;
		entry.function = bridge->function;
	}
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
		if (!slot_stays(bus, slot))
			entry.slots |= UINT32_C(1) << slot;
	g_array_append_val(buses, entry);
}

/* The bridge before a bus, on one of the buses with lower numbers. */
static const struct pci_device *find_bridge(
	struct device *hotplug, unsigned number, unsigned *parent)
{
	const struct pci_bus *behind = acpi_pci_hotplug_bus(hotplug, number);

	for (*parent = 0; *parent < number; ++*parent) {
		struct pci_bus *bus = acpi_pci_hotplug_bus(hotplug, *parent);

		for (unsigned i = 0; i < PCI_SLOTS * PCI_FUNCTIONS; i++) {
			const struct pci_device *device =
				pci_bus_device(bus, i / PCI_FUNCTIONS, i % PCI_FUNCTIONS);

			if (device && device->secondary == behind)
				return device;
		}
	}
	return NULL;
}

/* Buses of the pc that the registers know: what is behind the root bus's bridges, whose numbers are higher than that of the
 * bus before them. */
static void find_hotplug(struct acpi_machine *out, struct machine *machine)
{
	struct device *hotplug = machine_device_of_class(machine, &acpi_pci_hotplug_class);
	g_autoptr(GArray) buses = g_array_new(FALSE, TRUE, sizeof(struct acpi_hotplug_bus));
	struct pci_bus *bus;
	unsigned parent = 0;

	for (unsigned i = 0; hotplug && (bus = acpi_pci_hotplug_bus(hotplug, i)); i++) {
		const struct pci_device *bridge = i > 0 ? find_bridge(hotplug, i, &parent) : NULL;

		if (i > 0 && !bridge)
			break;
		add_hotplug_bus(buses, parent, bridge, bus);
	}
	out->config.hotplug_count = buses->len;
	out->hotplug = (struct acpi_hotplug_bus *)g_array_free(g_steal_pointer(&buses), FALSE);
	out->config.hotplug = out->hotplug;
}

void acpi_machine_init(struct acpi_machine *out, struct machine *machine)
{
	const struct machine_config *config = machine->config;
	const struct device *hpet = machine_device_of_class(machine, &hpet_class);

	*out = (struct acpi_machine) {
		.config = {
			.board = strcmp(config->type->board, "pc") == 0 ? ACPI_PC : ACPI_Q35,
			.oem_id = config->type->acpi_oem,
			.table_id = config->type->acpi_table,
			.creator_id = config->type->acpi_creator,
			.cpus = machine->cpu_count,
			.low_memory = machine->low_memory,
			.high_memory = machine->high_memory,
			.numa = config->firmware_config ? &config->firmware_config->numa : NULL,
			.has_s3 = machine->acpi_pm && acpi_pm_has_s3(machine->acpi_pm),
			.s4_type = machine->acpi_pm && acpi_pm_has_s4(machine->acpi_pm)
					   ? machine->acpi_pm->s4_type
					   : 0,
			.has_hpet = hpet != NULL,
			.hpet_id = hpet ? hpet_block_id(hpet) : 0,
			.has_keyboard = has_device(machine, "i8042"),
		},
	};
	out->apic_ids = g_new(uint32_t, machine->cpu_count);
	for (unsigned i = 0; i < machine->cpu_count; i++)
		out->apic_ids[i] = cpu_topology_apic_id(&config->topology, i);
	out->config.apic_ids = out->apic_ids;
	out->config.pm_base = pm_base(&out->config, machine);
	find_hotplug(out, machine);
	find_ecam(&out->config, machine);
	find_serial_ports(&out->config, machine);
	find_roots(out, machine);
}

void acpi_machine_clear(struct acpi_machine *out)
{
	for (unsigned i = 0; i < out->config.root_count; i++) {
		g_array_unref(out->roots[i].ports);
		g_array_unref(out->roots[i].memory);
		g_array_unref(out->roots[i].prefetchable);
	}
	g_free(out->roots);
	g_free(out->hotplug);
	g_free(out->apic_ids);
}
