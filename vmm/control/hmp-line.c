/* The monitor for people at the other end of a character device: a prompt, lines, and their answers. */
#include "vmm/control/hmp-line.h"

#include <string.h>

#include "vmm/chardev/mux.h"
#include "vmm/control/hmp.h"
#include "vmm/control/line-editor.h"
#include "version.h"

enum {
	RECEIVE_SIZE = 1024,
	QUEUE_SIZE = 4 << 20, /* more than the longest answer */
};

/* Scripts wait for QEMU's prompt. */
#define PROMPT "(qemu) "

struct hmp_line {
	const struct command_context *context;
	struct chardev *chardev;
	struct line_editor *editor;
	unsigned cpu;
	bool greeted;
};

static void write_text(void *owner, const char *text, gsize length)
{
	struct hmp_line *line = owner;

	chardev_write(line->chardev, text, length);
}

/* With the line ends of a terminal. */
static void write_lines(struct hmp_line *line, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *joined = g_strjoinv("\r\n", lines);

	write_text(line, joined, strlen(joined));
}

/* The first word is a command, the one behind "info" (or "help") another name. */
static char **complete(void *owner, const char *text, gsize *word)
{
	const char *start = strrchr(text, ' ');
	g_autofree char *before = NULL;

	start = start ? start + 1 : text;
	*word = (gsize)(start - text);
	before = g_strstrip(g_strndup(text, *word));
	if (strcmp(before, "info") == 0 || strcmp(before, "help info") == 0)
		return hmp_complete(start, true);
	return before[0] == '\0' || strcmp(before, "help") == 0 ? hmp_complete(start, false) : NULL;
}

static const struct line_editor_ops editor_ops = { write_text, complete };

static void greet(struct hmp_line *line)
{
	write_lines(
		line, "Vitrine " VITRINE_VERSION " monitor - type 'help' for more information\n");
	line_editor_begin(line->editor);
	line->greeted = true;
}

static size_t line_can_receive(void *front_end)
{
	return RECEIVE_SIZE;
}

static void run(struct hmp_line *line, const char *text)
{
	void (*afterwards)(struct machine * machine) = NULL;
	g_autofree char *answer = hmp_run(line->context, text, &line->cpu, &afterwards);

	write_lines(line, answer);
	line_editor_begin(line->editor);
	if (afterwards)
		afterwards(line->context->machine);
}

static void line_receive(void *front_end, const uint8_t *bytes, size_t length)
{
	struct hmp_line *line = front_end;

	for (size_t i = 0; i < length; i++) {
		g_autofree char *text = line_editor_feed(line->editor, bytes[i]);

		if (text)
			run(line, text);
	}
}

/* On a line that others use too, nothing is said before somebody asks for the monitor. */
static void line_event(void *front_end, enum chardev_event event)
{
	struct hmp_line *line = front_end;

	if (event == CHARDEV_OPENED && !chardev_is_channel(line->chardev)) {
		greet(line);
	} else if (event == CHARDEV_FOCUSED) {
		write_lines(line, "\n");
		if (line->greeted)
			line_editor_begin(line->editor);
		else
			greet(line);
	}
}

static const struct chardev_ops line_ops = { line_can_receive, line_receive, line_event };

struct hmp_line *hmp_line_new(const struct command_context *context, struct chardev *chardev)
{
	struct hmp_line *line = g_new0(struct hmp_line, 1);

	line->context = context;
	line->chardev = chardev;
	line->editor = line_editor_new(PROMPT, &editor_ops, line);
	chardev_set_queue_size(chardev, QUEUE_SIZE);
	chardev_attach(chardev, &line_ops, line);
	return line;
}

void hmp_line_free(struct hmp_line *line)
{
	chardev_attach(line->chardev, NULL, NULL);
	line_editor_free(line->editor);
	g_free(line);
}
