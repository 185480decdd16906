/* The monitor's commands about devices and objects: adding and removing them, and the trees of them. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "vmm/bus.h"
#include "vmm/control/hmp.h"
#include "vmm/control/qom.h"
#include "vmm/objects.h"
#include "vmm/options/options.h"
#include "vmm/options/values.h"

enum {
	MAXIMUM_DEPTH = 16 /* of buses below devices below buses */
};

/* --- adding: the text of -device and -object, as arguments of the QMP command --- */

static JsonObject *options_to_json(const struct option_set *set)
{
	JsonObject *object = json_object_new();

	for (guint i = 0; i < set->count; i++)
		json_object_set_string_member(object, set->values[i].key, set->values[i].text);
	if (set->id)
		json_object_set_string_member(object, "id", set->id);
	return object;
}

static void add_from_text(struct hmp_call *call, const char *option, const char *command)
{
	const char *text = json_object_get_string_member(call->arguments, option);
	g_autofree char *name = g_strconcat("-", option, NULL);
	char *words[] = { name, (char *)text };
	struct options *options = options_new();
	GError *error = NULL;

	if (!options_parse(options, G_N_ELEMENTS(words), words, &error)) {
		hmp_fail(call, error);
	} else if (options->request != OPTIONS_RUN) {
		g_string_append_printf(call->out, "\"%s help\" is for the command line\n", name);
	} else {
		g_autoptr(JsonObject) arguments =
			options_to_json(g_ptr_array_index(options->sets, 0));

		hmp_do(call, command, arguments);
	}
	options_free(options);
}

static void device_add(struct hmp_call *call)
{
	add_from_text(call, "device", "device_add");
}

static void object_add(struct hmp_call *call)
{
	add_from_text(call, "object", "object-add");
}

/* --- the tree of buses --- */

/* A number in both notations, as QEMU has it; other words in quotation marks. */
static void print_value(GString *out, const struct property *property, const char *value)
{
	uint64_t number;

	if (property->type == PROPERTY_BOOL)
		g_string_append(out, g_strcmp0(value, "on") == 0 ? "true" : "false");
	else if (property->type != PROPERTY_STRING && value_parse_size(value, 1, &number))
		g_string_append_printf(out, "%" PRIu64 " (0x%" PRIx64 ")", number, number);
	else if (property->type == PROPERTY_STRING || property->type == PROPERTY_CHOICE)
		g_string_append_printf(out, "\"%s\"", value ? value : "");
	else
		g_string_append(out, value);
}

/* Where the device was asked to be is left out: the tree, and its place, say where it is. */
static bool says_where(const struct property *property)
{
	static const char *const names[] = { "bus", "port", "addr", NULL };

	return g_strv_contains(names, property->name);
}

static void print_properties(
	GString *out, const struct device *device, const struct property *properties, int indent)
{
	for (const struct property *p = properties; p && p->type != PROPERTY_END; p++) {
		g_autofree char *value = device_get_property(device, p);

		if (p->type == PROPERTY_STRING && says_where(p) && (!value || !value[0]))
			continue;
		g_string_append_printf(out, "%*s%s = ", indent, "", p->name);
		print_value(out, p, value);
		g_string_append_c(out, '\n');
	}
}

static void print_place(GString *out, const struct device *device, int indent)
{
	g_autofree char *place = device->bus && device->bus->ops->place
					 ? device->bus->ops->place(device->bus, device)
					 : NULL;
	g_auto(GStrv) lines = place ? g_strsplit(place, "\n", -1) : NULL;

	for (guint i = 0; lines && lines[i]; i++)
		g_string_append_printf(out, "%*s%s\n", indent, "", lines[i]);
}

static void print_bus(struct hmp_call *call, const struct bus *bus, int indent, unsigned depth);

static void print_device(
	struct hmp_call *call, const struct device *device, int indent, unsigned depth)
{
	const GPtrArray *buses = call->context->machine->buses;

	g_string_append_printf(call->out, "%*sdev: %s, id \"%s\"\n", indent, "",
		device->class->name, device->id ? device->id : "");
	print_properties(call->out, device, device->class->properties, indent + 2);
	print_properties(call->out, device, device_bus_properties(device->class->bus), indent + 2);
	print_place(call->out, device, indent + 2);
	for (guint i = 0; i < buses->len && depth < MAXIMUM_DEPTH; i++) {
		const struct bus *bus = buses->pdata[i];

		if (bus->parent == device)
			print_bus(call, bus, indent + 2, depth + 1);
	}
}

static void print_bus(struct hmp_call *call, const struct bus *bus, int indent, unsigned depth)
{
	g_string_append_printf(call->out, "%*sbus: %s\n%*stype %s\n", indent, "", bus->name,
		indent + 2, "", bus_kind_name(bus->kind));
	for (guint i = 0; i < bus->children->len; i++)
		print_device(call, bus->children->pdata[i], indent + 2, depth);
}

static void info_qtree(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;

	if (!machine->devices || !machine->buses)
		return;
	g_mutex_lock(&machine->lock);
	g_string_append(call->out, "bus: main-system-bus\n  type System\n");
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (!device->bus)
			print_device(call, device, 2, 0);
	}
	for (guint i = 0; i < machine->buses->len; i++) {
		const struct bus *bus = machine->buses->pdata[i];

		if (!bus->parent)
			print_bus(call, bus, 2, 0);
	}
	g_mutex_unlock(&machine->lock);
}

