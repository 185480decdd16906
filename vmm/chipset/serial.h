/* Serial port with a 16550A UART. */
#pragma once

#include "vmm/device.h"

/* "isa-serial". Without a chardev property it takes the board's serial[index]. */
extern const struct device_class isa_serial_class;
