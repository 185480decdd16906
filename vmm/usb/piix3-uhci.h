/* The UHCI host controllers, by the names and identities that QEMU gives them. */
#pragma once

#include "vmm/device.h"

extern const struct device_class piix3_uhci_class, piix4_uhci_class;
