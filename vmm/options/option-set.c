/* Option sets: adding checked values, asking for them, and the list that holds the sets in order. */
#include "vmm/options/option-set.h"

#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/options/values.h"

enum {
	MAXIMUM_SETS = 1024,
	MAXIMUM_VALUES = 256,
	MAXIMUM_TEXT = 64 * KiB,
	MAXIMUM_KEY = 64,
	SHOWN_TEXT = 100, /* bytes of a value that an error repeats */
};

bool option_key_character(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
}

struct options *options_new(void)
{
	struct options *options = g_new0(struct options, 1);

	options->sets = g_ptr_array_new_with_free_func((GDestroyNotify)option_set_free);
	return options;
}

void options_free(struct options *options)
{
	if (!options)
		return;
	g_ptr_array_unref(options->sets);
	g_free(options->write_config);
	g_free(options->request_name);
	g_free(options);
}

struct option_set *option_set_new(
	const struct option_spec *spec, const char *id, const char *origin)
{
	struct option_set *set = g_new0(struct option_set, 1);

	set->spec = spec;
	set->id = g_strdup(id);
	set->origin = g_strdup(origin);
	return set;
}

void option_set_add(struct option_set *set, const char *key, const char *text)
{
	set->values = g_renew(struct option_value, set->values, set->count + 1);
	set->values[set->count++] =
		(struct option_value) { .key = g_strdup(key), .text = g_strdup(text) };
}

void option_set_free(struct option_set *set)
{
	if (!set)
		return;
	for (guint i = 0; i < set->count; i++) {
		g_free(set->values[i].key);
		g_free(set->values[i].text);
	}
	g_free(set->values);
	g_free(set->id);
	g_free(set->origin);
	g_free(set);
}

const struct option_set *options_find(const struct options *options, const char *group)
{
	for (guint i = 0; i < options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(options->sets, i);

		if (strcmp(set->spec->group, group) == 0)
			return set;
	}
	return NULL;
}

static struct option_set *append(
	struct options *options, const struct option_spec *spec, const char *origin, GError **error)
{
	struct option_set *set;

	if (options->sets->len >= MAXIMUM_SETS) {
		fail(error, VITRINE_ERROR_INPUT, "%s: more than %d options", origin, MAXIMUM_SETS);
		return NULL;
	}
	set = option_set_new(spec, NULL, origin);
	g_ptr_array_add(options->sets, set);
	return set;
}

struct option_set *options_begin(
	struct options *options, const struct option_spec *spec, const char *origin, GError **error)
{
	struct option_set *set = (struct option_set *)options_find(options, spec->group);

	if (spec->many || !set) {
		set = append(options, spec, origin, error);
	} else if (set->given) {
		fail(error, VITRINE_ERROR_INPUT, "%s: given twice (before: %s)", origin,
			set->origin);
		return NULL;
	} else {
		g_free(set->origin);
		set->origin = g_strdup(origin);
	}
	if (set)
		set->given = true;
	return set;
}

struct option_set *options_begin_short(
	struct options *options, const struct option_spec *spec, GError **error)
{
	struct option_set *set = (struct option_set *)options_find(options, spec->group);
	g_autofree char *origin = g_strdup_printf("-%s", spec->name);

	return set ? set : append(options, spec, origin, error);
}

bool options_set(struct options *options, const char *group, const char *key, const char *text,
	GError **error)
{
	const struct option_spec *spec = option_spec_find_group(group);
	struct option_set *set = options_begin_short(options, spec, error);

	if (!set)
		return false;
	for (guint i = 0; i < set->count; i++) {
		if (strcmp(set->values[i].key, key) != 0)
			continue;
		g_free(set->values[i].text);
		set->values[i].text = g_strdup(text);
		return true;
	}
	option_set_add(set, key, text);
	return true;
}

