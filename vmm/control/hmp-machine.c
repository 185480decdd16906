/* The monitor's commands about the machine as a whole, and its "info". */
#include <string.h>

#include "base/error.h"
#include "vmm/control/hmp.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/run-state.h"

static void set_cpu(struct hmp_call *call)
{
	gint64 index = json_object_get_int_member(call->arguments, "index");

	if (index >= 0 && index < (gint64)call->context->machine->cpu_count)
		*call->cpu = (unsigned)index;
	else
		g_string_append(call->out, "invalid CPU index\n");
}

static void info_status(struct hmp_call *call)
{
	enum run_state state = call->context->machine->state;
	const char *name = run_state_name(state);

	if (state == RUN_STATE_RUNNING)
		g_string_append(call->out, "VM status: running\n");
	else if (state == RUN_STATE_PAUSED)
		g_string_append(call->out, "VM status: paused\n");
	else
		g_string_append_printf(call->out, "VM status: paused (%s)\n", name);
}

static void info_version(struct hmp_call *call)
{
	g_autoptr(JsonObject) version = command_version();
	JsonObject *numbers = json_object_get_object_member(version, "qemu");

	g_string_append_printf(call->out,
		"%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " (%s)\n",
		json_object_get_int_member(numbers, "major"),
		json_object_get_int_member(numbers, "minor"),
		json_object_get_int_member(numbers, "micro"),
		json_object_get_string_member(version, "package"));
}

static void info_name(struct hmp_call *call)
{
	if (call->context->machine->config->name)
		g_string_append_printf(call->out, "%s\n", call->context->machine->config->name);
}

static void info_uuid(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "query-uuid", NULL);

	if (answer)
		g_string_append_printf(call->out, "%s\n",
			json_object_get_string_member(json_node_get_object(answer), "UUID"));
}

static void info_kvm(struct hmp_call *call)
{
	g_string_append(call->out, "kvm support: enabled\n");
}

static void info_cpus(struct hmp_call *call)
{
	const struct machine *machine = call->context->machine;

	for (unsigned i = 0; i < machine->cpu_count; i++)
		g_string_append_printf(call->out, "%c CPU #%u: thread_id=%d\n",
			i == *call->cpu ? '*' : ' ', i, (int)vcpu_thread_id(machine->cpus[i]));
}

static void info_registers(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;
	bool all =
		json_object_get_boolean_member_with_default(call->arguments, "cpustate_all", FALSE);
	gint64 wanted =
		json_object_get_int_member_with_default(call->arguments, "vcpu", *call->cpu);

	if (wanted < 0 || wanted >= (gint64)machine->cpu_count) {
		g_string_append(call->out, "CPU not available\n");
		return;
	}
	machine_park_cpus(machine);
	for (unsigned i = 0; i < machine->cpu_count; i++) {
		g_autofree char *text = NULL;

		if (!all && i != wanted)
			continue;
		text = vcpu_registers(machine->cpus[i]);
		g_string_append_printf(call->out, "\nCPU#%u\n%s%s", i, text,
			g_str_has_suffix(text, "\n") ? "" : "\n");
	}
	machine_unpark_cpus(machine);
}

static void info_hotpluggable_cpus(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "query-hotpluggable-cpus", NULL);
	JsonArray *list = answer ? json_node_get_array(answer) : NULL;

	if (list)
		g_string_append(call->out, "Hotpluggable CPUs:\n");
	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *entry = json_array_get_object_element(list, i);
		JsonObject *props = json_object_get_object_member(entry, "props");
		g_autoptr(GList) names = json_object_get_members(props);

		g_string_append_printf(call->out,
			"  type: \"%s\"\n  vcpus_count: \"1\"\n  qom_path: \"%s\"\n"
			"  CPUInstance Properties:\n",
			json_object_get_string_member(entry, "type"),
			json_object_get_string_member(entry, "qom-path"));
		for (GList *name = names; name; name = name->next)
			g_string_append_printf(call->out, "    %s: \"%" G_GINT64_FORMAT "\"\n",
				(const char *)name->data,
				json_object_get_int_member(props, name->data));
	}
}

static const struct hmp_argument cpu_arguments[] = {
	{ "index", HMP_NUMBER, .what = "CPU index" },
	{},
};

static const struct hmp_argument registers_arguments[] = {
	{ "cpustate_all", HMP_FLAG, .flag = 'a' },
	{ "vcpu", HMP_NUMBER, .optional = true },
	{},
};

const struct hmp_command hmp_machine_commands[] = {
	{ "stop|s", .help = "stop emulation", .qmp = "stop" },
	{ "cont|c", .help = "resume emulation", .qmp = "cont" },
	{ "system_reset", .help = "reset the system", .qmp = "system_reset" },
	{ "system_powerdown", .help = "send system power down event", .qmp = "system_powerdown" },
	{ "system_wakeup", .help = "wakeup guest from suspend", .qmp = "system_wakeup" },
	{ "quit|q", .help = "quit the emulator", .qmp = "quit" },
	{ "nmi", .help = "inject an NMI", .qmp = "inject-nmi" },
	{ "cpu", cpu_arguments, "index", "set the default CPU", set_cpu },
	{},
};

const struct hmp_command hmp_info_machine[] = {
	{ "status", .help = "show the current VM status (running|paused)", .run = info_status },
	{ "version", .help = "show the version", .run = info_version },
	{ "name", .help = "show the current VM name", .run = info_name },
	{ "uuid", .help = "show the current VM UUID", .run = info_uuid },
	{ "kvm", .help = "show KVM information", .run = info_kvm },
	{ "cpus", .help = "show infos for each CPU", .run = info_cpus },
	{ "hotpluggable-cpus", .help = "show information about hotpluggable CPUs",
		.run = info_hotpluggable_cpus },
	{ "registers", registers_arguments, "[-a|vcpu]",
		"show the cpu registers (-a: of all cpus; vcpu: of that one)", info_registers },
	{},
};
