/* Commands that are a user's keys, pointer and fingers. */
#include <string.h>

#include "base/error.h"
#include "display/head.h"
#include "vmm/control/key-sender.h"
#include "vmm/control/keycodes.h"
#include "vmm/control/qmp-commands.h"

enum {
	EVENTS_MAX = 256,   /* of one command */
	AXIS_MAX = 0x7fff,  /* of positions, whatever the picture's size is */
	MOTION_MAX = 32767, /* that pointers can tell */
};

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
static uint8_t parse_key(JsonObject *key, const char *path, GError **error)
{
	JsonNode *type = json_object_get_member(key, "type");
	const struct argument *arguments = qcode_arguments;
	const char *name;
	gint64 number;

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

/* An object in an array of the arguments; NULL with @error. */
static JsonObject *object_at(JsonArray *array, const char *name, guint index, GError **error)
{
	JsonNode *node = json_array_get_element(array, index);

	if (JSON_NODE_HOLDS_OBJECT(node))
		return json_node_get_object(node);
	fail(error, VITRINE_ERROR_INPUT, "Invalid parameter type for '%s[%u]', expected: object",
		name, index);
	return NULL;
}

/* --- keys --- */

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
		g_autofree char *path = g_strdup_printf("keys[%u].", i);
		JsonObject *key = object_at(keys, "keys", i, error);

		qnums[i] = key ? parse_key(key, path, error) : 0;
		if (qnums[i] == 0)
			return NULL;
	}
	if (!key_sender_send(call->context->keys, qnums, count, (guint)hold, error))
		return NULL;
	return command_nothing();
}

/* --- events --- */

/* What the events of a command come to. Places have two axes, each an event of its own: they are told when both are known. */
struct input_call {
	struct display *display;
	struct head *head; /* NULL: there is none to point at */
	bool has_x, has_y;
	uint32_t x, y;
	unsigned slot;
	enum input_touch touch;
};

static const char *const button_names[] = {
	[INPUT_BUTTON_LEFT] = "left",
	[INPUT_BUTTON_MIDDLE] = "middle",
	[INPUT_BUTTON_RIGHT] = "right",
	[INPUT_BUTTON_WHEEL_UP] = "wheel-up",
	[INPUT_BUTTON_WHEEL_DOWN] = "wheel-down",
	[INPUT_BUTTON_SIDE] = "side",
	[INPUT_BUTTON_EXTRA] = "extra",
	NULL,
};
static const char *const axes[] = { "x", "y", NULL };
static const char *const touch_names[] = {
	[INPUT_TOUCH_BEGIN] = "begin",
	[INPUT_TOUCH_UPDATE] = "update",
	[INPUT_TOUCH_END] = "end",
	[INPUT_TOUCH_CANCEL] = "cancel",
	"data",
	NULL,
};
enum {
	TOUCH_DATA = INPUT_TOUCH_CANCEL + 1
};

static unsigned choice(JsonObject *data, const char *name, const char *const *choices)
{
	const char *text = json_object_get_string_member(data, name);
	unsigned i = 0;

	while (strcmp(choices[i], text) != 0)
		i++;
	return i;
}

static const struct argument key_data[] = {
	{ "key", ARGUMENT_OBJECT },
	{ "down", ARGUMENT_BOOL },
	{},
};

static const struct argument button_data[] = {
	{ "button", ARGUMENT_STRING, .choices = button_names },
	{ "down", ARGUMENT_BOOL },
	{},
};

static const struct argument axis_data[] = {
	{ "axis", ARGUMENT_STRING, .choices = axes },
	{ "value", ARGUMENT_INT },
	{},
};

static const struct argument touch_data[] = {
	{ "type", ARGUMENT_STRING, .choices = touch_names },
	{ "slot", ARGUMENT_INT },
	{ "tracking-id", ARGUMENT_INT },
	{ "axis", ARGUMENT_STRING, .choices = axes },
	{ "value", ARGUMENT_INT },
	{},
};

static bool check_number(
	JsonObject *data, const char *name, gint64 least, gint64 most, GError **error)
{
	gint64 value = json_object_get_int_member(data, name);

	if (value >= least && value <= most)
		return true;
	return fail(error, VITRINE_ERROR_INPUT,
		"Parameter '%s' expects %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, name, least,
		most);
}

static bool check_key(JsonObject *data, const char *path, GError **error)
{
	g_autofree char *inner = g_strconcat(path, "key.", NULL);

	return parse_key(json_object_get_object_member(data, "key"), inner, error) != 0;
}

static bool check_button(JsonObject *data, const char *path, GError **error)
{
	return true;
}

static bool check_motion(JsonObject *data, const char *path, GError **error)
{
	return check_number(data, "value", -MOTION_MAX, MOTION_MAX, error);
}

static bool check_place(JsonObject *data, const char *path, GError **error)
{
	return check_number(data, "value", 0, AXIS_MAX, error);
}

static bool check_finger(JsonObject *data, const char *path, GError **error)
{
	return check_number(data, "slot", 0, INPUT_TOUCH_SLOTS_MOST - 1, error) &&
	       check_number(data, "value", 0, AXIS_MAX, error);
}

static void do_key(struct input_call *call, JsonObject *data)
{
	uint8_t qnum = parse_key(json_object_get_object_member(data, "key"), "", NULL);

	display_key(call->display, qnum, json_object_get_boolean_member(data, "down"));
}

static void do_button(struct input_call *call, JsonObject *data)
{
	display_pointer_button(call->display,
		(enum input_button)choice(data, "button", button_names),
		json_object_get_boolean_member(data, "down"));
}

