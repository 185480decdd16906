/* Commands of the control protocol: finding one, checking its arguments, running it. */
#include "vmm/control/qmp-commands.h"

#include <string.h>

#include "base/error.h"
#include "version.h"

static const struct command *const tables[] = {
	introspection_commands,
	pci_commands,
	machine_commands,
	display_commands,
	input_commands,
	chardev_commands,
	object_commands,
	device_commands,
	qom_commands,
	probe_commands,
	monitor_commands,
	network_commands,
	block_commands,
	balloon_commands,
};

const struct command *command_at(guint index)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		for (const struct command *command = tables[i]; command->name; command++) {
			if (index-- == 0)
				return command;
		}
	}
	return NULL;
}

const struct command *command_find(const char *name)
{
	const struct command *command;

	for (guint i = 0; (command = command_at(i)); i++) {
		if (strcmp(command->name, name) == 0)
			break;
	}
	return command;
}

/* QEMU's words for the types. */
static const char *const type_names[] = {
	[ARGUMENT_STRING] = "string",
	[ARGUMENT_INT] = "integer",
	[ARGUMENT_BOOL] = "boolean",
	[ARGUMENT_ARRAY] = "array",
	[ARGUMENT_OBJECT] = "object",
};

static bool has_type(JsonNode *node, enum argument_type type)
{
	switch (type) {
	case ARGUMENT_STRING:
		return JSON_NODE_HOLDS_VALUE(node) &&
		       json_node_get_value_type(node) == G_TYPE_STRING;
	case ARGUMENT_INT:
		return JSON_NODE_HOLDS_VALUE(node) &&
		       json_node_get_value_type(node) == G_TYPE_INT64;
	case ARGUMENT_BOOL:
		return JSON_NODE_HOLDS_VALUE(node) &&
		       json_node_get_value_type(node) == G_TYPE_BOOLEAN;
	case ARGUMENT_ARRAY:
		return JSON_NODE_HOLDS_ARRAY(node);
	case ARGUMENT_ANY:
		return true;
	default:
		return JSON_NODE_HOLDS_OBJECT(node);
	}
}

static bool check_argument(
	const struct argument *argument, JsonNode *node, const char *path, GError **error)
{
	if (!node)
		return argument->optional ||
		       fail(error, VITRINE_ERROR_INPUT, "Parameter '%s%s' is missing", path,
			       argument->name);
	if (!has_type(node, argument->type))
		return fail(error, VITRINE_ERROR_INPUT,
			"Invalid parameter type for '%s%s', expected: %s", path, argument->name,
			type_names[argument->type]);
	if (argument->choices && !g_strv_contains(argument->choices, json_node_get_string(node)))
		return fail(error, VITRINE_ERROR_INPUT, "Parameter '%s' does not accept value '%s'",
			argument->name, json_node_get_string(node));
	return true;
}

static bool is_known(const struct argument *arguments, const char *name)
{
	for (; arguments && arguments->name; arguments++) {
		if (strcmp(arguments->name, name) == 0)
			return true;
	}
	return false;
}

static bool check_known(
	const struct argument *arguments, JsonObject *object, const char *path, GError **error)
{
	for (const struct argument *argument = arguments; argument && argument->name; argument++) {
		if (!check_argument(
			    argument, json_object_get_member(object, argument->name), path, error))
			return false;
	}
	return true;
}

static bool check_no_others(
	const struct argument *arguments, JsonObject *object, const char *path, GError **error)
{
	g_autoptr(GList) members = json_object_get_members(object);

	for (GList *member = members; member; member = member->next) {
		if (!is_known(arguments, member->data))
			return fail(error, VITRINE_ERROR_INPUT, "Parameter '%s%s' is unexpected",
				path, (const char *)member->data);
	}
	return true;
}

bool command_check_arguments(
	const struct argument *arguments, JsonObject *object, const char *path, GError **error)
{
	return check_known(arguments, object, path, error) &&
	       check_no_others(arguments, object, path, error);
}

JsonNode *command_run(const struct command *command, struct command_call *call,
	JsonObject *arguments, GError **error)
{
	g_autoptr(JsonObject) none = json_object_new();

	call->arguments = arguments ? arguments : none;
	if (!check_known(command->arguments, call->arguments, "", error) ||
		(!command->open &&
			!check_no_others(command->arguments, call->arguments, "", error)))
		return NULL;
	return command->run(call, error);
}

JsonNode *command_nothing(void)
{
	return command_object(json_object_new());
}

JsonNode *command_object(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

JsonNode *command_array(JsonArray *array)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);

	json_node_take_array(node, array);
	return node;
}

/* Clients read "qemu" and decide by it which commands and events to expect: those here behave as in QEMU 7.2. Who serves
 * them stands in "package". */
JsonObject *command_version(void)
{
	JsonObject *version = json_object_new();
	JsonObject *numbers = json_object_new();

	json_object_set_int_member(numbers, "micro", 0);
	json_object_set_int_member(numbers, "minor", 2);
	json_object_set_int_member(numbers, "major", 7);
	json_object_set_object_member(version, "qemu", numbers);
	json_object_set_string_member(version, "package", "Vitrine " VITRINE_VERSION);
	return version;
}
