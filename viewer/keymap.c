/* From keycodes to XT scancodes: tables. Linux's input event codes: linux/input-event-codes.h. */
#include "viewer/keymap.h"

#include <linux/input-event-codes.h>
#include <stddef.h>

enum {
	KEYCODE_OFFSET = 8, /* X keeps the first eight numbers for itself */
	EVDEV_UP = 111,
	XFREE86_FIRST = 97, /* below, both kinds agree */
};

/* Up to the keypad's full stop, and for F11, F12 and the key beside the left shift, Linux took the XT numbers over. */
static const uint8_t from_evdev[256] = {
	[KEY_ZENKAKUHANKAKU] = 0x76,
	[KEY_102ND] = 0x56,
	[KEY_F11] = 0x57,
	[KEY_F12] = 0x58,
	[KEY_RO] = 0x73,
	[KEY_KATAKANA] = 0x78,
	[KEY_HIRAGANA] = 0x77,
	[KEY_HENKAN] = 0x79,
	[KEY_KATAKANAHIRAGANA] = 0x70,
	[KEY_MUHENKAN] = 0x7b,
	[KEY_KPJPCOMMA] = 0x5c,
	[KEY_KPENTER] = 0x9c,
	[KEY_RIGHTCTRL] = 0x9d,
	[KEY_KPSLASH] = 0xb5,
	[KEY_SYSRQ] = 0x54,
	[KEY_RIGHTALT] = 0xb8,
	[KEY_HOME] = 0xc7,
	[KEY_UP] = 0xc8,
	[KEY_PAGEUP] = 0xc9,
	[KEY_LEFT] = 0xcb,
	[KEY_RIGHT] = 0xcd,
	[KEY_END] = 0xcf,
	[KEY_DOWN] = 0xd0,
	[KEY_PAGEDOWN] = 0xd1,
	[KEY_INSERT] = 0xd2,
	[KEY_DELETE] = 0xd3,
	[KEY_MUTE] = 0xa0,
	[KEY_VOLUMEDOWN] = 0xae,
	[KEY_VOLUMEUP] = 0xb0,
	[KEY_POWER] = 0xde,
	[KEY_KPEQUAL] = 0x59,
	[KEY_PAUSE] = 0xc6,
	[KEY_KPCOMMA] = 0x7e,
	[KEY_HANGEUL] = 0x72,
	[KEY_HANJA] = 0x71,
	[KEY_YEN] = 0x7d,
	[KEY_LEFTMETA] = 0xdb,
	[KEY_RIGHTMETA] = 0xdc,
	[KEY_COMPOSE] = 0xdd,
	[KEY_CALC] = 0xa1,
	[KEY_SLEEP] = 0xdf,
	[KEY_WAKEUP] = 0xe3,
	[KEY_MAIL] = 0xec,
	[KEY_BOOKMARKS] = 0xe6,
	[KEY_COMPUTER] = 0xeb,
	[KEY_BACK] = 0xea,
	[KEY_FORWARD] = 0xe9,
	[KEY_NEXTSONG] = 0x99,
	[KEY_PLAYPAUSE] = 0xa2,
	[KEY_PREVIOUSSONG] = 0x90,
	[KEY_STOPCD] = 0xa4,
	[KEY_HOMEPAGE] = 0xb2,
	[KEY_REFRESH] = 0xe7,
	[KEY_F13] = 0x5d,
	[KEY_F14] = 0x5e,
	[KEY_F15] = 0x5f,
	[KEY_SEARCH] = 0xe5,
	[KEY_MEDIA] = 0xed,
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
	uint32_t code = keycode - KEYCODE_OFFSET;

	if (keycode <= KEYCODE_OFFSET)
		return 0;
	if (code <= KEY_KPDOT || code == KEY_F11 || code == KEY_F12 || code == KEY_102ND)
		return code;
	if (kind == KEYMAP_XFREE86) {
		if (keycode < XFREE86_FIRST || keycode - XFREE86_FIRST >= sizeof(from_xfree86))
			return 0;
		return from_xfree86[keycode - XFREE86_FIRST];
	}
	return code < sizeof(from_evdev) ? from_evdev[code] : 0;
}
