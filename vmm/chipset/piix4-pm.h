/* PIIX4 power management, 01.3 of the pc board: ACPI and SMBus. */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class piix4_pm_class; /* "PIIX4_PM" */

enum {
	PIIX4_PM_BASE = 0x600, /* where SeaBIOS puts the power management ports */
	PIIX4_PM_SIZE = 0x40,
	PIIX4_GPE0_BASE = 0xafe0, /* fixed */
	PIIX4_GPE0_SIZE = 4,      /* status and enable, bytes */
};
