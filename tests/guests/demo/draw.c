/* Drawing into the screen's picture: rectangles, blends, characters. */
#include "draw.h"

#include "screen.h"

const uint8_t *draw_font;

uint32_t draw_mix(uint32_t under, uint32_t over, unsigned share)
{
	uint32_t red_blue = ((under & 0xff00ff) * (256 - share) + (over & 0xff00ff) * share) >> 8;
	uint32_t green = ((under & 0x00ff00) * (256 - share) + (over & 0x00ff00) * share) >> 8;

	return (red_blue & 0xff00ff) | (green & 0x00ff00);
}

void draw_pixel(int x, int y, uint32_t colour)
{
	if (x >= 0 && y >= 0 && x < (int)screen.width && y < (int)screen.height)
		screen.back[(uint64_t)y * screen.width + (uint64_t)x] = colour;
}

void draw_blend(int x, int y, int width, int height, uint32_t colour, unsigned share)
{
	int right = x + width, bottom = y + height;

	x = x < 0 ? 0 : x;
	y = y < 0 ? 0 : y;
	right = right > (int)screen.width ? (int)screen.width : right;
	bottom = bottom > (int)screen.height ? (int)screen.height : bottom;
	for (; y < bottom; y++) {
		uint32_t *row = screen.back + (uint64_t)y * screen.width;

		for (int i = x; i < right; i++)
			row[i] = share == 256 ? colour : draw_mix(row[i], colour, share);
	}
}

void draw_fill(int x, int y, int width, int height, uint32_t colour)
{
	draw_blend(x, y, width, height, colour, 256);
}

void draw_frame(int x, int y, int width, int height, uint32_t colour)
{
	draw_fill(x, y, width, 1, colour);
	draw_fill(x, y + height - 1, width, 1, colour);
	draw_fill(x, y + 1, 1, height - 2, colour);
	draw_fill(x + width - 1, y + 1, 1, height - 2, colour);
}

void draw_text(int x, int y, const char *text, int scale, uint32_t top, uint32_t bottom)
{
	for (; *text; text++, x += FONT_WIDTH * scale) {
		const uint8_t *glyph = draw_font + (uint8_t)*text * FONT_HEIGHT;

		for (int row = 0; row < FONT_HEIGHT; row++) {
			uint32_t colour =
				draw_mix(top, bottom, (unsigned)row * 256 / (FONT_HEIGHT - 1));

			for (int column = 0; column < FONT_WIDTH; column++)
				if (glyph[row] & 0x80 >> column)
					draw_fill(x + column * scale, y + row * scale, scale, scale,
						colour);
		}
	}
}

/* Bhaskara's approximation, good to 2 in 1000. */
int draw_sine(int angle)
{
	int x = angle & 511;
	int product = x * (512 - x);
	int value = (int)(65536LL * product / (5 * 512 * 512 - 4 * product));

	return angle & 512 ? -value : value;
}
