/* The inside of the bus server: peers and the VM object (bus-server.c), consoles (bus-server-console.c) and the
 * listeners that were handed over (bus-server-listener.c), and the guest's sound (bus-server-audio.c). Everything on the main
 * loop. */
#pragma once

#include "display/bus-guard.h"
#include "display/bus-names.h"
#include "display/bus-server.h"
#include "display/head.h"

enum {
	LISTENERS_MOST = 64,           /* of one guest */
	LISTENERS_OF_PEER_MOST = 16,   /* so that one peer leaves some for others */
	LISTENERS_LOGGING_IN_MOST = 3, /* of one peer for one console: each takes a thread */
};

/* A connection that objects are served on, and what it holds down. */
struct bus_peer {
	struct bus_server *server;
	uint64_t id; /* never used again */
	bool called; /* came by the listening socket: not trusted to log in, and counted */
	GDBusConnection *connection; /* NULL until it is set up */
	GCancellable *cancellable;
	struct bus_guard *guard;
	guint vm_registration, root_registration, audio_registration;
	uint8_t keys[256 / 8];
	uint32_t buttons; /* bit N: enum input_button N */
	uint32_t fingers; /* bit N: slot N of the touch screen */
};

/* A head as an object. */
struct server_console {
	struct bus_server *server;
	struct head *head;
	uint32_t id;
	char *path;
	GArray *registrations; /* struct console_registration */
	/* As the peers know it. */
	uint32_t width, height, lights, slots;
	bool absolute;
};

struct bus_server {
	struct display *display;
	char *name, *uuid;
	GPtrArray *peers;           /* struct bus_peer, in the order in which they came */
	GPtrArray *consoles;        /* struct server_console */
	GPtrArray *listeners;       /* struct bus_listener */
	GPtrArray *audio_listeners; /* of bus-server-audio.c */
	uint32_t next_console_id;
	uint64_t next_peer_id;
	GSource *accepting;
	int listening_fd; /* -1 while there is none */
	char *path;
	unsigned complaints;
};

struct bus_listener;

/* The peer that a call came from; NULL when it is already being dropped. */
struct bus_peer *bus_server_peer(struct bus_server *server, GDBusConnection *connection);

struct server_console *server_console_new(struct bus_server *server, struct head *head);
void server_console_free(struct server_console *console);
void server_console_serve(struct server_console *console, struct bus_peer *peer);
void server_console_leave(struct server_console *console, struct bus_peer *peer);
/* The interfaces of a console with their properties, a{sa{sv}}, and their names alone, as. */
GVariant *server_console_interfaces(struct server_console *console);
GVariant *server_console_interface_names(void);
/* Tells the peers what changed since they were last told. */
void server_console_tell(struct server_console *console);

/* How many listeners a peer has handed over, and how many of those for @head are still logging in. */
unsigned bus_listener_count(
	struct bus_server *server, uint64_t peer_id, const struct head *head, unsigned *logging_in);
/* Takes @fd. Adds itself to the server's listeners; goes on when the peer that handed it over is gone. */
void bus_listener_start(struct bus_server *server, struct head *head, uint64_t peer_id, int fd);
void bus_listener_drop(struct bus_listener *listener, const char *reason);
struct head *bus_listener_head(const struct bus_listener *listener);

/* The Audio object for a peer: its registration. */
guint server_audio_serve(struct bus_server *server, GDBusConnection *connection);
/* Its interface with its properties, a{sa{sv}}. */
GVariant *server_audio_interfaces(void);
void server_audio_drop_listeners(struct bus_server *server);
