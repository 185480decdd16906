/* The arrow that follows the mouse. It is drawn on the display only, never into the picture. */
#pragma once

#include <stdbool.h>

enum {
	POINTER_WIDTH = 12,
	POINTER_HEIGHT = 19,
};

/* Draws the arrow with its tip at a place; filled with another colour while a button is held. */
void pointer_draw(int x, int y, bool pressed);
