/* ICH9 SMBus controller, 1f.3 of the q35 board. */
#pragma once

#include "vmm/pci/pci.h"

extern const struct device_class ich9_smbus_class; /* "ICH9-SMB" */
