/* The PCI device "VGA". */
#pragma once

#include "vmm/device.h"

extern const struct device_class vga_pci_class;
