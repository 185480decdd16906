/* A program that serves a disk image over NBD to this one alone: qemu-nbd or nbdkit.
 *
 * It is given a listening socket in the way of systemd's socket activation (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS,
 * descriptor 3). The socket has a name only for the moment of connecting, in a folder that nobody else may enter. The helper
 * ends with its connection, and is told to (SIGTERM) when this program ends in whatever way.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct nbd_helper;

enum {
	NBD_HELPER_IMAGE_FD = 4, /* in the helper: @image_fd, so /proc/self/fd/4 */
};

/**
 * nbd_helper_start - start the program and connect to it
 * @arguments: the program's name, looked up in PATH, and its arguments; NULL-terminated
 * @package: what to install where there is no such program
 * @image_fd: given to the helper, or -1
 * @socket: a connected socket, the caller's
 *
 * May wait for a moment; any thread. Returns NULL with @error.
 */
struct nbd_helper *nbd_helper_start(const char *const *arguments, const char *package, int image_fd,
	int *socket, GError **error);

/* What it had to say on its standard error, on one line ("" if nothing), to be freed. Waits for its end, but not longer
 * than @milliseconds. */
char *nbd_helper_complaint(struct nbd_helper *helper, unsigned milliseconds);

/* Waits for its end after its connection was closed, at most @milliseconds; then it is told to end, by force if @force. */
void nbd_helper_finish(struct nbd_helper *helper, unsigned milliseconds, bool force);

int nbd_helper_pid(struct nbd_helper *helper); /* 0: it has ended */
