/* Whether a serial line's socket has a client already, as the kernel's list of UNIX sockets shows it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* False also when it cannot be known. */
bool line_is_taken(const char *path);

/**
 * unix_table_has_client - the same from the text of /proc/net/unix
 *
 * A connection that the server has accepted is a line with the server's path and the state 03; one that still waits to be
 * accepted has 02, and the listening socket itself 01.
 */
bool unix_table_has_client(const char *table, const char *path);
