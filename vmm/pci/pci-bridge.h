/* What every PCI-to-PCI bridge has: the type 1 header, its windows and its bridge control register.
 *
 * Specification: PCI-to-PCI Bridge Architecture 1.2, section 3.2 (header), 4 (windows), 4.5 (VGA).
 */
#pragma once

#include "vmm/pci/pci.h"

struct pci_bridge_header {
	bool express;   /* the bus behind it, and what of bridge control means something */
	unsigned slots; /* of the bus behind it */
};

/* For realize functions, first of all: the header, and the bus behind the bridge. */
void pci_bridge_init(struct pci_device *bridge, const struct pci_bridge_header *header);
/* For unrealize functions; also after a realize that failed half-way. */
void pci_bridge_finish(struct pci_device *bridge);
/* For reset functions: no numbers, no windows. */
void pci_bridge_reset(struct pci_device *bridge);
/* For config_written functions: windows and the secondary bus reset follow the registers. */
void pci_bridge_config_written(struct pci_device *bridge, uint16_t offset, unsigned size);

/* Whether one of the windows, or the VGA enable bit, passes all of the range on. */
bool pci_bridge_forwards(
	const struct pci_device *bridge, bool ports, uint64_t address, uint64_t size);

/* Whether ports and memory of VGA are passed on. */
bool pci_bridge_forwards_vga(const struct pci_device *bridge);

/* Base and limit (inclusive) of a window; false when it is shut. For people. */
enum pci_window {
	PCI_WINDOW_PORTS,
	PCI_WINDOW_MEMORY,
	PCI_WINDOW_PREFETCHABLE,
	PCI_WINDOWS,
};

bool pci_bridge_window(
	const struct pci_device *bridge, enum pci_window window, uint64_t *base, uint64_t *limit);
