/* virtio-blk-pci: a disk. Specification: virtio 1.2 section 5.2. */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_blk_class;
