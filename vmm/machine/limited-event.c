/* Events that a guest can cause as often as it likes. */
#include "vmm/machine/limited-event.h"

#include <json-glib/json-glib.h>

enum {
	PERIOD_SECONDS = 1
};

static gboolean period_over(gpointer data)
{
	struct limited_event *event = data;
	struct machine *machine = event->machine;
	gboolean again;

	g_mutex_lock(&machine->lock);
	again = event->data != NULL;
	if (event->data)
		machine_emit(machine, event->name, g_steal_pointer(&event->data));
	else
		event->timer = 0;
	g_mutex_unlock(&machine->lock);
	return again;
}

void limited_event_emit(struct limited_event *event, JsonObject *data)
{
	if (event->timer == 0) {
		event->timer = g_timeout_add_seconds(PERIOD_SECONDS, period_over, event);
		machine_emit(event->machine, event->name, data);
		return;
	}
	g_clear_pointer(&event->data, json_object_unref);
	event->data = data;
}

void limited_event_clear(struct limited_event *event)
{
	g_clear_handle_id(&event->timer, g_source_remove);
	g_clear_pointer(&event->data, json_object_unref);
}
