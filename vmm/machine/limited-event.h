/* Events that a guest can cause as often as it likes: told once a second, the latest one winning. */
#pragma once

#include "vmm/machine/machine.h"

struct limited_event {
	struct machine *machine;
	const char *name; /* as machine_emit() has it */
	JsonObject *data; /* waits to be told */
	guint timer;
};

/* @data is taken. On the main loop or a vCPU's thread, with the machine's lock. */
void limited_event_emit(struct limited_event *event, JsonObject *data);
/* Nothing that waits is told any more. */
void limited_event_clear(struct limited_event *event);
