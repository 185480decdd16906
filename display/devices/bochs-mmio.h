/* BAR 2 of the devices with a Bochs VBE interface: the parts that VGA and bochs-display have alike.
 *
 * Specification: QEMU's "standard VGA" (EDID at 0, VBE registers at 0x500, extended region at 0x600).
 */
#pragma once

#include "display/devices/dispi.h"
#include "display/edid.h"

/* @offset: bytes from the start of BAR 2, @size: 1, 2 or 4 bytes. What nothing answers reads as zero. */
uint32_t bochs_mmio_read(
	const struct dispi *dispi, const uint8_t edid[EDID_SIZE], uint32_t offset, unsigned size);
/* Returns enum dispi_effect bits. */
unsigned bochs_mmio_write(struct dispi *dispi, uint32_t offset, unsigned size, uint32_t value);
