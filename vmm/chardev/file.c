/* A file that everything is written to. It gives no input. */
#include "vmm/chardev/chardev-private.h"

#include <fcntl.h>

#include "base/error.h"

static bool file_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	int how = option_set_bool(set, "append", false) ? O_APPEND : O_TRUNC;
	int fd = open(
		chardev->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | how, 0600);

	if (fd < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot open %s", chardev->path);
	chardev_use(chardev, -1, fd);
	chardev_set_open(chardev, true);
	return true;
}

const struct chardev_backend chardev_file = { .name = "file", .open = file_open };
