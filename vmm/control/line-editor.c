/* A line that somebody types at a terminal. */
#include "vmm/control/line-editor.h"

#include <string.h>

enum {
	CONTROL_A = 0x01,
	CONTROL_B = 0x02,
	CONTROL_C = 0x03,
	CONTROL_D = 0x04,
	CONTROL_E = 0x05,
	CONTROL_F = 0x06,
	CONTROL_H = 0x08,
	TAB = 0x09,
	LINE_FEED = 0x0a,
	CONTROL_K = 0x0b,
	CONTROL_L = 0x0c,
	RETURN = 0x0d,
	CONTROL_N = 0x0e,
	CONTROL_P = 0x10,
	CONTROL_U = 0x15,
	CONTROL_W = 0x17,
	ESCAPE = 0x1b,
	DELETE = 0x7f,
};

enum escape_state {
	NO_ESCAPE,
	AFTER_ESCAPE, /* ESC */
	IN_SEQUENCE,  /* ESC [ or ESC O, and digits */
};

struct line_editor {
	char *prompt;
	const struct line_editor_ops *ops;
	void *owner;
	GString *line;
	gsize cursor;
	GPtrArray *history; /* the oldest first */
	guint at;           /* the line of the history that is shown; its length: none */
	char *typed;        /* what was typed before the history was looked at */
	enum escape_state escape;
	unsigned parameter; /* of a sequence */
	bool after_return;  /* a line feed that follows is the same key */
};

struct line_editor *line_editor_new(
	const char *prompt, const struct line_editor_ops *ops, void *owner)
{
	struct line_editor *editor = g_new0(struct line_editor, 1);

	editor->prompt = g_strdup(prompt);
	editor->ops = ops;
	editor->owner = owner;
	editor->line = g_string_new(NULL);
	editor->history = g_ptr_array_new_with_free_func(g_free);
	return editor;
}

void line_editor_free(struct line_editor *editor)
{
	if (!editor)
		return;
	g_free(editor->prompt);
	g_free(editor->typed);
	g_string_free(editor->line, TRUE);
	g_ptr_array_unref(editor->history);
	g_free(editor);
}

static void put(struct line_editor *editor, const char *text)
{
	editor->ops->write(editor->owner, text, strlen(text));
}

/* The line anew, and the cursor where it belongs. */
static void show(struct line_editor *editor)
{
	gsize behind = editor->line->len - editor->cursor;
	g_autofree char *text =
		behind > 0 ? g_strdup_printf("\r%s%s\033[K\033[%" G_GSIZE_FORMAT "D",
				     editor->prompt, editor->line->str, behind)
			   : g_strdup_printf("\r%s%s\033[K", editor->prompt, editor->line->str);

	put(editor, text);
}

void line_editor_begin(struct line_editor *editor)
{
	g_string_truncate(editor->line, 0);
	editor->cursor = 0;
	editor->at = editor->history->len;
	put(editor, editor->prompt);
}

static void set_line(struct line_editor *editor, const char *text)
{
	g_string_assign(editor->line, text);
	editor->cursor = editor->line->len;
	show(editor);
}

/* --- history --- */

static void look_back(struct line_editor *editor)
{
	if (editor->at == 0)
		return;
	if (editor->at == editor->history->len) {
		g_free(editor->typed);
		editor->typed = g_strdup(editor->line->str);
	}
	set_line(editor, editor->history->pdata[--editor->at]);
}

static void look_forward(struct line_editor *editor)
{
	if (editor->at >= editor->history->len)
		return;
	editor->at++;
	set_line(editor, editor->at < editor->history->len ? editor->history->pdata[editor->at]
							   : editor->typed);
}

static void remember(struct line_editor *editor)
{
	GPtrArray *history = editor->history;

	if (editor->line->len == 0)
		return;
	for (guint i = 0; i < history->len; i++) {
		if (strcmp(history->pdata[i], editor->line->str) == 0) {
			g_ptr_array_remove_index(history, i);
			break;
		}
	}
	if (history->len >= LINE_MAX_HISTORY)
		g_ptr_array_remove_index(history, 0);
	g_ptr_array_add(history, g_strdup(editor->line->str));
}

/* --- editing --- */

static void move(struct line_editor *editor, gsize cursor)
{
	if (cursor > editor->line->len || cursor == editor->cursor)
		return;
	editor->cursor = cursor;
	show(editor);
}

static void erase(struct line_editor *editor, gsize from, gsize to)
{
	if (from >= to || to > editor->line->len)
		return;
	g_string_erase(editor->line, (gssize)from, (gssize)(to - from));
	editor->cursor = from;
	show(editor);
}

static gsize word_start(const struct line_editor *editor)
{
	gsize at = editor->cursor;

	while (at > 0 && editor->line->str[at - 1] == ' ')
		at--;
	while (at > 0 && editor->line->str[at - 1] != ' ')
		at--;
	return at;
}