/* --- the tree of objects --- */

struct tree {
	struct hmp_call *call;
	const char *path;
	int indent;
};

static void print_tree(struct tree *tree);

static void print_child(const char *name, const char *type, void *data)
{
	const struct tree *tree = data;
	g_autofree char *path =
		g_strdup_printf("%s/%s", strcmp(tree->path, "/") == 0 ? "" : tree->path, name);
	struct tree below = { tree->call, path, tree->indent + 2 };

	g_string_append_printf(tree->call->out, "%*s/%s (%s)\n", tree->indent, "", name, type);
	print_tree(&below);
}

static void print_tree(struct tree *tree)
{
	qom_children(tree->call->context, tree->path, print_child, tree);
}

static void info_qom_tree(struct hmp_call *call)
{
	const char *path =
		json_object_get_string_member_with_default(call->arguments, "path", "/machine");
	g_autoptr(JsonObject) arguments = json_object_new();
	struct tree tree = { call, path, 2 };
	g_autoptr(JsonNode) type = NULL;

	json_object_set_string_member(arguments, "path", path);
	json_object_set_string_member(arguments, "property", "type");
	type = hmp_query(call, "qom-get", arguments);
	if (!type)
		return;
	g_string_append_printf(call->out, "%s (%s)\n", path, json_node_get_string(type));
	print_tree(&tree);
}

static void qom_list_lines(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "qom-list", call->arguments);
	JsonArray *list = answer ? json_node_get_array(answer) : NULL;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *entry = json_array_get_object_element(list, i);

		g_string_append_printf(call->out, "%s (%s)\n",
			json_object_get_string_member(entry, "name"),
			json_object_get_string_member(entry, "type"));
	}
}

static void qom_get_line(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "qom-get", call->arguments);
	g_autofree char *text = answer ? json_to_string(answer, TRUE) : NULL;

	if (text)
		g_string_append_printf(call->out, "%s\n", text);
}

/* A number, a boolean or anything else of JSON; what is none is a text. */
static void qom_set_text(struct hmp_call *call)
{
	const char *text = json_object_get_string_member(call->arguments, "value");
	JsonNode *value = json_from_string(text, NULL);

	if (value)
		json_object_set_member(call->arguments, "value", value);
	hmp_do(call, "qom-set", call->arguments);
}

static void info_iothreads(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "query-iothreads", NULL);
	JsonArray *list = answer ? json_node_get_array(answer) : NULL;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *entry = json_array_get_object_element(list, i);

		g_string_append_printf(call->out, "%s:\n  thread_id=%" G_GINT64_FORMAT "\n",
			json_object_get_string_member(entry, "id"),
			json_object_get_int_member(entry, "thread-id"));
	}
}

static void info_memdev(struct hmp_call *call)
{
	static const char *const names[] = { "size", "merge", "dump", "prealloc", "share",
		"reserve", "policy" };
	const struct objects *objects = call->context->machine->objects;

	for (guint i = 0; i < objects_count(objects); i++) {
		const struct object *object = objects_at(objects, i);

		if (object->class->kind != OBJECT_MEMORY)
			continue;
		g_string_append_printf(call->out, "memory backend: %s\n", object->id);
		for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
			g_autofree char *value = property_get(
				object, property_find(object->class->properties, names[j]));

			g_string_append_printf(call->out, "  %s:  %s\n", names[j], value);
		}
		g_string_append_c(call->out, '\n');
	}
}

static const struct hmp_argument device_arguments[] = {
	{ "device", HMP_TEXT, .what = "driver" },
	{},
};

static const struct hmp_argument object_arguments[] = {
	{ "object", HMP_TEXT, .what = "type" },
	{},
};

static const struct hmp_argument id_arguments[] = {
	{ "id", HMP_WORD, .what = "id" },
	{},
};

static const struct hmp_argument path_arguments[] = {
	{ "path", HMP_WORD },
	{},
};

static const struct hmp_argument get_arguments[] = {
	{ "path", HMP_WORD },
	{ "property", HMP_WORD },
	{},
};

static const struct hmp_argument set_arguments[] = {
	{ "path", HMP_WORD },
	{ "property", HMP_WORD },
	{ "value", HMP_TEXT },
	{},
};

static const struct hmp_argument tree_arguments[] = {
	{ "path", HMP_WORD, .optional = true },
	{},
};

const struct hmp_command hmp_object_commands[] = {
	{ "device_add", device_arguments, "driver[,prop=value][,...]",
		"add device, like -device on the command line", device_add },
	{ "device_del", id_arguments, "device", "remove device", .qmp = "device_del" },
	{ "object_add", object_arguments, "[qom-type=]type,id=str[,prop=value][,...]",
		"create QOM object", object_add },
	{ "object_del", id_arguments, "id", "destroy QOM object", .qmp = "object-del" },
	{ "qom-list", path_arguments, "path", "list QOM properties", qom_list_lines },
	{ "qom-get", get_arguments, "path property", "print QOM property", qom_get_line },
	{ "qom-set", set_arguments, "path property value", "set QOM property", qom_set_text },
	{},
};

const struct hmp_command hmp_info_devices[] = {
	{ "qtree", .help = "show device tree", .run = info_qtree },
	{ "qom-tree", tree_arguments, "[path]", "show QOM composition tree", info_qom_tree },
	{ "iothreads", .help = "show iothreads", .run = info_iothreads },
	{ "memdev", .help = "show memory backends", .run = info_memdev },
	{},
};
