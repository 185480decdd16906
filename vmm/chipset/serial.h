/* Serial port with a 16550A UART. */
#pragma once

#include "vmm/device.h"

/* "isa-serial". Without a chardev property it takes the board's serial[index]. */
extern const struct device_class isa_serial_class;

/* Where a realized device of this class is. */
void isa_serial_place(const struct device *device, uint16_t *port, uint8_t *irq);
