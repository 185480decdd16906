/* The PCI device "virtio-gpu-pci". */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_gpu_pci_class;
