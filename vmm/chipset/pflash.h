/* Flash chips right below 4 GiB, for firmware and its variables. */
#pragma once

#include "vmm/device.h"

extern const struct device_class pflash_class;
