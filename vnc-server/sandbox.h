/* Locking a server down before it reads a byte from the network.
 *
 * Afterwards the process has what it holds (sockets, the bus, its memory) and can get nothing new: it opens no file,
 * connects to nothing, starts no program and makes no memory executable, and neither can a thread that it starts.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * sandbox_enter - lock this process down, for good
 * @removable: paths of files that the process removes when it ends (its sockets); NULL-terminated, may be empty
 *
 * Call it while the process has a single thread. Returns false with @error when the kernel refuses: the caller is to give
 * up then. A kernel without Landlock is no error: the system call filter alone keeps files out of reach.
 */
bool sandbox_enter(const char *const *removable, GError **error);
