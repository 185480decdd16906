/* Keys that a command sends, one after the other. */
#include "vmm/control/key-sender.h"

#include "base/error.h"

struct key_event {
	uint8_t qnum;
	bool down;
	guint hold_ms; /* the next event waits so long */
};

struct key_sender {
	struct display *display;
	GQueue events; /* of struct key_event */
	guint timer;   /* until the next; 0: nothing waits */
};

struct key_sender *key_sender_new(struct display *display)
{
	struct key_sender *sender = g_new0(struct key_sender, 1);

	sender->display = display;
	g_queue_init(&sender->events);
	return sender;
}

void key_sender_free(struct key_sender *sender)
{
	struct key_event *event;

	g_clear_handle_id(&sender->timer, g_source_remove);
	while ((event = g_queue_pop_head(&sender->events))) {
		if (!event->down)
			display_key(sender->display, event->qnum, false);
		g_free(event);
	}
	g_free(sender);
}

static gboolean send_next(void *data)
{
	struct key_sender *sender = data;
	g_autofree struct key_event *event = g_queue_pop_head(&sender->events);

	sender->timer = event ? g_timeout_add(event->hold_ms, send_next, sender) : 0;
	if (event)
		display_key(sender->display, event->qnum, event->down);
	return G_SOURCE_REMOVE;
}

static void add(struct key_sender *sender, uint8_t qnum, bool down, guint hold_ms)
{
	struct key_event *event = g_new(struct key_event, 1);

	*event = (struct key_event) { qnum, down, hold_ms };
	g_queue_push_tail(&sender->events, event);
}

bool key_sender_send(
	struct key_sender *sender, const uint8_t *qnums, guint count, guint hold_ms, GError **error)
{
	if (sender->events.length + 2 * count > KEY_SENDER_MAX_QUEUE)
		return fail(error, VITRINE_ERROR_STATE,
			"more than %d presses and releases are waiting", KEY_SENDER_MAX_QUEUE);
	for (guint i = 0; i < count; i++)
		add(sender, qnums[i], true, hold_ms);
	for (guint i = count; i > 0; i--)
		add(sender, qnums[i - 1], false, hold_ms);
	if (sender->timer == 0)
		send_next(sender);
	return true;
}
