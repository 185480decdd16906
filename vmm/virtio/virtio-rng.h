/* virtio-rng-pci: random numbers for the guest. Specification: virtio 1.2 section 5.4. */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_rng_class;
