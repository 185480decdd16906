/* The tree of objects: paths, what stands there, and values. */
#include "vmm/control/qom.h"

#include <string.h>

#include "base/error.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/qom-live.h"
#include "vmm/control/qom-types.h"
#include "vmm/cpu/topology.h"
#include "vmm/machine/machine-types.h"
#include "vmm/objects.h"
#include "vmm/options/values.h"

enum qom_kind {
	QOM_NONE,
	QOM_ROOT,
	QOM_MACHINE,
	QOM_PERIPHERAL,
	QOM_ANONYMOUS,
	QOM_UNATTACHED,
	QOM_OBJECTS,
	QOM_CPU,
	QOM_DEVICE,
	QOM_OBJECT,
};

/* What a path leads to. */
struct qom_place {
	enum qom_kind kind;
	unsigned cpu;
	struct device *device;
	const struct object *object;
};

static const struct {
	const char *path;
	enum qom_kind kind;
} folders[] = {
	{ "/", QOM_ROOT },
	{ "/machine", QOM_MACHINE },
	{ "/machine/peripheral", QOM_PERIPHERAL },
	{ "/machine/peripheral-anon", QOM_ANONYMOUS },
	{ "/machine/unattached", QOM_UNATTACHED },
	{ "/objects", QOM_OBJECTS },
};

char *qom_cpu_path(unsigned number)
{
	return g_strdup_printf("/machine/unattached/device[%u]", number);
}

static bool is_anonymous(const struct machine *machine, guint index)
{
	const struct device *device = machine->devices->pdata[index];

	return index >= machine->fixed_devices && !device->id;
}

/* --- finding --- */

/* N of "device[N]". */
static bool parse_index(const char *name, uint64_t *index)
{
	g_autofree char *digits = NULL;

	if (!g_str_has_prefix(name, "device[") || !g_str_has_suffix(name, "]"))
		return false;
	digits = g_strndup(name + strlen("device["), strlen(name) - strlen("device[]"));
	return value_parse_number(digits, index);
}

static struct device *find_anonymous(const struct machine *machine, uint64_t index)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		if (is_anonymous(machine, i) && index-- == 0)
			return machine->devices->pdata[i];
	}
	return NULL;
}

static struct qom_place place_of_device(struct device *device)
{
	return (struct qom_place) { .kind = device ? QOM_DEVICE : QOM_NONE, .device = device };
}

static struct qom_place find_unattached(const struct machine *machine, uint64_t index)
{
	if (index < machine->cpu_count)
		return (struct qom_place) { .kind = QOM_CPU, .cpu = (unsigned)index };
	index -= machine->cpu_count;
	return place_of_device(
		index < machine->fixed_devices ? machine->devices->pdata[index] : NULL);
}

static struct qom_place find_below(
	const struct command_context *context, enum qom_kind folder, const char *name)
{
	struct machine *machine = context->machine;
	struct object *object;
	uint64_t index;

	switch (folder) {
	case QOM_PERIPHERAL:
		return place_of_device(machine_device(machine, name));
	case QOM_ANONYMOUS:
		return place_of_device(
			parse_index(name, &index) ? find_anonymous(machine, index) : NULL);
	case QOM_UNATTACHED:
		return parse_index(name, &index) ? find_unattached(machine, index)
						 : (struct qom_place) {};
	case QOM_OBJECTS:
		object = objects_find(machine->objects, name);
		return (struct qom_place) { object ? QOM_OBJECT : QOM_NONE, .object = object };
	default:
		return (struct qom_place) {};
	}
}

static enum qom_kind find_folder(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		if (strcmp(folders[i].path, path) == 0)
			return folders[i].kind;
	}
	return QOM_NONE;
}

/* A path that starts at the root, or (as QEMU takes it) the id of a device or object alone. */
static struct qom_place find(const struct command_context *context, const char *path)
{
	struct qom_place place = { .kind = find_folder(path) };
	const char *slash = strrchr(path, '/');
	g_autofree char *above = NULL;

	if (place.kind != QOM_NONE)
		return place;
	if (!slash) {
		place = find_below(context, QOM_PERIPHERAL, path);
		return place.kind ? place : find_below(context, QOM_OBJECTS, path);
	}
	above = g_strndup(path, (gsize)(slash - path));
	return find_below(context, find_folder(above), slash + 1);
}

static struct qom_place find_or_fail(
	const struct command_context *context, const char *path, GError **error)
{
	struct qom_place place = find(context, path);

	if (place.kind == QOM_NONE)
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", path);
	return place;
}

