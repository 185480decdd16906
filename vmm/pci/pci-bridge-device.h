/* The conventional PCI-to-PCI bridge "pci-bridge". */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class pci_bridge_class;
