/* A line that is typed at a terminal: what each key makes of it, and that no bytes break it. */
#include <string.h>

#include "vmm/control/line-editor.h"

static void write_text(void *owner, const char *text, gsize length)
{
	g_string_append_len(owner, text, (gssize)length);
}

static char **complete(void *owner, const char *line, gsize *word)
{
	static const char *const names[] = { "stop", "system_powerdown", "system_reset", NULL };
	const char *start = strrchr(line, ' ') ? strrchr(line, ' ') + 1 : line;
	GStrvBuilder *builder = g_strv_builder_new();
	char **found;

	*word = (gsize)(start - line);
	for (size_t i = 0; names[i]; i++) {
		if (g_str_has_prefix(names[i], start))
			g_strv_builder_add(builder, names[i]);
	}
	found = g_strv_builder_end(builder);
	g_strv_builder_unref(builder);
	return found;
}

static const struct line_editor_ops ops = { write_text, complete };

/* What is typed, and the lines it makes, separated by '|'. */
static const struct {
	const char *name, *typed, *lines;
} cases[] = {
	{ "/plain", "stop\r", "stop" },
	{ "/line-feed", "stop\n", "stop" },
	{ "/both-ends", "a\r\nb\r\n", "a|b" },
	{ "/empty", "\r\r", "|" },
	{ "/backspace", "stopx\x7f\x08p\r", "stop" },
	{ "/backspace/nothing-there",
		"\x7f\x7f"
		"a\r",
		"a" },
	{ "/home-end",
		"b\x01"
		"a\x05"
		"c\r",
		"abc" },
	{ "/home-end/sequences", "b\033[Ha\033[Fc\033[1~x\033[4~y\033OHz\r", "zxabcy" },
	{ "/arrows", "ac\033[Db\033[Cd\r", "abcd" },
	{ "/arrows/too-far", "\033[D\033[C\033[Ca\r", "a" },
	{ "/delete",
		"xab\x01\033[3~\x04"
		"c\r",
		"cb" },
	{ "/kill-to-end", "abc\x02\x0b\r", "ab" },
	{ "/kill-line", "abc\x15x\r", "x" },
	{ "/kill-word", "one two  \x17x\r", "one x" },
	{ "/give-up", "abc\x03x\r", "x" },
	{ "/history", "one\rtwo\r\033[A\033[A\r", "one|two|one" },
	{ "/history/control", "one\rtwo\r\x10\x10\x0e\r", "one|two|two" },
	{ "/history/back-to-what-was-typed", "one\rtw\x10\x0eo\r", "one|two" },
	{ "/history/too-far", "one\r\x10\x10\x10\x0e\x0e\x0ex\r", "one|x" },
	{ "/complete/one", "st\t\r", "stop " },
	{ "/complete/common", "sy\tr\t\r", "system_reset " },
	{ "/complete/list", "system_\t\tp\t\r", "system_powerdown " },
	{ "/complete/none", "x\t\r", "x" },
	{ "/complete/second-word", "help st\t\r", "help stop " },
	{ "/escape/unknown", "a\033[5;7Zb\033Nc\r", "abc" },
	{ "/escape/cut-off", "a\033[12\rb\r", "a|b" },
	{ "/control/unknown",
		"a\x1c\x1d\x1e"
		"b\r",
		"ab" },
};

static char *type(struct line_editor *editor, const char *text)
{
	GString *lines = g_string_new(NULL);
	bool first = true;

	line_editor_begin(editor);
	for (; *text != '\0'; text++) {
		g_autofree char *line = line_editor_feed(editor, (uint8_t)*text);

		if (!line)
			continue;
		g_string_append_printf(lines, "%s%s", first ? "" : "|", line);
		first = false;
		line_editor_begin(editor);
	}
	return g_string_free(lines, FALSE);
}

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autoptr(GString) shown = g_string_new(NULL);
	struct line_editor *editor = line_editor_new("> ", &ops, shown);
	g_autofree char *lines = type(editor, c->typed);

	g_assert_cmpstr(lines, ==, c->lines);
	g_assert_true(g_str_has_prefix(shown->str, "> "));
	line_editor_free(editor);
}

static void test_shown(void)
{
	g_autoptr(GString) shown = g_string_new(NULL);
	struct line_editor *editor = line_editor_new("> ", &ops, shown);
	g_autofree char *lines = type(editor, "ac\033[Db\r");

	g_assert_cmpstr(lines, ==, "abc");
	g_assert_cmpstr(shown->str, ==, "> ac\r> ac\033[K\033[1D\r> abc\033[K\033[1D\r\n> ");
	line_editor_free(editor);
}

/* A line has a bound, and so has the history. */
static void test_limits(void)
{
	g_autoptr(GString) shown = g_string_new(NULL);
	struct line_editor *editor = line_editor_new("> ", &ops, shown);
	g_autofree char *longer = g_strnfill(LINE_MAX_LENGTH + 10, 'x');
	g_autofree char *typed = g_strconcat(longer, "\r", NULL);
	g_autofree char *line = type(editor, typed);

	g_assert_cmpuint(strlen(line), ==, LINE_MAX_LENGTH);
	for (unsigned i = 0; i < 2 * LINE_MAX_HISTORY; i++) {
		g_autofree char *text = g_strdup_printf("%u\r", i);

		g_free(type(editor, text));
	}
	for (unsigned i = 0; i < 2 * LINE_MAX_HISTORY; i++)
		g_assert_null(line_editor_feed(editor, 0x10));
	g_free(line);
	line = line_editor_feed(editor, '\r');
	g_assert_cmpstr(line, ==, "64");
	line_editor_free(editor);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/shown", test_shown);
	g_test_add_func("/limits", test_limits);
	return g_test_run();
}
