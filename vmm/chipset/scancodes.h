/* Keyboard scan codes: set 1 (what PC software reads), set 2 (what keyboards send) and set 3. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Longest sequence that one key makes in any set, bytes: Pause. */
enum {
	SCANCODE_MAX = 8
};

/* What a keyboard controller that translates makes of a byte of set 2, other than the 0xf0 before a release. */
uint8_t scancode_translate(uint8_t byte);

/**
 * scancode_sequence - what a keyboard sends when a key goes down or up
 * @set: 1, 2 or 3
 * @qnum: set 1 code, bit 7 set for codes behind an 0xe0 prefix
 * @bytes: filled with the sequence
 *
 * Returns its length, 0 when the key sends nothing.
 */
unsigned scancode_sequence(unsigned set, uint8_t qnum, bool down, uint8_t bytes[SCANCODE_MAX]);
