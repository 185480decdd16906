/* Lines of the monitor: from words to typed arguments, by a row's table. Pure; a line is bounded by who reads it. */
#include <string.h>

#include "base/error.h"
#include "vmm/control/hmp.h"
#include "vmm/options/values.h"

#define MIB (UINT64_C(1) << 20)

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

/* A word, or what stands between quotation marks, with \n, \r, \" and \\ in it. NULL when the closing one is missing. */
static char *next_word(const char **at)
{
	g_autoptr(GString) word = g_string_new(NULL);
	bool quoted = **at == '"';

	for (*at += quoted; **at != '\0'; (*at)++) {
		char c = **at;

		if (quoted ? c == '"' : g_ascii_isspace(c))
			break;
		if (quoted && c == '\\' && (*at)[1] != '\0') {
			c = *++*at;
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		g_string_append_c(word, c);
	}
	if (quoted && **at != '"')
		return NULL;
	*at += quoted;
	return g_string_free(g_steal_pointer(&word), FALSE);
}

/* "0x1000+16-4": numbers are added up modulo 2^64, as addresses are. */
static bool parse_sum(const char *text, uint64_t *sum)
{
	*sum = 0;
	for (bool first = true; *text != '\0'; first = false) {
		bool minus = *text == '-';
		size_t length;
		uint64_t number;
		g_autofree char *digits = NULL;

		if (*text == '+' || *text == '-')
			text++;
		else if (!first)
			return false;
		length = strcspn(text, "+-");
		digits = g_strndup(text, length);
		if (!value_parse_number(digits, &number))
			return false;
		*sum += minus ? -number : number;
		text += length;
		if (*text == '\0')
			return true;
	}
	return false;
}

static bool wrong(const struct hmp_argument *argument, const char *word, GError **error)
{
	return fail(
		error, VITRINE_ERROR_INPUT, "invalid value '%s' for '%s'", word, argument->name);
}

static bool take_number(JsonObject *arguments, const struct hmp_argument *argument,
	const char *word, GError **error)
{
	uint64_t number;

	if (argument->type == HMP_MEGABYTES ? !value_parse_size(word, MIB, &number)
					    : !parse_sum(word, &number))
		return wrong(argument, word, error);
	json_object_set_int_member(arguments, argument->name, (gint64)number);
	return true;
}

static bool take_word(
	JsonObject *arguments, const struct hmp_argument *argument, const char **at, GError **error)
{
	g_autofree char *word = next_word(at);
	bool on;

	if (!word)
		return fail(error, VITRINE_ERROR_INPUT, "unterminated string literal");
	switch (argument->type) {
	case HMP_NUMBER:
	case HMP_MEGABYTES:
		return take_number(arguments, argument, word, error);
	case HMP_SWITCH:
		if (!value_parse_bool(word, &on))
			return wrong(argument, word, error);
		json_object_set_boolean_member(arguments, argument->name, on);
		return true;
	default:
		json_object_set_string_member(arguments, argument->name, word);
		return true;
	}
}

/* One or more flags that stand here: "-f", "-a -b". */
static bool take_flags(
	const struct hmp_argument *list, JsonObject *arguments, const char **at, GError **error)
{
	bool any = false;

	for (const struct hmp_argument *a = list; a && a->name; a++)
		any = any || a->type == HMP_FLAG;
	for (skip_blanks(at); any && (*at)[0] == '-' && g_ascii_isalpha((*at)[1]);
		skip_blanks(at)) {
		const struct hmp_argument *flag = list;

		while (flag->name && (flag->type != HMP_FLAG || flag->flag != (*at)[1]))
			flag++;
		if (!flag->name || !((*at)[2] == '\0' || g_ascii_isspace((*at)[2])))
			return fail(error, VITRINE_ERROR_INPUT, "unsupported option %.2s", *at);
		json_object_set_boolean_member(arguments, flag->name, TRUE);
		*at += 2;
	}
	return true;
}

/* "/COUNT FORMAT SIZE" without blanks: "/4xw", "/10i", "/c"; in any order behind the count. */
static bool take_format(JsonObject *arguments, const char **at, GError **error)
{
	static const char sizes[] = "bhwg"; /* 1, 2, 4, 8 bytes */
	char letter[] = "x";
	gint64 count = 1, size = -1;

	if (**at == '/') {
		(*at)++;
		if (g_ascii_isdigit(**at))
			for (count = 0; g_ascii_isdigit(**at); (*at)++)
				count = MIN(count * 10 + (**at - '0'), INT32_MAX);
		for (; **at != '\0' && !g_ascii_isspace(**at); (*at)++) {
			const char *known = strchr(sizes, **at);

			if (known)
				size = 1 << (known - sizes);
			else if (strchr("odxuci", **at))
				letter[0] = **at;
			else
				return fail(error, VITRINE_ERROR_INPUT,
					"invalid char in format: '%c'", **at);
		}
	}
	if (size < 0)
		size = letter[0] == 'c' ? 1 : 4;
	json_object_set_int_member(arguments, "count", count);
	json_object_set_string_member(arguments, "format", letter);
	json_object_set_int_member(arguments, "size", size);
	return true;
}

static bool take(const struct hmp_command *command, const struct hmp_argument *argument,
	JsonObject *arguments, const char **at, GError **error)
{
	skip_blanks(at);
	if (argument->type == HMP_FORMAT)
		return take_format(arguments, at, error);
	if (**at == '\0') {
		g_auto(GStrv) names = g_strsplit(command->name, "|", 2);

		return argument->optional ||
		       fail(error, VITRINE_ERROR_INPUT, "%s: %s expected", names[0],
			       argument->what ? argument->what : argument->name);
	}
	if (argument->type == HMP_TEXT) {
		json_object_set_string_member(arguments, argument->name, *at);
		*at += strlen(*at);
		return true;
	}
	return take_word(arguments, argument, at, error);
}

JsonObject *hmp_parse(const struct hmp_command *command, const char *text, GError **error)
{
	g_autoptr(JsonObject) arguments = json_object_new();
	const struct hmp_argument *argument = command->arguments;

	if (!take_flags(argument, arguments, &text, error))
		return NULL;
	for (; argument && argument->name; argument++) {
		if (argument->type != HMP_FLAG &&
			(!take(command, argument, arguments, &text, error) ||
				!take_flags(command->arguments, arguments, &text, error)))
			return NULL;
	}
	skip_blanks(&text);
	if (*text == '\0')
		return g_steal_pointer(&arguments);
	fail(error, VITRINE_ERROR_INPUT, "%s: extraneous characters at the end of line",
		command->name);
	return NULL;
}
