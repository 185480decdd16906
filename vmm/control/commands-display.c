/* Commands about the display and the keyboard. */
#include "vmm/control/qmp-commands.h"

#include <string.h>

#include "base/error.h"
#include "display/head.h"
#include "vmm/control/key-sender.h"
#include "vmm/control/keycodes.h"
#include "vmm/control/screendump.h"

static struct head *find_head(
	const struct command_context *context, const char *device, gint64 number, GError **error)
{
	struct display *display = context->machine->display;

	for (guint i = 0; i < display_head_count(display); i++) {
		struct head *head = display_head(display, i);

		if (!device ||
			(strcmp(head_label(head), device) == 0 && head_number(head) == number))
			return head;
	}
	if (!device)
		fail(error, VITRINE_ERROR_STATE, "There is no console to take a screendump from");
	else if (!machine_device(context->machine, device))
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", device);
	else
		fail(error, VITRINE_ERROR_INPUT,
			"Device %s (head %" G_GINT64_FORMAT ") is not bound to a QemuConsole",
			device, number);
	return NULL;
}

static bool dump_head(
	struct head *head, enum screendump_format format, const char *path, GError **error)
{
	struct video_memory *memory;
	struct scanout scanout;
	bool good;

	if (!head_picture(head, &memory, &scanout))
		return fail(error, VITRINE_ERROR_STATE, "no surface");
	good = screendump_write(video_memory_bytes(memory), &scanout, format, path, error);
	video_memory_unref(memory);
	return good;
}

static JsonNode *screendump(struct command_call *call, GError **error)
{
	JsonObject *arguments = call->arguments;
	const char *path = json_object_get_string_member(arguments, "filename");
	const char *device = json_object_get_string_member_with_default(arguments, "device", NULL);
	const char *format = json_object_get_string_member_with_default(arguments, "format", "ppm");
	struct head *head;

	if (json_object_has_member(arguments, "head") && !device) {
		fail(error, VITRINE_ERROR_INPUT, "'head' must be specified together with 'device'");
		return NULL;
	}
	head = find_head(call->context, device,
		json_object_get_int_member_with_default(arguments, "head", 0), error);
	if (!head || !dump_head(head, strcmp(format, "png") == 0 ? SCREENDUMP_PNG : SCREENDUMP_PPM,
			     path, error))
		return NULL;
	return command_nothing();
}

static const char *const key_types[] = { "qcode", "number", NULL };

static const struct argument qcode_arguments[] = {
	{ "type", ARGUMENT_STRING, .choices = key_types },
	{ "data", ARGUMENT_STRING },
	{},
};

static const struct argument number_arguments[] = {
	{ "type", ARGUMENT_STRING, .choices = key_types },
	{ "data", ARGUMENT_INT },
	{},
};

/* A KeyValue: a key by its name or by its qnum. 0 with @error. */
static uint8_t parse_key(JsonNode *node, guint index, GError **error)
{
	g_autofree char *path = g_strdup_printf("keys[%u].", index);
	const struct argument *arguments = qcode_arguments;
	const char *name;
	gint64 number;
	JsonObject *key;
	JsonNode *type;

	if (!JSON_NODE_HOLDS_OBJECT(node)) {
		fail(error, VITRINE_ERROR_INPUT,
			"Invalid parameter type for 'keys[%u]', expected: object", index);
		return 0;
	}
	key = json_node_get_object(node);
	type = json_object_get_member(key, "type");
	if (type && json_node_get_value_type(type) == G_TYPE_STRING &&
		strcmp(json_node_get_string(type), "number") == 0)
		arguments = number_arguments;
	if (!command_check_arguments(arguments, key, path, error))
		return 0;
	if (arguments == number_arguments) {
		number = json_object_get_int_member(key, "data");
		if (number >= 1 && number <= UINT8_MAX)
			return (uint8_t)number;
		fail(error, VITRINE_ERROR_INPUT,
			"Parameter 'data' does not accept value '%" G_GINT64_FORMAT "'", number);
		return 0;
	}
	name = json_object_get_string_member(key, "data");
	if (keycode_find(name) == 0)
		fail(error, VITRINE_ERROR_INPUT, "Parameter 'data' does not accept value '%s'",
			name);
	return keycode_find(name);
}

static JsonNode *send_key(struct command_call *call, GError **error)
{
	JsonArray *keys = json_object_get_array_member(call->arguments, "keys");
	gint64 hold = json_object_get_int_member_with_default(
		call->arguments, "hold-time", KEY_SENDER_DEFAULT_HOLD_MS);
	guint count = json_array_get_length(keys);
	uint8_t qnums[KEY_SENDER_MAX_KEYS];

	if (count > KEY_SENDER_MAX_KEYS) {
		fail(error, VITRINE_ERROR_INPUT, "Parameter 'keys' takes at most %d keys",
			KEY_SENDER_MAX_KEYS);
		return NULL;
	}
	if (hold < 0 || hold > KEY_SENDER_MAX_HOLD_MS) {
		fail(error, VITRINE_ERROR_INPUT,
			"Parameter 'hold-time' expects 0 to %d milliseconds",
			KEY_SENDER_MAX_HOLD_MS);
		return NULL;
	}
	for (guint i = 0; i < count; i++) {
		qnums[i] = parse_key(json_array_get_element(keys, i), i, error);
		if (qnums[i] == 0)
			return NULL;
	}
	if (!key_sender_send(call->context->keys, qnums, count, (guint)hold, error))
		return NULL;
	return command_nothing();
}

static const char *const formats[] = { "ppm", "png", NULL };

static const struct argument screendump_arguments[] = {
	{ "filename", ARGUMENT_STRING },
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "head", ARGUMENT_INT, .optional = true },
	{ "format", ARGUMENT_STRING, .optional = true, .choices = formats },
	{},
};

static const struct argument send_key_arguments[] = {
	{ "keys", ARGUMENT_ARRAY, .of = "[KeyValue]" },
	{ "hold-time", ARGUMENT_INT, .optional = true },
	{},
};

const struct command display_commands[] = {
	{ "screendump", screendump, screendump_arguments },
	{ "send-key", send_key, send_key_arguments },
	{},
};
