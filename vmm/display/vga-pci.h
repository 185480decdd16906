/* The PCI devices "VGA" and "secondary-vga". */
#pragma once

#include "vmm/device.h"

extern const struct device_class vga_pci_class;
extern const struct device_class secondary_vga_pci_class;
