/* The inside of the bus client: the connection and what is found there (bus-client.c), a console that is watched and its
 * input (bus-client-console.c), the pictures that it sends (bus-client-listener.c). */
#pragma once

#include "display/bus-client.h"
#include "display/bus-guard.h"
#include "display/bus-names.h"

/* A console as it was found. */
struct found_console {
	uint32_t id;
	char *path;
	char *label;
	bool graphic;
	bool absolute;
	uint32_t lights;
	uint32_t width, height;      /* pixels; 0 when the peer does not say */
	struct bus_console *watched; /* NULL while nobody watches */
};

struct bus_client {
	const struct bus_client_ops *ops;
	void *owner;
	GCancellable *cancellable;
	GDBusConnection *connection; /* NULL until it is set up */
	struct bus_guard *guard;
	guint signals; /* subscription */
	char *name, *uuid;
	GPtrArray *consoles; /* struct found_console */
	unsigned asking;     /* answers that are awaited before ready() */
	bool ready, ended, freed;
	unsigned references; /* the owner's, and those of answers on their way */
};

/* The connection is over; tells the owner, once. */
void bus_client_end(struct bus_client *client, const GError *reason);

struct bus_client *bus_client_new(const struct bus_client_ops *ops, void *owner);
struct bus_client *bus_client_ref(struct bus_client *client);
void bus_client_unref(struct bus_client *client);
/* Takes @fd and logs in. */
void bus_client_use(struct bus_client *client, int fd);

/* Asks the QMP socket for a connection to the display bus; ends with bus_client_use() or bus_client_end(). False with
 * @error when there is no such socket. */
bool bus_qmp_ask(struct bus_client *client, const char *path, GError **error);

struct bus_console *bus_console_new(struct bus_client *client, struct found_console *found,
	const struct bus_console_ops *ops, void *owner);
/* The client's end of a console; without a word to anyone. */
void bus_console_free(struct bus_console *console);
/* Properties that changed, a{sv}. */
void bus_console_changed(struct bus_console *console, GVariant *changed);

/* The pictures of a console, on a connection of their own. */
struct bus_picture_listener;

struct bus_picture_listener_hooks {
	/* The peer broke the rules; only freeing is left. Called once. */
	void (*failed)(void *data, const GError *reason);
	/* The connection was closed, or did not come about for a reason; restarting is possible. */
	void (*lost)(void *data, const GError *reason);
	/* Bytes came that lie outside the picture: the peer has another one. */
	void (*outgrown)(void *data);
};

/* Takes @fd, one end of a pair. */
struct bus_picture_listener *bus_picture_listener_new(int fd, const struct bus_console_ops *ops,
	void *owner, const struct bus_picture_listener_hooks *hooks, void *data);
/* Goes on with another connection, keeping the picture until a new one comes. Takes @fd. */
void bus_picture_listener_restart(struct bus_picture_listener *listener, int fd);
/* Whether the picture comes as bytes and is of another size. */
bool bus_picture_listener_differs(
	const struct bus_picture_listener *listener, uint32_t width, uint32_t height);
void bus_picture_listener_free(struct bus_picture_listener *listener);
void bus_picture_listener_done(struct bus_picture_listener *listener);
