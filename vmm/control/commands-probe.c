/* Commands that managers ask before and after a start, about the machine and the host: processors, memory, input, displays,
 * and what there is none of here. */
#include <string.h>

#include "base/error.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/qom-types.h"
#include "vmm/control/qom.h"
#include "vmm/cpu/definition.h"
#include "vmm/kvm/vcpu.h"

static JsonObject *describe_place(const struct machine *machine, unsigned number)
{
	static const char *const names[] = { "socket-id", "die-id", "core-id", "thread-id" };
	JsonObject *props = json_object_new();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		json_object_set_int_member(
			props, names[i], qom_cpu_topology(machine, number, names[i]));
	return props;
}

static JsonNode *query_cpus_fast(struct command_call *call, GError **error)
{
	const struct machine *machine = call->context->machine;
	JsonArray *list = json_array_new();

	for (unsigned i = 0; i < machine->cpu_count; i++) {
		g_autofree char *path = qom_cpu_path(i);
		JsonObject *entry = json_object_new();

		json_object_set_int_member(entry, "thread-id", vcpu_thread_id(machine->cpus[i]));
		json_object_set_object_member(entry, "props", describe_place(machine, i));
		json_object_set_string_member(entry, "qom-path", path);
		json_object_set_int_member(entry, "cpu-index", i);
		json_object_set_string_member(entry, "target", "x86_64");
		json_array_add_object_element(list, entry);
	}
	return command_array(list);
}

/* All are there from the start and none can be added: those there are, last one first, as QEMU lists them. */
static JsonNode *query_hotpluggable_cpus(struct command_call *call, GError **error)
{
	const struct machine *machine = call->context->machine;
	g_autofree char *type = qom_cpu_type(machine->config->cpu);
	JsonArray *list = json_array_new();

	for (unsigned i = machine->cpu_count; i > 0; i--) {
		g_autofree char *path = qom_cpu_path(i - 1);
		JsonObject *entry = json_object_new();

		json_object_set_object_member(entry, "props", describe_place(machine, i - 1));
		json_object_set_int_member(entry, "vcpus-count", 1);
		json_object_set_string_member(entry, "qom-path", path);
		json_object_set_string_member(entry, "type", type);
		json_array_add_object_element(list, entry);
	}
	return command_array(list);
}

static JsonNode *query_memory_size_summary(struct command_call *call, GError **error)
{
	JsonObject *answer = json_object_new();

	json_object_set_int_member(
		answer, "base-memory", (gint64)call->context->machine->config->memory_size);
	json_object_set_int_member(answer, "plugged-memory", 0);
	return command_object(answer);
}

static JsonNode *query_kvm(struct command_call *call, GError **error)
{
	JsonObject *answer = json_object_new();

	json_object_set_boolean_member(answer, "enabled", TRUE);
	json_object_set_boolean_member(answer, "present", TRUE);
	return command_object(answer);
}

static JsonNode *query_target(struct command_call *call, GError **error)
{
	JsonObject *answer = json_object_new();

	json_object_set_string_member(answer, "arch", "x86_64");
	return command_object(answer);
}

static JsonNode *query_mice(struct command_call *call, GError **error)
{
	bool absolute = display_pointer_is_absolute(call->context->machine->display);
	JsonArray *list = json_array_new();
	JsonObject *entry = json_object_new();

	json_object_set_string_member(
		entry, "name", absolute ? "QEMU HID Tablet" : "QEMU PS/2 Mouse");
	json_object_set_int_member(entry, "index", 0);
	json_object_set_boolean_member(entry, "current", TRUE);
	json_object_set_boolean_member(entry, "absolute", absolute);
	json_array_add_object_element(list, entry);
	return command_array(list);
}

/* --- displays --- */

static JsonNode *query_vnc(struct command_call *call, GError **error)
{
	const struct command_server *server = call->context->vnc;
	JsonObject *answer = json_object_new();

	json_object_set_boolean_member(answer, "enabled", server != NULL);
	if (!server)
		return command_object(answer);
	json_object_set_string_member(answer, "service", server->service);
	json_object_set_string_member(answer, "host", server->host);
	json_object_set_string_member(answer, "family", server->family);
	json_object_set_string_member(answer, "auth", "none");
	json_object_set_array_member(answer, "clients", json_array_new());
	return command_object(answer);
}

static JsonNode *query_display_options(struct command_call *call, GError **error)
{
	const char *type = call->context->display;
	JsonObject *answer = json_object_new();

	json_object_set_string_member(answer, "type", type ? type : "none");
	return command_object(answer);
}

/* --- processors' models --- */

static void add_model(JsonArray *list, const char *name, bool is_static)
{
	g_autofree char *type = qom_cpu_type(name);
	JsonObject *entry = json_object_new();

	json_object_set_string_member(entry, "name", name);
	json_object_set_string_member(entry, "typename", type);
	json_object_set_array_member(entry, "unavailable-features", json_array_new());
	json_object_set_boolean_member(entry, "static", FALSE);
	json_object_set_boolean_member(entry, "migration-safe", is_static);
	json_object_set_boolean_member(entry, "deprecated", FALSE);
	json_array_add_object_element(list, entry);
}

static JsonNode *query_cpu_definitions(struct command_call *call, GError **error)
{
	g_auto(GStrv) models = cpu_model_names(NULL);
	JsonArray *list = json_array_new();

	add_model(list, "max", false);
	add_model(list, "host", false);
	for (guint i = 0; models && models[i]; i++)
		add_model(list, models[i], true);
	return command_array(list);
}

