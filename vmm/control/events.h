/* The events of the control protocol: what there are, what they carry, and how often they come. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

struct event_kind {
	const char *name;
	const char *data; /* in the notation of vmm/control/schema.h; NULL: none */
	/* Events that would come sooner after one of the same kind wait, and only the last of them is told then. 0: none. */
	unsigned limit_ms;
	const char *
		key; /* the member of data that says what an event of a limited kind is about; NULL: all are of one */
};

/* Up to a row without a name. */
extern const struct event_kind event_kinds[];

/* NULL: there is none by that name. */
const struct event_kind *event_kind_find(const char *name);
