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

/* The source, once, before anything is served; the server owns it from here on. @ended is called when it ended (see
 * struct source_events); all clients are gone then. */
typedef void (*server_ended_func)(void *owner, const GError *reason);
void server_set_source(
	struct server *server, struct source *source, server_ended_func ended, void *owner);

/* Accepts clients on a listening socket and takes its descriptor. */
void server_listen(struct server *server, int fd);
