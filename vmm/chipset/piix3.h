/* PIIX3, 01.0 of the pc board: ISA bridge, PCI interrupt routing, reset control. */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class piix3_class; /* "PIIX3" */

enum {
	PIIX3_PIRQS = 4, /* PIRQA..PIRQD are 0..3 */
};

/* The level of a PIRQ: it goes to the line that the guest routed it to. With the lock. */
void piix3_set_pirq(struct device *piix3, unsigned pirq, bool level);
