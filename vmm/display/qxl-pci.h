/* The PCI devices "qxl-vga" and "qxl". */
#pragma once

#include "vmm/device.h"

extern const struct device_class qxl_vga_pci_class;
extern const struct device_class qxl_pci_class;
