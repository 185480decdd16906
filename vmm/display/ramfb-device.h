/* The device "ramfb". */
#pragma once

#include "vmm/device.h"

extern const struct device_class ramfb_class;
