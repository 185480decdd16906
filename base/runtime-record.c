/* What a running guest says of itself: guest.json, read and written.
 *
 * The file lies in a directory that only its owner can write to; it is still read as if anybody had written it.
 */
#include "base/runtime-record.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/error.h"
#include "base/runtime-dir.h"

enum {
	FORMAT = 1,
	TEXT_MAX = 256,     /* bytes of a name, a type or an address */
	PATH_LENGTH = 4096, /* bytes of a path */
	/* Brackets in the whole file, those in strings included: bounds how deep the JSON parser recurses. */
	BRACKETS_MAX = 512,
};

enum kind {
	KIND_NAME,
	KIND_TEXT,
	KIND_UUID,
	KIND_FILE
};

static bool is_printable(const char *text, size_t most)
{
	size_t length = strlen(text);

	if (length == 0 || length > most)
		return false;
	for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
		if (!g_unichar_isprint(g_utf8_get_char(c)))
			return false;
	}
	return true;
}

static bool is_file(const char *text)
{
	if (!is_printable(text, PATH_LENGTH))
		return false;
	return text[0] == '/' || (!strchr(text, '/') && strcmp(text, ".") && strcmp(text, ".."));
}

static bool check_text(enum kind kind, const char *member, const char *text, GError **error)
{
	switch (kind) {
	case KIND_NAME:
		return runtime_name_check(text, error);
	case KIND_TEXT:
		if (is_printable(text, TEXT_MAX))
			return true;
		return fail(error, VITRINE_ERROR_INPUT,
			"\"%s\" is not 1 to %d bytes without control characters", member, TEXT_MAX);
	case KIND_UUID:
		if (g_uuid_string_is_valid(text))
			return true;
		return fail(error, VITRINE_ERROR_INPUT, "\"%s\" is no UUID", member);
	case KIND_FILE:
		if (is_file(text))
			return true;
		return fail(error, VITRINE_ERROR_INPUT,
			"\"%s\" is neither a file name nor an absolute path", member);
	}
	return false;
}

/* The members that are strings; a required one is an error when missing. */
static const struct {
	const char *member;
	size_t offset;
	enum kind kind;
	bool required;
} members[] = {
	{ "name", offsetof(struct runtime_record, name), KIND_NAME, true },
	{ "uuid", offsetof(struct runtime_record, uuid), KIND_UUID, false },
	{ "machine", offsetof(struct runtime_record, machine), KIND_TEXT, true },
	{ "machine-asked", offsetof(struct runtime_record, machine_asked), KIND_TEXT, false },
	{ "display", offsetof(struct runtime_record, display), KIND_FILE, false },
	{ "qmp", offsetof(struct runtime_record, qmp), KIND_FILE, false },
};

static char **member_text(const struct runtime_record *record, size_t index)
{
	return (char **)((char *)record + members[index].offset);
}

static bool get_text(JsonObject *object, const char *member, enum kind kind, bool required,
	char **text, GError **error)
{
	JsonNode *node = json_object_get_member(object, member);

	if (!node && !required)
		return true;
	if (!node)
		return fail(error, VITRINE_ERROR_INPUT, "\"%s\" is missing", member);
	if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
		return fail(error, VITRINE_ERROR_INPUT, "\"%s\" is no string", member);
	if (!check_text(kind, member, json_node_get_string(node), error))
		return false;
	*text = json_node_dup_string(node);
	return true;
}

static bool get_number(
	JsonObject *object, const char *member, int64_t most, int32_t *number, GError **error)
{
	JsonNode *node = json_object_get_member(object, member);
	int64_t value;

	if (!node)
		return fail(error, VITRINE_ERROR_INPUT, "\"%s\" is missing", member);
	if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
		return fail(error, VITRINE_ERROR_INPUT, "\"%s\" is no whole number", member);
	value = json_node_get_int(node);
	if (value < 1 || value > most)
		return fail(error, VITRINE_ERROR_INPUT,
			"\"%s\" is %" G_GINT64_FORMAT ", not in 1..%" G_GINT64_FORMAT, member,
			value, most);
	*number = value;
	return true;
}

