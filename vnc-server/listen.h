/* Where clients come in: UNIX sockets and the loopback interface.
 *
 * A client need not prove who it is, so it must not come from another machine: every other address is refused.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * listen_open - listen where an option says
 * @address: "HOST:PORT" (an IPv6 address in brackets; port 0 is any free one) or "unix:PATH"
 * @fds: array of int; the listening sockets are appended, more than one if the host has several addresses
 */
bool listen_open(const char *address, GArray *fds, GError **error);

/* Checks an inherited descriptor: a listening stream socket where clients may come in. */
bool listen_check(int fd, GError **error);

/* "127.0.0.1:5900", "[::1]:5900" or "unix:PATH": where a socket listens. */
char *listen_name(int fd);

/* The path of a listening UNIX socket that has one, else NULL. */
char *listen_unix_path(int fd);

/* The other end of a connected socket, for log lines. */
char *listen_peer_name(int fd);
