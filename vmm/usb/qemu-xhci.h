/* The xHCI host controllers, by the names and identities that QEMU gives them. */
#pragma once

#include "vmm/device.h"

extern const struct device_class qemu_xhci_class, nec_xhci_class;
