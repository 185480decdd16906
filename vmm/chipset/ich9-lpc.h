/* ICH9 LPC bridge, 1f.0 of the Q35: interrupt routing, power management, reset control. */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class ich9_lpc_class; /* "ICH9-LPC" */

enum {
	ICH9_PIRQS = 8, /* PIRQA..PIRQH are 0..7 */
	ICH9_FIRST_PIRQ_GSI = 16,
	ICH9_PM_BASE =
		0x600, /* where SeaBIOS puts the power management ports, and the FADT says they are */
	ICH9_PORT_RESET = 0xcf9,
};

/* The level of a PIRQ: it goes to its own input of the I/O APIC, and to the line of the PIC that the guest routed it to.
 * With the lock. */
void ich9_set_pirq(struct device *lpc, unsigned pirq, bool level);

/* Which PIRQ a pin (0..3 for INTA..INTD) of a slot from 25 to 31 is wired to, as the guest set it. */
unsigned ich9_slot_pirq(const struct device *lpc, unsigned slot, unsigned pin);
