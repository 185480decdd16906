/* How one gets onto the display bus of a QEMU that was started with -display dbus,p2p=on: a socket is handed over on its
 * QMP socket (getfd), and then made a client of the display (add_client).
 *
 * Specification: QEMU's QMP specification, section "Protocol"; its QAPI reference for the commands.
 */
#include <errno.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sockets.h"
#include "display/bus-client-private.h"

enum {
	LINE_MOST = 64 << 10, /* bytes of one answer */
};

/* What is said, each when the last was answered; the first follows the greeting. */
static const struct {
	const char *text;
	bool with_socket;
} commands[] = {
	{ "{\"execute\":\"qmp_capabilities\"}\n", false },
	{ "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"vitrine-display\"}}\n", true },
	{ "{\"execute\":\"add_client\",\"arguments\":{\"protocol\":\"@dbus-display\","
	  "\"fdname\":\"vitrine-display\"}}\n",
		false },
};

struct qmp {
	struct bus_client *client;
	int fd;
	int pair[2]; /* ours, QEMU's; -1 when given away */
	GSource *input, *deadline;
	GString *line;
	guint next; /* command */
	bool greeted;
};

static void stop(GSource *source)
{
	if (!source)
		return;
	g_source_destroy(source);
	g_source_unref(source);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void qmp_free(struct qmp *qmp)
{
	stop(qmp->input);
	stop(qmp->deadline);
	close_if_open(qmp->fd);
	close_if_open(qmp->pair[0]);
	close_if_open(qmp->pair[1]);
	g_string_free(qmp->line, TRUE);
	bus_client_unref(qmp->client);
	g_free(qmp);
}

static bool say_next(struct qmp *qmp, GError **error)
{
	const char *text = commands[qmp->next].text;
	struct iovec bytes = { .iov_base = (char *)text, .iov_len = strlen(text) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (commands[qmp->next].with_socket) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &qmp->pair[1], sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
	}
	qmp->next++;
	/* A few bytes on an idle socket: they fit, or something is wrong. */
	if (sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)strlen(text))
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot talk to the QMP socket");
	return true;
}

/* Acts on one line; *@over when the last command was answered. */
static bool hear(struct qmp *qmp, const char *line, bool *over, GError **error)
{
	g_autoptr(JsonNode) node = json_from_string(line, NULL);
	JsonObject *object =
		node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

	if (!object)
		return fail(error, VITRINE_ERROR_INPUT, "the QMP socket sent no JSON object");
	if (json_object_has_member(object, "error"))
		return fail(error, VITRINE_ERROR_STATE,
			"QEMU refuses its display: is it started with -display dbus,p2p=on?");
	if (json_object_has_member(object, "QMP") && !qmp->greeted)
		qmp->greeted = true;
	else if (!qmp->greeted || !json_object_has_member(object, "return"))
		return true; /* an event */
	*over = qmp->next == G_N_ELEMENTS(commands);
	return *over || say_next(qmp, error);
}

static bool hear_lines(struct qmp *qmp, bool *over, GError **error)
{
	char *end;

	while (!*over && (end = strchr(qmp->line->str, '\n'))) {
		g_autofree char *line = g_strndup(qmp->line->str, end - qmp->line->str);

		g_string_erase(qmp->line, 0, end - qmp->line->str + 1);
		if (!hear(qmp, line, over, error))
			return false;
	}
	if (qmp->line->len > LINE_MOST)
		return fail(error, VITRINE_ERROR_INPUT,
			"the QMP socket sent a line of more than %d bytes", LINE_MOST);
	return true;
}

static bool receive(struct qmp *qmp, GError **error)
{
	char bytes[4096];
	ssize_t length = recv(qmp->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (length < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot read from the QMP socket");
	if (length == 0)
		return fail(error, VITRINE_ERROR_STATE, "the QMP socket was closed");
	g_string_append_len(qmp->line, bytes, length);
	return true;
}

static gboolean readable(int fd, GIOCondition condition, gpointer data)
{
	struct qmp *qmp = data;
	struct bus_client *client = qmp->client;
	g_autoptr(GError) error = NULL;
	bool over = false;

	if (client->freed || client->ended) {
		qmp_free(qmp);
		return G_SOURCE_REMOVE;
	}
	if (!receive(qmp, &error) || !hear_lines(qmp, &over, &error)) {
		bus_client_end(client, error);
		qmp_free(qmp);
		return G_SOURCE_REMOVE;
	}
	if (!over)
		return G_SOURCE_CONTINUE;
	bus_client_use(client, qmp->pair[0]);
	qmp->pair[0] = -1;
	qmp_free(qmp);
	return G_SOURCE_REMOVE;
}

static gboolean too_late(gpointer data)
{
	struct qmp *qmp = data;
	g_autoptr(GError) error = NULL;

	fail(&error, VITRINE_ERROR_STATE,
		"the QMP socket does not answer: somebody else may be connected to it");
	bus_client_end(qmp->client, error);
	qmp_free(qmp);
	return G_SOURCE_REMOVE;
}

bool bus_qmp_ask(struct bus_client *client, const char *path, GError **error)
{
	g_autoptr(GMainContext) context = g_main_context_ref_thread_default();
	struct qmp *qmp;
	int pair[2];
	int fd = socket_connect_unix(path, error);

	if (fd < 0)
		return false;
	if (!socket_pair(pair, error)) {
		close(fd);
		return false;
	}
	qmp = g_new0(struct qmp, 1);
	qmp->client = bus_client_ref(client);
	qmp->fd = fd;
	qmp->pair[0] = pair[0];
	qmp->pair[1] = pair[1];
	qmp->line = g_string_new(NULL);
	qmp->input = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(qmp->input, G_SOURCE_FUNC(readable), qmp, NULL);
	g_source_attach(qmp->input, context);
	qmp->deadline = g_timeout_source_new_seconds(BUS_SETUP_SECONDS);
	g_source_set_callback(qmp->deadline, too_late, qmp, NULL);
	g_source_attach(qmp->deadline, context);
	return true;
}
