/* Base address registers of one device: what their bits mean as mappings. */
#pragma once

#include "vmm/pci/pci.h"

/* Maps and unmaps so that it agrees with the registers. */
void pci_device_update_bars(struct pci_device *device);
void pci_device_unmap_bars(struct pci_device *device);
/* Addresses as at power-on: none. */
void pci_device_clear_bars(struct pci_device *device);
