/* Q35 memory controller hub: the host bridge at 00.0. */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class mch_class;
