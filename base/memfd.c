/* Shared memory without a name. */
#include "base/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

int memfd_create_sealed(const char *name, size_t size, GError **error)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot create shared memory for %s", name);
		return -1;
	}
	if (ftruncate(fd, size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
		fail_errno(error, VITRINE_ERROR_HOST,
			"cannot have %zu bytes of shared memory for %s", size, name);
		close(fd);
		return -1;
	}
	return fd;
}

bool memfd_keep_writing(int memfd, GError **error)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0 ||
	       fail_errno(error, VITRINE_ERROR_HOST, "cannot seal shared memory against writing");
}

int memfd_open_read_only(int memfd, GError **error)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", memfd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_errno(error, VITRINE_ERROR_HOST, "cannot open shared memory again, read-only");
	return fd;
}
