/* Keys by the numbers of Linux input ("evdev"), which XKB and window systems on Linux count in as well, and their qnum: the
 * code of XT scancode set 1, with bit 7 set for those behind an 0xe0 prefix, as the display bus (see display/display.h)
 * and RFB's QEMU extension have it. */
#pragma once

#include <stdint.h>

enum {
	KEYCODES_XKB_OFFSET = 8 /* XKB keeps the first eight numbers for itself */
};

/* The qnum of a Linux input event code, 0 for keys that no PC keyboard has. */
uint8_t keycodes_qnum_from_evdev(uint32_t code);
/* The same by XKB's number of the key: Linux's plus KEYCODES_XKB_OFFSET. */
uint8_t keycodes_qnum_from_xkb(uint32_t keycode);
