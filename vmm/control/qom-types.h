/* Types in the tree of objects: devices, objects, machines and processors, by QEMU's names, and their properties. */
#pragma once

#include <json-glib/json-glib.h>

#include "vmm/machine/machine.h"

/* "q35-1.0-machine", "host-x86_64-cpu" for the text of -cpu; to be freed. */
char *qom_machine_type(const struct machine_type *type);
char *qom_cpu_type(const char *cpu);

/* "bool", "uint32", "size", "string". */
const char *qom_property_type(const struct property *property);

/* The features of the machine's processors as properties of theirs. */
void qom_add_cpu_features(JsonArray *properties);
JsonNode *qom_cpu_feature(const struct machine *machine, const char *name); /* NULL: none */

/* A processor's number or place, by the name of the property. */
gint64 qom_cpu_topology(const struct machine *machine, unsigned number, const char *name);

/* What qom-list-types answers; @implements NULL: all. */
JsonArray *qom_types(const char *implements, bool abstract);

/* The properties of a type, as device-list-properties and qom-list-properties have them; NULL when there is no such type. */
JsonArray *qom_device_properties(const char *type);
JsonArray *qom_type_properties(const char *type);