bool options_finish(struct options *options, struct option_set *set, GError **error)
{
	const struct option_spec *spec = set->spec;

	for (const struct option_key *key = spec->keys; key && key->name; key++) {
		if (key->required && !option_set_get(set, key->name))
			return fail(error, VITRINE_ERROR_INPUT, "%s: %s=%s is missing", set->origin,
				key->name, key->type == OPTION_STRING ? "..." : "VALUE");
	}
	if (spec->requires_id && !set->id)
		return fail(error, VITRINE_ERROR_INPUT, "%s: id=ID is missing", set->origin);
	for (guint i = 0; set->id && i < options->sets->len; i++) {
		const struct option_set *other = g_ptr_array_index(options->sets, i);

		if (other != set && other->spec == spec && g_strcmp0(other->id, set->id) == 0)
			return fail(error, VITRINE_ERROR_INPUT, "%s: id=%s is taken by another -%s",
				set->origin, set->id, spec->name);
	}
	return true;
}

static char *accepted_number(const struct option_key *key)
{
	if (key->maximum == 0)
		return g_strdup("a number");
	return g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
		key->minimum, key->maximum);
}

static char *accepted_size(const struct option_key *key)
{
	g_autofree char *minimum = value_print_size(key->minimum);
	g_autofree char *maximum = value_print_size(key->maximum);

	if (key->maximum == 0)
		return g_strdup("a size such as 64M");
	return g_strdup_printf("a size from %s to %s", minimum, maximum);
}

char *option_key_accepts(const struct option_key *key)
{
	switch (key->type) {
	case OPTION_BOOL:
		return g_strdup(VALUE_BOOL_WORDS);
	case OPTION_NUMBER:
		return accepted_number(key);
	case OPTION_SIZE:
		return accepted_size(key);
	case OPTION_UUID:
		return g_strdup("a UUID such as 123e4567-e89b-12d3-a456-426614174000");
	case OPTION_CHOICE: {
		g_autofree char *words = g_strjoinv(", ", (char **)key->choices);

		return key->choices[1] ? g_strdup_printf("one of %s", words)
				       : g_steal_pointer(&words);
	}
	default:
		return g_strdup("text");
	}
}

/* The same as an error puts it, where no description stands beside. */
static char *accepted_fully(const struct option_key *key)
{
	g_autofree char *accepted = option_key_accepts(key);

	return g_strconcat(accepted, key->unit == MiB ? " (in MiB without a letter)" : "", NULL);
}

static bool in_range(const struct option_key *key, uint64_t value)
{
	return key->maximum == 0 || (value >= key->minimum && value <= key->maximum);
}

static bool key_accepts(const struct option_key *key, const char *text)
{
	uint64_t number;
	bool on;

	switch (key->type) {
	case OPTION_BOOL:
		return value_parse_bool(text, &on);
	case OPTION_NUMBER:
		return value_parse_number(text, &number) && in_range(key, number);
	case OPTION_SIZE:
		return value_parse_size(text, key->unit ? key->unit : 1, &number) &&
		       in_range(key, number);
	case OPTION_UUID:
		return g_uuid_string_is_valid(text);
	case OPTION_CHOICE:
		return g_strv_contains(key->choices, text);
	default:
		return true;
	}
}

/* A value as an error repeats it: whole or, when it is long, its start. */
static char *shown(const char *text)
{
	if (strlen(text) <= SHOWN_TEXT)
		return g_utf8_make_valid(text, -1);
	g_autofree char *start = g_utf8_make_valid(text, SHOWN_TEXT);

	return g_strconcat(start, "...", NULL);
}

