/* The DisplayID extension of an EDID: timings with more pixels or a faster clock than EDID's own descriptors can say.
 * Private to the EDID of display/.
 */
#pragma once

#include "display/edid-timing.h"

enum {
	DISPLAYID_BLOCK_SIZE = 128,
	DISPLAYID_MAX_ACTIVE = 16384, /* pixels: the largest scanout */
	DISPLAYID_TIMINGS_MOST = 3,
};

struct displayid {
	uint8_t vendor[3]; /* letters */
	uint16_t product;
	uint32_t serial;
	uint8_t week;
	uint16_t year;
	uint32_t width_mm, height_mm;
	struct timing timings[DISPLAYID_TIMINGS_MOST]; /* the first is the preferred one */
	unsigned count;                                /* of them, 1 at least */
};

void displayid_put_block(uint8_t block[DISPLAYID_BLOCK_SIZE], const struct displayid *id);

/* Makes the sum of @size bytes zero by the last one. */
void edid_seal(uint8_t *block, size_t size);
