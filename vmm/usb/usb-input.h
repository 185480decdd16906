/* Keyboard, mouse and tablet on USB. */
#pragma once

#include "vmm/device.h"

extern const struct device_class usb_keyboard_class, usb_mouse_class, usb_tablet_class;
