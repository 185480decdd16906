/* MSI and MSI-X of one device, for the PCI layer itself. */
#pragma once

#include "vmm/pci/pci.h"

/* The guest wrote configuration space: enable and mask bits may have changed. */
void pci_device_messages_written(struct pci_device *device);
void pci_device_reset_messages(struct pci_device *device);
void pci_device_free_messages(struct pci_device *device);
