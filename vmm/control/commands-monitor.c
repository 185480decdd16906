/* Commands of the monitor as such: lines of the monitor for people, and descriptors sent along. */
#include <string.h>

#include "base/error.h"
#include "vmm/control/hmp.h"
#include "vmm/control/monitor-fds.h"

/* With CRLF line ends, as a terminal would have them. */
static char *with_returns(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	return g_strjoinv("\r\n", lines);
}

static JsonNode *human_monitor_command(struct command_call *call, GError **error)
{
	const char *line = json_object_get_string_member(call->arguments, "command-line");
	gint64 cpu = json_object_get_int_member_with_default(call->arguments, "cpu-index", 0);
	g_autofree char *text = NULL;
	g_autofree char *answer = NULL;
	unsigned number;

	if (cpu < 0 || cpu >= (gint64)call->context->machine->cpu_count) {
		fail(error, VITRINE_ERROR_INPUT, "Parameter 'cpu-index' expects a CPU number");
		return NULL;
	}
	number = (unsigned)cpu;
	text = hmp_run(call->context, line, &number, &call->afterwards);
	answer = with_returns(text);
	return json_node_init_string(json_node_alloc(), answer);
}

static JsonNode *getfd(struct command_call *call, GError **error)
{
	const char *name = json_object_get_string_member(call->arguments, "fdname");

	return monitor_fds_name(call->fds, name, error) ? command_nothing() : NULL;
}

static JsonNode *closefd(struct command_call *call, GError **error)
{
	const char *name = json_object_get_string_member(call->arguments, "fdname");

	return monitor_fds_close(call->fds, name, error) ? command_nothing() : NULL;
}

static const struct argument line_arguments[] = {
	{ "command-line", ARGUMENT_STRING },
	{ "cpu-index", ARGUMENT_INT, .optional = true },
	{},
};

static const struct argument fd_arguments[] = {
	{ "fdname", ARGUMENT_STRING },
	{},
};

const struct command monitor_commands[] = {
	{ "human-monitor-command", human_monitor_command, line_arguments, .returns = "str" },
	{ "getfd", getfd, fd_arguments },
	{ "closefd", closefd, fd_arguments },
	{},
};
