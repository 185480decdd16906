/* The server: listening sockets, clients, and the frame that they are shown. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vnc-server/keymap.h"
#include "vnc-server/source.h"

struct server;

/* @name: the desktop's name, or NULL for what the source says; copied. @keymap outlives the server. */
struct server *server_new(const char *name, const struct keymap *keymap);
void server_free(struct server *server);

/* What a source is to be made with; @owner is the server. */
extern const struct source_events server_source_events;

/* What the source's beginning and end (see struct source_events) mean to the server's owner. */
struct server_ops {
	void (*ready)(void *owner);                       /* now is the time for server_listen() */
	void (*ended)(void *owner, const GError *reason); /* all clients are gone */
};

/* The source, once, before anything is served; the server owns it from here on. */
void server_set_source(
	struct server *server, struct source *source, const struct server_ops *ops, void *owner);

/* Accepts clients on a listening socket and takes its descriptor. */
void server_listen(struct server *server, int fd);
