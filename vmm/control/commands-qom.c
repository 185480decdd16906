/* Commands about the tree of objects and the types in it. */
#include "base/error.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/qom-types.h"
#include "vmm/control/qom.h"

static JsonNode *array_or_null(JsonArray *array)
{
	return array ? command_array(array) : NULL;
}

static JsonNode *list(struct command_call *call, GError **error)
{
	return array_or_null(qom_list(
		call->context, json_object_get_string_member(call->arguments, "path"), error));
}

static JsonNode *get(struct command_call *call, GError **error)
{
	return qom_get(call->context, json_object_get_string_member(call->arguments, "path"),
		json_object_get_string_member(call->arguments, "property"), error);
}

/* Most properties are set when an object is made, and not any more. */
static JsonNode *set(struct command_call *call, GError **error)
{
	return qom_set(call->context, json_object_get_string_member(call->arguments, "path"),
		       json_object_get_string_member(call->arguments, "property"),
		       json_object_get_member(call->arguments, "value"), error)
		       ? command_nothing()
		       : NULL;
}

static JsonNode *list_types(struct command_call *call, GError **error)
{
	return command_array(qom_types(
		json_object_get_string_member_with_default(call->arguments, "implements", NULL),
		json_object_get_boolean_member_with_default(call->arguments, "abstract", FALSE)));
}

static JsonNode *device_list_properties(struct command_call *call, GError **error)
{
	const char *type = json_object_get_string_member(call->arguments, "typename");
	JsonArray *properties = qom_device_properties(type);

	if (!properties)
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", type);
	return array_or_null(properties);
}

static JsonNode *list_properties(struct command_call *call, GError **error)
{
	const char *type = json_object_get_string_member(call->arguments, "typename");
	JsonArray *properties = qom_type_properties(type);

	if (!properties)
		fail(error, VITRINE_ERROR_NOT_FOUND, "Class '%s' not found", type);
	return array_or_null(properties);
}

static const struct argument list_arguments[] = {
	{ "path", ARGUMENT_STRING },
	{},
};

static const struct argument get_arguments[] = {
	{ "path", ARGUMENT_STRING },
	{ "property", ARGUMENT_STRING },
	{},
};

static const struct argument set_arguments[] = {
	{ "path", ARGUMENT_STRING },
	{ "property", ARGUMENT_STRING },
	{ "value", ARGUMENT_ANY, .of = "any" },
	{},
};

static const struct argument list_types_arguments[] = {
	{ "implements", ARGUMENT_STRING, .optional = true },
	{ "abstract", ARGUMENT_BOOL, .optional = true },
	{},
};

static const struct argument type_arguments[] = {
	{ "typename", ARGUMENT_STRING },
	{},
};

const struct command qom_commands[] = {
	{ "qom-list", list, list_arguments, .returns = "[ObjectPropertyInfo]" },
	{ "qom-get", get, get_arguments, .returns = "any" },
	{ "qom-set", set, set_arguments },
	{ "qom-list-types", list_types, list_types_arguments,
		.returns = "[{name: str, abstract?: bool, parent?: str}]" },
	{ "device-list-properties", device_list_properties, type_arguments,
		.returns = "[ObjectPropertyInfo]" },
	{ "qom-list-properties", list_properties, type_arguments,
		.returns = "[ObjectPropertyInfo]" },
	{},
};
