/* query-qmp-schema: every type that is named is there, and what QEMU 7.2 has too is as QEMU has it. */
#include <string.h>

#include "tests/unit/vmm/fake-machine.h"
#include "vmm/control/events.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/schema.h"

struct fixture {
	JsonArray *schema;
	GHashTable *entries; /* name -> JsonObject */
};

/* Where we differ, and why. Optional arguments that only QEMU has need no row. */
static const struct {
	const char *name, *member, *why;
} differences[] = {
	{ "object-add", NULL, "our objects have fewer variants; the members are the same" },
	{ "query-tpm-models", NULL, "there is no TPM: the list is empty whatever it would hold" },
	{ "query-tpm-types", NULL, "likewise" },
};

static bool may_differ(const char *name, const char *member)
{
	for (size_t i = 0; i < G_N_ELEMENTS(differences); i++) {
		if (strcmp(differences[i].name, name) == 0 &&
			(!differences[i].member || g_strcmp0(differences[i].member, member) == 0))
			return true;
	}
	return false;
}

static void setup(struct fixture *f, gconstpointer data)
{
	f->schema = schema_describe();
	f->entries = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < json_array_get_length(f->schema); i++) {
		JsonObject *entry = json_array_get_object_element(f->schema, i);

		/* No two entries have one name. */
		g_assert_true(g_hash_table_insert(
			f->entries, (char *)json_object_get_string_member(entry, "name"), entry));
	}
}

static void teardown(struct fixture *f, gconstpointer data)
{
	g_hash_table_unref(f->entries);
	json_array_unref(f->schema);
}

static JsonObject *entry(struct fixture *f, const char *name)
{
	JsonObject *found = g_hash_table_lookup(f->entries, name);

	if (!found)
		g_error("type '%s' is named and not there", name);
	return found;
}

static const char *meta(JsonObject *object)
{
	return json_object_get_string_member(object, "meta-type");
}

static void check_type(struct fixture *f, JsonObject *object, const char *member)
{
	const char *kind = meta(entry(f, json_object_get_string_member(object, member)));

	g_assert_cmpstr(kind, !=, "command");
	g_assert_cmpstr(kind, !=, "event");
}

static void check_list(struct fixture *f, JsonObject *object, const char *list, const char *member)
{
	JsonArray *array = json_object_has_member(object, list)
				   ? json_object_get_array_member(object, list)
				   : NULL;

	for (guint i = 0; array && i < json_array_get_length(array); i++)
		check_type(f, json_array_get_object_element(array, i), member);
}

/* Each value of the tag has one variant, which is an object. */
static void check_variants(struct fixture *f, JsonObject *object)
{
	const char *tag = json_object_get_string_member(object, "tag");
	JsonArray *members = json_object_get_array_member(object, "members");
	JsonArray *variants = json_object_get_array_member(object, "variants");
	JsonObject *words = NULL;

	for (guint i = 0; i < json_array_get_length(members); i++) {
		JsonObject *member = json_array_get_object_element(members, i);

		if (strcmp(json_object_get_string_member(member, "name"), tag) == 0)
			words = entry(f, json_object_get_string_member(member, "type"));
	}
	g_assert_nonnull(words);
	g_assert_cmpstr(meta(words), ==, "enum");
	g_assert_cmpuint(json_array_get_length(variants), ==,
		json_array_get_length(json_object_get_array_member(words, "values")));
	for (guint i = 0; i < json_array_get_length(variants); i++)
		g_assert_cmpstr(
			meta(entry(f, json_object_get_string_member(
					      json_array_get_object_element(variants, i), "type"))),
			==, "object");
}

static void test_closure(struct fixture *f, gconstpointer data)
{
	for (guint i = 0; i < json_array_get_length(f->schema); i++) {
		JsonObject *object = json_array_get_object_element(f->schema, i);
		const char *kind = meta(object);

		g_test_message("%s", json_object_get_string_member(object, "name"));
		if (strcmp(kind, "array") == 0)
			check_type(f, object, "element-type");
		if (strcmp(kind, "command") == 0 || strcmp(kind, "event") == 0)
			g_assert_cmpstr(
				meta(entry(f, json_object_get_string_member(object, "arg-type"))),
				==, "object");
		if (strcmp(kind, "command") == 0)
			check_type(f, object, "ret-type");
		if (strcmp(kind, "enum") == 0)
			g_assert_cmpuint(json_array_get_length(
						 json_object_get_array_member(object, "values")),
				>, 0);
		else
			check_list(f, object, "members", "type");
		if (json_object_has_member(object, "tag"))
			check_variants(f, object);
	}
}

