/* One attachment to a serial line: bytes between the terminal and a UNIX socket, until one side ends. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "console/escape.h"
#include "console/terminal.h"

enum session_end {
	SESSION_LEFT, /* the escape character and a command to leave; or nothing more to send and to wait for */
	SESSION_GONE,    /* the other side closed the line */
	SESSION_STOPPED, /* a signal asks the program to end */
	SESSION_FAILED,
};

struct session {
	int line; /* the connected socket */
	struct escape escape;
	const char *name; /* of what is attached to, for people */
	int idle_seconds; /* end after so long a silence once the input has ended; -1: wait for the other side */
	int signal; /* set with SESSION_STOPPED */
};

/* Blocks the signals that session_run() takes. Before the terminal is touched. */
void session_block_signals(void);

/* Sets the terminal to raw, passes bytes until the end, and restores the terminal. @error with SESSION_FAILED. */
enum session_end session_run(struct session *session, GError **error);
