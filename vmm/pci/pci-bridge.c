/* PCI-to-PCI bridges: the type 1 header, and what its registers let through. */
#include "vmm/pci/pci-bridge.h"

#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum {
	CONTROL_CONVENTIONAL = 0x0bff,
	CONTROL_EXPRESS = 0x005f, /* no discard timers, no fast transactions */
	CONTROL_TIMER_STATUS = 1 << 10,
	STATUS_MEDIUM = 0x00a0, /* 66 MHz does not matter, fast back to back, medium decode */
	STATUS_ERRORS = 0xf900,
	WINDOW_64BIT = 0x1,

	PORTS_MASK = 0xf0,
	MEMORY_MASK = 0xfff0,
};

static const struct {
	uint64_t first, last;
} vga_ports[] = { { 0x3b0, 0x3bb }, { 0x3c0, 0x3df } };

enum {
	VGA_MEMORY = 0xa0000,
	VGA_MEMORY_LAST = 0xbffff,
	VGA_PORTS_ALIAS = 0x3ff, /* bits that are decoded unless 16-bit decoding is on */
};

bool pci_bridge_window(
	const struct pci_device *bridge, enum pci_window window, uint64_t *base, uint64_t *limit)
{
	const uint8_t *config = bridge->config;
	uint16_t command = config_get16(config + PCI_COMMAND);

	if (window == PCI_WINDOW_PORTS) {
		*base = (uint64_t)(config[PCI_BRIDGE_IO_BASE] & PORTS_MASK) << 8;
		*limit = (uint64_t)(config[PCI_BRIDGE_IO_LIMIT] & PORTS_MASK) << 8 | 0xfff;
		return command & PCI_COMMAND_PORTS && *base <= *limit;
	}
	if (window == PCI_WINDOW_MEMORY) {
		*base = (uint64_t)(config_get16(config + PCI_BRIDGE_MEMORY_BASE) & MEMORY_MASK)
			<< 16;
		*limit = (uint64_t)(config_get16(config + PCI_BRIDGE_MEMORY_LIMIT) & MEMORY_MASK)
				 << 16 |
			 0xfffff;
	} else {
		*base = (uint64_t)config_get32(config + PCI_BRIDGE_PREFETCH_BASE_HIGH) << 32 |
			(uint64_t)(config_get16(config + PCI_BRIDGE_PREFETCH_BASE) & MEMORY_MASK)
				<< 16;
		*limit = (uint64_t)config_get32(config + PCI_BRIDGE_PREFETCH_LIMIT_HIGH) << 32 |
			 (uint64_t)(config_get16(config + PCI_BRIDGE_PREFETCH_LIMIT) & MEMORY_MASK)
				 << 16 |
			 0xfffff;
	}
	return command & PCI_COMMAND_MEMORY && *base <= *limit;
}

static bool inside(uint64_t base, uint64_t limit, uint64_t address, uint64_t size)
{
	return size > 0 && address >= base && address <= limit && size - 1 <= limit - address;
}

static bool forwards_vga(
	const struct pci_device *bridge, bool ports, uint64_t address, uint64_t size)
{
	uint16_t control = config_get16(bridge->config + PCI_BRIDGE_CONTROL);
	uint16_t command = config_get16(bridge->config + PCI_COMMAND);

	if (!(control & PCI_BRIDGE_CONTROL_VGA) ||
		!(command & (ports ? PCI_COMMAND_PORTS : PCI_COMMAND_MEMORY)))
		return false;
	if (!ports)
		return inside(VGA_MEMORY, VGA_MEMORY_LAST, address, size);
	if (!(control & PCI_BRIDGE_CONTROL_VGA_16BIT))
		address &= VGA_PORTS_ALIAS;
	for (size_t i = 0; i < G_N_ELEMENTS(vga_ports); i++)
		if (inside(vga_ports[i].first, vga_ports[i].last, address, size))
			return true;
	return false;
}

bool pci_bridge_forwards_vga(const struct pci_device *bridge)
{
	uint16_t control = config_get16(bridge->config + PCI_BRIDGE_CONTROL);
	uint16_t command = config_get16(bridge->config + PCI_COMMAND);
	uint16_t needed = PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY;

	return control & PCI_BRIDGE_CONTROL_VGA && (command & needed) == needed;
}

bool pci_bridge_forwards(
	const struct pci_device *bridge, bool ports, uint64_t address, uint64_t size)
{
	enum pci_window first = ports ? PCI_WINDOW_PORTS : PCI_WINDOW_MEMORY;
	enum pci_window last = ports ? PCI_WINDOW_PORTS : PCI_WINDOW_PREFETCHABLE;
	uint64_t base, limit;

	for (enum pci_window i = first; i <= last; i++)
		if (pci_bridge_window(bridge, i, &base, &limit) &&
			inside(base, limit, address, size))
			return true;
	return forwards_vga(bridge, ports, address, size);
}

