/* Command lines: words to option sets, each value checked against its row of the table. */
#include "vmm/options/options.h"

#include <string.h>

#include "base/error.h"
#include "vmm/options/json-text.h"
#include "vmm/options/option-set.h"
#include "vmm/options/refused.h"
#include "vmm/options/values.h"

enum {
	MAXIMUM_FILES = 8
};

/* Takes the text up to the next comma that stands alone, with ",," made one, and moves behind that comma. @at becomes
 * NULL after the last piece. */
static char *next_piece(const char **at)
{
	GString *piece = g_string_new(NULL);

	for (const char *c = *at;; c++) {
		if (*c == '\0') {
			*at = NULL;
			break;
		}
		if (*c == ',' && *++c != ',') {
			*at = c;
			break;
		}
		g_string_append_c(piece, *c);
	}
	return g_string_free(piece, FALSE);
}

/* Where the '=' of KEY=VALUE is; NULL when the piece is no such pair: a path may have a '=' in it, a key has no '/'. */
static char *find_equals(char *piece)
{
	char *equals = strchr(piece, '=');

	if (!equals || equals == piece)
		return NULL;
	for (const char *c = piece; c < equals; c++) {
		if (!option_key_character(*c))
			return NULL;
	}
	return equals;
}

/* KEY alone is KEY=on for a switch, and noKEY is KEY=off: "server,nowait", as old scripts have it. */
static bool add_bare_key(struct option_set *set, const char *piece, GError **error)
{
	const struct option_key *key = option_spec_key(set->spec, piece);
	const struct option_key *negated =
		g_str_has_prefix(piece, "no") ? option_spec_key(set->spec, piece + 2) : NULL;

	if (key && key->type == OPTION_BOOL)
		return option_set_take(set, key->name, "on", error);
	if (!key && negated && negated->type == OPTION_BOOL)
		return option_set_take(set, negated->name, "off", error);
	if (piece[0] == '\0')
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: a comma with nothing behind it (a comma in a value is written ,,)",
			set->origin);
	if (key)
		return fail(error, VITRINE_ERROR_INPUT, "%s: '%s' needs a value: %s=VALUE",
			set->origin, piece, piece);
	return option_set_unknown_key(set, set->origin, piece, error);
}

static bool is_help(const char *piece)
{
	return strcmp(piece, "help") == 0 || strcmp(piece, "?") == 0;
}

static bool parse_pairs(
	struct options *options, struct option_set *set, const char *argument, GError **error)
{
	const char *at = argument;

	for (bool first = true; at; first = false) {
		g_autofree char *piece = next_piece(&at);
		char *equals = find_equals(piece);

		if (!equals && is_help(piece) && (first || set->spec->open)) {
			options->request = first ? OPTIONS_LIST : OPTIONS_DESCRIBE;
			options->request_spec = set->spec;
			options->request_name =
				g_strdup(first ? NULL : option_set_get(set, set->spec->implied));
			return true;
		}
		if (equals) {
			*equals = '\0';
			if (!option_set_take(set, piece, equals + 1, error))
				return false;
		} else if (first && set->spec->implied) {
			if (!option_set_take(set, set->spec->implied, piece, error))
				return false;
		} else if (!add_bare_key(set, piece, error)) {
			return false;
		}
	}
	return true;
}

static bool take_member(const char *key, const char *text, void *set, GError **error)
{
	return option_set_take(set, key, text, error);
}

/* {"driver": "virtio-rng-pci", "id": "rng0"} */
static bool parse_json(struct option_set *set, const char *argument, GError **error)
{
	g_autoptr(GError) reason = NULL;

	if (json_text_parse(argument, take_member, set, &reason))
		return true;
	if (g_str_has_prefix(reason->message, set->origin))
		g_propagate_error(error, g_steal_pointer(&reason));
	else
		fail(error, VITRINE_ERROR_INPUT, "%s: %s", set->origin, reason->message);
	return false;
}

static bool parse_group(
	struct options *options, struct option_set *set, const char *argument, GError **error)
{
	return set->spec->json && argument[0] == '{' ? parse_json(set, argument, error)
						     : parse_pairs(options, set, argument, error);
}

/* Keys may be spread over several -machine and the like, and a switch that is on stays on. */
static struct option_set *begin(
	struct options *options, const struct option_spec *spec, const char *origin, GError **error)
{
	struct option_set *set = (struct option_set *)options_find(options, spec->group);
	bool again = spec->merges || spec->kind == OPTION_FLAG;

	return set && set->given && again ? set : options_begin(options, spec, origin, error);
}

static bool parse_set(struct options *options, const struct option_spec *spec, const char *origin,
	const char *argument, GError **error)
{
	struct option_set *set = begin(options, spec, origin, error);

	if (!set)
		return false;
	if (spec->kind == OPTION_GROUP && !parse_group(options, set, argument, error))
		return false;
	if (spec->kind == OPTION_VALUE && !option_set_take(set, spec->implied, argument, error))
		return false;
	return options->request != OPTIONS_RUN || options_finish(options, set, error);
}

