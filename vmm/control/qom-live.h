/* Properties of devices that are not in the devices' tables of options: what a running device tells, and what may still be set
 * on it. */
#pragma once

#include <json-glib/json-glib.h>

#include "vmm/device.h"

/* On the main loop, without the machine's lock. */

/* The value of a property that the device tells; NULL: it is none of these. */
JsonNode *qom_live_get(struct device *device, const char *name);
/* Adds those that the device has: calls @take with name and type of each. */
void qom_live_list(const struct device *device,
	void (*take)(const char *name, const char *type, void *data), void *data);
/* False with @error when the property cannot be set on a running device, or not to this value. */
bool qom_live_set(struct device *device, const char *name, JsonNode *value, GError **error);
