/* Going to the background, and telling others by a file who one is.
 *
 * Whoever starts the program with -daemonize gets its exit status when the guest is ready, or the error when it cannot be
 * built; only then the guest's process lets go of the terminal.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Forks before anything has been opened or any thread runs. Returns in the guest's process only, with a descriptor for
 * daemon_ready(); the parent waits for that and exits. -1 with @error. */
int daemon_start(GError **error);
/* The guest is ready: the parent exits with 0, and standard input, output and error lead nowhere. */
bool daemon_ready(int fd, GError **error);

/* Writes our process number to a file that is locked as long as we run. A descriptor to keep, or -1 with @error: also
 * when another process has it locked. */
int pid_file_take(const char *path, GError **error);
/* Removes the file. */
void pid_file_give_back(const char *path, int fd);
