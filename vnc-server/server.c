/* The server: listening sockets, clients, and the frame that they are shown.
 *
 * The source is watched only while a client is there: an idle server costs its guest nothing.
 */
#include "vnc-server/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "vnc-server/client.h"
#include "vnc-server/fd-watch.h"
#include "vnc-server/limits.h"
#include "vnc-server/listen.h"
#include "vnc-server/placeholder.h"

struct listener {
	struct server *server;
	int fd;
	struct fd_watch *watch;
};

struct server {
	struct client_context context; /* first: the clients' callbacks get it */
	GPtrArray *clients;
	GPtrArray *listeners;
	struct encode_cache *cache;
	struct placeholder *placeholder; /* shown while the source has no picture */
	char *name;
	bool name_fixed;
	bool watching;
	bool unserved_damage; /* the source waits for its done() */
	unsigned refused_lines, accept_lines;

	const struct server_ops *ops;
	void *owner;
};

static void for_each_client(struct server *server, void (*function)(struct client *client))
{
	for (guint i = 0; i < server->clients->len; i++)
		function(server->clients->pdata[i]);
}

static guint active_clients(const struct server *server)
{
	guint count = 0;

	for (guint i = 0; i < server->clients->len; i++)
		count += client_is_active(server->clients->pdata[i]);
	return count;
}

/* The picture's memory may only be read while the source is watched. */
static void forget_picture(struct server *server)
{
	server->context.have_frame = false;
	server->context.frame.picture = (struct picture) { 0 };
	encode_cache_forget(server->cache);
}

static void review_clients(struct server *server)
{
	guint active = active_clients(server);
	struct source *source = server->context.source;

	/* With one client there is nobody to share with. */
	server->context.frame.cache = active > 1 ? server->cache : NULL;
	if (!source || (active > 0) == server->watching)
		return;
	server->watching = active > 0;
	server->unserved_damage = false;
	if (!server->watching)
		forget_picture(server);
	source->class->watch(source, server->watching);
}

static void on_active(struct client_context *context)
{
	review_clients((struct server *)context);
}

static void on_served(struct client_context *context)
{
	struct server *server = (struct server *)context;

	if (!server->unserved_damage)
		return;
	server->unserved_damage = false;
	context->source->class->done(context->source);
}

static void on_closed(struct client_context *context, struct client *client)
{
	struct server *server = (struct server *)context;

	g_ptr_array_remove_fast(server->clients, client);
	review_clients(server);
}

static void on_picture(void *owner, const struct picture *picture)
{
	struct server *server = owner;
	struct frame *frame = &server->context.frame;

	encode_cache_forget(server->cache);
	server->unserved_damage = false;
	if (!server->watching)
		return;
	if (picture)
		frame->picture = *picture;
	else
		frame->picture = *placeholder_picture(server->placeholder);
	server->context.have_frame = true;
	for_each_client(server, client_new_picture);
}

static void on_damage(void *owner, const struct rectangle *areas, guint count)
{
	struct server *server = owner;

	encode_cache_forget(server->cache);
	server->unserved_damage = true;
	for (guint i = 0; i < server->clients->len; i++)
		client_damage(server->clients->pdata[i], areas, count);
	for_each_client(server, client_send);
}

static void notice(struct server *server, uint32_t notices)
{
	for (guint i = 0; i < server->clients->len; i++)
		client_notice(server->clients->pdata[i], notices);
}

static void on_cursor(void *owner, struct cursor *cursor)
{
	struct server *server = owner;
	struct frame *frame = &server->context.frame;

	g_clear_pointer(&frame->cursor, cursor_unref);
	frame->cursor = cursor ? cursor_ref(cursor) : NULL;
	frame->cursor_known = frame->cursor_known || cursor;
	notice(server, NOTICE_CURSOR);
}

static void on_pointer_kind(void *owner, bool absolute)
{
	struct server *server = owner;

	server->context.frame.pointer_absolute = absolute;
	notice(server, NOTICE_POINTER);
}

static void on_lights(void *owner, uint32_t lights)
{
	struct server *server = owner;

	server->context.frame.lights = lights;
	notice(server, NOTICE_LIGHTS);
}

static void set_name(struct server *server, const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	const char *end;

	if (strlen(valid) > LIMIT_NAME) {
		end = g_utf8_find_prev_char(valid, valid + LIMIT_NAME + 1);
		valid[end - valid] = '\0';
	}
	g_free(server->name);
	server->name = g_steal_pointer(&valid);
	server->context.frame.name = server->name;
}

