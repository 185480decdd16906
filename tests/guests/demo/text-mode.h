/* The VGA's text mode of 80 by 25 characters. */
#pragma once

#include <stdint.h>

enum {
	TEXT_COLUMNS = 80,
	TEXT_ROWS = 25,
};

/* Sets the mode, with the characters of @font (256 of 16 bytes), and clears the screen. */
void text_mode_set(const uint8_t *font);

/* Writes @text at a place, cut at the row's end; the attribute is the VGA's: paper in the high
 * half, ink in the low. */
void text_mode_write(unsigned column, unsigned row, uint8_t attribute, const char *text);

void text_mode_cursor(unsigned column, unsigned row);