/* The array of that name in @array, NULL when there is none. */
static bool get_array(
	JsonObject *object, const char *member, guint most, JsonArray **array, GError **error)
{
	JsonNode *node = json_object_get_member(object, member);

	*array = NULL;
	if (!node)
		return true;
	if (!JSON_NODE_HOLDS_ARRAY(node))
		return fail(error, VITRINE_ERROR_INPUT, "\"%s\" is no list", member);
	*array = json_node_get_array(node);
	if (json_array_get_length(*array) <= most)
		return true;
	return fail(error, VITRINE_ERROR_INPUT, "\"%s\" has %u entries, at most %u are taken",
		member, json_array_get_length(*array), most);
}

static bool get_serial(JsonObject *object, struct runtime_record *record, GError **error)
{
	JsonArray *array;

	if (!get_array(object, "serial", RUNTIME_PORTS_MAX, &array, error))
		return false;
	if (!array)
		return true;
	record->serial = g_new0(struct runtime_port, json_array_get_length(array));
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);
		struct runtime_port *port = &record->serial[record->serial_count++];

		if (!JSON_NODE_HOLDS_OBJECT(node))
			return fail(error, VITRINE_ERROR_INPUT,
				"entry %u of \"serial\" is no object", i);
		if (!get_text(json_node_get_object(node), "name", KIND_NAME, true, &port->name,
			    error) ||
			!get_text(json_node_get_object(node), "socket", KIND_FILE, false,
				&port->socket, error)) {
			g_prefix_error(error, "entry %u of \"serial\": ", i);
			return false;
		}
	}
	return true;
}

static bool get_vnc(JsonObject *object, struct runtime_record *record, GError **error)
{
	JsonArray *array;

	if (!get_array(object, "vnc", RUNTIME_VNC_MAX, &array, error))
		return false;
	if (!array)
		return true;
	record->vnc = g_new0(char *, json_array_get_length(array) + 1);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
			return fail(
				error, VITRINE_ERROR_INPUT, "entry %u of \"vnc\" is no string", i);
		if (!check_text(KIND_TEXT, "vnc", json_node_get_string(node), error))
			return false;
		record->vnc[i] = json_node_dup_string(node);
	}
	return true;
}

static bool get_record(JsonObject *object, struct runtime_record *record, GError **error)
{
	int32_t format;

	if (!get_number(object, "format", INT32_MAX, &format, error))
		return false;
	if (format != FORMAT)
		return fail(error, VITRINE_ERROR_INPUT, "format %d is not known, only %d", format,
			FORMAT);
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		if (!get_text(object, members[i].member, members[i].kind, members[i].required,
			    member_text(record, i), error))
			return false;
	}
	return get_number(object, "pid", INT32_MAX, &record->pid, error) &&
	       get_serial(object, record, error) && get_vnc(object, record, error);
}

/* What the JSON parser is spared: too much, too deep, and bytes that are no text. */
static bool check_bytes(const char *bytes, size_t length, GError **error)
{
	size_t brackets = 0;

	if (length > RUNTIME_RECORD_MAX)
		return fail(error, VITRINE_ERROR_INPUT, "%zu bytes, at most %d are taken", length,
			RUNTIME_RECORD_MAX);
	if (!g_utf8_validate_len(bytes, length, NULL))
		return fail(error, VITRINE_ERROR_INPUT, "the text is not UTF-8");
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '[' || bytes[i] == '{')
			brackets++;
	}
	if (brackets > BRACKETS_MAX)
		return fail(error, VITRINE_ERROR_INPUT, "%zu brackets, at most %d are taken",
			brackets, BRACKETS_MAX);
	return true;
}

