/* Keeps a D-Bus connection from filling our memory: GDBus reads and queues without end.
 *
 * A served peer may have so many calls without an answer that it has read; a peer beyond that, or one that sends
 * what nobody serves, loses its connection. On a connection that we depend on, reading stops instead until the main loop
 * has caught up.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>

enum bus_guard_kind {
	BUS_GUARD_SERVE,  /* the peer calls us */
	BUS_GUARD_CALL,   /* we call the peer; it only answers */
	BUS_GUARD_FOLLOW, /* we depend on the peer: it is slowed down, never dropped */
};

struct bus_guard;

/* To be set before message processing starts. The main loop is the thread-default context of the caller. */
struct bus_guard *bus_guard_new(GDBusConnection *connection, enum bus_guard_kind kind);
/* Lets the connection go; it is not closed by this. */
void bus_guard_free(struct bus_guard *guard);

/* Sends a signal, unless the peer has not read the last ones: then it loses its connection. Takes @parameters. */
void bus_guard_signal(struct bus_guard *guard, const char *path, const char *interface,
	const char *name, GVariant *parameters);
