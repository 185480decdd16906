/* Commands about objects: making one, removing it, and the lists of those that have commands of their own. */
#include <string.h>

#include "base/error.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/machine/machine-types.h"
#include "vmm/objects.h"
#include "vmm/objects/iothread.h"
#include "vmm/options/json-text.h"

static void clear_property(void *data)
{
	struct machine_property *property = data;

	g_free(property->name);
	g_free(property->value);
}

static bool take_property(const char *key, const char *text, void *data, GError **error)
{
	struct machine_property property = { g_strdup(key), g_strdup(text) };

	if (strcmp(key, "qom-type") == 0 || strcmp(key, "id") == 0)
		clear_property(&property);
	else
		g_array_append_val((GArray *)data, property);
	return true;
}

static JsonNode *object_add(struct command_call *call, GError **error)
{
	const char *type = json_object_get_string_member(call->arguments, "qom-type");
	const char *id = json_object_get_string_member(call->arguments, "id");
	g_autoptr(GArray) properties = g_array_new(FALSE, TRUE, sizeof(struct machine_property));

	g_array_set_clear_func(properties, clear_property);
	if (!json_text_walk(call->arguments, take_property, properties, error) ||
		!objects_add(call->context->machine->objects, type, id,
			(const struct machine_property *)(void *)properties->data, properties->len,
			error))
		return NULL;
	return command_nothing();
}

static JsonNode *object_del(struct command_call *call, GError **error)
{
	const char *id = json_object_get_string_member(call->arguments, "id");

	return objects_remove(call->context->machine->objects, id, error) ? command_nothing()
									  : NULL;
}

static gint64 property_number(const struct object *object, const char *name)
{
	g_autofree char *text =
		property_get(object, property_find(object->class->properties, name));

	return g_ascii_strtoll(text, NULL, 10);
}

static JsonNode *query_iothreads(struct command_call *call, GError **error)
{
	static const char *const numbers[] = { "poll-shrink", "aio-max-batch", "poll-grow",
		"poll-max-ns" };
	const struct objects *objects = call->context->machine->objects;
	JsonArray *list = json_array_new();

	for (guint i = 0; i < objects_count(objects); i++) {
		const struct object *object = objects_at(objects, i);
		JsonObject *entry;

		if (object->class->kind != OBJECT_THREAD)
			continue;
		entry = json_object_new();
		for (size_t j = 0; j < G_N_ELEMENTS(numbers); j++)
			json_object_set_int_member(
				entry, numbers[j], property_number(object, numbers[j]));
		json_object_set_int_member(entry, "thread-id", iothread_id(object));
		json_object_set_string_member(entry, "id", object->id);
		json_array_add_object_element(list, entry);
	}
	return command_array(list);
}

static const char *schema_of(const struct property *property)
{
	switch (property->type) {
	case PROPERTY_BOOL:
		return "bool";
	case PROPERTY_STRING:
		return strcmp(property->name, "host-nodes") == 0 ? "[int]" : "str";
	case PROPERTY_CHOICE:
		return NULL;
	default:
		return "int";
	}
}

/* "secret = {data?: str, format?: raw|base64}" */
static void describe_class(GString *text, const struct object_class *class)
{
	const char *separator = "";

	g_string_append_printf(text, "%s = {", class->name);
	for (const struct property *p = class->properties; p->type != PROPERTY_END; p++) {
		const char *type = schema_of(p);
		g_autofree char *words =
			type ? g_strdup(type) : g_strjoinv("|", (char **)p->choices);

		g_string_append_printf(text, "%s%s?: %s", separator, p->name, words);
		separator = ", ";
	}
	g_string_append_c(text, '}');
}

static char *describe_object_add(void)
{
	const struct object_class *const *classes = object_classes();
	g_autoptr(GString) text = g_string_new("{id: str, qom-type: ");

	for (size_t i = 0; classes[i]; i++)
		g_string_append_printf(text, "%s%s", i ? "|" : "", classes[i]->name);
	g_string_append(text, "; qom-type; ");
	for (size_t i = 0; classes[i]; i++) {
		g_string_append(text, i ? ", " : "");
		describe_class(text, classes[i]);
	}
	g_string_append_c(text, '}');
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static const struct argument object_add_arguments[] = {
	{ "qom-type", ARGUMENT_STRING },
	{ "id", ARGUMENT_STRING },
	{},
};

static const struct argument object_del_arguments[] = {
	{ "id", ARGUMENT_STRING },
	{},
};

const struct command object_commands[] = {
	{ "object-add", object_add, object_add_arguments, .describe = describe_object_add,
		.open = true },
	{ "object-del", object_del, object_del_arguments },
	{ "query-iothreads", query_iothreads,
		.returns = "[{id: str, thread-id: int, poll-max-ns: int, poll-grow: int, "
			   "poll-shrink: int, aio-max-batch: int}]" },
	{},
};
