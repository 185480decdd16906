/* From the key of a keyboard to the number that guests know it by, independent of what is printed on it. */
#pragma once

#include <stdint.h>

/* Which numbers the window system has for keys. */
enum keymap_kind {
	KEYMAP_EVDEV,   /* Linux's input event codes plus 8: X11 and Wayland on Linux */
	KEYMAP_XFREE86, /* old X servers and some VNC desktops */
};

/* Told by the number of the Up key, which differs between the two. */
enum keymap_kind keymap_kind_of(uint32_t up_keycode);

/**
 * keymap_qnum - the guest's number of a key
 * @keycode: the window system's
 *
 * Returns the code of XT scancode set 1, with bit 7 set for those behind an 0xe0 prefix, as the display bus and QEMU's VNC
 * extension have it; 0 for keys that no PC keyboard has.
 */
uint8_t keymap_qnum(enum keymap_kind kind, uint32_t keycode);
