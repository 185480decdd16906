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
	{ "object-add", object_add, object_add_arguments, .open = true },
	{ "object-del", object_del, object_del_arguments },
	{ "query-iothreads", query_iothreads },
	{},
};
