/* What happens to a guest whose watchdog ran out. */
#pragma once

#include <stdbool.h>

struct machine;

/* In the order and with the names of QMP's WatchdogAction. */
enum watchdog_action {
	WATCHDOG_RESET,
	WATCHDOG_SHUTDOWN, /* presses the power button */
	WATCHDOG_POWEROFF, /* the program ends */
	WATCHDOG_PAUSE,
	WATCHDOG_DEBUG, /* says so, nothing else */
	WATCHDOG_NONE,
	WATCHDOG_INJECT_NMI,
	WATCHDOG_ACTIONS,
};

extern const char *const watchdog_action_names[WATCHDOG_ACTIONS + 1]; /* NULL-terminated */

/* False when there is no action by this name. */
bool watchdog_action_find(const char *name, enum watchdog_action *action);

/* Tells with the event WATCHDOG, and does what machine->watchdog says. On the main loop, with the lock. */
void machine_watchdog_expired(struct machine *machine);
