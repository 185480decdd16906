/* The arrow that follows the mouse. */
#include "pointer.h"

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

static struct {
	bool shown, pressed;
	int x, y;
} pointer;

void pointer_place(int x, int y, bool pressed)
{
	pointer.shown = true;
	pointer.pressed = pressed;
	pointer.x = x;
	pointer.y = y;
}

void pointer_hide(void)
{
	pointer.shown = false;
}

bool pointer_crosses(int y)
{
	return pointer.shown && y >= pointer.y && y < pointer.y + POINTER_HEIGHT;
}

static uint32_t colour_of(char part)
{
	if (part == '#')
		return 0x000000;
	return pointer.pressed ? 0xff7a5c : 0xffffff;
}

void pointer_compose(int x, int y, uint32_t *pixels, int count)
{
	if (!pointer_crosses(y))
		return;
	for (int column = 0; column < POINTER_WIDTH; column++) {
		char part = arrow[y - pointer.y][column];
		int at = pointer.x + column - x;

		if (part != ' ' && at >= 0 && at < count)
			pixels[at] = colour_of(part);
	}
}
