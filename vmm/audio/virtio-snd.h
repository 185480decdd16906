/* virtio-sound-pci: sound for virtio drivers. Specification: virtio 1.2 section 5.14. */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_snd_class;
