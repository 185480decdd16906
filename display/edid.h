/* EDID 1.4 blocks for virtual monitors (VESA E-EDID release A revision 2), with a CTA-861 extension, and a DisplayID
 * extension when there are modes beyond 4095 pixels or 655 MHz. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EDID_SIZE = 384, /* bytes, the most */
};

struct edid_info {
	bool none;                      /* the monitor does not tell of itself: no bytes at all */
	const char *vendor;             /* three capital letters; NULL: "VTR" */
	const char *name;               /* at most 13 characters; NULL: "Vitrine" */
	const char *serial;             /* stable for a head and no other has it; NULL: none */
	uint32_t preferred_width;       /* pixels, 0: 1280 */
	uint32_t preferred_height;      /* pixels, 0: 800 */
	uint32_t max_width, max_height; /* pixels; timings above are left out; 0: no limit */
	uint64_t memory_size;           /* bytes; modes that need more are left out; 0: no limit */
	uint32_t refresh_mhz;           /* millihertz, 0: 75000 */
	uint16_t width_mm, height_mm;   /* 0: from 100 dots an inch */
};

/* Fills @edid; sizes that cannot be expressed are brought into range. Returns how many bytes it has, the rest are zero. */
size_t edid_generate(const struct edid_info *info, uint8_t edid[EDID_SIZE]);

/* The preferred size as edid_generate() says it, pixels. */
void edid_size(const struct edid_info *info, uint32_t *width, uint32_t *height);
