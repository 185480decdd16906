/* Base address registers: sizes, addresses and the mappings that follow. Specification: PCI 3.0 section 6.2.5. */
#include "vmm/pci/pci-bars.h"

#include "base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

static bool is_bridge(const struct pci_device *device)
{
	return device->config[PCI_HEADER_TYPE] & PCI_HEADER_BRIDGE;
}

static uint16_t register_of(const struct pci_device *device, unsigned index)
{
	if (index == PCI_ROM_BAR)
		return is_bridge(device) ? PCI_BRIDGE_ROM_ADDRESS : PCI_ROM_ADDRESS;
	return PCI_BAR_0 + 4 * index;
}

void pci_device_add_bar(struct pci_device *device, unsigned index, unsigned flags, uint64_t size,
	struct io_region *region, struct memory_slot *slot)
{
	uint8_t *config = device->config + register_of(device, index);
	uint8_t *writable = device->write_mask + register_of(device, index);
	uint64_t mask = ~(size - 1);

	g_assert(index <= PCI_ROM_BAR && size >= 4 && (size & (size - 1)) == 0);
	device->bars[index] = (struct pci_bar) {
		.flags = flags,
		.size = size,
		.region = region,
		.slot = slot,
		.address = PCI_UNMAPPED,
	};
	config_set32(writable, (uint32_t)mask | (index == PCI_ROM_BAR ? PCI_ROM_ENABLE : 0));
	if (flags & PCI_BAR_64BIT)
		config_set32(writable + 4, mask >> 32);
	config_set32(config, (flags & PCI_BAR_PORTS ? PCI_BAR_IS_PORTS : 0) |
				     (flags & PCI_BAR_64BIT ? PCI_BAR_IS_64BIT : 0) |
				     (flags & PCI_BAR_PREFETCHABLE ? PCI_BAR_IS_PREFETCHABLE : 0));
}

/* Where the registers say that the BAR lies. All ones, written to find out the size, is no address. */
static uint64_t decoded_address(const struct pci_device *device, unsigned index)
{
	const struct pci_bar *bar = &device->bars[index];
	const uint8_t *config = device->config + register_of(device, index);
	uint16_t command = config_get16(device->config + PCI_COMMAND);
	uint64_t address = config_get32(config) & ~(bar->size - 1);
	uint64_t limit = bar->flags & PCI_BAR_PORTS ? 0xffff : UINT32_MAX;

	if (!device->powered)
		return PCI_UNMAPPED;
	if (!(command & (bar->flags & PCI_BAR_PORTS ? PCI_COMMAND_PORTS : PCI_COMMAND_MEMORY)))
		return PCI_UNMAPPED;
	if (index == PCI_ROM_BAR && !(config_get32(config) & PCI_ROM_ENABLE))
		return PCI_UNMAPPED;
	if (bar->flags & PCI_BAR_64BIT) {
		address |= (uint64_t)config_get32(config + 4) << 32;
		limit = (UINT64_C(1) << 52) - 1;
	}
	if (address == 0 || address > limit || bar->size - 1 >= limit - address)
		return PCI_UNMAPPED;
	if (!pci_bus_is_reached(device->bus, bar->flags & PCI_BAR_PORTS, address, bar->size))
		return PCI_UNMAPPED;
	return address;
}

static void unmap(struct pci_bar *bar)
{
	if (bar->region)
		io_region_unmap(bar->region);
	if (bar->slot)
		memory_slot_unmap(bar->slot);
}

static void map(struct pci_device *device, struct pci_bar *bar)
{
	struct machine *machine = device->device.machine;
	g_autoptr(GError) error = NULL;

	if (bar->region)
		io_space_map(bar->flags & PCI_BAR_PORTS ? &machine->ports : &machine->mmio,
			bar->region, bar->address);
	/* A guest that lays memory over memory gets what the first one has, as undefined as on a real bus. */
	if (bar->slot && !memory_slot_map(bar->slot, bar->address, &error))
		log_limited(&device->complaints, PCI_COMPLAINTS_MAX, "%s: %s",
			device->device.class->name, error->message);
}

static void update_vga(struct pci_device *device)
{
	bool reached = device->powered && pci_bus_is_reached_by_vga(device->bus);

	if (reached == device->vga_reached)
		return;
	device->vga_reached = reached;
	if (device->vga_changed)
		device->vga_changed(device);
}

void pci_device_update_bars(struct pci_device *device)
{
	uint64_t wanted[G_N_ELEMENTS(device->bars)] = { 0 };
	bool any = false;

	/* First away, then there: two BARs may change places. */
	for (unsigned i = 0; i < G_N_ELEMENTS(device->bars); i++) {
		struct pci_bar *bar = &device->bars[i];

		wanted[i] = bar->size ? decoded_address(device, i) : PCI_UNMAPPED;
		if (bar->address != PCI_UNMAPPED && bar->address != wanted[i])
			unmap(bar);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(device->bars); i++) {
		struct pci_bar *bar = &device->bars[i];
		/* Memory that found no place tries again with every change. */
		bool moved = bar->address != wanted[i] ||
			     (bar->slot && !memory_slot_is_mapped(bar->slot));

		any = any || bar->address != wanted[i];
		bar->address = wanted[i];
		if (moved && bar->address != PCI_UNMAPPED)
			map(device, bar);
	}
	if (any && device->bars_moved)
		device->bars_moved(device);
	update_vga(device);
}

void pci_device_unmap_bars(struct pci_device *device)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(device->bars); i++) {
		if (device->bars[i].address != PCI_UNMAPPED)
			unmap(&device->bars[i]);
		device->bars[i].address = PCI_UNMAPPED;
	}
}

void pci_device_clear_bars(struct pci_device *device)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(device->bars); i++) {
		uint8_t *config = device->config + register_of(device, i);
		const uint8_t *writable = device->write_mask + register_of(device, i);

		if (device->bars[i].size == 0)
			continue;
		config_set32(config, config_get32(config) & ~config_get32(writable));
		if (device->bars[i].flags & PCI_BAR_64BIT)
			config_set32(config + 4, 0);
	}
}
