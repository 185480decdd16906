/* Options in JSON: objects to keys and texts. */
#include "vmm/options/json-text.h"

#include <string.h>

#include "base/error.h"
#include "vmm/control/json-splitter.h"

struct walk {
	json_text_func take;
	void *data;
};

static bool walk_node(const struct walk *walk, const char *path, JsonNode *node, GError **error);

/* A number that is whole is written whole. */
static char *value_text(JsonNode *node)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	switch (json_node_get_value_type(node)) {
	case G_TYPE_STRING:
		return g_strdup(json_node_get_string(node));
	case G_TYPE_BOOLEAN:
		return g_strdup(json_node_get_boolean(node) ? "on" : "off");
	case G_TYPE_INT64:
		return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
	default:
		return g_strdup(g_ascii_dtostr(digits, sizeof(digits), json_node_get_double(node)));
	}
}

static bool walk_object(
	const struct walk *walk, const char *path, JsonObject *object, GError **error)
{
	g_autoptr(GList) members = json_object_get_members(object);

	for (GList *member = members; member; member = member->next) {
		const char *name = member->data;
		g_autofree char *longer =
			path ? g_strconcat(path, ".", name, NULL) : g_strdup(name);

		if (!walk_node(walk, longer, json_object_get_member(object, name), error))
			return false;
	}
	return true;
}

static bool walk_array(const struct walk *walk, const char *path, JsonArray *array, GError **error)
{
	for (guint i = 0; i < json_array_get_length(array); i++) {
		g_autofree char *longer = g_strdup_printf("%s.%u", path, i);

		if (!walk_node(walk, longer, json_array_get_element(array, i), error))
			return false;
	}
	return true;
}

static bool walk_node(const struct walk *walk, const char *path, JsonNode *node, GError **error)
{
	g_autofree char *text = NULL;

	if (JSON_NODE_HOLDS_OBJECT(node))
		return walk_object(walk, path, json_node_get_object(node), error);
	if (JSON_NODE_HOLDS_ARRAY(node))
		return walk_array(walk, path, json_node_get_array(node), error);
	if (JSON_NODE_HOLDS_NULL(node))
		return fail(error, VITRINE_ERROR_INPUT, "'%s' is null, which says nothing", path);
	text = value_text(node);
	return walk->take(path, text, walk->data, error);
}

bool json_text_walk(JsonObject *object, json_text_func take, void *data, GError **error)
{
	struct walk walk = { take, data };

	return walk_object(&walk, NULL, object, error);
}

/* The splitter's limits keep the parser, which calls itself for each level, from running out of stack. */
static bool check_form(const char *text, GError **error)
{
	struct json_splitter splitter = {};
	size_t length = strlen(text), used = 0;

	if (!g_utf8_validate(text, -1, NULL))
		return fail(error, VITRINE_ERROR_INPUT, "the JSON is no UTF-8");
	switch (json_split(&splitter, (const uint8_t *)text, length, &used)) {
	case JSON_SPLIT_VALUE:
		if (strspn(text + used, " \t\r\n") == length - used)
			return true;
		return fail(
			error, VITRINE_ERROR_INPUT, "there is something behind the JSON object");
	case JSON_SPLIT_ERROR:
		return fail(error, VITRINE_ERROR_INPUT, "wrong JSON: %s", splitter.error);
	default:
		return fail(error, VITRINE_ERROR_INPUT, "the JSON object has no end");
	}
}

bool json_text_parse(const char *text, json_text_func take, void *data, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	g_autoptr(GError) reason = NULL;
	JsonNode *root;

	if (!check_form(text, error))
		return false;
	if (!json_parser_load_from_data(parser, text, -1, &reason))
		return fail(error, VITRINE_ERROR_INPUT, "wrong JSON: %s", reason->message);
	root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return fail(error, VITRINE_ERROR_INPUT, "the JSON is no object");
	return json_text_walk(json_node_get_object(root), take, data, error);
}
