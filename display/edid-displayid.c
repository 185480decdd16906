/* DisplayID: one section that fills an extension block, of what the base block says as well and of timings.
 *
 * Specification: VESA DisplayID 1.3, sections 2 (section), 4.1 (product), 4.2 (parameters), 4.4.1 (detailed timings,
 * type I), 4.11 (interface).
 */
#include "display/edid-displayid.h"

#include <glib.h>
#include <string.h>

enum {
	EXTENSION_TAG = 0x70,
	VERSION = 0x12,
	PAYLOAD = 121, /* bytes of data blocks */
	PRODUCT_STANDALONE = 3,
	BLOCK_PRODUCT = 0x00,
	BLOCK_PARAMETERS = 0x01,
	BLOCK_TIMINGS = 0x03,
	BLOCK_INTERFACE = 0x0f,
	BLOCK_HEADER = 3, /* bytes: tag, revision, length */
	TIMING_SIZE = 20, /* bytes */
	TIMING_PREFERRED = 1 << 7,
	TIMING_RATIO_UNDEFINED = 8,
	TIMING_POSITIVE = 1 << 15,
	INTERFACE_DISPLAYPORT = 0x94, /* four lanes */
	DEPTH_8 = 1 << 1,             /* bits of a colour on the interface */
	DEPTHS_8 = 0x77, /* bits of a colour less one, of the interface and of the panel */
	GAMMA = 120,     /* 2.2 */
};

static void put_le16(uint8_t *at, uint16_t value)
{
	at[0] = value & 0xff;
	at[1] = value >> 8;
}

static uint8_t *put_header(uint8_t *at, uint8_t tag, uint8_t length)
{
	at[0] = tag;
	at[1] = 0; /* revision */
	at[2] = length;
	return at + BLOCK_HEADER;
}

static uint8_t *put_product(uint8_t *at, const struct displayid *id)
{
	at = put_header(at, BLOCK_PRODUCT, 12);
	memcpy(at, id->vendor, sizeof(id->vendor));
	put_le16(at + 3, id->product);
	put_le16(at + 5, id->serial & 0xffff);
	put_le16(at + 7, id->serial >> 16);
	at[9] = id->week;
	at[10] = id->year - 2000;
	at[11] = 0; /* characters of a name, which the base block has */
	return at + 12;
}

static uint8_t *put_parameters(uint8_t *at, const struct displayid *id)
{
	const struct timing *native = &id->timings[0];
	uint32_t longer = MAX(native->width, native->height);
	uint32_t shorter = MIN(native->width, native->height);

	at = put_header(at, BLOCK_PARAMETERS, 12);
	put_le16(at, MIN(id->width_mm * 10, UINT16_MAX));
	put_le16(at + 2, MIN(id->height_mm * 10, UINT16_MAX));
	put_le16(at + 4, native->width);
	put_le16(at + 6, native->height);
	at[8] = 0; /* features */
	at[9] = GAMMA;
	at[10] = MIN(longer * 100 / shorter - 100, UINT8_MAX);
	at[11] = DEPTHS_8;
	return at + 12;
}

static uint8_t *put_interface(uint8_t *at)
{
	at = put_header(at, BLOCK_INTERFACE, 10);
	at[0] = INTERFACE_DISPLAYPORT;
	at[1] = 0x11; /* version */
	at[2] = DEPTH_8;
	return at + 10;
}

/* Every number is less one. */
static void put_timing(uint8_t *at, const struct timing *timing, bool preferred)
{
	uint32_t clock = timing->clock / 10 - 1;

	put_le16(at, clock & 0xffff);
	at[2] = clock >> 16;
	at[3] = (preferred ? TIMING_PREFERRED : 0) | TIMING_RATIO_UNDEFINED;
	put_le16(at + 4, timing->width - 1);
	put_le16(at + 6, TIMING_H_BLANK - 1);
	put_le16(at + 8, (TIMING_H_FRONT - 1) | TIMING_POSITIVE);
	put_le16(at + 10, TIMING_H_SYNC - 1);
	put_le16(at + 12, timing->height - 1);
	put_le16(at + 14, timing->v_blank - 1);
	put_le16(at + 16, TIMING_V_FRONT - 1);
	put_le16(at + 18, TIMING_V_SYNC - 1);
}

static void put_timings(uint8_t *at, const struct displayid *id)
{
	at = put_header(at, BLOCK_TIMINGS, id->count * TIMING_SIZE);
	for (unsigned i = 0; i < id->count; i++)
		put_timing(at + i * TIMING_SIZE, &id->timings[i], i == 0);
}

void displayid_put_block(uint8_t block[DISPLAYID_BLOCK_SIZE], const struct displayid *id)
{
	uint8_t *at = block + 5;

	memset(block, 0, DISPLAYID_BLOCK_SIZE);
	block[0] = EXTENSION_TAG;
	block[1] = VERSION;
	block[2] = PAYLOAD;
	block[3] = PRODUCT_STANDALONE;
	at = put_product(at, id);
	at = put_parameters(at, id);
	at = put_interface(at);
	put_timings(at, id);
	edid_seal(block + 1, 4 + PAYLOAD + 1);
	edid_seal(block, DISPLAYID_BLOCK_SIZE);
}

void edid_seal(uint8_t *block, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size - 1; i++)
		sum += block[i];
	block[size - 1] = -sum;
}
