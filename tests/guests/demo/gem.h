/* The cut stone that turns in the scene. */
#pragma once

#include <stdint.h>

enum {
	GEM_SIZE_MAX = 320,
};

/* Draws the stone, turned by @angle (1024 to the turn), into the screen's picture.
 *
 * @size is the side of the square that it stays in, at most GEM_SIZE_MAX; @under has that square's
 * pixels as they are without it, row by row.
 */
void gem_draw(int x, int y, int size, int angle, const uint32_t *under);
