/* Types in the tree of objects, from the tables of devices, objects, options and machine types. */
#include "vmm/control/qom-types.h"

#include <string.h>

#include "vmm/control/qmp-commands.h"
#include "vmm/control/qom.h"
#include "vmm/cpu/definition.h"
#include "vmm/machine/machine-types.h"
#include "vmm/objects.h"
#include "vmm/options/options.h"

#define MACHINE_SUFFIX "-machine"
#define CPU_SUFFIX     "-x86_64-cpu"

static const char *const type_names[] = {
	[PROPERTY_BOOL] = "bool",
	[PROPERTY_UINT8] = "uint8",
	[PROPERTY_UINT16] = "uint16",
	[PROPERTY_UINT32] = "uint32",
	[PROPERTY_UINT64] = "uint64",
	[PROPERTY_SIZE] = "size",
	[PROPERTY_STRING] = "str",
	[PROPERTY_CHOICE] = "str",
	[PROPERTY_INDEX] = "int32",
};

/* What the others are kinds of. */
static const struct {
	const char *name, *parent;
} roots[] = {
	{ "device", "object" },
	{ "machine", "object" },
	{ "cpu", "device" },
	{ "x86_64-cpu", "cpu" },
	{ "pci-device", "device" },
	{ "memory-backend", "object" },
	{ "rng-backend", "object" },
	{ "tls-creds", "object" },
};

static const char *const object_parents[OBJECT_KINDS] = {
	[OBJECT_SECRET] = "object",
	[OBJECT_RANDOM] = "rng-backend",
	[OBJECT_MEMORY] = "memory-backend",
	[OBJECT_THREAD] = "object",
	[OBJECT_TLS] = "tls-creds",
};

/* Accelerator and models that no file describes. */
static const char *const built_in_cpus[] = { "host", "max", NULL };

char *qom_machine_type(const struct machine_type *type)
{
	return g_strconcat(type ? type->name : "none", MACHINE_SUFFIX, NULL);
}

char *qom_cpu_type(const char *cpu)
{
	g_auto(GStrv) parts = g_strsplit(cpu ? cpu : "host", ",", 2);

	return g_strconcat(parts[0], CPU_SUFFIX, NULL);
}

const char *qom_property_type(const struct property *property)
{
	return type_names[property->type];
}

/* --- processors --- */

static char **feature_names(void)
{
	g_autofree char *names = cpu_features_names();

	return g_strsplit(names, " ", -1);
}

static JsonObject *add(JsonArray *list, const char *name, const char *type, const char *description)
{
	JsonObject *entry = json_object_new();

	json_object_set_string_member(entry, "name", name);
	if (description)
		json_object_set_string_member(entry, "description", description);
	json_object_set_string_member(entry, "type", type);
	json_array_add_object_element(list, entry);
	return entry;
}

void qom_add_cpu_features(JsonArray *properties)
{
	g_auto(GStrv) names = feature_names();

	for (guint i = 0; names[i]; i++)
		add(properties, names[i], "bool", NULL);
}

JsonNode *qom_cpu_feature(const struct machine *machine, const char *name)
{
	enum cpu_word word;
	uint32_t bit;

	if (!machine->cpu_definition || !cpu_feature_find(name, &word, &bit))
		return NULL;
	return json_node_init_boolean(
		json_node_alloc(), cpu_features_have(&machine->cpu_definition->features, name));
}

gint64 qom_cpu_topology(const struct machine *machine, unsigned number, const char *name)
{
	const struct cpu_topology *topology = &machine->config->topology;
	struct cpu_place place = cpu_topology_place(topology, number);

	if (strcmp(name, "apic-id") == 0)
		return cpu_topology_apic_id(topology, number);
	if (strcmp(name, "socket-id") == 0)
		return place.socket;
	if (strcmp(name, "core-id") == 0)
		return place.core;
	return strcmp(name, "thread-id") == 0 ? (gint64)place.thread : 0;
}

/* --- the list of types --- */

struct listing {
	JsonArray *list;
	const char *implements;
	bool abstract;
};

static const char *parent_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
		if (strcmp(roots[i].name, name) == 0)
			return roots[i].parent;
	}
	return NULL;
}

