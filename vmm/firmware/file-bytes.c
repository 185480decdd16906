/* The contents of a file that the user named. */
#include "vmm/firmware/file-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

GBytes *file_bytes(const char *path, GError **error)
{
	g_autoptr(GMappedFile) file = NULL;
	g_autoptr(GError) reason = NULL;
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &status) < 0) {
		fail(error, VITRINE_ERROR_INPUT, "it cannot be read: %s", g_strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		fail(error, VITRINE_ERROR_INPUT, "it is no regular file");
	} else if (status.st_size == 0) {
		fail(error, VITRINE_ERROR_INPUT, "it is empty");
	} else {
		file = g_mapped_file_new_from_fd(fd, FALSE, &reason);
		if (!file)
			fail(error, VITRINE_ERROR_HOST, "%s", reason->message);
	}
	if (fd >= 0)
		close(fd);
	return file ? g_mapped_file_get_bytes(file) : NULL;
}
