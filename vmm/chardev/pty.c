/* A pseudo-terminal: programs such as screen open its other side, whose name is told at the start.
 *
 * The other side is kept open here too, so that it is there between two programs, and what was written meanwhile is not
 * lost. So nobody can say whether somebody has it open: it counts as open always.
 */
#include "vmm/chardev/chardev-private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

static int open_other_side(int fd, char **name)
{
	char path[64];
	struct termios mode;
	int other;

	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, path, sizeof(path)) != 0)
		return -1;
	other = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (other < 0)
		return -1;
	/* No echo: the guest's output would come back to it as input. */
	if (tcgetattr(other, &mode) == 0) {
		cfmakeraw(&mode);
		tcsetattr(other, TCSANOW, &mode);
	}
	*name = g_strdup(path);
	return other;
}

static bool pty_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int other = fd < 0 ? -1 : open_other_side(fd, &chardev->path);

	if (other < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot open a pseudo-terminal");
		if (fd >= 0)
			close(fd);
		return false;
	}
	chardev->other_side = other;
	chardev_use(chardev, fd, fd);
	chardev_set_open(chardev, true);
	/* In QEMU's words, which scripts look for. */
	log_info("char device redirected to %s (label %s)", chardev->path, chardev->id);
	return true;
}

static void pty_close(struct chardev *chardev)
{
	if (chardev->other_side >= 0)
		close(chardev->other_side);
}

static char *pty_filename(const struct chardev *chardev)
{
	return g_strdup_printf("pty:%s", chardev->path);
}

const struct chardev_backend chardev_pty = {
	.name = "pty",
	.open = pty_open,
	.close = pty_close,
	.filename = pty_filename,
};
