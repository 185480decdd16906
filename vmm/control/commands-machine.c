/* Commands about the machine as a whole: what it is, whether it runs, its buttons. */
#include "vmm/control/qmp-commands.h"

#include <string.h>

#include "base/error.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/machine-types.h"

#define NO_UUID "00000000-0000-0000-0000-000000000000"

static JsonNode *query_version(struct command_call *call, GError **error)
{
	return command_object(command_version());
}

static JsonNode *query_status(struct command_call *call, GError **error)
{
	enum run_state state = call->context->machine->state;
	JsonObject *status = json_object_new();

	json_object_set_string_member(status, "status", run_state_name(state));
	json_object_set_boolean_member(status, "singlestep", FALSE);
	json_object_set_boolean_member(status, "running", state == RUN_STATE_RUNNING);
	return command_object(status);
}

static JsonNode *query_name(struct command_call *call, GError **error)
{
	const char *name = call->context->machine->config->name;
	JsonObject *answer = json_object_new();

	if (name)
		json_object_set_string_member(answer, "name", name);
	return command_object(answer);
}

static JsonNode *query_uuid(struct command_call *call, GError **error)
{
	const char *uuid = call->context->machine->config->uuid;
	JsonObject *answer = json_object_new();

	json_object_set_string_member(answer, "UUID", uuid ? uuid : NO_UUID);
	return command_object(answer);
}

static JsonObject *describe_type(const struct machine_type *type)
{
	g_autofree char *cpu = g_strdup_printf("%s-x86_64-cpu", type->cpu);
	JsonObject *answer = json_object_new();

	json_object_set_boolean_member(answer, "hotpluggable-cpus", FALSE);
	json_object_set_string_member(answer, "name", type->name);
	json_object_set_boolean_member(answer, "numa-mem-supported", FALSE);
	json_object_set_string_member(answer, "default-cpu-type", cpu);
	json_object_set_int_member(answer, "cpu-max", type->max_cpus);
	json_object_set_boolean_member(answer, "deprecated", FALSE);
	if (type->is_newest)
		json_object_set_string_member(answer, "alias", type->family);
	if (type->is_newest && type->is_default)
		json_object_set_boolean_member(answer, "is-default", TRUE);
	return answer;
}

static JsonNode *query_machines(struct command_call *call, GError **error)
{
	struct machine_types *types = machine_types_load(NULL, error);
	JsonArray *list;

	if (!types)
		return NULL;
	list = json_array_new();
	for (guint i = 0; i < machine_types_count(types); i++)
		json_array_add_object_element(list, describe_type(machine_types_get(types, i)));
	machine_types_free(types);
	return command_array(list);
}

static JsonNode *stop(struct command_call *call, GError **error)
{
	if (call->context->machine->state == RUN_STATE_SUSPENDED) {
		fail(error, VITRINE_ERROR_STATE,
			"the guest sleeps and cannot be stopped; system_wakeup wakes it");
		return NULL;
	}
	machine_stop(call->context->machine);
	return command_nothing();
}

static JsonNode *cont(struct command_call *call, GError **error)
{
	if (call->context->machine->config->never_runs) {
		fail(error, VITRINE_ERROR_STATE,
			"there is no machine to run: it was started with -machine none");
		return NULL;
	}
	return machine_cont(call->context->machine, error) ? command_nothing() : NULL;
}

static void reset_now(struct machine *machine)
{
	machine_reset(machine, CAUSE_HOST_QMP_SYSTEM_RESET);
}

static JsonNode *system_reset(struct command_call *call, GError **error)
{
	call->afterwards = reset_now;
	return command_nothing();
}

static JsonNode *system_powerdown(struct command_call *call, GError **error)
{
	call->afterwards = machine_powerdown;
	return command_nothing();
}

static JsonNode *system_wakeup(struct command_call *call, GError **error)
{
	return machine_wake(call->context->machine, error) ? command_nothing() : NULL;
}

static void quit_now(struct machine *machine)
{
	machine_quit(machine, CAUSE_HOST_QMP_QUIT);
}

