/* Descriptors that a client sent along with its commands (SCM_RIGHTS): those that wait for a getfd, and those that have
 * names. Each session has its own; all of them are closed with it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct monitor_fds;

enum {
	MONITOR_FDS_MAX = 32 /* that wait, and that have names; more are closed at once */
};

struct monitor_fds *monitor_fds_new(void);
void monitor_fds_free(struct monitor_fds *fds);

/* Takes it; any number may come with one message. */
void monitor_fds_receive(struct monitor_fds *fds, int fd);

/* Gives the oldest that waits a name, in place of another of that name. */
bool monitor_fds_name(struct monitor_fds *fds, const char *name, GError **error);
bool monitor_fds_close(struct monitor_fds *fds, const char *name, GError **error);

/* For a command that uses one: its owner is the caller then. -1 with @error. */
int monitor_fds_take(struct monitor_fds *fds, const char *name, GError **error);
