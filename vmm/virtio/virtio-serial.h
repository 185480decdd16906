/* virtio-serial: a bus of ports between the guest and character devices. Specification: virtio 1.2 section 5.3. */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_serial_class, virtserialport_class, virtconsole_class;
