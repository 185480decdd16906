/* Listening and connected sockets by file descriptor, all close-on-exec. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * socket_listen_unix - listen on a UNIX socket
 * @path: where; at most 107 bytes. A socket file that nobody listens on any more is replaced; a live one, or any other
 * kind of file, is an error.
 *
 * The socket file is readable and writable by its owner only. Returns the descriptor or -1 with @error.
 */
int socket_listen_unix(const char *path, GError **error);

/* Connects to a UNIX socket. Returns the descriptor or -1 with @error. */
int socket_connect_unix(const char *path, GError **error);

/**
 * socket_listen_tcp - listen on every address that a host name stands for
 * @host: a name or a numeric address; empty or "*" for all addresses
 * @port: 1..65535, or 0 for a free one
 * @fds: set to an array of int, owned by the caller
 *
 * Returns false with @error when it can listen on none of them.
 */
bool socket_listen_tcp(const char *host, uint16_t port, GArray **fds, GError **error);

/* Two connected stream sockets; false with @error. */
bool socket_pair(int fds[2], GError **error);

/* The port a listening or connected TCP socket is bound to, 0 for other sockets. */
uint16_t socket_local_port(int fd);

struct sockaddr;

/* Whether only processes of this machine can reach an address: that of a UNIX socket, or one of the loopback interface. */
bool socket_address_is_local(const struct sockaddr *address);

/* The same for the address that a socket listens on. */
bool socket_is_local(int fd);
