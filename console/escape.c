/* The escape character: pure, byte by byte. */
#include "console/escape.h"

#include <string.h>

#include "base/error.h"

static const struct {
	uint8_t character;
	enum escape_action action;
} commands[] = {
	{ '.', ESCAPE_LEAVE },
	{ 'q', ESCAPE_LEAVE },
	{ '?', ESCAPE_HELP },
	{ 'z', ESCAPE_SUSPEND },
};

bool escape_parse(const char *text, struct escape *escape, GError **error)
{
	escape->pending = false;
	if (strcmp(text, "none") == 0) {
		escape->character = ESCAPE_OFF;
		return true;
	}
	if (strlen(text) == 1 && g_ascii_isprint(text[0])) {
		escape->character = text[0];
		return true;
	}
	if (text[0] == '^' && strlen(text) == 2 && g_ascii_toupper(text[1]) >= '@' &&
		g_ascii_toupper(text[1]) <= '_') {
		escape->character = g_ascii_toupper(text[1]) - '@';
		return true;
	}
	return fail(error, VITRINE_ERROR_INPUT,
		"%s is no escape character: ^@ to ^_, one printable character, or none", text);
}

char *escape_name(const struct escape *escape)
{
	if (escape->character < ' ')
		return g_strdup_printf("Ctrl-%c", escape->character + '@');
	return g_strdup_printf("%c", escape->character);
}

static enum escape_action action_of(uint8_t character)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (commands[i].character == character)
			return commands[i].action;
	}
	return ESCAPE_UNKNOWN;
}

size_t escape_scan(struct escape *escape, const uint8_t *typed, size_t length, GByteArray *out,
	enum escape_action *action)
{
	*action = ESCAPE_NONE;
	for (size_t i = 0; i < length; i++) {
		bool is_escape = typed[i] == escape->character;

		if (is_escape && !escape->pending) {
			escape->pending = true;
			continue;
		}
		if (escape->pending && !is_escape) {
			escape->pending = false;
			*action = action_of(typed[i]);
			return i + 1;
		}
		escape->pending = false;
		g_byte_array_append(out, &typed[i], 1);
	}
	return length;
}