static void on_name(void *owner, const char *name)
{
	struct server *server = owner;

	if (server->name_fixed)
		return;
	set_name(server, name);
	notice(server, NOTICE_NAME);
}

static void on_ready(void *owner)
{
	struct server *server = owner;

	server->ops->ready(server->owner);
}

static void on_ended(void *owner, const GError *reason)
{
	struct server *server = owner;

	g_ptr_array_set_size(server->clients, 0);
	forget_picture(server);
	server->watching = false;
	server->ops->ended(server->owner, reason);
}

const struct source_events server_source_events = {
	.ready = on_ready,
	.picture = on_picture,
	.damage = on_damage,
	.cursor = on_cursor,
	.pointer_kind = on_pointer_kind,
	.lights = on_lights,
	.name = on_name,
	.ended = on_ended,
};

static void tune(int fd)
{
	int on = 1;

	/* Only TCP has these; on a UNIX socket they fail without harm. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	/* What waits in the kernel is late: a newer picture could be sent in its place. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int) { LIMIT_QUEUE }, sizeof(int));
}

/* Without descriptors or memory a client cannot be accepted, and stays in the queue: to be tried again later. */
static void rest(struct listener *listener, int number)
{
	log_limited(&listener->server->accept_lines, LIMIT_LOG_LINES, "cannot accept a client: %s",
		g_strerror(number));
	fd_watch_set_conditions(listener->watch, 0);
	fd_watch_set_time(listener->watch, g_get_monotonic_time() + G_USEC_PER_SEC);
}

static void on_connection(void *owner, GIOCondition ready)
{
	struct listener *listener = owner;
	struct server *server = listener->server;
	g_autofree char *name = NULL;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	fd_watch_set_conditions(listener->watch, G_IO_IN);
	fd_watch_set_time(listener->watch, -1);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			rest(listener, errno);
		return;
	}
	name = listen_peer_name(fd);
	if (server->clients->len >= LIMIT_CLIENTS) {
		log_limited(&server->refused_lines, LIMIT_LOG_LINES,
			"%s: refused: %d clients are connected already", name, LIMIT_CLIENTS);
		close(fd);
		return;
	}
	tune(fd);
	g_ptr_array_add(server->clients, client_new(&server->context, fd, name));
}

static void listener_free(void *data)
{
	struct listener *listener = data;

	fd_watch_free(listener->watch);
	close(listener->fd);
	g_free(listener);
}

void server_listen(struct server *server, int fd)
{
	struct listener *listener = g_new0(struct listener, 1);

	listener->server = server;
	listener->fd = fd;
	listener->watch = fd_watch_new(fd, on_connection, listener);
	g_ptr_array_add(server->listeners, listener);
}

struct server *server_new(const char *name, const struct keymap *keymap)
{
	struct server *server = g_new0(struct server, 1);
	static const uint8_t security_types[] = { SECURITY_NONE };

	server->context.keymap = keymap;
	server->context.security_types = g_bytes_new_static(security_types, sizeof(security_types));
	server->context.active = on_active;
	server->context.served = on_served;
	server->context.closed = on_closed;
	server->context.frame.pointer_absolute = true;
	server->clients = g_ptr_array_new_with_free_func((GDestroyNotify)client_free);
	server->listeners = g_ptr_array_new_with_free_func(listener_free);
	server->cache = encode_cache_new();
	server->placeholder = placeholder_new("THE GUEST SHOWS NO PICTURE");
	server->name_fixed = name != NULL;
	set_name(server, name ? name : "Vitrine");
	return server;
}

void server_set_source(
	struct server *server, struct source *source, const struct server_ops *ops, void *owner)
{
	server->context.source = source;
	server->ops = ops;
	server->owner = owner;
	review_clients(server);
}

void server_free(struct server *server)
{
	struct source *source = server->context.source;

	g_ptr_array_unref(server->listeners);
	g_ptr_array_unref(server->clients);
	if (source)
		source->class->free(source);
	g_clear_pointer(&server->context.frame.cursor, cursor_unref);
	encode_cache_free(server->cache);
	placeholder_free(server->placeholder);
	g_bytes_unref(server->context.security_types);
	g_free(server->name);
	g_free(server);
}
