/* The terminal that this program runs in: raw while attached, and as it was found at all other times. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <termios.h>

struct terminal {
	int input, output;
	bool input_is_terminal;
	bool output_is_own; /* @output was opened by us */
	bool raw;
	struct termios found;
};

/* Looks at standard input and output. A terminal or pipe at the output is opened anew, so that it can be written to
 * without waiting and without changing it for those who share it. */
void terminal_open(struct terminal *terminal);
void terminal_close(struct terminal *terminal);

/* Every key goes through as bytes, nothing is echoed. Does nothing when the input is no terminal. */
bool terminal_make_raw(struct terminal *terminal, GError **error);

/* As it was found. Safe to call at any time, also when this process is no longer in the foreground. */
void terminal_restore(struct terminal *terminal);