static bool expand(struct command_call *call, const char *name, JsonObject *props, GError **error)
{
	struct machine *machine = call->context->machine;
	struct cpu_request *request = cpu_request_parse(name, error);
	struct cpu_definition *definition = NULL;
	g_auto(GStrv) names = NULL;
	g_autofree char *all = cpu_features_names();

	if (request && machine->kvm) {
		request->check = request->enforce = false;
		definition = cpu_definition_new(request, machine->kvm->cpuid, error);
	}
	g_clear_pointer(&request, cpu_request_free);
	if (!definition)
		return machine->kvm || fail(error, VITRINE_ERROR_STATE, "there is no KVM");
	names = g_strsplit(all, " ", -1);
	for (guint i = 0; names[i]; i++)
		json_object_set_boolean_member(
			props, names[i], cpu_features_have(&definition->features, names[i]));
	cpu_definition_free(definition);
	return true;
}

static const struct argument model_arguments[] = {
	{ "name", ARGUMENT_STRING },
	{ "props", ARGUMENT_OBJECT, .optional = true },
	{},
};

/* What a model stands for on this host. Properties that are asked for are left out: they are what the caller knows. */
static JsonNode *query_cpu_model_expansion(struct command_call *call, GError **error)
{
	JsonObject *asked = json_object_get_object_member(call->arguments, "model");
	g_autoptr(JsonObject) props = json_object_new();
	const char *name;
	JsonObject *model, *answer;

	if (!command_check_arguments(model_arguments, asked, "model.", error))
		return NULL;
	name = json_object_get_string_member(asked, "name");
	if (!expand(call, name, props, error))
		return NULL;
	model = json_object_new();
	json_object_set_string_member(model, "name",
		strcmp(json_object_get_string_member(call->arguments, "type"), "static") == 0
			? "base"
			: name);
	json_object_set_object_member(model, "props", g_steal_pointer(&props));
	answer = json_object_new();
	json_object_set_object_member(answer, "model", model);
	return command_object(answer);
}

/* --- what there is none of --- */

static JsonNode *none(struct command_call *call, GError **error)
{
	return command_array(json_array_new());
}

static JsonNode *query_current_machine(struct command_call *call, GError **error)
{
	JsonObject *answer = json_object_new();

	json_object_set_boolean_member(
		answer, "wakeup-suspend-support", machine_can_sleep(call->context->machine));
	return command_object(answer);
}

/* Guests are not migrated, so that every capability is off; asking for one is refused. */
static JsonNode *migrate_set_capabilities(struct command_call *call, GError **error)
{
	JsonArray *list = json_object_get_array_member(call->arguments, "capabilities");

	for (guint i = 0; i < json_array_get_length(list); i++) {
		JsonNode *node = json_array_get_element(list, i);
		JsonObject *entry =
			JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

		if (entry && !json_object_get_boolean_member_with_default(entry, "state", TRUE))
			continue;
		/* The events of a migration that never comes. */
		if (entry && g_strcmp0(json_object_get_string_member_with_default(
					       entry, "capability", ""),
				     "events") == 0)
			continue;
		fail(error, VITRINE_ERROR_STATE, "guests cannot be migrated");
		return NULL;
	}
	return command_nothing();
}

static const char *const expansion_types[] = { "static", "full", NULL };

static const struct argument expansion_arguments[] = {
	{ "type", ARGUMENT_STRING, .choices = expansion_types },
	{ "model", ARGUMENT_OBJECT, .of = "CpuModelInfo" },
	{},
};

static const struct argument capabilities_arguments[] = {
	{ "capabilities", ARGUMENT_ARRAY, .of = "[{capability: events|, state: bool}]" },
	{},
};

const struct command probe_commands[] = {
	{ "query-cpus-fast", query_cpus_fast,
		.returns = "[{cpu-index: int, qom-path: str, thread-id: int, "
			   "props?: CpuInstanceProperties, target: x86_64|}]" },
	{ "query-hotpluggable-cpus", query_hotpluggable_cpus,
		.returns = "[{type: str, vcpus-count: int, props: CpuInstanceProperties, "
			   "qom-path?: str}]" },
	{ "query-memory-size-summary", query_memory_size_summary,
		.returns = "{base-memory: int, plugged-memory?: int}" },
	{ "query-memory-devices", none, .returns = "[{}]" },
	{ "query-kvm", query_kvm, .returns = "{enabled: bool, present: bool}" },
	{ "query-target", query_target, .returns = "{arch: x86_64|}" },
	{ "query-mice", query_mice,
		.returns = "[{name: str, index: int, current: bool, absolute: bool}]" },
	{ "query-vnc", query_vnc,
		.returns = "{enabled: bool, host?: str, family?: ipv4|ipv6|unix, service?: str, "
			   "auth?: str, clients?: [{host: str, service: str, "
			   "family: ipv4|ipv6|unix, websocket: bool}]}" },
	{ "query-display-options", query_display_options, .returns = "{type: none|gtk|dbus}" },
	{ "query-cpu-definitions", query_cpu_definitions,
		.returns = "[{name: str, migration-safe?: bool, static: bool, "
			   "unavailable-features?: [str], typename: str, alias-of?: str, "
			   "deprecated: bool}]" },
	{ "query-cpu-model-expansion", query_cpu_model_expansion, expansion_arguments,
		.returns = "{model: CpuModelInfo}" },
	{ "query-tpm-models", none, .returns = "[str]" },
	{ "query-tpm-types", none, .returns = "[str]" },
	{ "query-jobs", none, .returns = "[{}]" },
	{ "query-acpi-ospm-status", none, .returns = "[{}]" },
	{ "query-current-machine", query_current_machine,
		.returns = "{wakeup-suspend-support: bool}" },
	{ "query-migrate-capabilities", none, .returns = "[{capability: events|, state: bool}]" },
	{ "migrate-set-capabilities", migrate_set_capabilities, capabilities_arguments },
	{},
};
