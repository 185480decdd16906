/* The PCI Express root port "pcie-root-port". */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class pcie_root_port_class;