struct runtime_record *runtime_record_parse(const void *bytes, size_t length, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	g_autoptr(runtime_record) record = NULL;
	g_autoptr(GError) wrong = NULL;
	JsonNode *root;

	if (!check_bytes(bytes, length, error))
		return NULL;
	if (!json_parser_load_from_data(parser, bytes, length, &wrong)) {
		fail(error, VITRINE_ERROR_INPUT, "the text is no JSON: %s", wrong->message);
		return NULL;
	}
	root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
		fail(error, VITRINE_ERROR_INPUT, "the text is no JSON object");
		return NULL;
	}
	record = g_new0(struct runtime_record, 1);
	if (!get_record(json_node_get_object(root), record, error))
		return NULL;
	return g_steal_pointer(&record);
}

static void add_text(JsonBuilder *builder, const char *member, const char *text)
{
	if (!text)
		return;
	json_builder_set_member_name(builder, member);
	json_builder_add_string_value(builder, text);
}

static void add_number(JsonBuilder *builder, const char *member, int64_t number)
{
	json_builder_set_member_name(builder, member);
	json_builder_add_int_value(builder, number);
}

static void add_serial(JsonBuilder *builder, const struct runtime_record *record)
{
	json_builder_set_member_name(builder, "serial");
	json_builder_begin_array(builder);
	for (guint i = 0; i < record->serial_count; i++) {
		json_builder_begin_object(builder);
		add_text(builder, "name", record->serial[i].name);
		add_text(builder, "socket", record->serial[i].socket);
		json_builder_end_object(builder);
	}
	json_builder_end_array(builder);
}

static void add_vnc(JsonBuilder *builder, const struct runtime_record *record)
{
	json_builder_set_member_name(builder, "vnc");
	json_builder_begin_array(builder);
	for (char **address = record->vnc; address && *address; address++)
		json_builder_add_string_value(builder, *address);
	json_builder_end_array(builder);
}

static void add_members(JsonBuilder *builder, const struct runtime_record *record)
{
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
		add_text(builder, members[i].member, *member_text(record, i));
	add_number(builder, "pid", record->pid);
	add_serial(builder, record);
	add_vnc(builder, record);
}

static char *builder_text(JsonBuilder *builder)
{
	g_autoptr(JsonNode) root = json_builder_get_root(builder);

	return json_to_string(root, TRUE);
}

char *runtime_record_format(const struct runtime_record *record, GError **error)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autofree char *text = NULL;
	struct runtime_record *read_back;

	json_builder_begin_object(builder);
	add_number(builder, "format", FORMAT);
	add_members(builder, record);
	json_builder_end_object(builder);
	text = builder_text(builder);

	read_back = runtime_record_parse(text, strlen(text), error);
	if (!read_back)
		return NULL;
	runtime_record_free(read_back);
	return g_steal_pointer(&text);
}

static void add_guest(JsonBuilder *builder, const struct runtime_guest *guest)
{
	json_builder_begin_object(builder);
	add_text(builder, "state", runtime_state_name(guest->state));
	add_text(builder, "directory", guest->path);
	add_text(builder, "problem", guest->problem);
	if (guest->record)
		add_members(builder, guest->record);
	else
		add_text(builder, "name", guest->name);
	json_builder_end_object(builder);
}

char *runtime_guests_format(const GPtrArray *guests)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();

	json_builder_begin_array(builder);
	for (guint i = 0; i < guests->len; i++)
		add_guest(builder, guests->pdata[i]);
	json_builder_end_array(builder);
	return builder_text(builder);
}

void runtime_record_free(struct runtime_record *record)
{
	if (!record)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
		g_free(*member_text(record, i));
	for (guint i = 0; i < record->serial_count; i++) {
		g_free(record->serial[i].name);
		g_free(record->serial[i].socket);
	}
	g_free(record->serial);
	g_strfreev(record->vnc);
	g_free(record);
}