static void insert(struct line_editor *editor, const char *text)
{
	if (editor->line->len + strlen(text) > LINE_MAX_LENGTH)
		return;
	g_string_insert(editor->line, (gssize)editor->cursor, text);
	editor->cursor += strlen(text);
	if (editor->cursor == editor->line->len)
		put(editor, text);
	else
		show(editor);
}

/* --- completion --- */

static gsize common_length(char **names)
{
	gsize length = strlen(names[0]);

	for (guint i = 1; names[i]; i++) {
		gsize same = 0;

		while (same < length && names[i][same] == names[0][same])
			same++;
		length = same;
	}
	return length;
}

static void list(struct line_editor *editor, char **names)
{
	g_autofree char *text = g_strjoinv("\r\n", names);

	put(editor, "\r\n");
	put(editor, text);
	put(editor, "\r\n");
	show(editor);
}

static void complete(struct line_editor *editor)
{
	g_autofree char *before = g_strndup(editor->line->str, editor->cursor);
	gsize word = editor->cursor;
	g_auto(GStrv) names =
		editor->ops->complete ? editor->ops->complete(editor->owner, before, &word) : NULL;
	gsize typed = editor->cursor - MIN(word, editor->cursor);
	gsize length = names && names[0] ? common_length(names) : 0;
	g_autofree char *rest = NULL;

	if (length == 0 || length < typed)
		return;
	rest = g_strndup(names[0] + typed, length - typed);
	insert(editor, rest);
	if (!names[1])
		insert(editor, " ");
	else if (rest[0] == '\0')
		list(editor, names);
}

/* --- keys --- */

static void end_sequence(struct line_editor *editor, uint8_t byte)
{
	editor->escape = NO_ESCAPE;
	if (byte == 'A')
		look_back(editor);
	else if (byte == 'B')
		look_forward(editor);
	else if (byte == 'C')
		move(editor, editor->cursor + 1);
	else if (byte == 'D' && editor->cursor > 0)
		move(editor, editor->cursor - 1);
	else if (byte == 'H' || (byte == '~' && editor->parameter == 1))
		move(editor, 0);
	else if (byte == 'F' || (byte == '~' && editor->parameter == 4))
		move(editor, editor->line->len);
	else if (byte == '~' && editor->parameter == 3)
		erase(editor, editor->cursor, editor->cursor + 1);
}

static void feed_escape(struct line_editor *editor, uint8_t byte)
{
	if (editor->escape == AFTER_ESCAPE) {
		editor->escape = byte == '[' || byte == 'O' ? IN_SEQUENCE : NO_ESCAPE;
		editor->parameter = 0;
	} else if (g_ascii_isdigit(byte)) {
		editor->parameter = MIN(editor->parameter * 10 + (byte - '0'), 99u);
	} else if (byte >= 0x40 && byte <= 0x7e) {
		end_sequence(editor, byte);
	} else if (byte < 0x20) {
		editor->escape = NO_ESCAPE;
	}
}

static void feed_control(struct line_editor *editor, uint8_t byte)
{
	switch (byte) {
	case CONTROL_A:
		move(editor, 0);
		break;
	case CONTROL_B:
		move(editor, editor->cursor - (editor->cursor > 0));
		break;
	case CONTROL_C:
		put(editor, "\r\n");
		line_editor_begin(editor);
		break;
	case CONTROL_D:
		erase(editor, editor->cursor, editor->cursor + 1);
		break;
	case CONTROL_E:
		move(editor, editor->line->len);
		break;
	case CONTROL_F:
		move(editor, editor->cursor + 1);
		break;
	case CONTROL_H:
	case DELETE:
		erase(editor, editor->cursor - (editor->cursor > 0), editor->cursor);
		break;
	case TAB:
		complete(editor);
		break;
	case CONTROL_K:
		erase(editor, editor->cursor, editor->line->len);
		break;
	case CONTROL_L:
		show(editor);
		break;
	case CONTROL_N:
		look_forward(editor);
		break;
	case CONTROL_P:
		look_back(editor);
		break;
	case CONTROL_U:
		erase(editor, 0, editor->cursor);
		break;
	case CONTROL_W:
		erase(editor, word_start(editor), editor->cursor);
		break;
	case ESCAPE:
		editor->escape = AFTER_ESCAPE;
		break;
	default:
		break;
	}
}

char *line_editor_feed(struct line_editor *editor, uint8_t byte)
{
	char text[] = { (char)byte, '\0' };
	bool again = byte == LINE_FEED && editor->after_return;

	editor->after_return = byte == RETURN;
	if (again)
		return NULL;
	if (byte == RETURN || byte == LINE_FEED) {
		editor->escape = NO_ESCAPE;
		put(editor, "\r\n");
		remember(editor);
		return g_strdup(editor->line->str);
	}
	if (editor->escape != NO_ESCAPE)
		feed_escape(editor, byte);
	else if (byte < 0x20 || byte == DELETE)
		feed_control(editor, byte);
	else
		insert(editor, text);
	return NULL;
}
