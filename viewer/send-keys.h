/* Key combinations that the host keeps for itself, to be sent from a menu. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	SEND_KEYS_MAX = 4
};

struct send_key {
	uint32_t keysym;
	uint8_t qnum; /* as in display.h; 0 ends the list */
};

struct send_keys {
	const char *id;    /* for actions: "ctrl-alt-delete" */
	const char *label; /* for people: "Ctrl+Alt+Delete" */
	struct send_key keys[SEND_KEYS_MAX];
};

extern const struct send_keys send_keys_table[];
extern const size_t send_keys_count;

/* NULL: there is none of that id. */
const struct send_keys *send_keys_find(const char *id);