/* -kernel X: a key of the set that -machine makes, whichever of them comes first. */
static bool parse_short(struct options *options, const struct option_spec *spec, const char *origin,
	const char *argument, GError **error)
{
	const struct option_spec *whole = option_spec_find_group(spec->group);
	struct option_set *set = options_begin_short(options, whole, error);

	if (!set)
		return false;
	if (option_set_get(set, spec->implied))
		return fail(error, VITRINE_ERROR_INPUT, "%s %s: given twice", origin, argument);
	return option_set_take_as(set, origin, spec->implied, argument, error);
}

static bool parse_file(struct options *options, const struct option_spec *spec, const char *origin,
	const char *argument, unsigned *files, GError **error)
{
	if (strcmp(spec->name, "readconfig") == 0) {
		if (++*files > MAXIMUM_FILES)
			return fail(error, VITRINE_ERROR_INPUT,
				"%s %s: at most %d files can be read", origin, argument,
				MAXIMUM_FILES);
		return options_read_file(options, argument, error);
	}
	if (options->write_config)
		return fail(error, VITRINE_ERROR_INPUT, "%s %s: given twice", origin, argument);
	if (argument[0] == '\0')
		return fail(error, VITRINE_ERROR_INPUT, "%s: names no file", origin);
	options->write_config = g_strdup(argument);
	return true;
}

static bool unknown_option(const char *word, const char *name, GError **error)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)MAX(1, strlen(name) / 3) + 1;
	const struct option_spec *spec;

	if (option_refusal(name))
		return fail(error, VITRINE_ERROR_INPUT, "%s: there is no such option here: %s",
			word, option_refusal(name));
	for (guint i = 0; (spec = option_spec_at(i)); i++) {
		unsigned distance = value_distance(name, spec->name);

		if (distance < least) {
			least = distance;
			nearest = spec->name;
		}
	}
	if (nearest)
		return fail(error, VITRINE_ERROR_INPUT, "unknown option %s; did you mean -%s?",
			word, nearest);
	return fail(
		error, VITRINE_ERROR_INPUT, "unknown option %s; --help lists all of them", word);
}

static const struct option_spec *parse_name(const char *word, GError **error)
{
	const struct option_spec *spec;
	const char *name = word;

	if (is_help(word)) {
		fail(error, VITRINE_ERROR_INPUT, "'%s' is no option; --help lists all of them",
			word);
		return NULL;
	}
	if (word[0] != '-' || word[1] == '\0') {
		fail(error, VITRINE_ERROR_INPUT,
			"'%s' is no option; a disk is written -drive file=%s,format=raw", word,
			word[0] ? word : "FILE");
		return NULL;
	}
	name += word[1] == '-' ? 2 : 1;
	spec = strcmp(name, "?") == 0 ? option_spec_find("help") : option_spec_find(name);
	if (!spec)
		unknown_option(word, name, error);
	return spec;
}

/* Whether a word in place of the option's value asks what it takes. A value of OPTION_SHORT may be any text; the others have
 * ways to say "help" when they mean a name. */
static bool asks_for_help(const struct option_spec *spec, const char *argument)
{
	return (spec->kind == OPTION_VALUE || spec->kind == OPTION_FILE) && is_help(argument);
}

bool options_parse(struct options *options, int count, char **arguments, GError **error)
{
	unsigned files = 0;

	for (int i = 0; i < count && options->request == OPTIONS_RUN; i++) {
		const struct option_spec *spec = parse_name(arguments[i], error);
		g_autofree char *origin = spec ? g_strdup_printf("-%s", spec->name) : NULL;
		bool takes_argument =
			spec && spec->kind != OPTION_FLAG && spec->kind != OPTION_INFO;
		bool good = true;

		if (!spec)
			return false;
		if (takes_argument && i + 1 >= count)
			return fail(error, VITRINE_ERROR_INPUT, "%s: needs a value: %s", origin,
				spec->argument);
		if (takes_argument)
			i++;
		if (spec->kind == OPTION_INFO)
			options->request =
				strcmp(spec->name, "help") == 0 ? OPTIONS_HELP : OPTIONS_VERSION;
		else if (takes_argument && asks_for_help(spec, arguments[i])) {
			options->request = OPTIONS_LIST;
			options->request_spec = spec;
		} else if (spec->kind == OPTION_FILE)
			good = parse_file(options, spec, origin, arguments[i], &files, error);
		else if (spec->kind == OPTION_SHORT)
			good = parse_short(options, spec, origin, arguments[i], error);
		else
			good = parse_set(options, spec, origin, arguments[i], error);
		if (!good)
			return false;
	}
	return true;
}
