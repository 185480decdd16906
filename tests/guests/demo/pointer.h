/* The arrow that follows the mouse. It is never drawn into the picture: whatever of the picture is
 * put on the display has the arrow in it already, so that no moment without it is seen. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	POINTER_WIDTH = 12,
	POINTER_HEIGHT = 19,
};

/* Where the arrow's tip is from now on; it is filled with another colour while a button is held.
 * What is on the display changes when that part of it is shown again. */
void pointer_place(int x, int y, bool pressed);
void pointer_hide(void);

/* Whether the arrow lies on a row of the screen. */
bool pointer_crosses(int y);

/* Puts the arrow over pixels that go to row @y of the screen, from column @x on. */
void pointer_compose(int x, int y, uint32_t *pixels, int count);
