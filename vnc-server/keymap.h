/* From keysyms, which name what a key means, to key numbers, which name where it is: by the guest's keyboard layout.
 *
 * The layouts are those of the host's XKB data; a keymap is compiled once, before the server locks itself down.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct key {
	uint32_t keysym;
	uint8_t qnum;
	bool character; /* makes a character, so that its modifiers matter */
	bool letter;    /* has an upper and a lower case, so that Caps Lock matters */
	bool shift, alt_gr;
	bool keypad;   /* means something else depending on Num Lock: */
	bool num_lock; /* on for this keysym */
};

struct keymap {
	GHashTable *keys; /* keysym to struct key */
	bool has_alt_gr;
};

/**
 * keymap_new - compile a keyboard layout
 * @layout: an XKB layout such as "de", one of its variants such as "de(nodeadkeys)", or a name that QEMU's -k takes, such
 *	as "en-us" or "de-ch"
 *
 * Returns NULL with @error when there is no such layout.
 */
struct keymap *keymap_new(const char *layout, GError **error);
void keymap_free(struct keymap *keymap);

/* The key for a keysym, in any of the forms that name the same character; NULL when the layout has none. */
const struct key *keymap_find(const struct keymap *keymap, uint32_t keysym);
