/* Timings of monitors, and how EDID and DisplayID write them down. Private to the EDID of display/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TIMING_SMALLEST = 64,      /* pixels: smaller than any screen */
	TIMING_MAX_ACTIVE = 4095,  /* pixels that a descriptor of EDID can say: twelve bits */
	TIMING_MAX_CLOCK = 655350, /* kHz that it can say: sixteen bits of 10 kHz */
	TIMING_DESCRIPTOR_SIZE = 18,
};

struct timing {
	uint32_t width, height; /* active, pixels */
	uint32_t v_blank;       /* lines */
	uint64_t clock;         /* kHz */
};

/* The timing of a size at @refresh millihertz, 1000 at least, by CVT 1.2 with reduced blanking. */
struct timing timing_for(uint32_t width, uint32_t height, uint32_t refresh);

/* Whether a descriptor of EDID can say it. */
bool timing_is_small(const struct timing *timing);
/* The one with the highest refresh not above @refresh whose clock a descriptor can say. */
struct timing timing_within_limits(uint32_t width, uint32_t height, uint32_t refresh);
/* Lines a second, in kHz, rounded up. */
uint32_t timing_line_rate(const struct timing *timing);

/* Section 3.10.2 of E-EDID: eighteen bytes; the timing is small. */
void timing_put_descriptor(
	uint8_t *at, const struct timing *timing, uint32_t width_mm, uint32_t height_mm);

enum {
	TIMING_H_BLANK = 160, /* pixels, of every timing here */
	TIMING_H_FRONT = 48,  /* pixels */
	TIMING_H_SYNC = 32,   /* pixels */
	TIMING_V_FRONT = 3,   /* lines */
	TIMING_V_SYNC = 6,    /* lines */
};
