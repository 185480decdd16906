/* The PCI device "virtio-vga". */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_vga_class;
