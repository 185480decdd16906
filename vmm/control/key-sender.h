/* Keys that a command sends: pressed in order, held, and released in reverse order, each a hold time after the other. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/display.h"

enum {
	KEY_SENDER_MAX_KEYS = 16,    /* of one command */
	KEY_SENDER_MAX_QUEUE = 1024, /* presses and releases that wait */
	KEY_SENDER_MAX_HOLD_MS = 10000,
	KEY_SENDER_DEFAULT_HOLD_MS = 100,
};

struct key_sender;

struct key_sender *key_sender_new(struct display *display);
void key_sender_free(struct key_sender *sender); /* releases what is pressed */

/* Behind what waits already. False with @error when too much waits. */
bool key_sender_send(struct key_sender *sender, const uint8_t *qnums, guint count, guint hold_ms,
	GError **error);
