/* BAR 2 of the devices with a Bochs VBE interface. */
#include "display/devices/bochs-mmio.h"

#include <glib.h>
#include <string.h>

enum {
	MMIO_DISPI = 0x500,
	MMIO_DISPI_END = MMIO_DISPI + 2 * DISPI_READABLE,
	MMIO_EXTENDED = 0x600, /* the size of the extended region, then the byte order of pixels */
	MMIO_EXTENDED_SIZE = 8,
	MMIO_BYTE_ORDER = 0x604,
};

static const uint32_t little_endian = 0x1e1e1e1e;
static const uint32_t big_endian = 0xbebebebe;

static bool is_dispi(uint32_t offset, unsigned size)
{
	return offset >= MMIO_DISPI && offset + size <= MMIO_DISPI_END;
}

static bool is_extended(uint32_t offset, unsigned size)
{
	return offset >= MMIO_EXTENDED && offset + size <= MMIO_EXTENDED + MMIO_EXTENDED_SIZE;
}

static uint32_t extended_read(const struct dispi *dispi, uint32_t offset, unsigned size)
{
	uint64_t order = dispi->big_endian ? big_endian : little_endian;
	uint64_t region = MMIO_EXTENDED_SIZE | order << 32;
	uint32_t mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;

	return region >> 8 * offset & mask;
}

uint32_t bochs_mmio_read(
	const struct dispi *dispi, const uint8_t edid[EDID_SIZE], uint32_t offset, unsigned size)
{
	uint32_t value = 0;

	if (offset + size <= EDID_SIZE) {
		memcpy(&value, edid + offset, size);
		return GUINT32_FROM_LE(value);
	}
	if (is_dispi(offset, size))
		return dispi_mmio_read(dispi, offset - MMIO_DISPI, size);
	if (is_extended(offset, size))
		return extended_read(dispi, offset - MMIO_EXTENDED, size);
	return 0;
}

unsigned bochs_mmio_write(struct dispi *dispi, uint32_t offset, unsigned size, uint32_t value)
{
	if (is_dispi(offset, size))
		return dispi_mmio_write(dispi, offset - MMIO_DISPI, size, value);
	if (offset != MMIO_BYTE_ORDER || (value != little_endian && value != big_endian))
		return DISPI_NOTHING;
	dispi->big_endian = value == big_endian;
	return DISPI_CHANGED;
}