static void do_motion(struct input_call *call, JsonObject *data)
{
	int32_t value = json_object_get_int_member(data, "value");
	bool is_x = choice(data, "axis", axes) == 0;

	display_pointer_motion(call->display, is_x ? value : 0, is_x ? 0 : value);
}

/* From the axis to pixels, so that both ends are reached. */
static uint32_t pixel(uint32_t at, uint32_t size)
{
	return size > 1 ? ((uint64_t)at * (size - 1) + AXIS_MAX / 2) / AXIS_MAX : 0;
}

/* True when both axes are known; they are forgotten then. */
static bool note_place(struct input_call *call, JsonObject *data, uint32_t *x, uint32_t *y)
{
	uint32_t value = json_object_get_int_member(data, "value"), width = 0, height = 0;
	bool is_x = choice(data, "axis", axes) == 0;

	if (is_x)
		call->x = value;
	else
		call->y = value;
	call->has_x |= is_x;
	call->has_y |= !is_x;
	if (!call->has_x || !call->has_y)
		return false;
	call->has_x = call->has_y = false;
	if (call->head)
		head_size(call->head, &width, &height);
	*x = pixel(call->x, width);
	*y = pixel(call->y, height);
	return call->head != NULL;
}

static void do_place(struct input_call *call, JsonObject *data)
{
	uint32_t x, y;

	if (note_place(call, data, &x, &y))
		display_pointer_position(call->display, call->head, x, y);
}

/* A finger comes or moves when its place is told; it goes at once. */
static void do_finger(struct input_call *call, JsonObject *data)
{
	unsigned kind = choice(data, "type", touch_names);
	unsigned slot = json_object_get_int_member(data, "slot");
	uint32_t x, y;

	if (!call->head)
		return;
	if (kind != TOUCH_DATA) {
		call->has_x = call->has_y = false;
		call->slot = slot;
		call->touch = (enum input_touch)kind;
		if (kind == INPUT_TOUCH_END || kind == INPUT_TOUCH_CANCEL)
			display_touch(call->display, call->head, call->touch, slot, 0, 0);
		return;
	}
	if (slot != call->slot)
		return;
	if (note_place(call, data, &x, &y))
		display_touch(call->display, call->head, call->touch, slot, x, y);
}

static const struct {
	const char *type;
	const struct argument *data;
	bool (*check)(JsonObject *data, const char *path, GError **error);
	void (*run)(struct input_call *call, JsonObject *data);
} kinds[] = {
	{ "key", key_data, check_key, do_key },
	{ "btn", button_data, check_button, do_button },
	{ "rel", axis_data, check_motion, do_motion },
	{ "abs", axis_data, check_place, do_place },
	{ "mtt", touch_data, check_finger, do_finger },
};

static const char *const kind_names[] = { "key", "btn", "rel", "abs", "mtt", NULL };

static const struct argument event_arguments[] = {
	{ "type", ARGUMENT_STRING, .choices = kind_names },
	{ "data", ARGUMENT_OBJECT },
	{},
};

static bool check_event(JsonObject *event, guint index, GError **error)
{
	g_autofree char *path = g_strdup_printf("events[%u].", index);
	g_autofree char *inner = g_strconcat(path, "data.", NULL);
	JsonObject *data;
	unsigned kind;

	if (!command_check_arguments(event_arguments, event, path, error))
		return false;
	kind = choice(event, "type", kind_names);
	data = json_object_get_object_member(event, "data");
	return command_check_arguments(kinds[kind].data, data, inner, error) &&
	       kinds[kind].check(data, inner, error);
}

/* All of the events or none. */
static JsonNode *input_send_event(struct command_call *call, GError **error)
{
	JsonArray *events = json_object_get_array_member(call->arguments, "events");
	const char *device =
		json_object_get_string_member_with_default(call->arguments, "device", NULL);
	guint count = json_array_get_length(events);
	struct input_call input = { .display = call->context->machine->display };

	if (device) {
		input.head = command_find_head(call->context, device,
			json_object_get_int_member_with_default(call->arguments, "head", 0), error);
		if (!input.head)
			return NULL;
	} else if (display_head_count(input.display) > 0) {
		input.head = display_head(input.display, 0);
	}
	if (count > EVENTS_MAX) {
		fail(error, VITRINE_ERROR_INPUT, "Parameter 'events' takes at most %d events",
			EVENTS_MAX);
		return NULL;
	}
	for (guint i = 0; i < count; i++) {
		JsonObject *event = object_at(events, "events", i, error);

		if (!event || !check_event(event, i, error))
			return NULL;
	}
	for (guint i = 0; i < count; i++) {
		JsonObject *event = json_array_get_object_element(events, i);

		kinds[choice(event, "type", kind_names)].run(
			&input, json_object_get_object_member(event, "data"));
	}
	return command_nothing();
}

static const struct argument send_key_arguments[] = {
	{ "keys", ARGUMENT_ARRAY, .of = "[KeyValue]" },
	{ "hold-time", ARGUMENT_INT, .optional = true },
	{},
};

static const struct argument send_event_arguments[] = {
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "head", ARGUMENT_INT, .optional = true },
	{ "events", ARGUMENT_ARRAY, .of = "[InputEvent]" },
	{},
};

const struct command input_commands[] = {
	{ "send-key", send_key, send_key_arguments },
	{ "input-send-event", input_send_event, send_event_arguments },
	{},
};
