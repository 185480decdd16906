/* PCI expander bridges: root buses of their own, "pxb" a conventional one and "pxb-pcie" one of PCI Express.
 *
 * The guest learns of such a bus from ACPI alone; pci_next_root() is where the tables find them.
 */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class pxb_class, pxb_pcie_class;
