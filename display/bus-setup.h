/* How a connected socket becomes a D-Bus connection, for both sides of the bus. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* @connection is a new reference with message processing still delayed, or NULL with @error. */
typedef void (*bus_setup_func)(GDBusConnection *connection, const GError *error, void *owner);

/**
 * bus_setup - authenticate on a socket, asynchronously
 * @fd: a connected UNIX socket; taken
 * @server: whether we are the authenticating server
 * @cancellable: ends the attempt; @done is then not called any more
 *
 * Gives up after BUS_SETUP_SECONDS; meanwhile it takes a thread, so callers limit how many attempts there are for whom
 * they do not trust. Attempts do not wait for each other. @done is called from the thread-default main context, never from within.
 */
void bus_setup(int fd, bool server, GCancellable *cancellable, bus_setup_func done, void *owner);
