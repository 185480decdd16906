/* A UNIX socket that QMP listens on, and its clients.
 *
 * A client that does not take its answers is not read from, so that only events can pile up for it; past a bound it is cut
 * off. Clients are freed by their own event source alone, never while a message is handed round.
 */
#include "vmm/control/qmp-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sockets.h"

enum {
	READ_SIZE = 4096,
	FDS_AT_ONCE = 16, /* that are taken with one message; the kernel closes others */
};

struct qmp_socket {
	const struct command_context *context;
	char *path;
	int listener;
	guint source;
	GPtrArray *clients; /* of struct qmp_client, owned by their sources */
};

struct qmp_client {
	struct qmp_socket *socket;
	int fd;
	GSource *source;
	void *tag;
	struct qmp_session *session;
	GByteArray *output; /* not taken yet */
	bool gone;
};

struct client_source {
	GSource source;
	struct qmp_client *client;
};

static void cut_off(struct qmp_client *client)
{
	client->gone = true;
	g_source_set_ready_time(client->source, 0);
}

static void flush(struct qmp_client *client)
{
	size_t sent = 0;

	while (sent < client->output->len) {
		ssize_t n = send(client->fd, client->output->data + sent,
			client->output->len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			cut_off(client);
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	if (sent > 0)
		g_byte_array_remove_range(client->output, 0, (guint)sent);
}

static void client_write(void *owner, const char *text, size_t length)
{
	struct qmp_client *client = owner;

	if (client->gone)
		return;
	if (client->output->len + length > QMP_MAX_OUTPUT) {
		log_warning("QMP: a client on %s does not take what it is sent and is cut off",
			client->socket->path);
		cut_off(client);
		return;
	}
	g_byte_array_append(client->output, (const guint8 *)text, (guint)length);
	flush(client);
	/* Its event source then waits for room. */
	if (client->output->len > 0)
		g_source_set_ready_time(client->source, 0);
}

static void take_fds(struct qmp_client *client, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			qmp_session_receive_fd(client->session, fd);
		}
	}
}

/* As recv(), with the descriptors that come along given to the session. */
static ssize_t receive(struct qmp_client *client, void *bytes, size_t size)
{
	struct iovec vector = { bytes, size };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got >= 0)
		take_fds(client, &message);
	return got;
}

static void read_some(struct qmp_client *client)
{
	uint8_t bytes[READ_SIZE];
	ssize_t got = receive(client, bytes, sizeof(bytes));

	if (got > 0)
		qmp_session_receive(client->session, bytes, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		cut_off(client);
}

static void client_free(struct qmp_client *client)
{
	qmp_session_free(client->session);
	g_byte_array_unref(client->output);
	close(client->fd);
	g_free(client);
}

static gboolean client_dispatch(GSource *source, GSourceFunc callback, void *data)
{
	struct qmp_client *client = ((struct client_source *)source)->client;
	GIOCondition seen = g_source_query_unix_fd(source, client->tag);

	g_source_set_ready_time(source, -1);
	flush(client);
	if (client->output->len == 0 && seen & (G_IO_IN | G_IO_HUP | G_IO_ERR))
		read_some(client);
	else if (seen & (G_IO_HUP | G_IO_ERR))
		cut_off(client);
	if (client->gone) {
		g_ptr_array_remove_fast(client->socket->clients, client);
		client_free(client);
		return G_SOURCE_REMOVE;
	}
	g_source_modify_unix_fd(source, client->tag, client->output->len > 0 ? G_IO_OUT : G_IO_IN);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs client_funcs = { .dispatch = client_dispatch };

static void add_client(struct qmp_socket *socket, int fd)
{
	struct qmp_client *client = g_new0(struct qmp_client, 1);

	client->socket = socket;
	client->fd = fd;
	client->output = g_byte_array_new();
	client->source = g_source_new(&client_funcs, sizeof(struct client_source));
	((struct client_source *)client->source)->client = client;
	client->tag = g_source_add_unix_fd(client->source, fd, G_IO_IN);
	g_source_attach(client->source, NULL);
	g_source_unref(client->source); /* the main context holds it */
	g_ptr_array_add(socket->clients, client);
	client->session = qmp_session_new(socket->context, client_write, client);
}

static gboolean accept_client(int listener, GIOCondition condition, void *data)
{
	struct qmp_socket *socket = data;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return G_SOURCE_CONTINUE;
	if (socket->clients->len < QMP_MAX_CLIENTS)
		add_client(socket, fd);
	else
		close(fd);
	return G_SOURCE_CONTINUE;
}

struct qmp_socket *qmp_socket_new(
	const struct command_context *context, const char *path, GError **error)
{
	int fd = socket_listen_unix(path, error);
	struct qmp_socket *socket;

	if (fd < 0)
		return NULL;
	socket = g_new0(struct qmp_socket, 1);
	socket->context = context;
	socket->path = g_strdup(path);
	socket->listener = fd;
	socket->clients = g_ptr_array_new();
	socket->source = g_unix_fd_add(fd, G_IO_IN, accept_client, socket);
	return socket;
}

void qmp_socket_free(struct qmp_socket *socket)
{
	for (guint i = 0; i < socket->clients->len; i++) {
		struct qmp_client *client = g_ptr_array_index(socket->clients, i);

		flush(client);
		g_source_destroy(client->source);
		client_free(client);
	}
	g_ptr_array_unref(socket->clients);
	g_source_remove(socket->source);
	close(socket->listener);
	unlink(socket->path);
	g_free(socket->path);
	g_free(socket);
}

void qmp_socket_tell(struct qmp_socket *socket, JsonNode *event)
{
	for (guint i = 0; i < socket->clients->len; i++) {
		struct qmp_client *client = g_ptr_array_index(socket->clients, i);

		qmp_session_tell(client->session, event);
	}
}