void pci_bridge_init(struct pci_device *bridge, const struct pci_bridge_header *header)
{
	uint8_t *writable = bridge->write_mask;

	bridge->config[PCI_HEADER_TYPE] =
		(bridge->config[PCI_HEADER_TYPE] & PCI_HEADER_MULTIFUNCTION) | PCI_HEADER_BRIDGE;
	/* A type 1 header has no subsystem here, but the upper half of the prefetchable window's limit. */
	config_set32(bridge->config + PCI_SUBSYSTEM_VENDOR_ID, 0);
	writable[PCI_LATENCY_TIMER] = header->express ? 0 : 0xff;
	config_set32(writable + PCI_PRIMARY_BUS, UINT32_MAX);
	if (!header->express)
		writable[PCI_BRIDGE_LATENCY] = 0xff;
	writable[PCI_BRIDGE_IO_BASE] = writable[PCI_BRIDGE_IO_LIMIT] = PORTS_MASK;
	config_set16(writable + PCI_BRIDGE_MEMORY_BASE, MEMORY_MASK);
	config_set16(writable + PCI_BRIDGE_MEMORY_LIMIT, MEMORY_MASK);
	config_set16(writable + PCI_BRIDGE_PREFETCH_BASE, MEMORY_MASK);
	config_set16(writable + PCI_BRIDGE_PREFETCH_LIMIT, MEMORY_MASK);
	config_set32(writable + PCI_BRIDGE_PREFETCH_BASE_HIGH, UINT32_MAX);
	config_set32(writable + PCI_BRIDGE_PREFETCH_LIMIT_HIGH, UINT32_MAX);
	config_set16(writable + PCI_BRIDGE_CONTROL,
		header->express ? CONTROL_EXPRESS : CONTROL_CONVENTIONAL);
	config_set16(bridge->clear_mask + PCI_BRIDGE_CONTROL,
		header->express ? 0 : CONTROL_TIMER_STATUS);
	config_set16(bridge->config + PCI_BRIDGE_PREFETCH_BASE, WINDOW_64BIT);
	config_set16(bridge->config + PCI_BRIDGE_PREFETCH_LIMIT, WINDOW_64BIT);
	config_set16(bridge->clear_mask + PCI_BRIDGE_SECONDARY_STATUS, STATUS_ERRORS);
	if (!header->express) {
		config_set16(bridge->config + PCI_BRIDGE_SECONDARY_STATUS, STATUS_MEDIUM);
		config_set16(bridge->config + PCI_STATUS,
			config_get16(bridge->config + PCI_STATUS) | STATUS_MEDIUM);
	}
	pci_bus_new_behind(bridge, NULL, header->express, header->slots);
}

void pci_bridge_finish(struct pci_device *bridge)
{
	pci_bus_free(bridge->secondary);
}

/* Everything that can be written: numbers, windows (shut: base above limit on express ports), control. */
void pci_bridge_reset(struct pci_device *bridge)
{
	bool shut = pci_bus_is_express(bridge->secondary);

	for (unsigned at = PCI_PRIMARY_BUS; at < PCI_CAPABILITIES; at++)
		bridge->config[at] &= ~bridge->write_mask[at];
	config_set16(bridge->config + PCI_BRIDGE_CONTROL, 0);
	if (shut) {
		bridge->config[PCI_BRIDGE_IO_BASE] |= PORTS_MASK;
		config_set16(bridge->config + PCI_BRIDGE_MEMORY_BASE, MEMORY_MASK);
		config_set16(bridge->config + PCI_BRIDGE_PREFETCH_BASE, MEMORY_MASK | WINDOW_64BIT);
	}
	pci_bus_windows_changed(bridge->secondary);
}

static bool touches(uint16_t offset, unsigned size, uint16_t first, uint16_t last)
{
	return offset <= last && first < offset + size;
}

void pci_bridge_config_written(struct pci_device *bridge, uint16_t offset, unsigned size)
{
	bool resetting =
		config_get16(bridge->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CONTROL_RESET;

	if (touches(offset, size, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CONTROL + 1)) {
		if (resetting && !bridge->secondary_in_reset)
			pci_bus_reset(bridge->secondary);
		bridge->secondary_in_reset = resetting;
	}
	if (touches(offset, size, PCI_COMMAND, PCI_COMMAND + 1) ||
		touches(offset, size, PCI_BRIDGE_IO_BASE, PCI_BRIDGE_PREFETCH_LIMIT_HIGH + 3) ||
		touches(offset, size, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CONTROL + 1))
		pci_bus_windows_changed(bridge->secondary);
}