/* --- children --- */

static void list_devices(
	const struct machine *machine, enum qom_kind folder, qom_child_func take, void *data)
{
	unsigned number = 0;

	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];
		g_autofree char *name = NULL;

		if (folder == QOM_PERIPHERAL ? device->id != NULL : is_anonymous(machine, i)) {
			name = device->id ? g_strdup(device->id)
					  : g_strdup_printf("device[%u]", number++);
			take(name, device->class->name, data);
		}
	}
}

static void list_unattached(const struct machine *machine, qom_child_func take, void *data)
{
	g_autofree char *cpu = qom_cpu_type(machine->config->cpu);

	for (unsigned i = 0; i < machine->cpu_count + machine->fixed_devices; i++) {
		g_autofree char *name = g_strdup_printf("device[%u]", i);
		const struct device *device =
			i < machine->cpu_count ? NULL
					       : machine->devices->pdata[i - machine->cpu_count];

		take(name, device ? device->class->name : cpu, data);
	}
}

static void list_children(
	const struct command_context *context, enum qom_kind kind, qom_child_func take, void *data)
{
	const struct machine *machine = context->machine;

	if (kind == QOM_ROOT) {
		g_autofree char *type = qom_machine_type(machine->config->type);

		take("machine", type, data);
		take("objects", "container", data);
	} else if (kind == QOM_MACHINE) {
		take("peripheral", "container", data);
		take("peripheral-anon", "container", data);
		take("unattached", "container", data);
	} else if (kind == QOM_PERIPHERAL || kind == QOM_ANONYMOUS) {
		list_devices(machine, kind, take, data);
	} else if (kind == QOM_UNATTACHED) {
		list_unattached(machine, take, data);
	} else if (kind == QOM_OBJECTS) {
		for (guint i = 0; i < objects_count(machine->objects); i++) {
			const struct object *object = objects_at(machine->objects, i);

			take(object->id, object->class->name, data);
		}
	}
}

bool qom_children(
	const struct command_context *context, const char *path, qom_child_func take, void *data)
{
	struct qom_place place = find(context, path);

	list_children(context, place.kind, take, data);
	return place.kind != QOM_NONE;
}

/* --- properties --- */

static void add_property(JsonArray *list, const char *name, const char *type)
{
	JsonObject *entry = json_object_new();

	json_object_set_string_member(entry, "name", name);
	json_object_set_string_member(entry, "type", type);
	json_array_add_object_element(list, entry);
}

static void add_child(const char *name, const char *type, void *list)
{
	g_autofree char *child = g_strdup_printf("child<%s>", type);

	add_property(list, name, child);
}

static void add_live(const char *name, const char *type, void *list)
{
	add_property(list, name, type);
}

static void add_table(JsonArray *list, const struct property *properties)
{
	for (const struct property *p = properties; p && p->type != PROPERTY_END; p++)
		add_property(list, p->name, qom_property_type(p));
}

/* What every device and processor has besides its table. */
static const struct {
	const char *name, *type;
} device_properties[] = {
	{ "type", "string" },
	{ "realized", "bool" },
	{ "hotpluggable", "bool" },
	{ "hotplugged", "bool" },
};

static const struct {
	const char *name, *type;
} cpu_properties[] = {
	{ "apic-id", "uint32" },
	{ "socket-id", "int32" },
	{ "die-id", "int32" },
	{ "core-id", "int32" },
	{ "thread-id", "int32" },
	{ "unavailable-features", "strList" },
};

JsonArray *qom_list(const struct command_context *context, const char *path, GError **error)
{
	struct qom_place place = find_or_fail(context, path, error);
	JsonArray *list;

	if (place.kind == QOM_NONE)
		return NULL;
	list = json_array_new();
	add_property(list, "type", "string");
	list_children(context, place.kind, add_child, list);
	if (place.kind == QOM_DEVICE || place.kind == QOM_CPU) {
		for (size_t i = 1; i < G_N_ELEMENTS(device_properties); i++)
			add_property(list, device_properties[i].name, device_properties[i].type);
	}
	if (place.kind == QOM_CPU) {
		for (size_t i = 0; i < G_N_ELEMENTS(cpu_properties); i++)
			add_property(list, cpu_properties[i].name, cpu_properties[i].type);
		qom_add_cpu_features(list);
	}
	if (place.kind == QOM_DEVICE) {
		add_table(list, place.device->class->properties);
		add_table(list, device_bus_properties(place.device->class->bus));
		qom_live_list(place.device, add_live, list);
	}
	if (place.kind == QOM_OBJECT)
		add_table(list, place.object->class->properties);
	return list;
}

