/* Events that come too often: the first is told at once, of those that follow within the limit only the last, at its end.
 *
 * Specification: QEMU's docs/interop/qmp-spec, "rate-limited".
 */
#pragma once

#include <json-glib/json-glib.h>

struct event_limiter;
struct event_kind;

typedef void (*event_tell_func)(JsonNode *event, void *data);

struct event_limiter *event_limiter_new(event_tell_func tell, void *data);
void event_limiter_free(struct event_limiter *limiter);

/* Tells the event now, later, or not at all. @event is {"event": ..., "data": ...}; borrowed. */
void event_limiter_take(
	struct event_limiter *limiter, const struct event_kind *kind, JsonNode *event);
