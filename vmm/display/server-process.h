/* A display server as a child process: started with its listening sockets and a connection to the display bus, watched,
 * and started again when it dies. The guest does not notice.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/bus-server.h"

struct server_process;

struct server_address {
	const char *host; /* NULL for a UNIX socket */
	uint16_t port;
	const char *path;
};

/**
 * server_process_new - open the sockets and start the server
 * @program: its name, e.g. "vitrine-vnc"; found beside this program, or where it was installed
 * @guest_name: shown to clients
 * @addresses: where it listens; at least one
 * @keymap: layout of the clients' keyboards, "de"; NULL: the server's default
 *
 * The sockets stay open here as long as the guest lives, so a server that is started again has the same addresses and loses
 * no client that is just connecting. Returns NULL with @error.
 */
struct server_process *server_process_new(struct bus_server *bus, const char *program,
	const char *guest_name, const struct server_address *addresses, unsigned count,
	const char *keymap, GError **error);

/* Ends the server and removes its socket files. */
void server_process_free(struct server_process *server);

/* Path of a program of this project: beside the running one, in the build tree, or installed. To be freed; NULL with
 * @error. */
char *server_program_find(const char *program, GError **error);
