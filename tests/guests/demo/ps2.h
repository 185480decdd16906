/* PS/2 keyboard and mouse behind the i8042 controller. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ps2_event {
	enum {
		PS2_NONE,
		PS2_KEY,
		PS2_MOUSE,
	} kind;
	/* Scancode of set 1, 0xe0nn for the extended ones, 0xe11d for pause; the character it
	 * means, or 0. */
	uint16_t code;
	bool down;
	char character;
	/* Movement to the right and downwards, buttons (1 left, 2 right, 4 middle), wheel steps
	 * towards the user. */
	int x, y, wheel;
	unsigned buttons;
};

struct ps2_found {
	bool keyboard, mouse, wheel;
};

/* Starts controller, keyboard and mouse; says which of them answered. */
struct ps2_found ps2_start(void);

/* The next event; of kind PS2_NONE when there is none. */
struct ps2_event ps2_read(void);

/* Asks the controller to reset the processor. */
void ps2_reset_processor(void);
