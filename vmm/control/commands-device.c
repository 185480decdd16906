/* Commands that add devices to the running machine and take them away. */
#include "vmm/control/qmp-commands.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine-types.h"

/* As an option would have it; NULL with @error for what no option can hold. To be freed. */
static char *value_text(const char *name, JsonNode *node, GError **error)
{
	if (JSON_NODE_HOLDS_VALUE(node)) {
		switch (json_node_get_value_type(node)) {
		case G_TYPE_STRING:
			return g_strdup(json_node_get_string(node));
		case G_TYPE_INT64:
			return g_strdup_printf("%" PRId64, json_node_get_int(node));
		case G_TYPE_BOOLEAN:
			return g_strdup(json_node_get_boolean(node) ? "on" : "off");
		}
	}
	fail(error, VITRINE_ERROR_INPUT, "Invalid parameter type for '%s', expected: string", name);
	return NULL;
}

static void clear_property(void *opaque)
{
	struct machine_property *property = opaque;

	g_free(property->name);
	g_free(property->value);
}

/* Everything but driver and id, of struct machine_property. */
static GArray *read_properties(
	JsonObject *arguments, const struct device_class *class, GError **error)
{
	g_autoptr(GList) names = json_object_get_members(arguments);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct machine_property));

	g_array_set_clear_func(list, clear_property);
	for (GList *name = names; name; name = name->next) {
		struct machine_property property;

		if (g_str_equal(name->data, "driver") || g_str_equal(name->data, "id"))
			continue;
		if (!device_class_property(class, name->data)) {
			fail(error, VITRINE_ERROR_INPUT, "Property '%s.%s' not found", class->name,
				(const char *)name->data);
			return NULL;
		}
		property.value = value_text(
			name->data, json_object_get_member(arguments, name->data), error);
		if (!property.value)
			return NULL;
		property.name = g_strdup(name->data);
		g_array_append_val(list, property);
	}
	return g_steal_pointer(&list);
}

/* A letter, then letters, digits and "-._", as for every id of an option. */
static bool is_identifier(const char *id)
{
	size_t length = strspn(id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._");

	return g_ascii_isalpha(id[0]) && id[length] == '\0';
}

static JsonNode *device_add(struct command_call *call, GError **error)
{
	JsonObject *arguments = call->arguments;
	const char *driver = json_object_get_string_member(arguments, "driver");
	const char *id = json_object_get_string_member_with_default(arguments, "id", NULL);
	const struct device_class *class = device_class_find(driver);
	g_autoptr(GArray) properties = NULL;

	if (!class || !class->user_creatable) {
		fail(error, VITRINE_ERROR_INPUT, "'%s' is not a valid device model name", driver);
		return NULL;
	}
	if (id && !is_identifier(id)) {
		fail(error, VITRINE_ERROR_INPUT, "Parameter 'id' expects an identifier");
		return NULL;
	}
	properties = read_properties(arguments, class, error);
	if (!properties ||
		!machine_add_device(call->context->machine, class, id,
			(const struct machine_property *)properties->data, properties->len, error))
		return NULL;
	return command_nothing();
}

/* An id, or the path that qom-list shows. */
static struct device *find_device(struct machine *machine, const char *name)
{
	static const char prefix[] = "/machine/peripheral/";
	struct device *device;

	if (g_str_has_prefix(name, prefix))
		name += sizeof(prefix) - 1;
	g_mutex_lock(&machine->lock);
	device = machine_device(machine, name);
	g_mutex_unlock(&machine->lock);
	return device;
}

static JsonNode *device_del(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	const char *id = json_object_get_string_member(call->arguments, "id");
	struct device *device = find_device(machine, id);

	if (!device) {
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", id);
		return NULL;
	}
	return machine_request_unplug(machine, device, error) ? command_nothing() : NULL;
}

static const struct argument device_add_arguments[] = {
	{ "driver", ARGUMENT_STRING },
	{ "bus", ARGUMENT_STRING, .optional = true },
	{ "id", ARGUMENT_STRING, .optional = true },
	{},
};

static const struct argument device_del_arguments[] = {
	{ "id", ARGUMENT_STRING },
	{},
};

const struct command device_commands[] = {
	{ "device_add", device_add, device_add_arguments, .features = "json-cli json-cli-hotplug",
		.open = true },
	{ "device_del", device_del, device_del_arguments },
	{},
};
