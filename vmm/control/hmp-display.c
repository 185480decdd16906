/* The monitor's commands about keys, pictures and who looks at them. */
#include <string.h>

#include "vmm/control/hmp.h"
#include "vmm/control/keycodes.h"
#include "vmm/options/values.h"

/* "ctrl" or "0x1d": a KeyValue, or NULL. */
static JsonObject *parse_key(const char *name)
{
	JsonObject *key;
	uint64_t number = 0;

	/* "<" is what a shifted comma was called once. */
	if (strcmp(name, "<") == 0)
		name = "less";
	if (keycode_find(name) == 0 &&
		!(g_str_has_prefix(name, "0x") && value_parse_number(name, &number)))
		return NULL;
	key = json_object_new();
	json_object_set_string_member(key, "type", number ? "number" : "qcode");
	if (number)
		json_object_set_int_member(key, "data", (gint64)number);
	else
		json_object_set_string_member(key, "data", name);
	return key;
}

/* "ctrl-alt-f1" */
static void sendkey(struct hmp_call *call)
{
	g_auto(GStrv) names =
		g_strsplit(json_object_get_string_member(call->arguments, "keys"), "-", -1);
	g_autoptr(JsonObject) arguments = json_object_new();
	JsonArray *keys = json_array_new();

	json_object_set_array_member(arguments, "keys", keys);
	for (guint i = 0; names[i]; i++) {
		JsonObject *key = parse_key(names[i]);

		if (!key) {
			g_string_append_printf(call->out, "invalid parameter: %s\n", names[i]);
			return;
		}
		json_array_add_object_element(keys, key);
	}
	if (json_object_has_member(call->arguments, "hold-time"))
		json_object_set_int_member(arguments, "hold-time",
			json_object_get_int_member(call->arguments, "hold-time"));
	hmp_do(call, "send-key", arguments);
}

static void info_mice(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "query-mice", NULL);
	JsonArray *list = answer ? json_node_get_array(answer) : NULL;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *mouse = json_array_get_object_element(list, i);

		g_string_append_printf(call->out, "%c Mouse #%" G_GINT64_FORMAT ": %s%s\n",
			json_object_get_boolean_member(mouse, "current") ? '*' : ' ',
			json_object_get_int_member(mouse, "index"),
			json_object_get_string_member(mouse, "name"),
			json_object_get_boolean_member(mouse, "absolute") ? " (absolute)" : "");
	}
}

static void info_vnc(struct hmp_call *call)
{
	const struct command_server *server = call->context->vnc;

	if (!server)
		g_string_append(call->out, "None\n");
	else
		g_string_append_printf(call->out,
			"default:\n  Server: %s:%s (%s)\n    Auth: none\n", server->host,
			server->service, server->family);
}

static const struct hmp_argument sendkey_arguments[] = {
	{ "keys", HMP_WORD },
	{ "hold-time", HMP_NUMBER, .optional = true },
	{},
};

static const struct hmp_argument screendump_arguments[] = {
	{ "filename", HMP_WORD },
	{ "device", HMP_WORD, .optional = true },
	{ "head", HMP_NUMBER, .optional = true },
	{},
};

const struct hmp_command hmp_display_commands[] = {
	{ "sendkey", sendkey_arguments, "keys [hold_ms]",
		"send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)",
		sendkey },
	{ "screendump", screendump_arguments, "filename [device [head]]",
		"save screen from head 'head' of display device 'device' as image 'filename'",
		.qmp = "screendump" },
	{},
};

const struct hmp_command hmp_info_display[] = {
	{ "mice", .help = "show which guest mouse is receiving events", .run = info_mice },
	{ "vnc", .help = "show the vnc server status", .run = info_vnc },
	{},
};
