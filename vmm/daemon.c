/* Going to the background, and the file with the process's number. */
#include "vmm/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* Nothing came: the child has ended, and has said why. */
static void wait_for_child(int fd)
{
	ssize_t got;
	char byte;

	do
		got = read(fd, &byte, 1);
	while (got < 0 && errno == EINTR);
	_exit(got == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int daemon_start(GError **error)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "-daemonize");
		return -1;
	}
	fflush(NULL);
	child = fork();
	if (child < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "-daemonize: there can be no more processes");
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	close(ends[child == 0 ? 0 : 1]);
	if (child > 0)
		wait_for_child(ends[0]);
	setsid();
	return ends[1];
}

bool daemon_ready(int fd, GError **error)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nothing < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "-daemonize: /dev/null");
	if (chdir("/") < 0 || write(fd, "", 1) != 1)
		return fail_errno(error, VITRINE_ERROR_HOST, "-daemonize");
	close(fd);
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		dup2(nothing, standard);
	if (nothing > STDERR_FILENO)
		close(nothing);
	return true;
}

/* Somebody may have removed the file between our opening and our locking it. */
static bool is_still_there(const char *path, int fd)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

static bool write_number(int fd)
{
	g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());

	return ftruncate(fd, 0) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

int pid_file_take(const char *path, GError **error)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "-pidfile: %s cannot be opened", path);
		return -1;
	}
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		fail(error, VITRINE_ERROR_BUSY,
			"-pidfile: %s is locked: the process whose number is in it still runs",
			path);
	} else if (!is_still_there(path, fd)) {
		fail(error, VITRINE_ERROR_BUSY, "-pidfile: %s was taken away just now", path);
	} else if (!write_number(fd)) {
		fail_errno(error, VITRINE_ERROR_HOST, "-pidfile: %s cannot be written", path);
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

void pid_file_give_back(const char *path, int fd)
{
	if (is_still_there(path, fd))
		unlink(path);
	close(fd);
}