static JsonNode *quit(struct command_call *call, GError **error)
{
	call->afterwards = quit_now;
	return command_nothing();
}

static JsonNode *inject_nmi(struct command_call *call, GError **error)
{
	return machine_inject_nmi(call->context->machine, error) ? command_nothing() : NULL;
}

static JsonArray *split_lines(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	JsonArray *list = json_array_new();

	for (guint i = 0; lines[i]; i++) {
		if (lines[i][0] != '\0')
			json_array_add_string_element(list, lines[i]);
	}
	return list;
}

/* Ours; QEMU tells such a failure on standard error alone. One entry for each processor that could not go on. */
static JsonNode *query_internal_error(struct command_call *call, GError **error)
{
	const struct machine *machine = call->context->machine;
	JsonArray *list = json_array_new();

	for (unsigned i = 0; i < machine->cpu_count; i++) {
		const struct vcpu_failure *failure = vcpu_failure(machine->cpus[i]);
		JsonObject *entry;

		if (!failure)
			continue;
		entry = json_object_new();
		json_object_set_int_member(entry, "cpu-index", i);
		json_object_set_string_member(entry, "reason", failure->reason);
		json_object_set_array_member(entry, "registers", split_lines(failure->registers));
		json_object_set_string_member(entry, "code", failure->code);
		json_array_add_object_element(list, entry);
	}
	return command_array(list);
}

static JsonNode *watchdog_set_action(struct command_call *call, GError **error)
{
	watchdog_action_find(json_object_get_string_member(call->arguments, "action"),
		&call->context->machine->watchdog);
	return command_nothing();
}

static const struct argument watchdog_arguments[] = {
	{ "action", ARGUMENT_STRING, .choices = watchdog_action_names },
	{},
};

/* What is not said stays. */
static JsonNode *set_action(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	JsonObject *said = call->arguments;
	const char *reboot = json_object_get_string_member_with_default(said, "reboot", NULL);
	const char *off = json_object_get_string_member_with_default(said, "shutdown", NULL);
	const char *watchdog = json_object_get_string_member_with_default(said, "watchdog", NULL);

	if (reboot)
		machine->no_reboot = strcmp(reboot, "shutdown") == 0;
	if (off)
		machine->no_shutdown = strcmp(off, "pause") == 0;
	if (watchdog)
		watchdog_action_find(watchdog, &machine->watchdog);
	return command_nothing();
}

static const char *const reboot_actions[] = { "reset", "shutdown", NULL };
static const char *const shutdown_actions[] = { "poweroff", "pause", NULL };
static const char *const panic_actions[] = { "pause", "shutdown", "exit-failure", "none", NULL };

static const struct argument action_arguments[] = {
	{ "reboot", ARGUMENT_STRING, .optional = true, .choices = reboot_actions },
	{ "shutdown", ARGUMENT_STRING, .optional = true, .choices = shutdown_actions },
	{ "panic", ARGUMENT_STRING, .optional = true, .choices = panic_actions },
	{ "watchdog", ARGUMENT_STRING, .optional = true, .choices = watchdog_action_names },
	{},
};

const struct command machine_commands[] = {
	{ "query-version", query_version, .returns = "VersionInfo" },
	{ "query-status", query_status,
		.returns = "{running: bool, singlestep: bool, status: RunState}" },
	{ "query-name", query_name, .returns = "{name?: str}" },
	{ "query-uuid", query_uuid, .returns = "{UUID: str}" },
	{ "query-machines", query_machines, .returns = "[MachineInfo]" },
	{ "stop", stop },
	{ "cont", cont },
	{ "system_reset", system_reset },
	{ "system_powerdown", system_powerdown },
	{ "system_wakeup", system_wakeup },
	{ "watchdog-set-action", watchdog_set_action, watchdog_arguments },
	{ "set-action", set_action, action_arguments },
	{ "quit", quit },
	{ "inject-nmi", inject_nmi },
	{ "x-query-internal-error", query_internal_error,
		.returns = "[{cpu-index: int, reason: str, registers: [str], code: str}]" },
	{},
};
