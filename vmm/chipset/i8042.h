/* PS/2 keyboard controller with its keyboard and its mouse: ports 0x60 and 0x64, IRQ 1 and 12. */
#pragma once

#include "vmm/device.h"

extern const struct device_class
	i8042_class; /* "i8042"; takes the keys and the pointer of the machine's display */
