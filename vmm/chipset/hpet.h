/* High precision event timers, at 0xfed00000. */
#pragma once

#include "vmm/device.h"

extern const struct device_class hpet_class; /* "hpet" */

enum {
	HPET_ADDRESS = 0xfed00000,
	HPET_SIZE = 0x400,
};

/* What the ACPI table and the firmware are told: the low half of the capabilities register, and the shortest period in
 * ticks that is good for periodic timers. */
uint32_t hpet_block_id(const struct device *hpet);
uint16_t hpet_minimum_ticks(const struct device *hpet);
