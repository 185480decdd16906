/* query-qmp-schema: the notation of our tables turned into the entries of QEMU's introspection.
 *
 * Every type gets a number for its name when its text is met first. The texts are our own: a wrong one is a bug, which a
 * unit test finds that turns all of them.
 */
#include "vmm/control/schema.h"

#include <string.h>

#include "vmm/control/events.h"
#include "vmm/control/qmp-commands.h"

#define EMPTY "{}"

struct schema {
	JsonArray *entries;
	GHashTable *names; /* text of a type -> its name in the answer */
	unsigned next;
};

static const struct {
	const char *name, *json_type;
} builtins[] = {
	{ "str", "string" },
	{ "int", "int" },
	{ "bool", "boolean" },
	{ "number", "number" },
	{ "any", "value" },
	{ "null", "null" },
};

static const char *type_name(struct schema *schema, const char *text);

static JsonObject *add_entry(struct schema *schema, const char *name, const char *meta)
{
	JsonObject *entry = json_object_new();

	json_object_set_string_member(entry, "name", name);
	json_object_set_string_member(entry, "meta-type", meta);
	json_array_add_object_element(schema->entries, entry);
	return entry;
}

/* Where the text up to one of @ends stops, brackets inside left out. */
static const char *skip_to(const char *text, const char *ends)
{
	int depth = 0;

	for (; *text != '\0' && !(depth == 0 && strchr(ends, *text)); text++) {
		if (strchr("[{(", *text))
			depth++;
		else if (strchr("]})", *text))
			depth--;
	}
	return text;
}

/* Takes the piece up to one of @ends, without blanks around it, and moves behind it. */
static char *take(const char **at, const char *ends)
{
	const char *end = skip_to(*at, ends);
	char *piece = g_strstrip(g_strndup(*at, (gsize)(end - *at)));

	*at = *end != '\0' ? end + 1 : end;
	return piece;
}

static void add_members(struct schema *schema, JsonObject *entry, const char **at)
{
	JsonArray *members = json_array_new();
	bool more = true;

	while (more && **at != '\0') {
		const char *end = skip_to(*at, ",;");
		g_autofree char *piece = NULL;
		const char *inside;
		JsonObject *member;
		g_autofree char *name = NULL;

		more = *end == ',';
		piece = take(at, ",;");
		if (piece[0] == '\0')
			break;
		inside = piece;
		name = take(&inside, ":");
		member = json_object_new();
		if (g_str_has_suffix(name, "?")) {
			name[strlen(name) - 1] = '\0';
			json_object_set_null_member(member, "default");
		}
		json_object_set_string_member(member, "name", name);
		while (*inside == ' ')
			inside++;
		json_object_set_string_member(member, "type", type_name(schema, inside));
		json_array_add_object_element(members, member);
	}
	json_object_set_array_member(entry, "members", members);
}

/* The values of the member that tells the variants apart, in the text of an object. */
static char *tag_values(const char *members, const char *tag)
{
	while (*members != '\0') {
		g_autofree char *piece = take(&members, ",;");
		const char *at = piece;
		g_autofree char *name = take(&at, ":");

		if (strcmp(name, tag) == 0)
			return g_strstrip(g_strdup(at));
	}
	return g_strdup("");
}

static char **split_values(const char *text);

/* "; TAG; CASE = TYPE, ...": every value has a case, those that are not named an empty one. */
static void add_variants(
	struct schema *schema, JsonObject *entry, const char *members, const char *at)
{
	g_autofree char *tag = take(&at, ";");
	g_autofree char *values_text = tag_values(members, tag);
	g_auto(GStrv) values = split_values(values_text);
	g_autoptr(GHashTable) cases =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	JsonArray *variants = json_array_new();

	while (*at != '\0') {
		g_autofree char *piece = take(&at, ",");
		const char *inside = piece;
		char *name = take(&inside, "=");

		g_hash_table_insert(cases, name, g_strstrip(g_strdup(inside)));
	}
	for (guint i = 0; values[i]; i++) {
		const char *type = g_hash_table_lookup(cases, values[i]);
		JsonObject *variant = json_object_new();

		json_object_set_string_member(variant, "case", values[i]);
		json_object_set_string_member(
			variant, "type", type_name(schema, type ? type : EMPTY));
		json_array_add_object_element(variants, variant);
	}
	json_object_set_string_member(entry, "tag", tag);
	json_object_set_array_member(entry, "variants", variants);
}

static void add_object(struct schema *schema, const char *name, const char *text)
{
	g_autofree char *inside = g_strndup(text + 1, strlen(text) - 2);
	JsonObject *entry = add_entry(schema, name, "object");
	const char *at = inside;

	add_members(schema, entry, &at);
	if (*at != '\0')
		add_variants(schema, entry, inside, at);
}

static void add_enum(struct schema *schema, const char *name, char **values)
{
	JsonObject *entry = add_entry(schema, name, "enum");
	JsonArray *members = json_array_new();
	JsonArray *words = json_array_new();

	for (guint i = 0; values[i]; i++) {
		JsonObject *member;

		if (values[i][0] == '\0')
			continue;
		member = json_object_new();
		json_object_set_string_member(member, "name", values[i]);
		json_array_add_object_element(members, member);
		json_array_add_string_element(words, values[i]);
	}
	json_object_set_array_member(entry, "members", members);
	json_object_set_array_member(entry, "values", words);
}

