/* Devices that come and go while the guest runs: what machine_add_device() and its opposite do then. */
#pragma once

#include "vmm/machine/machine.h"

/* Whether a device of the class may come now, under this id (NULL: none). With the lock. */
bool hotplug_is_possible(
	struct machine *machine, const struct device_class *class, const char *id, GError **error);

/* After its realize: as at power-on, running if the machine does, and announced to the guest. With the lock. */
void hotplug_complete(struct device *device);
