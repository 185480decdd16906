/* What the screen shows: one of several pictures, each drawn once and then moved tick by tick. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

/* What the pictures show of the world outside them. */
struct world {
	/* Ticks that pictures have been drawn for since the start. */
	uint32_t frames;
	struct time_of_day now;
	/* Pointer in pixels, buttons as in ps2.h, wheel steps and keys so far. */
	int x, y, wheel;
	unsigned buttons;
	uint32_t keys;
	/* What was typed last, and the scancode of the last key. */
	char typed[41];
	uint16_t code;
};

struct picture {
	const char *name;
	/* Draws all of it; the screen's mode may have changed since. */
	void (*start)(const struct world *world);
	/* Draws and shows what is different from the last time; NULL where nothing ever moves. */
	void (*step)(const struct world *world);
	/* The pointer is drawn on top. */
	bool pointer;
	/* Lives in the VGA's text mode. */
	bool text;
};

extern const struct picture picture_scene, picture_still, picture_fill, picture_scroll,
	picture_text;
extern const struct picture picture_pattern, picture_colour;

/* The colour that picture_colour fills the screen with. */
extern uint32_t picture_colour_value;
