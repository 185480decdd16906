/* The slot of a PCI Express port: what is in it, its power, its indicators, and devices that come and go while the guest
 * runs (native hot-plug).
 *
 * Specification: PCI Express Base 5.0, sections 6.7 (hot-plug) and 7.5.3.9 to 7.5.3.11 (slot registers).
 */
#pragma once

#include "vmm/pci/pci.h"

struct pcie_slot {
	struct pci_device *port;
	bool hotplug, power_controller;
	uint16_t control; /* as it was before the guest's write */
	bool notified;    /* an interrupt is due for what the status says */
};

/* For the port's realize function, after its express capability and its bus. @number: of the slot, 13 bits. */
void pcie_slot_init(struct pcie_slot *slot, struct pci_device *port, uint16_t number, bool hotplug,
	bool power_controller);
/* For the port's reset function, after the express capability's. */
void pcie_slot_reset(struct pcie_slot *slot);
/* For the port's config_written function. */
void pcie_slot_config_written(struct pcie_slot *slot, uint16_t offset, unsigned size);
