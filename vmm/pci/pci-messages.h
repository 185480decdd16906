/* MSI and MSI-X of one device, for the PCI layer itself. */
#pragma once

#include "vmm/pci/pci.h"

/* What decides whether messages are sent has changed: enable and mask bits, power, bus mastering here or above. */
void pci_device_messages_changed(struct pci_device *device);
void pci_device_reset_messages(struct pci_device *device);
void pci_device_free_messages(struct pci_device *device);