static bool implements(const char *name, const char *parent, const char *wanted)
{
	if (!wanted || strcmp(name, wanted) == 0)
		return true;
	for (; parent; parent = parent_of(parent)) {
		if (strcmp(parent, wanted) == 0)
			return true;
	}
	return false;
}

static void list_type(struct listing *listing, const char *name, const char *parent, bool abstract)
{
	JsonObject *entry;

	if (!implements(name, parent, listing->implements) || (abstract && !listing->abstract))
		return;
	entry = json_object_new();
	json_object_set_string_member(entry, "name", name);
	if (abstract)
		json_object_set_boolean_member(entry, "abstract", TRUE);
	json_object_set_string_member(entry, "parent", parent);
	json_array_add_object_element(listing->list, entry);
}

static void list_machines(struct listing *listing)
{
	struct machine_types *types = machine_types_load(NULL, NULL);

	list_type(listing, "none" MACHINE_SUFFIX, "machine", false);
	for (guint i = 0; types && i < machine_types_count(types); i++) {
		g_autofree char *name = qom_machine_type(machine_types_get(types, i));

		list_type(listing, name, "machine", false);
	}
	g_clear_pointer(&types, machine_types_free);
}

static void list_cpus(struct listing *listing)
{
	g_auto(GStrv) models = cpu_model_names(NULL);

	for (guint i = 0; built_in_cpus[i]; i++) {
		g_autofree char *name = qom_cpu_type(built_in_cpus[i]);

		list_type(listing, name, "x86_64-cpu", false);
	}
	for (guint i = 0; models && models[i]; i++) {
		g_autofree char *name = qom_cpu_type(models[i]);

		list_type(listing, name, "x86_64-cpu", false);
	}
}

JsonArray *qom_types(const char *implements, bool abstract)
{
	struct listing listing = { json_array_new(), implements, abstract };

	list_type(&listing, "kvm-accel", "object", false);
	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++)
		list_type(&listing, roots[i].name, roots[i].parent, true);
	for (const struct device_class *const *class = device_classes(); *class; class ++)
		list_type(&listing, (*class)->name,
			(*class)->bus == BUS_PCI ? "pci-device" : "device", false);
	for (const struct object_class *const *class = object_classes(); *class; class ++)
		list_type(&listing, (*class)->name, object_parents[(*class)->kind], false);
	list_machines(&listing);
	list_cpus(&listing);
	return listing.list;
}

/* --- properties of types --- */

static void add_table(JsonArray *list, const struct property *properties)
{
	for (const struct property *p = properties; p && p->type != PROPERTY_END; p++) {
		JsonObject *entry = add(list, p->name, qom_property_type(p), p->description);

		if (p->default_value)
			json_object_set_member(
				entry, "default-value", qom_value(p, p->default_value));
	}
}

JsonArray *qom_device_properties(const char *type)
{
	const struct device_class *class = device_class_find(type);
	JsonArray *list;

	if (!class)
		return NULL;
	list = json_array_new();
	add_table(list, class->properties);
	add_table(list, device_bus_properties(class->bus));
	return list;
}

static bool is_listed(const char *type)
{
	g_autoptr(JsonArray) all = qom_types(NULL, true);

	for (guint i = 0; i < json_array_get_length(all); i++) {
		JsonObject *entry = json_array_get_object_element(all, i);

		if (strcmp(json_object_get_string_member(entry, "name"), type) == 0)
			return true;
	}
	return false;
}

/* The keys of -machine. */
static void add_machine_keys(JsonArray *list)
{
	const struct option_spec *spec = option_spec_find("machine");

	for (const struct option_key *key = spec->keys; key && key->name; key++)
		add(list, key->name, key->type == OPTION_BOOL ? "bool" : "string",
			key->description);
}

JsonArray *qom_type_properties(const char *type)
{
	const struct object_class *class = object_class_find(type);
	JsonArray *list = qom_device_properties(type);

	if (list)
		return list;
	if (!class && !is_listed(type))
		return NULL;
	list = json_array_new();
	add(list, "type", "string", NULL);
	if (class)
		add_table(list, class->properties);
	else if (g_str_has_suffix(type, MACHINE_SUFFIX))
		add_machine_keys(list);
	else if (g_str_has_suffix(type, CPU_SUFFIX))
		qom_add_cpu_features(list);
	return list;
}
