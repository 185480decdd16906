/* Draws a picture when the first serial port says which, and says there when it stands.
 *
 * A letter chooses: 'A' the first picture, and so on; the answer is a line with its name, or "?".
 */
#include "guest.h"

#include <stddef.h>

enum {
	COM1 = 0x3f8,
	LINE_STATUS = COM1 + 5,
	DATA_READY = 1 << 0,
	ROOM = 1 << 5,
	FIRST = 'A',
};

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(in8(LINE_STATUS) & ROOM))
			;
		out8(COM1, *text);
	}
}

static const struct picture *choose(unsigned number)
{
	static const struct picture *const all[] = { text_pictures, graphics_pictures,
		vbe_pictures };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const struct picture *picture = all[i]; picture->name; picture++)
			if (number-- == 0)
				return picture;
	return NULL;
}

/* The timer's interrupt wakes it 18 times a second. */
static uint8_t wait_byte(void)
{
	while (!(in8(LINE_STATUS) & DATA_READY))
		__asm__ volatile("sti\n\thlt");
	return in8(COM1);
}

void hide_cursor(void)
{
	bios(0x0100, 0, 0x2000, 0);
}

void set_colour(uint8_t index, uint8_t red, uint8_t green, uint8_t blue)
{
	out8(0x3c8, index);
	out8(0x3c9, red);
	out8(0x3c9, green);
	out8(0x3c9, blue);
}

int main(void)
{
	say("VGA modes\n");
	for (;;) {
		const struct picture *picture = choose(wait_byte() - FIRST);

		if (picture)
			picture->draw();
		say(picture ? picture->name : "?");
		say("\n");
	}
}
