/* What happens to a guest whose watchdog ran out. */
#include "vmm/machine/watchdog.h"

#include <json-glib/json-glib.h>

#include "base/log.h"
#include "vmm/machine/machine.h"

static void reset(struct machine *machine)
{
	machine_request_reset(machine, CAUSE_GUEST_RESET);
}

static void shut_down(struct machine *machine)
{
	if (machine->press_power_button)
		machine->press_power_button(machine->power_button);
	machine_emit(machine, "POWERDOWN", NULL);
}

static void power_off(struct machine *machine)
{
	machine_exit(machine, 0);
}

static void stop(struct machine *machine)
{
	machine_request_stop(machine, RUN_STATE_WATCHDOG);
}

static void debug(struct machine *machine)
{
	log_warning("the guest's watchdog ran out");
}

static void (*const actions[WATCHDOG_ACTIONS])(struct machine *machine) = {
	[WATCHDOG_RESET] = reset,
	[WATCHDOG_SHUTDOWN] = shut_down,
	[WATCHDOG_POWEROFF] = power_off,
	[WATCHDOG_PAUSE] = stop,
	[WATCHDOG_DEBUG] = debug,
	[WATCHDOG_INJECT_NMI] = machine_request_nmi,
};

void machine_watchdog_expired(struct machine *machine)
{
	JsonObject *data = json_object_new();

	json_object_set_string_member(data, "action", watchdog_action_names[machine->watchdog]);
	machine_emit(machine, "WATCHDOG", data);
	if (actions[machine->watchdog])
		actions[machine->watchdog](machine);
}
