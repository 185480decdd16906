/* EDID 1.4 blocks for virtual monitors (VESA E-EDID release A revision 2), with a CTA-861 extension. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	EDID_SIZE = 256
};

struct edid_info {
	const char *vendor;             /* three capital letters; NULL: "VTR" */
	const char *name;               /* at most 13 characters; NULL: "Vitrine" */
	const char *serial;             /* at most 13 characters; stable for a head, NULL: none */
	uint32_t preferred_width;       /* pixels, 0: 1280 */
	uint32_t preferred_height;      /* pixels, 0: 800 */
	uint32_t max_width, max_height; /* pixels; timings above are left out */
	uint32_t refresh_mhz;           /* millihertz, 0: 75000 */
	uint16_t width_mm, height_mm;   /* 0: from 100 dots an inch */
};

/* Fills @edid; sizes that EDID cannot express are brought into its range. */
void edid_generate(const struct edid_info *info, uint8_t edid[EDID_SIZE]);
