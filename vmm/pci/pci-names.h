/* What kinds of PCI devices are called: by people, and in firmware paths. */
#pragma once

#include "vmm/pci/pci.h"

/* "Ethernet controller" for a class code's upper two bytes (0x0200); NULL when it has no name. */
const char *pci_class_description(uint16_t class);

/* "ethernet@3", "scsi@4,1", "pci1af4,1042@5": the component of a firmware path. To be freed. */
char *pci_device_firmware_name(const struct pci_device *device);
