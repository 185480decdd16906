/* Timings of monitors: from a size and a refresh to the numbers of EDID's detailed timing descriptors.
 *
 * Specification: VESA CVT 1.2, section 5.4 (reduced blanking); VESA E-EDID release A revision 2, section 3.10.2.
 */
#include "display/edid-timing.h"

#include <glib.h>

enum {
	TIMING_MIN_CLOCK = 10000, /* kHz: slower ones are taken for something else */
	MAX_V_BLANK = 4095,       /* lines */

	/* CVT reduced blanking, version 1 */
	RB_MIN_V_BLANK = 460, /* microseconds */
	RB_MIN_V_BACK = 6,    /* lines */
};

struct timing timing_for(uint32_t width, uint32_t height, uint32_t refresh)
{
	struct timing timing = { .width = width, .height = height };
	uint64_t frame_ns = 1000000000000ull / refresh;
	uint64_t blank_ns = RB_MIN_V_BLANK * 1000ull;
	uint64_t line_ns = frame_ns > blank_ns ? (frame_ns - blank_ns) / height : 0;
	uint64_t lines = line_ns > 0 ? blank_ns / line_ns + 1 : 0;
	uint64_t clock;

	timing.v_blank = CLAMP(lines, TIMING_V_FRONT + TIMING_V_SYNC + RB_MIN_V_BACK, MAX_V_BLANK);
	clock = (uint64_t)(width + TIMING_H_BLANK) * (height + timing.v_blank) * refresh / 1000000;
	timing.clock = MAX(clock, TIMING_MIN_CLOCK);
	return timing;
}

bool timing_is_small(const struct timing *timing)
{
	return timing->width <= TIMING_MAX_ACTIVE && timing->height <= TIMING_MAX_ACTIVE &&
	       timing->clock <= TIMING_MAX_CLOCK;
}

struct timing timing_within_limits(uint32_t width, uint32_t height, uint32_t refresh)
{
	struct timing timing = timing_for(width, height, refresh);

	while (timing.clock > TIMING_MAX_CLOCK && refresh > 1000) {
		refresh -= refresh / 8;
		timing = timing_for(width, height, refresh);
	}
	timing.clock = MIN(timing.clock, TIMING_MAX_CLOCK);
	return timing;
}

uint32_t timing_line_rate(const struct timing *timing)
{
	return timing->clock / (timing->width + TIMING_H_BLANK) + 1;
}

void timing_put_descriptor(
	uint8_t *at, const struct timing *timing, uint32_t width_mm, uint32_t height_mm)
{
	uint32_t v_blank = timing->v_blank;
	uint32_t clock = timing->clock / 10;

	at[0] = clock & 0xff;
	at[1] = clock >> 8;
	at[2] = timing->width & 0xff;
	at[3] = TIMING_H_BLANK & 0xff;
	at[4] = (timing->width >> 8) << 4 | TIMING_H_BLANK >> 8;
	at[5] = timing->height & 0xff;
	at[6] = v_blank & 0xff;
	at[7] = (timing->height >> 8) << 4 | v_blank >> 8;
	at[8] = TIMING_H_FRONT;
	at[9] = TIMING_H_SYNC;
	at[10] = TIMING_V_FRONT << 4 | TIMING_V_SYNC;
	at[11] = 0;
	at[12] = width_mm & 0xff;
	at[13] = height_mm & 0xff;
	at[14] = (width_mm >> 8 & 0xf) << 4 | (height_mm >> 8 & 0xf);
	at[17] = 0x1a; /* digital separate sync, horizontal positive, vertical negative */
}
