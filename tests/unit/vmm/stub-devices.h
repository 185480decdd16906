/* The device behind the stub table: one member for each type of property. */
#pragma once

#include "vmm/device.h"

struct stub_device {
	struct device device;
	char *drive, *chardev, *addr;
	bool enabled;
	uint16_t queues;
	uint8_t octet;
	uint64_t memory;
	uint32_t colour;
};
