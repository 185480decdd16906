/* From keycodes to qnum, where the window system may count keys in the old way. */
#include "viewer/keymap.h"

#include <stddef.h>

#include "display/keycodes.h"

enum {
	EVDEV_UP = 111,
	XFREE86_FIRST = 97, /* below, both kinds agree */
};

/* From XFREE86_FIRST on. */
static const uint8_t from_xfree86[] = {
	0xc7, /* Home */
	0xc8, /* Up */
	0xc9, /* Page Up */
	0xcb, /* Left */
	0x4c, /* Begin, the keypad's 5 */
	0xcd, /* Right */
	0xcf, /* End */
	0xd0, /* Down */
	0xd1, /* Page Down */
	0xd2, /* Insert */
	0xd3, /* Delete */
	0x9c, /* the keypad's Enter */
	0x9d, /* right Control */
	0xc6, /* Pause */
	0x54, /* Print */
	0xb5, /* the keypad's slash */
	0xb8, /* right Alt */
	0xc6, /* Break */
	0xdb, /* left Windows key */
	0xdc, /* right Windows key */
	0xdd, /* Menu */
};

enum keymap_kind keymap_kind_of(uint32_t up_keycode)
{
	return up_keycode == 0 || up_keycode == EVDEV_UP ? KEYMAP_EVDEV : KEYMAP_XFREE86;
}

uint8_t keymap_qnum(enum keymap_kind kind, uint32_t keycode)
{
	if (kind == KEYMAP_EVDEV || keycode < XFREE86_FIRST)
		return keycodes_qnum_from_xkb(keycode);
	if (keycode - XFREE86_FIRST >= sizeof(from_xfree86))
		return 0;
	return from_xfree86[keycode - XFREE86_FIRST];
}
