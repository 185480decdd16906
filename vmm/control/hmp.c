/* The monitor for people: running a line, "help" and "info". */
#include "vmm/control/hmp.h"

#include <string.h>

#include "base/error.h"

void hmp_fail(struct hmp_call *call, GError *error)
{
	g_string_append_printf(call->out, "Error: %s\n", error->message);
	g_error_free(error);
}

JsonNode *hmp_query(struct hmp_call *call, const char *name, JsonObject *arguments)
{
	const struct command *command = command_find(name);
	struct command_call inner = { .context = call->context };
	GError *error = NULL;
	JsonNode *answer = NULL;

	if (command)
		answer = command_run(command, &inner, arguments, &error);
	else
		fail(&error, VITRINE_ERROR_NOT_FOUND, "The command %s has not been found", name);
	if (!answer)
		hmp_fail(call, error);
	else
		call->afterwards = inner.afterwards;
	return answer;
}

void hmp_do(struct hmp_call *call, const char *name, JsonObject *arguments)
{
	JsonNode *answer = hmp_query(call, name, arguments);

	g_clear_pointer(&answer, json_node_unref);
}

static void describe(GString *out, const char *prefix, const struct hmp_command *command)
{
	g_string_append_printf(out, "%s%s %s -- %s\n", prefix, command->name,
		command->usage ? command->usage : "", command->help);
}

static void list(GString *out, bool of_info)
{
	g_auto(GStrv) names = hmp_complete("", of_info);

	for (guint i = 0; names[i]; i++)
		describe(out, of_info ? "info " : "",
			of_info ? hmp_find_info(names[i]) : hmp_find(names[i]));
}

static void help(GString *out, const char *about)
{
	g_auto(GStrv) words = g_strsplit(about, " ", 2);
	const struct hmp_command *command = NULL;

	if (about[0] == '\0') {
		list(out, false);
		return;
	}
	if (strcmp(words[0], "info") == 0 && !words[1]) {
		list(out, true);
		return;
	}
	if (strcmp(words[0], "info") == 0)
		command = hmp_find_info(words[1]);
	else
		command = hmp_find(words[0]);
	if (command)
		describe(out, strcmp(words[0], "info") == 0 ? "info " : "", command);
	else
		g_string_append_printf(out, "unknown command: '%s'\n", about);
}

static void run(struct hmp_call *call, const struct hmp_command *command, const char *text)
{
	g_autoptr(GError) error = NULL;

	call->arguments = hmp_parse(command, text, &error);
	if (!call->arguments) {
		g_string_append_printf(call->out, "%s\nTry \"help %s\" for more information\n",
			error->message, command->name);
		return;
	}
	if (command->run)
		command->run(call);
	else
		hmp_do(call, command->qmp, call->arguments);
	json_object_unref(call->arguments);
}

/* Takes the first word off the front of a line. To be freed. */
static char *first_word(const char **text)
{
	size_t length;

	*text += strspn(*text, " \t");
	length = strcspn(*text, " \t/");
	*text += length;
	return g_strndup(*text - length, length);
}

static void run_line(struct hmp_call *call, const char *line)
{
	const char *rest = line;
	g_autofree char *name = first_word(&rest);
	bool of_info = strcmp(name, "info") == 0;
	g_autofree char *what = of_info ? first_word(&rest) : g_strdup(name);
	const struct hmp_command *command = of_info ? hmp_find_info(what) : hmp_find(what);

	if (name[0] == '\0')
		return;
	if (strcmp(name, "help") == 0 || strcmp(name, "?") == 0) {
		g_autofree char *about = g_strstrip(g_strdup(rest));

		help(call->out, about);
	} else if (of_info && what[0] == '\0') {
		list(call->out, true);
	} else if (command) {
		run(call, command, rest);
	} else {
		g_string_append_printf(
			call->out, "unknown command: '%s%s'\n", of_info ? "info " : "", what);
	}
}

char *hmp_run(const struct command_context *context, const char *line, unsigned *cpu,
	void (**afterwards)(struct machine *machine))
{
	struct hmp_call call = { .context = context, .out = g_string_new(NULL), .cpu = cpu };
	g_autofree char *text = g_utf8_make_valid(line, -1);
	g_autofree char *all = NULL;

	run_line(&call, text);
	*afterwards = call.afterwards;
	all = g_string_free(call.out, FALSE);
	return g_utf8_make_valid(all, -1);
}
