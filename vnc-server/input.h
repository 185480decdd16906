/* What the user of a client does, made into what a guest's devices see.
 *
 * Each client has its own idea of which keys and buttons are down; when it goes, they are released.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vnc-server/keymap.h"
#include "vnc-server/source.h"

/* The input of one client. */
struct input {
	struct source *source;
	const struct keymap *keymap;
	uint8_t down[256 / 8]; /* keys, by qnum */
	uint8_t buttons;       /* as in the last pointer event: bit 0 is button 1 */
	uint16_t x, y;         /* the last position; unset before the first */
	bool position_known;
};

/* What the server knows about the guest's input devices. */
struct input_state {
	uint32_t width, height; /* of the picture */
	bool absolute;
	uint32_t lights; /* enum input_light */
};

void input_init(struct input *input, struct source *source, const struct keymap *keymap);

/* A key by its keysym: looked up in the keymap, with Shift and AltGr put right around it. */
void input_keysym(struct input *input, const struct input_state *state, uint32_t keysym, bool down);
/* A key by its number (QEMU extended key event). Numbers that no key has are ignored. */
void input_keycode(struct input *input, uint32_t keycode, bool down);

/* A pointer event. @motion: the client sends motions rather than positions (QEMU pointer motion change), so that x and y
 * are motions plus POINTER_MOTION_ORIGIN while the guest's pointer is relative. */
void input_pointer(struct input *input, const struct input_state *state, bool motion,
	uint8_t buttons, uint16_t x, uint16_t y);

/* Releases all keys and buttons that are down. */
void input_release(struct input *input);
