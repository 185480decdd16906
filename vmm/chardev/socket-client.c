/* Sockets that connect: once at the start, or in the background again and again. */
#include "vmm/chardev/chardev-private.h"

#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/error.h"
#include "base/log.h"

enum {
	CONNECT_SECONDS = 10, /* for one attempt */
	MAXIMUM_WARNINGS = 3,
};

void chardev_link_up(struct chardev *chardev, int fd)
{
	int on = 1;

	/* Has no meaning for a UNIX socket, which says so. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	chardev_use(chardev, fd, fd);
	chardev_set_open(chardev, true);
}

static GSocketClient *client_new(void)
{
	GSocketClient *client = g_socket_client_new();

	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_timeout(client, CONNECT_SECONDS);
	return client;
}

static GSocketConnectable *address_of(const struct chardev *chardev)
{
	const struct chardev_link *link = chardev->link;

	return link->host
		       ? g_network_address_new(link->host[0] ? link->host : "localhost", link->port)
		       : G_SOCKET_CONNECTABLE(g_unix_socket_address_new(chardev->path));
}

/* Takes over the descriptor of a connection, and frees that. Returns -1 with @error. */
static int take_fd(GSocketConnection *connection, GError **error)
{
	int fd = fcntl(
		g_socket_get_fd(g_socket_connection_get_socket(connection)), F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		fail_errno(error, VITRINE_ERROR_HOST, "no descriptor is left");
	g_object_unref(connection);
	return fd;
}

bool chardev_link_connect(struct chardev *chardev, GError **error)
{
	g_autoptr(GSocketClient) client = client_new();
	g_autoptr(GSocketConnectable) address = address_of(chardev);
	GSocketConnection *connection = g_socket_client_connect(client, address, NULL, error);
	int fd = connection ? take_fd(connection, error) : -1;

	if (fd < 0) {
		g_prefix_error(error, "cannot connect to %s: ",
			chardev->link->host ? chardev->link->host : chardev->path);
		return false;
	}
	chardev_link_up(chardev, fd);
	return true;
}

/* The chardev may be gone: then the connection was cancelled. */
static void connected(GObject *client, GAsyncResult *result, gpointer data)
{
	struct chardev *chardev = data;
	g_autoptr(GError) error = NULL;
	GSocketConnection *connection =
		g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &error);
	int fd;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	g_clear_object(&chardev->link->connecting);
	fd = connection ? take_fd(connection, &error) : -1;
	if (fd >= 0) {
		chardev_link_up(chardev, fd);
		return;
	}
	log_limited(&chardev->link->warned, MAXIMUM_WARNINGS, "chardev %s: cannot connect: %s",
		chardev->id, error->message);
	chardev_link_try_later(chardev);
}

void chardev_link_try(struct chardev *chardev)
{
	g_autoptr(GSocketClient) client = client_new();
	g_autoptr(GSocketConnectable) address = address_of(chardev);

	chardev->link->connecting = g_cancellable_new();
	g_socket_client_connect_async(
		client, address, chardev->link->connecting, connected, chardev);
}

static gboolean try_again(gpointer data)
{
	struct chardev *chardev = data;

	chardev->link->timer = 0;
	chardev_link_try(chardev);
	return G_SOURCE_REMOVE;
}

void chardev_link_try_later(struct chardev *chardev)
{
	if (chardev->link->reconnect > 0 && chardev->link->timer == 0)
		chardev->link->timer =
			g_timeout_add_seconds(chardev->link->reconnect, try_again, chardev);
}

void chardev_link_free(struct chardev_link *link)
{
	g_clear_handle_id(&link->timer, g_source_remove);
	if (link->connecting)
		g_cancellable_cancel(link->connecting);
	g_clear_object(&link->connecting);
	g_free(link->host);
	g_free(link);
}
