/* What a PCI bus consists of, for the PCI layer itself. */
#pragma once

#include "vmm/pci/pci.h"

struct pci_bus {
	struct bus bus;
	struct pci_interrupts interrupts; /* of the board's root */
	/* What the bus hangs on: a bridge forwards to it, an expander only lends its place. NULL: the board. */
	struct pci_device *bridge, *expander;
	bool express;
	unsigned slots;
	uint8_t number;     /* of a root */
	unsigned numa_node; /* of a root */
	const struct pci_hotplug_ops *hotplug;
	void *hotplug_owner;
	struct pci_device *devices[PCI_SLOTS][PCI_FUNCTIONS];
	unsigned raised[PCI_LINES]; /* of the board's root: how many devices hold each line */
};
