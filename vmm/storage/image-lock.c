/* Locks on images of disks and flash chips that QEMU understands. */
#include "vmm/storage/image-lock.h"

#include <errno.h>
#include <fcntl.h>

/* One byte stands for each thing somebody does with the image (from 100) and does not want others to do (from 200). */
enum {
	BYTES_DONE = 100,
	BYTES_FORBIDDEN = 200,

	DOES_READ = 1 << 0,
	DOES_WRITE = 1 << 1,
	DOES_RESIZE = 1 << 3,
	DOES_BITS = 4,
};

static bool hold_byte(int fd, off_t at)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool held_by_others(int fd, off_t at)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool image_lock(int fd, bool read_only)
{
	unsigned done = read_only ? DOES_READ : DOES_READ | DOES_WRITE;
	unsigned forbidden = DOES_WRITE | DOES_RESIZE;

	for (unsigned bit = 0; bit < DOES_BITS; bit++) {
		if (done >> bit & 1 && !hold_byte(fd, BYTES_DONE + bit) && errno == EAGAIN)
			return false;
		if (forbidden >> bit & 1 && !hold_byte(fd, BYTES_FORBIDDEN + bit) &&
			errno == EAGAIN)
			return false;
	}
	for (unsigned bit = 0; bit < DOES_BITS; bit++) {
		if (done >> bit & 1 && held_by_others(fd, BYTES_FORBIDDEN + bit))
			return false;
		if (forbidden >> bit & 1 && held_by_others(fd, BYTES_DONE + bit))
			return false;
	}
	return true;
}
