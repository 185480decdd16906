/* Two named pipes, PATH.in and PATH.out, or one file for both ways. */
#include "vmm/chardev/chardev-private.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

/* For reading and writing, so that it neither waits for the other side nor ends when that leaves. */
static int open_side(const char *path, const char *suffix)
{
	g_autofree char *name = g_strconcat(path, suffix, NULL);

	return open(name, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static bool pipe_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	int in = open_side(chardev->path, ".in");
	int out = open_side(chardev->path, ".out");

	if (in < 0 || out < 0) {
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
		in = out = open_side(chardev->path, "");
	}
	if (in < 0)
		return fail_errno(error, VITRINE_ERROR_HOST,
			"cannot open %s.in and %s.out (made with mkfifo), nor %s", chardev->path,
			chardev->path, chardev->path);
	chardev_use(chardev, in, out);
	chardev_set_open(chardev, true);
	return true;
}

const struct chardev_backend chardev_pipe = { .name = "pipe", .open = pipe_open };
