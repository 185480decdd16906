/* Key numbers: from those of Linux input to qnum.
 *
 * Up to F12, Linux took its numbers from the scancodes of set 1, so both are the same; behind it they are a table.
 */
#include "vnc-server/keycodes.h"

#include <linux/input-event-codes.h>
#include <stddef.h>

#include <glib.h>

static const uint8_t qnums[] = {
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
	[KEY_HANGEUL] = 0xf2,
	[KEY_HANJA] = 0xf1,
	[KEY_YEN] = 0x7d,
	[KEY_LEFTMETA] = 0xdb,
	[KEY_RIGHTMETA] = 0xdc,
	[KEY_COMPOSE] = 0xdd,
};

uint8_t keycodes_qnum_from_evdev(uint32_t code)
{
	if (code <= KEY_KPDOT || (code >= KEY_102ND && code <= KEY_F12))
		return code;
	return code < G_N_ELEMENTS(qnums) ? qnums[code] : 0;
}
