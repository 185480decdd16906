/* A UNIX socket that listens: one client at a time, the next waits until it leaves. */
#include "vmm/chardev/chardev-private.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/sockets.h"

static void socket_accept(struct chardev *chardev)
{
	int fd = accept4(chardev->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	chardev_listen(chardev, false);
	chardev_use(chardev, fd, fd);
	chardev_set_open(chardev, true);
}

static void socket_lost(struct chardev *chardev)
{
	chardev_set_open(chardev, false);
	chardev_listen(chardev, true);
}

static bool socket_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	chardev->listener = socket_listen_unix(chardev->path, error);
	if (chardev->listener < 0)
		return false;
	chardev_listen(chardev, true);
	return true;
}

static void socket_close(struct chardev *chardev)
{
	/* Without a listener the file is somebody else's. */
	if (chardev->listener >= 0)
		unlink(chardev->path);
}

static char *socket_filename(const struct chardev *chardev)
{
	return g_strdup_printf("%sunix:%s,server=on",
		chardev_is_open(chardev) ? "" : "disconnected:", chardev->path);
}

const struct chardev_backend chardev_socket = {
	.name = "socket",
	.open = socket_open,
	.close = socket_close,
	.filename = socket_filename,
	.accept = socket_accept,
	.lost = socket_lost,
};
