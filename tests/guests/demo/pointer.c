/* The arrow that follows the mouse. */
#include "pointer.h"

#include <stdint.h>

#include "screen.h"

/* '#' is the edge, '.' the inside, a blank lets the picture through. */
static const char arrow[POINTER_HEIGHT][POINTER_WIDTH + 1] = {
	"#           ",
	"##          ",
	"#.#         ",
	"#..#        ",
	"#...#       ",
	"#....#      ",
	"#.....#     ",
	"#......#    ",
	"#.......#   ",
	"#........#  ",
	"#.........# ",
	"#......#####",
	"#...#..#    ",
	"#..##..#    ",
	"#.# #...#   ",
	"##   #..#   ",
	"#    #...#  ",
	"      #..#  ",
	"      ###   ",
};

static uint32_t colour_of(char part, bool pressed)
{
	if (part == '#')
		return 0x000000;
	return pressed ? 0xff7a5c : 0xffffff;
}

void pointer_draw(int x, int y, bool pressed)
{
	for (int row = 0; row < POINTER_HEIGHT && y + row < (int)screen.height; row++)
		for (int column = 0; column < POINTER_WIDTH && x + column < (int)screen.width;
			column++) {
			uint64_t at = (uint64_t)(y + row) * screen.width + (uint64_t)(x + column);

			if (arrow[row][column] != ' ')
				screen.front[at] = colour_of(arrow[row][column], pressed);
		}
}
