/* virtio-scsi-pci: a SCSI host bus adapter. Specification: virtio 1.2 section 5.6. */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_scsi_class;
