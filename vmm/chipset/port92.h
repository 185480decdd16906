/* System control port A (0x92): the fast ways to A20 and to reset. */
#pragma once

#include "vmm/device.h"

extern const struct device_class port92_class; /* "port92" */
