/* The PCI device "bochs-display". */
#pragma once

#include "vmm/device.h"

extern const struct device_class bochs_display_pci_class;
