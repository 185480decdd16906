/* Watching the registry of running guests: told when a guest appears, changes its record, or goes away, also when its
 * process was killed. Runs on the thread-default main context of the creator; nothing is polled.
 */
#pragma once

#include <glib.h>

#include "base/runtime-dir.h"

struct runtime_watch;

/* Called once, soon, for every guest that runs, and then at each change. @guest->state is RUNTIME_STALE when the
 * guest is gone (its directory may be gone too), else RUNTIME_RUNNING. Valid during the call. */
typedef void (*runtime_watch_func)(void *owner, const struct runtime_guest *guest);

/* @base as in runtime_dir_list(); created when it does not exist. NULL with @error. */
struct runtime_watch *runtime_watch_new(
	const char *base, runtime_watch_func changed, void *owner, GError **error);
void runtime_watch_free(struct runtime_watch *watch);
