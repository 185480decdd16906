/* A disk on USB. */
#pragma once

#include "vmm/device.h"

extern const struct device_class usb_storage_class;