bool option_set_unknown_key(
	const struct option_set *set, const char *origin, const char *name, GError **error)
{
	g_autofree char *text = shown(name);
	g_autoptr(GString) accepted = g_string_new(NULL);

	for (const struct option_key *key = set->spec->keys; key && key->name; key++)
		g_string_append_printf(accepted, "%s%s", accepted->len ? ", " : "", key->name);
	if (set->spec->has_id)
		g_string_append(accepted, ", id");
	if (set->spec->only)
		return fail(error, VITRINE_ERROR_INPUT, "%s takes %s; '%s' is not known", origin,
			set->spec->only, text);
	if (!set->spec->keys)
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: takes no keys, not '%s'", origin, text);
	return fail(error, VITRINE_ERROR_INPUT, "%s: unknown key '%s'; accepted: %s", origin, text,
		accepted->str);
}

static bool take_id(struct option_set *set, const char *origin, const char *text, GError **error)
{
	g_autofree char *seen = shown(text);

	if (set->id)
		return fail(error, VITRINE_ERROR_INPUT, "%s: id=%s: an id is given twice", origin,
			seen);
	if (!value_is_id(text))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: id=%s is not accepted: an id is a letter and then up to 63 letters, "
			"digits, '-', '.' or '_'",
			origin, seen);
	set->id = g_strdup(text);
	return true;
}

static bool is_key_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++) {
		if (!option_key_character(name[i]))
			return false;
	}
	return length > 0 && length <= MAXIMUM_KEY;
}

bool option_set_take_as(struct option_set *set, const char *origin, const char *name,
	const char *text, GError **error)
{
	const struct option_key *key = option_spec_key(set->spec, name);
	g_autofree char *seen = shown(text);
	g_autofree char *accepted = key ? accepted_fully(key) : NULL;

	if (set->spec->has_id && strcmp(name, "id") == 0)
		return take_id(set, origin, text, error);
	if (!key && set->spec->only) {
		g_autofree char *pair = g_strdup_printf("%s=%s", name, text);

		return option_set_unknown_key(set, origin, pair, error);
	}
	if (!key && (!set->spec->open || !is_key_name(name)))
		return option_set_unknown_key(set, origin, name, error);
	if (option_set_get(set, name) && !(key && key->repeats))
		return fail(error, VITRINE_ERROR_INPUT, "%s: %s=%s: '%s' is given twice", origin,
			name, seen, name);
	if (set->count >= MAXIMUM_VALUES)
		return fail(error, VITRINE_ERROR_INPUT, "%s: more than %d values", origin,
			MAXIMUM_VALUES);
	if (strlen(text) > MAXIMUM_TEXT)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s=%s: longer than %d bytes, the most that is taken", origin, name,
			seen, MAXIMUM_TEXT);
	if (key && text[0] == '\0' && !key->may_be_empty)
		return fail(error, VITRINE_ERROR_INPUT, "%s: %s= is empty; accepted: %s", origin,
			name, accepted);
	if (key && !key_accepts(key, text))
		return fail(error, VITRINE_ERROR_INPUT, "%s: %s=%s is not accepted; accepted: %s",
			origin, name, seen, accepted);
	option_set_add(set, name, text);
	return true;
}

bool option_set_take(struct option_set *set, const char *key, const char *text, GError **error)
{
	return option_set_take_as(set, set->origin, key, text, error);
}

const char *option_set_get(const struct option_set *set, const char *key)
{
	for (guint i = 0; set && i < set->count; i++) {
		if (strcmp(set->values[i].key, key) == 0)
			return set->values[i].text;
	}
	return NULL;
}

bool option_set_bool(const struct option_set *set, const char *key, bool otherwise)
{
	const char *text = option_set_get(set, key);
	bool value;

	return text && value_parse_bool(text, &value) ? value : otherwise;
}

uint64_t option_set_number(const struct option_set *set, const char *name, uint64_t otherwise)
{
	const char *text = option_set_get(set, name);
	const struct option_key *key = text ? option_spec_key(set->spec, name) : NULL;
	uint64_t value;

	if (!key)
		return otherwise;
	if (key->type == OPTION_SIZE)
		return value_parse_size(text, key->unit ? key->unit : 1, &value) ? value
										 : otherwise;
	return value_parse_number(text, &value) ? value : otherwise;
}
