/* The escape character: how a person at a raw terminal speaks to this program rather than to the guest.
 *
 * The escape character and one more character are a command; the escape character twice sends it once.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ESCAPE_OFF = -1
};

enum escape_action {
	ESCAPE_NONE,
	ESCAPE_LEAVE,
	ESCAPE_HELP,
	ESCAPE_SUSPEND,
	ESCAPE_UNKNOWN, /* the escape character with something that is no command */
};

struct escape {
	int character; /* 0..127, or ESCAPE_OFF: all bytes are the guest's */
	bool pending;  /* the last byte was the escape character */
};

/* "^]" (any of ^@ to ^_), one printable ASCII character, or "none". */
bool escape_parse(const char *text, struct escape *escape, GError **error);

/* How a person types it: "Ctrl-]"; to be freed. */
char *escape_name(const struct escape *escape);

/**
 * escape_scan - split what was typed into what is for the guest and what is for this program
 * @typed: @length bytes
 * @out: what is for the guest is appended
 * @action: set to the command met, or ESCAPE_NONE
 *
 * Stops behind a command. Returns how many bytes were used: @length unless a command came first.
 */
size_t escape_scan(struct escape *escape, const uint8_t *typed, size_t length, GByteArray *out,
	enum escape_action *action);
