/* Events that come too often. */
#include "vmm/control/event-limiter.h"

#include "vmm/control/events.h"

enum {
	MAXIMUM_LIMITS = 256 /* kinds and keys at once; more are told as they come */
};

struct event_limiter {
	event_tell_func tell;
	void *data;
	GHashTable *limits; /* name and key -> struct limit */
};

struct limit {
	struct event_limiter *limiter;
	char *key;
	guint timer;
	JsonNode *last; /* that waits, or NULL */
};

static void limit_free(void *data)
{
	struct limit *limit = data;

	g_source_remove(limit->timer);
	g_clear_pointer(&limit->last, json_node_unref);
	g_free(limit);
}

struct event_limiter *event_limiter_new(event_tell_func tell, void *data)
{
	struct event_limiter *limiter = g_new0(struct event_limiter, 1);

	limiter->tell = tell;
	limiter->data = data;
	limiter->limits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, limit_free);
	return limiter;
}

void event_limiter_free(struct event_limiter *limiter)
{
	g_hash_table_unref(limiter->limits);
	g_free(limiter);
}

/* The time is over: what waited is told, and another time begins; when nothing did, the next one is the first again. */
static gboolean time_over(gpointer data)
{
	struct limit *limit = data;
	g_autoptr(JsonNode) last = g_steal_pointer(&limit->last);

	if (last) {
		limit->limiter->tell(last, limit->limiter->data);
		return G_SOURCE_CONTINUE;
	}
	g_hash_table_remove(limit->limiter->limits, limit->key);
	return G_SOURCE_REMOVE;
}

static char *key_of(const struct event_kind *kind, JsonNode *event)
{
	JsonObject *object = json_node_get_object(event);
	JsonObject *data = json_object_has_member(object, "data")
				   ? json_object_get_object_member(object, "data")
				   : NULL;
	const char *about =
		kind->key && data ? json_object_get_string_member_with_default(data, kind->key, "")
				  : "";

	return g_strdup_printf("%s %s", kind->name, about);
}

void event_limiter_take(
	struct event_limiter *limiter, const struct event_kind *kind, JsonNode *event)
{
	g_autofree char *key = key_of(kind, event);
	struct limit *limit = g_hash_table_lookup(limiter->limits, key);

	if (limit) {
		g_clear_pointer(&limit->last, json_node_unref);
		limit->last = json_node_ref(event);
		return;
	}
	limiter->tell(event, limiter->data);
	if (g_hash_table_size(limiter->limits) >= MAXIMUM_LIMITS)
		return;
	limit = g_new0(struct limit, 1);
	limit->limiter = limiter;
	limit->key = g_steal_pointer(&key);
	limit->timer = g_timeout_add(kind->limit_ms, time_over, limit);
	g_hash_table_insert(limiter->limits, limit->key, limit);
}
