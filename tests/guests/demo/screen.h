/* The screen: a display found on the PCI bus, its modes, and a picture in memory that is copied
 * to it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot-params.h"

struct screen {
	/* Pixels; both 0 while the screen is off or in text mode. Pixels are 0x00rrggbb, rows
	 * follow each other. */
	uint32_t width, height;
	uint32_t *back;
	uint32_t *front;
	/* What was found: "VGA", "bochs-display" or "none", its memory in bytes and where that
	 * is. */
	const char *name;
	uint32_t memory, memory_bytes;
	/* There is a VGA behind it, so text mode can be had. */
	bool has_text;
};

extern struct screen screen;

void screen_find(const struct boot *boot);

/* Sets a mode of 32 bits a pixel; false with a line that says why not, and the mode of before
 * kept. */
bool screen_set(uint32_t width, uint32_t height, char *why, uint32_t why_size);

/* Ends the linear mode. */
void screen_off(void);

/* Copies a part of the picture to the display, the pointer on top; what lies outside the screen is
 * left out. */
void screen_show(int x, int y, int width, int height);
