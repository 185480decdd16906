/* The tree of objects as clients of the control protocol see it: /machine with its devices, /objects, and the properties
 * of each as their tables have them. A view only: nothing in the program is kept as such a tree.
 *
 *   /machine/peripheral/ID             devices that the user gave an id
 *   /machine/peripheral-anon/device[N] devices that the user added without one
 *   /machine/unattached/device[N]      processors first, then what the machine type has
 *   /objects/ID
 */
#pragma once

#include <json-glib/json-glib.h>

#include "vmm/device.h"

struct command_context;

/* The path of a processor; to be freed. */
char *qom_cpu_path(unsigned number);

/* What qom-list answers. NULL with @error, class DeviceNotFound. */
JsonArray *qom_list(const struct command_context *context, const char *path, GError **error);
JsonNode *qom_get(const struct command_context *context, const char *path, const char *property,
	GError **error);

/* Sets a property of a device that may change while it runs. False with @error: there is none, or not with this value. */
bool qom_set(const struct command_context *context, const char *path, const char *property,
	JsonNode *value, GError **error);

/* The children of a path: names and types, for trees; "child<TYPE>" properties of qom_list(). */
typedef void (*qom_child_func)(const char *name, const char *type, void *data);
bool qom_children(
	const struct command_context *context, const char *path, qom_child_func take, void *data);

/* A value of a property's text as JSON has it. */
JsonNode *qom_value(const struct property *property, const char *text);
