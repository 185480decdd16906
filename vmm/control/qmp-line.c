/* QMP at the other end of a character device: a new session for each who comes. */
#include "vmm/control/qmp-line.h"

#include "vmm/chardev/chardev.h"

enum {
	RECEIVE_SIZE = 4096,
	QUEUE_SIZE =
		4 << 20, /* more than the longest answer: the queue drops what it has no room for */
};

struct qmp_line {
	const struct command_context *context;
	struct chardev *chardev;
	struct qmp_session *session; /* NULL while nobody is there */
};

static size_t line_can_receive(void *front_end)
{
	const struct qmp_line *line = front_end;

	return line->session ? RECEIVE_SIZE : 0;
}

static void line_receive(void *front_end, const uint8_t *bytes, size_t length)
{
	struct qmp_line *line = front_end;

	qmp_session_receive(line->session, bytes, length);
}

static void line_write(void *owner, const char *text, size_t length)
{
	struct qmp_line *line = owner;

	chardev_write(line->chardev, text, length);
}

static void line_event(void *front_end, enum chardev_event event)
{
	struct qmp_line *line = front_end;

	if (event != CHARDEV_OPENED && event != CHARDEV_CLOSED)
		return;
	g_clear_pointer(&line->session, qmp_session_free);
	if (event == CHARDEV_OPENED)
		line->session = qmp_session_new(line->context, line_write, line);
}

static const struct chardev_ops line_ops = { line_can_receive, line_receive, line_event };

struct qmp_line *qmp_line_new(const struct command_context *context, struct chardev *chardev)
{
	struct qmp_line *line = g_new0(struct qmp_line, 1);

	line->context = context;
	line->chardev = chardev;
	chardev_set_queue_size(chardev, QUEUE_SIZE);
	chardev_attach(chardev, &line_ops, line);
	return line;
}

void qmp_line_free(struct qmp_line *line)
{
	chardev_attach(line->chardev, NULL, NULL);
	qmp_session_free(line->session);
	g_free(line);
}

void qmp_line_tell(struct qmp_line *line, JsonNode *event)
{
	if (line->session)
		qmp_session_tell(line->session, event);
}
