/* A GSource for one descriptor and one point in time: what a connection needs of the main loop. */
#pragma once

#include <glib.h>
#include <stdint.h>

struct fd_watch;

/* Called when the descriptor is ready (@ready) or the time has come (@ready is 0). It may free the watch. */
typedef void (*fd_watch_func)(void *owner, GIOCondition ready);

/* Watches @fd for reading on the default main context; the descriptor stays the caller's. */
struct fd_watch *fd_watch_new(int fd, fd_watch_func func, void *owner);
void fd_watch_free(struct fd_watch *watch);

void fd_watch_set_conditions(struct fd_watch *watch, GIOCondition conditions);
/* Monotonic time in microseconds, -1 for never. Stays set until it is set again. */
void fd_watch_set_time(struct fd_watch *watch, int64_t time_us);