static void add_alternate(struct schema *schema, const char *name, const char *text)
{
	g_autofree char *inside = g_strndup(text + 1, strlen(text) - 2);
	JsonObject *entry = add_entry(schema, name, "alternate");
	JsonArray *members = json_array_new();
	const char *at = inside;

	while (*at != '\0') {
		g_autofree char *piece = take(&at, "/");
		JsonObject *member = json_object_new();

		json_object_set_string_member(member, "type", type_name(schema, piece));
		json_array_add_object_element(members, member);
	}
	json_object_set_array_member(entry, "members", members);
}

static const struct schema_type *find_type(const char *name)
{
	for (const struct schema_type *type = schema_types; type->name; type++) {
		if (strcmp(type->name, name) == 0)
			return type;
	}
	return NULL;
}

/* "a|b", or the name of a type that is such a list. NULL-terminated, to be freed. */
static char **split_values(const char *text)
{
	const struct schema_type *type = find_type(text);

	if (type && type->values)
		return type->values();
	return g_strsplit(type ? type->text : text, "|", -1);
}

static void add_array(struct schema *schema, const char *name, const char *element)
{
	json_object_set_string_member(add_entry(schema, name, "array"), "element-type", element);
}

/* Remembers the name before what the type is made of is looked at: types may hold themselves. */
static const char *remember(struct schema *schema, const char *text, char *name)
{
	g_hash_table_insert(schema->names, g_strdup(text), name);
	return name;
}

static const char *array_name(struct schema *schema, const char *text)
{
	g_autofree char *inside = g_strstrip(g_strndup(text + 1, strlen(text) - 2));
	g_autofree char *element = g_strdup(type_name(schema, inside));
	const char *name = g_hash_table_lookup(schema->names, text);

	/* An element that holds an array of its own kind has made it. */
	if (name)
		return name;
	name = remember(schema, text, g_strdup_printf("[%s]", element));
	add_array(schema, name, element);
	return name;
}

static const char *type_name(struct schema *schema, const char *text)
{
	const char *name = g_hash_table_lookup(schema->names, text);
	const struct schema_type *type = find_type(text);
	g_auto(GStrv) values = NULL;

	if (name)
		return name;
	if (text[0] == '[')
		return array_name(schema, text);
	if (type && !type->values && type->text[0] == '[')
		return array_name(schema, type->text);
	name = remember(schema, text, g_strdup_printf("%u", schema->next++));
	if (type && !type->values)
		text = type->text;
	if (text[0] == '{') {
		add_object(schema, name, text);
	} else if (text[0] == '(') {
		add_alternate(schema, name, text);
	} else {
		values = type && type->values ? type->values() : g_strsplit(text, "|", -1);
		add_enum(schema, name, values);
	}
	return name;
}

static void add_builtins(struct schema *schema)
{
	for (size_t i = 0; i < G_N_ELEMENTS(builtins); i++) {
		json_object_set_string_member(add_entry(schema, builtins[i].name, "builtin"),
			"json-type", builtins[i].json_type);
		remember(schema, builtins[i].name, g_strdup(builtins[i].name));
	}
}

/* --- commands and events --- */

static char *argument_type(const struct argument *argument)
{
	if (argument->of)
		return g_strdup(argument->of);
	if (argument->choices) {
		g_autofree char *words = g_strjoinv("|", (char **)argument->choices);

		return argument->choices[1] ? g_steal_pointer(&words)
					    : g_strconcat(words, "|", NULL);
	}
	switch (argument->type) {
	case ARGUMENT_STRING:
		return g_strdup("str");
	case ARGUMENT_INT:
		return g_strdup("int");
	case ARGUMENT_BOOL:
		return g_strdup("bool");
	case ARGUMENT_ARRAY:
		return g_strdup("[any]");
	default:
		return g_strdup("any");
	}
}

char *schema_arguments(const struct command *command)
{
	g_autoptr(GString) text = g_string_new("{");

	if (command->describe)
		return command->describe();
	for (const struct argument *a = command->arguments; a && a->name; a++) {
		g_autofree char *type = argument_type(a);

		g_string_append_printf(text, "%s%s%s: %s", text->len > 1 ? ", " : "", a->name,
			a->optional ? "?" : "", type);
	}
	g_string_append_c(text, '}');
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void add_features(JsonObject *entry, const char *features)
{
	g_auto(GStrv) words = g_strsplit(features, " ", -1);
	JsonArray *list = json_array_new();

	for (guint i = 0; words[i]; i++)
		json_array_add_string_element(list, words[i]);
	json_object_set_array_member(entry, "features", list);
}

static void add_command(struct schema *schema, const struct command *command)
{
	JsonObject *entry = add_entry(schema, command->name, "command");
	g_autofree char *arguments = schema_arguments(command);

	json_object_set_string_member(entry, "arg-type", type_name(schema, arguments));
	json_object_set_string_member(
		entry, "ret-type", type_name(schema, command->returns ? command->returns : EMPTY));
	if (command->features)
		add_features(entry, command->features);
}

JsonArray *schema_describe(void)
{
	struct schema schema = {
		.entries = json_array_new(),
		.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	const struct command *command;

	add_builtins(&schema);
	for (guint i = 0; (command = command_at(i)); i++)
		add_command(&schema, command);
	for (const struct event_kind *kind = event_kinds; kind->name; kind++)
		json_object_set_string_member(add_entry(&schema, kind->name, "event"), "arg-type",
			type_name(&schema, kind->data ? kind->data : EMPTY));
	g_hash_table_unref(schema.names);
	return schema.entries;
}
