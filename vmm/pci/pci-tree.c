/* The tree of PCI buses: what gets through the bridges, down to a device and up from it.
 *
 * Specification: PCI-to-PCI Bridge Architecture 1.2, chapters 3 (configuration cycles), 4 (windows) and 9.1 (interrupt
 * binding).
 */
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-bars.h"
#include "vmm/pci/pci-bridge.h"
#include "vmm/pci/pci-bus.h"
#include "vmm/pci/pci-messages.h"
#include "vmm/pci/pci-registers.h"

enum {
	CONVENTIONAL_SIZE = 256,
	PINS = 4,
};

static struct pci_bus *as_pci_bus(struct bus *bus)
{
	return bus->kind == BUS_PCI ? (struct pci_bus *)bus : NULL;
}

struct pci_bus *pci_next_root(struct machine *machine, const struct pci_bus *previous)
{
	bool found = !previous;

	for (guint i = 0; i < machine->buses->len; i++) {
		struct pci_bus *bus = as_pci_bus(machine->buses->pdata[i]);

		if (!bus || bus->bridge)
			continue;
		if (found)
			return bus;
		found = bus == previous;
	}
	return NULL;
}

/* A bridge takes cycles for the numbers from its secondary to its subordinate one. */
static struct pci_bus *find_behind(struct pci_bus *bus, uint8_t number)
{
	for (guint i = 0; i < bus->bus.children->len; i++) {
		const struct pci_device *bridge = bus->bus.children->pdata[i];
		uint8_t first = bridge->config[PCI_SECONDARY_BUS];
		uint8_t last = bridge->config[PCI_SUBORDINATE_BUS];
		struct pci_bus *found;

		if (!bridge->secondary || !bridge->powered || first == 0)
			continue;
		if (number == first)
			return bridge->secondary;
		found = number > first && number <= last ? find_behind(bridge->secondary, number)
							 : NULL;
		if (found)
			return found;
	}
	return NULL;
}

struct pci_bus *pci_find_bus(struct machine *machine, uint8_t number)
{
	struct pci_bus *root = NULL, *found = NULL;

	while ((root = pci_next_root(machine, root)))
		if (root->number == number)
			return root;
	while (!found && (root = pci_next_root(machine, root)))
		found = find_behind(root, number);
	return found;
}

/* Configuration cycles */

static struct pci_device *find_function(
	struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset, unsigned size)
{
	struct pci_device *device = pci_bus_device(bus, slot, function);

	if (!device || !device->powered || offset + size > PCI_CONFIG_SIZE)
		return NULL;
	if (offset >= CONVENTIONAL_SIZE && !device->express_capability)
		return NULL;
	return device;
}

uint32_t pci_bus_config_read(
	struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset, unsigned size)
{
	struct pci_device *device = find_function(bus, slot, function, offset, size);
	uint32_t value = 0;

	if (!device)
		return UINT32_MAX;
	if (device->config_read)
		device->config_read(device, offset, size);
	memcpy(&value, device->config + offset, size);
	return GUINT32_FROM_LE(value);
}

void pci_bus_config_write(struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset,
	unsigned size, uint32_t value)
{
	struct pci_device *device = find_function(bus, slot, function, offset, size);

	if (device)
		pci_device_config_write(device, offset, size, value);
}

uint32_t pci_config_read(struct machine *machine, uint8_t bus, unsigned slot, unsigned function,
	uint16_t offset, unsigned size)
{
	struct pci_bus *found = pci_find_bus(machine, bus);

	return found ? pci_bus_config_read(found, slot, function, offset, size) : UINT32_MAX;
}

void pci_config_write(struct machine *machine, uint8_t bus, unsigned slot, unsigned function,
	uint16_t offset, unsigned size, uint32_t value)
{
	struct pci_bus *found = pci_find_bus(machine, bus);

	if (found)
		pci_bus_config_write(found, slot, function, offset, size, value);
}

/* Memory and ports */

bool pci_bus_is_reached(const struct pci_bus *bus, bool ports, uint64_t address, uint64_t size)
{
	for (; bus->bridge; bus = bus->bridge->bus)
		if (!bus->bridge->powered ||
			!pci_bridge_forwards(bus->bridge, ports, address, size))
			return false;
	return true;
}

bool pci_bus_is_reached_by_vga(const struct pci_bus *bus)
{
	for (; bus->bridge; bus = bus->bridge->bus)
		if (!bus->bridge->powered || !pci_bridge_forwards_vga(bus->bridge))
			return false;
	return true;
}

bool pci_bus_is_powered(const struct pci_bus *bus)
{
	for (; bus->bridge; bus = bus->bridge->bus)
		if (!bus->bridge->powered)
			return false;
	return true;
}

void pci_bus_windows_changed(struct pci_bus *bus)
{
	for (guint i = 0; i < bus->bus.children->len; i++) {
		struct pci_device *device = bus->bus.children->pdata[i];

		pci_device_update_bars(device);
		pci_device_messages_changed(device);
		if (device->secondary)
			pci_bus_windows_changed(device->secondary);
	}
}

void pci_bus_reset(struct pci_bus *bus)
{
	for (guint i = 0; i < bus->bus.children->len; i++) {
		struct pci_device *device = bus->bus.children->pdata[i];

		device_reset(&device->device);
		if (device->secondary)
			pci_bus_reset(device->secondary);
	}
}

/* Interrupts */

/* Each bridge turns the pins by the slot. On an expander's bus they are wired as on the board's, by their own slot. */
static struct pci_bus *root_line(struct pci_bus *bus, unsigned slot, unsigned pin, unsigned *line)
{
	for (; bus->bridge; bus = bus->bridge->bus) {
		pin = (pin + slot) % PINS;
		slot = bus->bridge->slot;
	}
	while (bus->expander) {
		pin = (pin + slot) % PINS;
		slot = bus->expander->slot;
		pin = (pin - slot) % PINS;
		bus = bus->expander->bus;
	}
	*line = bus->interrupts.line(bus->interrupts.board, slot, pin);
	return bus;
}

void pci_bus_interrupt_changed(struct pci_bus *bus, struct pci_device *device, bool level)
{
	unsigned pin = device->config[PCI_INTERRUPT_PIN] - 1, line;
	struct pci_bus *root = root_line(bus, device->slot, pin % PINS, &line);
	bool was = root->raised[line] > 0;

	root->raised[line] += level ? 1 : -1;
	if ((root->raised[line] > 0) != was)
		root->interrupts.set(root->interrupts.board, line, root->raised[line] > 0);
}