static char *kind_of(struct fixture *f, const char *name)
{
	JsonObject *type = entry(f, name);

	if (strcmp(meta(type), "builtin") == 0)
		return g_strdup(name);
	if (strcmp(meta(type), "array") == 0) {
		g_autofree char *element =
			kind_of(f, json_object_get_string_member(type, "element-type"));

		return g_strdup_printf("[%s]", element);
	}
	return g_strdup(meta(type));
}

/* "NAME?:KIND" of each member. */
static GPtrArray *members_of(struct fixture *f, const char *type)
{
	JsonArray *members = json_object_get_array_member(entry(f, type), "members");
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < json_array_get_length(members); i++) {
		JsonObject *member = json_array_get_object_element(members, i);
		g_autofree char *kind = kind_of(f, json_object_get_string_member(member, "type"));

		g_ptr_array_add(list,
			g_strdup_printf("%s%s:%s", json_object_get_string_member(member, "name"),
				json_object_has_member(member, "default") ? "?" : "", kind));
	}
	return list;
}

static bool has(GPtrArray *list, const char *word)
{
	return g_ptr_array_find_with_equal_func(list, word, g_str_equal, NULL);
}

/* "command NAME -> KIND: MEMBER..." */
static void compare_line(struct fixture *f, const char *line)
{
	g_auto(GStrv) halves = g_strsplit(line, ":", 2);
	g_auto(GStrv) head = g_strsplit(halves[0], " ", -1);
	g_auto(GStrv) theirs = g_strsplit(g_strstrip(halves[1]), " ", -1);
	JsonObject *ours = g_hash_table_lookup(f->entries, head[1]);
	g_autoptr(GPtrArray) mine = NULL;

	if (!ours)
		return;
	g_assert_cmpstr(meta(ours), ==, head[0]);
	g_test_message("%s", line);
	if (strcmp(head[0], "command") == 0 && !may_differ(head[1], "return")) {
		g_autofree char *kind = kind_of(f, json_object_get_string_member(ours, "ret-type"));

		if (strcmp(kind, head[3]) != 0)
			g_error("%s answers %s, in QEMU %s: see .returns of its row", head[1], kind,
				head[3]);
	}
	mine = members_of(f, json_object_get_string_member(ours, "arg-type"));
	for (guint i = 0; i < mine->len; i++) {
		const char *word = g_ptr_array_index(mine, i);

		if (!g_strv_contains((const char *const *)theirs, word) &&
			!may_differ(head[1], word))
			g_error("%s takes %s, which QEMU's does not", head[1], word);
	}
	for (guint i = 0; theirs[i]; i++) {
		if (theirs[i][0] != '\0' && !strchr(theirs[i], '?') && !has(mine, theirs[i]) &&
			!may_differ(head[1], theirs[i]))
			g_error("%s lacks %s", head[1], theirs[i]);
	}
}

static void test_against_qemu(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_test_build_filename(
		G_TEST_DIST, "tests", "unit", "vmm", "qemu-7.2-schema.txt", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		if (lines[i][0] != '#' && lines[i][0] != '\0')
			compare_line(f, lines[i]);
	}
}

/* What libvirt looks for, in its own notation, put here as the type where each path ends. */
static void test_details(struct fixture *f, gconstpointer data)
{
	JsonObject *command = entry(f, "device_add");
	g_autoptr(GPtrArray) arguments =
		members_of(f, json_object_get_string_member(command, "arg-type"));

	g_assert_true(has(arguments, "driver:str"));
	g_assert_true(has(arguments, "id?:str"));
	g_assert_true(json_object_has_member(command, "features"));
	command = entry(f, "object-add");
	g_assert_cmpstr(
		json_object_get_string_member(
			entry(f, json_object_get_string_member(command, "arg-type")), "tag"),
		==, "qom-type");
}

static void test_events(void)
{
	g_assert_cmpuint(event_kind_find("BALLOON_CHANGE")->limit_ms, ==, 1000);
	g_assert_cmpuint(event_kind_find("STOP")->limit_ms, ==, 0);
	g_assert_null(event_kind_find("PUDDING"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/schema/closure", struct fixture, NULL, setup, test_closure, teardown);
	g_test_add("/schema/qemu", struct fixture, NULL, setup, test_against_qemu, teardown);
	g_test_add("/schema/details", struct fixture, NULL, setup, test_details, teardown);
	g_test_add_func("/schema/events", test_events);
	return g_test_run();
}
