/* What is for the guest and what is for this program, and what may be an escape character. */
#include "console/escape.h"

#include <string.h>

#include "base/error.h"
#include "tests/unit/bytes.h"

static const struct {
	const char *name;
	const char *character;
	const char *typed; /* hexadecimal, as are the next two */
	const char *sent;
	const char *left; /* not used: typed behind a command */
	enum escape_action action;
	bool pending;
} scans[] = {
	{ "/escape/plain", "^]", "61 62 00 ff", "61 62 00 ff", "", ESCAPE_NONE },
	{ "/escape/leave", "^]", "61 1d 2e 62", "61", "62", ESCAPE_LEAVE },
	{ "/escape/leave-q", "^]", "1d 71", "", "", ESCAPE_LEAVE },
	{ "/escape/help", "^]", "1d 3f 61", "", "61", ESCAPE_HELP },
	{ "/escape/suspend", "^]", "1d 7a", "", "", ESCAPE_SUSPEND },
	{ "/escape/unknown", "^]", "1d 61 62", "", "62", ESCAPE_UNKNOWN },
	{ "/escape/twice", "^]", "1d 1d 2e", "1d 2e", "", ESCAPE_NONE },
	{ "/escape/thrice", "^]", "1d 1d 1d 2e", "1d", "", ESCAPE_LEAVE },
	{ "/escape/pending", "^]", "61 1d", "61", "", ESCAPE_NONE, true },
	{ "/escape/other-character", "~", "1d 2e 7e 2e", "1d 2e", "", ESCAPE_LEAVE },
	{ "/escape/dot-itself", ".", "61 2e 2e 2e 71", "61 2e", "", ESCAPE_LEAVE },
	{ "/escape/none", "none", "1d 2e ff", "1d 2e ff", "", ESCAPE_NONE },
};

static void check_scan(gconstpointer data)
{
	const typeof(scans[0]) *c = data;
	g_autoptr(GBytes) typed = bytes_from_hex(c->typed);
	g_autoptr(GBytes) sent = bytes_from_hex(c->sent);
	g_autoptr(GBytes) left = bytes_from_hex(c->left);
	g_autoptr(GByteArray) out = g_byte_array_new();
	enum escape_action action;
	struct escape escape;
	gsize length, used;
	const uint8_t *bytes = g_bytes_get_data(typed, &length);

	g_assert_true(escape_parse(c->character, &escape, NULL));
	used = escape_scan(&escape, bytes, length, out, &action);
	g_assert_cmpint(action, ==, c->action);
	g_assert_cmpint(escape.pending, ==, c->pending);
	g_assert_cmpmem(out->data, out->len, g_bytes_get_data(sent, NULL), g_bytes_get_size(sent));
	g_assert_cmpuint(length - used, ==, g_bytes_get_size(left));
}

/* The same when every byte comes alone, as a person types. */
static void check_bytewise(gconstpointer data)
{
	const typeof(scans[0]) *c = data;
	g_autoptr(GBytes) typed = bytes_from_hex(c->typed);
	g_autoptr(GBytes) sent = bytes_from_hex(c->sent);
	g_autoptr(GByteArray) out = g_byte_array_new();
	enum escape_action action = ESCAPE_NONE;
	struct escape escape;
	gsize length;
	const uint8_t *bytes = g_bytes_get_data(typed, &length);

	g_assert_true(escape_parse(c->character, &escape, NULL));
	for (gsize i = 0; i < length && action == ESCAPE_NONE; i++)
		g_assert_cmpuint(escape_scan(&escape, bytes + i, 1, out, &action), ==, 1);
	g_assert_cmpint(action, ==, c->action);
	g_assert_cmpmem(out->data, out->len, g_bytes_get_data(sent, NULL), g_bytes_get_size(sent));
}

static const struct {
	const char *text;
	int character; /* -2: refused */
	const char *name;
} characters[] = {
	{ "^]", 0x1d, "Ctrl-]" },
	{ "^a", 0x01, "Ctrl-A" },
	{ "^@", 0x00, "Ctrl-@" },
	{ "^_", 0x1f, "Ctrl-_" },
	{ "~", '~', "~" },
	{ "^", '^', "^" },
	{ "none", ESCAPE_OFF },
	{ "", -2 },
	{ "ab", -2 },
	{ "^1", -2 },
	{ "\xc3\xa4", -2 },
	{ "\x1d", -2 },
};

static void test_characters(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(characters); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *name = NULL;
		struct escape escape;

		if (characters[i].character == -2) {
			g_assert_false(escape_parse(characters[i].text, &escape, &error));
			g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
			continue;
		}
		g_assert_true(escape_parse(characters[i].text, &escape, &error));
		g_assert_cmpint(escape.character, ==, characters[i].character);
		if (escape.character == ESCAPE_OFF)
			continue;
		name = escape_name(&escape);
		g_assert_cmpstr(name, ==, characters[i].name);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(scans); i++) {
		g_autofree char *bytewise = g_strconcat("/bytewise", scans[i].name, NULL);

		g_test_add_data_func(scans[i].name, &scans[i], check_scan);
		g_test_add_data_func(bytewise, &scans[i], check_bytewise);
	}
	g_test_add_func("/characters", test_characters);
	return g_test_run();
}
