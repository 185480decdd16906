/* The display bus, server side: org.qemu.Display1 over peer-to-peer D-Bus connections, for the VMM.
 *
 * Objects: /org/qemu/Display1/VM, /org/qemu/Display1/Console_N (with Keyboard, Mouse and MultiTouch). Listeners get
 * shared memory when they name org.qemu.Display1.Listener.Unix.Map among their Interfaces, else pixels in messages.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "display/display.h"

struct bus_server;

struct bus_server *bus_server_new(
	struct display *display, const char *guest_name, const char *guest_uuid);
void bus_server_free(struct bus_server *server);

/* Listens on a UNIX socket; peers of the same user (and root) are let in, up to a number. Where too many have not logged
 * in, the oldest of these make place. False with @error. */
bool bus_server_listen(struct bus_server *server, const char *path, GError **error);

/* Serves one connected socket, taking the descriptor: the peer is whoever holds the other end. Returns at once; a peer
 * that does not authenticate is dropped. Adopted peers are not counted: the caller limits how many there are, and they
 * wait for no other. */
void bus_server_adopt(struct bus_server *server, int fd);
