/* A socket, UNIX or TCP: it listens for one client at a time (the next waits until that leaves), or it connects. Either may
 * be a descriptor that whoever started the program handed over. */
#include "vmm/chardev/chardev-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/sockets.h"

static void socket_accept(struct chardev *chardev, int listener)
{
	int fd;

	if (chardev->in_fd >= 0) /* one that came at another address was first */
		return;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	chardev_listen(chardev, false);
	chardev_link_up(chardev, fd);
}

static void socket_lost(struct chardev *chardev)
{
	chardev_set_open(chardev, false);
	chardev_listen(chardev, true);
	if (!chardev->link->server)
		chardev_link_try_later(chardev);
}

static bool listen_tcp(struct chardev *chardev, GError **error)
{
	g_autoptr(GArray) fds = NULL;

	if (!socket_listen_tcp(chardev->link->host, chardev->link->port, &fds, error))
		return false;
	for (guint i = 0; i < fds->len; i++) {
		int fd = g_array_index(fds, int, i);

		if (chardev->listener_count < CHARDEV_LISTENERS)
			chardev->listeners[chardev->listener_count++] = fd;
		else
			close(fd);
	}
	chardev->link->port = socket_local_port(chardev->listeners[0]);
	return true;
}

static bool listen_unix(struct chardev *chardev, GError **error)
{
	int fd = socket_listen_unix(chardev->path, error);

	if (fd < 0)
		return false;
	chardev->listeners[chardev->listener_count++] = fd;
	chardev->link->owns_path = true;
	return true;
}

/* A descriptor that was handed over: whether it is what server= says. */
static bool use_fd(struct chardev *chardev, int fd, GError **error)
{
	int listens = 0;
	socklen_t length = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0)
		return fail_errno(error, VITRINE_ERROR_INPUT, "fd=%d is not an open socket", fd);
	if (chardev->link->server != (listens != 0))
		return fail(error, VITRINE_ERROR_INPUT, "fd=%d %s, and server=%s says otherwise",
			fd, listens ? "listens" : "does not listen",
			chardev->link->server ? "on" : "off");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (listens)
		chardev->listeners[chardev->listener_count++] = fd;
	else
		chardev_link_up(chardev, fd);
	return true;
}

/* For wait=on. A signal ends it: somebody wants the program to end. */
static bool wait_for_client(struct chardev *chardev, GError **error)
{
	g_autofree char *name = chardev_filename(chardev);
	struct pollfd polled[CHARDEV_LISTENERS];

	log_info("chardev %s: waiting for a connection: %s", chardev->id, name);
	for (unsigned i = 0; i < chardev->listener_count; i++)
		polled[i] = (struct pollfd) { .fd = chardev->listeners[i], .events = POLLIN };
	while (!chardev_is_open(chardev)) {
		if (poll(polled, chardev->listener_count, -1) < 0)
			return fail_errno(error, VITRINE_ERROR_HOST, "no client came");
		for (unsigned i = 0; i < chardev->listener_count; i++) {
			if (polled[i].revents)
				socket_accept(chardev, polled[i].fd);
		}
	}
	return true;
}

static bool open_server(struct chardev *chardev, bool wait, GError **error)
{
	if (chardev->listener_count == 0 &&
		!(chardev->link->host ? listen_tcp : listen_unix)(chardev, error))
		return false;
	chardev_listen(chardev, true);
	return !wait || wait_for_client(chardev, error);
}

static bool open_client(struct chardev *chardev, GError **error)
{
	if (chardev->link->reconnect == 0)
		return chardev_link_connect(chardev, error);
	chardev_link_try(chardev);
	return true;
}

static bool socket_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	struct chardev_link *link = chardev->link = g_new0(struct chardev_link, 1);
	int fd = (int)option_set_number(set, "fd", 0);

	link->server = option_set_bool(set, "server", false);
	if (option_set_get(set, "port"))
		link->host = g_strdup(option_set_get(set, "host") ?: "");
	link->port = (uint16_t)option_set_number(set, "port", 0);
	link->reconnect = (unsigned)option_set_number(set, "reconnect", 0);
	if (fd > 0 && !use_fd(chardev, fd, error))
		return false;
	if (link->server)
		return open_server(chardev, option_set_bool(set, "wait", false), error);
	return fd > 0 || open_client(chardev, error);
}

static void socket_close(struct chardev *chardev)
{
	if (!chardev->link)
		return;
	/* Without a listener of its own the file is somebody else's. */
	if (chardev->link->owns_path)
		unlink(chardev->path);
	g_clear_pointer(&chardev->link, chardev_link_free);
}

static char *socket_filename(const struct chardev *chardev)
{
	const struct chardev_link *link = chardev->link;
	const char *state = chardev_is_open(chardev) ? "" : "disconnected:";
	const char *side = link->server ? ",server=on" : "";

	if (link->host)
		return g_strdup_printf(
			"%stcp:%s:%u%s", state, link->host, (unsigned)link->port, side);
	return g_strdup_printf("%sunix:%s%s", state, chardev->path ? chardev->path : "", side);
}

const struct chardev_backend chardev_socket = {
	.name = "socket",
	.open = socket_open,
	.close = socket_close,
	.filename = socket_filename,
	.accept = socket_accept,
	.lost = socket_lost,
};
