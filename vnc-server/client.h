/* One connection: bytes in and out, from the handshake to the end. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "vnc-server/input.h"
#include "vnc-server/update.h"

struct client;

/* What the connections of a server have in common; outlives them. */
struct client_context {
	struct source *source;
	const struct keymap *keymap;
	GBytes *security_types;
	struct frame frame;
	bool have_frame; /* a client is told the picture's size only when there is one */

	/* A client is behind its handshake (it wants a picture now). */
	void (*active)(struct client_context *context);
	/* A client has begun to be sent what changed, or waits for something to change. */
	void (*served)(struct client_context *context);
	/* The connection is over. Not called from within the functions below; free the client then. */
	void (*closed)(struct client_context *context, struct client *client);
};

/* Takes the connected, non-blocking socket. @name: the peer, for log lines. */
struct client *client_new(struct client_context *context, int fd, const char *name);
void client_free(struct client *client);

/* Whether the handshake is over and the connection is not. */
bool client_is_active(const struct client *client);

/* The context's frame has changed. */
void client_new_picture(struct client *client);
void client_damage(struct client *client, const struct rectangle *areas, guint count);
void client_notice(struct client *client, uint32_t notices);

/* Sends what can be sent now. */
void client_send(struct client *client);
