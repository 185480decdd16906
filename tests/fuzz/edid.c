/* EDID: monitors as properties and viewers wish for them, and reads of what comes out through BAR 2. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/reader.h"
#include "display/devices/bochs-mmio.h"
#include "display/edid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	BLOCK = 128,
	TEXT_MOST = 40,
	STEPS_MOST = 256,
};

static void check_sum(const uint8_t *bytes, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += bytes[i];
	if (sum != 0)
		abort();
}

static void check_timing(const uint8_t *at)
{
	unsigned width = at[2] | at[4] >> 4 << 8;
	unsigned height = at[5] | at[7] >> 4 << 8;

	if (at[0] == 0 && at[1] == 0)
		return;
	if (width < 64 || height < 64)
		abort();
}

static void check_edid(const uint8_t *edid, size_t length)
{
	if (length != (edid[126] + 1u) * BLOCK || length > EDID_SIZE)
		abort();
	for (size_t block = 0; block < length; block += BLOCK)
		check_sum(edid + block, BLOCK);
	for (size_t at = 54; at < 126; at += 18)
		check_timing(edid + at);
	if (length == 3 * BLOCK)
		check_sum(edid + 2 * BLOCK + 1, BLOCK - 2);
	for (size_t at = length; at < EDID_SIZE; at++)
		if (edid[at] != 0)
			abort();
}

static char *text(struct reader *in)
{
	uint8_t bytes[TEXT_MOST + 1] = { 0 };

	reader_copy(in, bytes, reader_u8(in) % TEXT_MOST);
	return g_strdup((const char *)bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_from(data, size);
	struct edid_info info = {
		.preferred_width = reader_u32(&in),
		.preferred_height = reader_u32(&in),
		.max_width = reader_u32(&in),
		.max_height = reader_u32(&in),
		.refresh_mhz = reader_u32(&in),
		.memory_size = reader_u64(&in),
		.width_mm = reader_u16(&in),
		.height_mm = reader_u16(&in),
	};
	g_autofree char *vendor = text(&in);
	g_autofree char *name = text(&in);
	g_autofree char *serial = text(&in);
	uint8_t edid[EDID_SIZE] = { 0 };
	struct dispi dispi;
	size_t length;

	info.vendor = vendor;
	info.name = name;
	info.serial = serial;
	length = edid_generate(&info, edid);
	check_edid(edid, length);
	dispi_init(&dispi, DISPI_FULL, 1024 * 1024);
	for (unsigned i = 0; i < STEPS_MOST && reader_left(&in) > 0; i++) {
		unsigned width = 1u << reader_u8(&in) % 3;
		uint32_t offset = reader_u16(&in) % 4096 / width * width;
		uint32_t value = bochs_mmio_read(&dispi, edid, offset, width);

		for (unsigned at = 0; at < width && offset + width <= EDID_SIZE; at++)
			if ((value >> 8 * at & 0xff) != edid[offset + at])
				abort();
		bochs_mmio_write(&dispi, offset, width, reader_u32(&in));
	}
	return 0;
}
