/* A driver of QXL that is just enough to draw many times in a row. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	QXL_WIDTH = 640,
	QXL_HEIGHT = 480,
};

/* Each makes the device's primary surface, QXL_WIDTH by QXL_HEIGHT and black, the first time, then draws @count times and waits
 * until it is all drawn. False when there is no device.
 *
 * Fills squares of 64 pixels, from left to right and down, each in a colour of its own: 0x10101 times its number. */
bool qxl_fill(uint32_t count);
/* Copies an image of 64 by 64 pixels to the same places; its pixels are 0x40000 x plus 0x400 y. */
bool qxl_copy(uint32_t count);
/* Moves the whole picture up by 16 rows. */
bool qxl_scroll(uint32_t count);
/* Back to VGA. */
bool qxl_off(uint32_t count);