static JsonNode *string_node(const char *text)
{
	return json_node_init_string(json_node_alloc(), text);
}

JsonNode *qom_value(const struct property *property, const char *text)
{
	uint64_t number;

	switch (property->type) {
	case PROPERTY_STRING:
	case PROPERTY_CHOICE:
		return string_node(text ? text : "");
	case PROPERTY_BOOL:
		return json_node_init_boolean(json_node_alloc(), g_strcmp0(text, "on") == 0);
	case PROPERTY_INDEX:
		return json_node_init_int(json_node_alloc(), g_ascii_strtoll(text, NULL, 10));
	default:
		if (!value_parse_size(text, 1, &number))
			number = 0;
		return json_node_init_int(json_node_alloc(), (gint64)number);
	}
}

static JsonNode *get_from_table(
	const void *owner, const struct property *properties, const char *name)
{
	const struct property *property = property_find(properties, name);
	g_autofree char *text = property ? property_get(owner, property) : NULL;

	return property ? qom_value(property, text) : NULL;
}

static JsonNode *get_of_cpu(const struct machine *machine, unsigned number, const char *name)
{
	const int64_t ids[] = { number, 0, 0, 0, 0 };
	JsonNode *node = NULL;

	if (strcmp(name, "unavailable-features") == 0)
		return command_array(json_array_new());
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		if (strcmp(name, cpu_properties[i].name) == 0)
			return json_node_init_int(json_node_alloc(),
				qom_cpu_topology(machine, number, cpu_properties[i].name));
	}
	node = qom_cpu_feature(machine, name);
	return node;
}

static JsonNode *get_common(const struct qom_place *place, const char *type, const char *name)
{
	if (strcmp(name, "type") == 0)
		return string_node(type);
	if (place->kind != QOM_DEVICE && place->kind != QOM_CPU)
		return NULL;
	if (strcmp(name, "realized") == 0)
		return json_node_init_boolean(json_node_alloc(), TRUE);
	if (strcmp(name, "hotpluggable") == 0 || strcmp(name, "hotplugged") == 0)
		return json_node_init_boolean(json_node_alloc(), FALSE);
	return NULL;
}

static char *type_of(const struct command_context *context, const struct qom_place *place)
{
	switch (place->kind) {
	case QOM_MACHINE:
		return qom_machine_type(context->machine->config->type);
	case QOM_CPU:
		return qom_cpu_type(context->machine->config->cpu);
	case QOM_DEVICE:
		return g_strdup(place->device->class->name);
	case QOM_OBJECT:
		return g_strdup(place->object->class->name);
	default:
		return g_strdup("container");
	}
}

JsonNode *qom_get(
	const struct command_context *context, const char *path, const char *name, GError **error)
{
	struct qom_place place = find_or_fail(context, path, error);
	g_autofree char *type = NULL;
	JsonNode *node;

	if (place.kind == QOM_NONE)
		return NULL;
	type = type_of(context, &place);
	node = get_common(&place, type, name);
	if (!node && place.kind == QOM_CPU)
		node = get_of_cpu(context->machine, place.cpu, name);
	if (!node && place.kind == QOM_DEVICE)
		node = qom_live_get(place.device, name);
	if (!node && place.kind == QOM_DEVICE) {
		node = get_from_table(place.device, place.device->class->properties, name);
		if (!node)
			node = get_from_table(place.device,
				device_bus_properties(place.device->class->bus), name);
	}
	if (!node && place.kind == QOM_OBJECT)
		node = get_from_table(place.object, place.object->class->properties, name);
	if (!node)
		fail(error, VITRINE_ERROR_INPUT, "Property '%s.%s' not found", type, name);
	return node;
}

bool qom_set(const struct command_context *context, const char *path, const char *name,
	JsonNode *value, GError **error)
{
	struct qom_place place = find_or_fail(context, path, error);
	g_autoptr(JsonNode) now =
		place.kind != QOM_NONE ? qom_get(context, path, name, error) : NULL;

	if (!now)
		return false;
	if (place.kind == QOM_DEVICE)
		return qom_live_set(place.device, name, value, error);
	return fail(error, VITRINE_ERROR_STATE, "Property '%s' of '%s' cannot be set any more",
		name, path);
}
