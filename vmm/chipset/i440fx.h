/* i440FX host bridge, 00.0 of the pc board. */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class i440fx_class; /* "i440FX" */
