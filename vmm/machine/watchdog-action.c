/* The names of what may happen to a guest whose watchdog ran out. */
#include "vmm/machine/watchdog.h"

#include <string.h>

const char *const watchdog_action_names[WATCHDOG_ACTIONS + 1] = {
	[WATCHDOG_RESET] = "reset",
	[WATCHDOG_SHUTDOWN] = "shutdown",
	[WATCHDOG_POWEROFF] = "poweroff",
	[WATCHDOG_PAUSE] = "pause",
	[WATCHDOG_DEBUG] = "debug",
	[WATCHDOG_NONE] = "none",
	[WATCHDOG_INJECT_NMI] = "inject-nmi",
};

bool watchdog_action_find(const char *name, enum watchdog_action *action)
{
	for (unsigned i = 0; i < WATCHDOG_ACTIONS; i++) {
		if (strcmp(watchdog_action_names[i], name) != 0)
			continue;
		*action = i;
		return true;
	}
	return false;
}
