/* Commands about the protocol itself: what it can do, and what the command line can. */
#include <string.h>

#include "base/error.h"
#include "vmm/control/events.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/schema.h"
#include "vmm/options/options.h"

/* A session answers it before it looks here: once. */
static JsonNode *qmp_capabilities(struct command_call *call, GError **error)
{
	fail(error, VITRINE_ERROR_STATE,
		"Capabilities negotiation is already complete, command ignored");
	return NULL;
}

static void add_name(JsonArray *list, const char *name)
{
	JsonObject *entry = json_object_new();

	json_object_set_string_member(entry, "name", name);
	json_array_add_object_element(list, entry);
}

static JsonNode *query_commands(struct command_call *call, GError **error)
{
	JsonArray *list = json_array_new();
	const struct command *command;

	for (guint i = 0; (command = command_at(i)); i++)
		add_name(list, command->name);
	return command_array(list);
}

static JsonNode *query_events(struct command_call *call, GError **error)
{
	JsonArray *list = json_array_new();

	for (const struct event_kind *kind = event_kinds; kind->name; kind++)
		add_name(list, kind->name);
	return command_array(list);
}

static JsonNode *query_qmp_schema(struct command_call *call, GError **error)
{
	return command_array(schema_describe());
}

/* --- query-command-line-options --- */

static const char *const parameter_types[] = {
	[OPTION_STRING] = "string",
	[OPTION_BOOL] = "boolean",
	[OPTION_NUMBER] = "number",
	[OPTION_SIZE] = "size",
	[OPTION_CHOICE] = "string",
	[OPTION_UUID] = "string",
};

static JsonObject *describe_option(const struct option_spec *spec)
{
	JsonObject *entry = json_object_new();
	JsonArray *parameters = json_array_new();

	for (const struct option_key *key = spec->keys; key && key->name; key++) {
		JsonObject *parameter = json_object_new();

		json_object_set_string_member(parameter, "name", key->name);
		json_object_set_string_member(parameter, "help", key->description);
		json_object_set_string_member(parameter, "type", parameter_types[key->type]);
		json_array_add_object_element(parameters, parameter);
	}
	json_object_set_array_member(entry, "parameters", parameters);
	json_object_set_string_member(entry, "option", spec->group);
	return entry;
}

static JsonNode *query_command_line_options(struct command_call *call, GError **error)
{
	const char *wanted =
		json_object_get_string_member_with_default(call->arguments, "option", NULL);
	g_autoptr(JsonArray) list = json_array_new();
	const struct option_spec *spec;

	for (guint i = 0; (spec = option_spec_at(i)); i++) {
		if (spec->group && spec->kind != OPTION_SHORT && spec->kind != OPTION_FLAG &&
			(!wanted || strcmp(spec->group, wanted) == 0))
			json_array_add_object_element(list, describe_option(spec));
	}
	if (!wanted || json_array_get_length(list) > 0)
		return command_array(g_steal_pointer(&list));
	fail(error, VITRINE_ERROR_INPUT, "invalid option name: %s", wanted);
	return NULL;
}

static const struct argument option_arguments[] = {
	{ "option", ARGUMENT_STRING, .optional = true },
	{},
};

static const struct argument capabilities_arguments[] = {
	{ "enable", ARGUMENT_ARRAY, .optional = true, .of = "[oob|]" },
	{},
};

const struct command introspection_commands[] = {
	{ "qmp_capabilities", qmp_capabilities, capabilities_arguments },
	{ "query-commands", query_commands, .returns = "[{name: str}]" },
	{ "query-events", query_events, .returns = "[{name: str}]" },
	{ "query-qmp-schema", query_qmp_schema, .returns = "[SchemaInfo]" },
	{ "query-command-line-options", query_command_line_options, option_arguments,
		.returns = "[{option: str, parameters: [{name: str, "
			   "type: string|boolean|number|size, help?: str, default?: str}]}]" },
	{},
};
