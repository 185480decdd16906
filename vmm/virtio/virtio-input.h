/* virtio-input: keyboards, pointers and touch screens that speak the events of Linux. Specification: virtio 1.2 section 5.8. */
#pragma once

#include "vmm/device.h"

extern const struct device_class virtio_keyboard_class, virtio_mouse_class, virtio_tablet_class,
	virtio_multitouch_class;
