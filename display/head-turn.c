/* A head's turn: take what is pending, find the damage, give each listener what it has not seen.
 *
 * The turn runs from one timer source, which is armed only while somebody listens. The lock is held to take the pending
 * state and to call the device, never while pixels are compared or listeners are called.
 */
#include "display/head.h"

#include "display/display-private.h"
#include "display/head-private.h"

enum {
	MILLISECOND = 1000,                /* microseconds */
	IDLE_INTERVAL = 200 * MILLISECOND, /* the longest from one harvest to the next */
	LIVELY_TIME = 400 * MILLISECOND,   /* after input, changes are expected for so long */
	REACTION_TIME = 3 * MILLISECOND,   /* a guest needs to react to input */
	OWED_RECTANGLES = 512, /* of damage that a listener is owed; then they become one */
};

struct head_listener {
	struct head *head;
	const struct head_listener_ops *ops;
	void *owner;
	int64_t interval;                                     /* microseconds */
	int64_t next_time;                                    /* not before this */
	unsigned scanout_serial, cursor_serial, mouse_serial; /* the last it was given */
	pixman_region32_t damage;                             /* owed to it */
	bool busy;
	bool removed;
};

static void listener_free(struct head_listener *listener)
{
	pixman_region32_fini(&listener->damage);
	g_free(listener);
}

static bool listener_ready(const struct head_listener *listener)
{
	return !listener->removed && !listener->busy;
}

static struct head_listener *listener_at(struct head *head, guint index)
{
	return g_ptr_array_index(head->listeners, index);
}

static bool any_ready(struct head *head, int64_t now)
{
	for (guint i = 0; i < head->listeners->len; i++) {
		struct head_listener *listener = listener_at(head, i);

		if (listener_ready(listener) && listener->next_time <= now)
			return true;
	}
	return false;
}

static bool any_reading(struct head *head)
{
	for (guint i = 0; i < head->listeners->len; i++)
		if (listener_at(head, i)->busy)
			return true;
	return false;
}

static int64_t shortest_interval(struct head *head)
{
	int64_t shortest = IDLE_INTERVAL;

	for (guint i = 0; i < head->listeners->len; i++)
		shortest = MIN(shortest, listener_at(head, i)->interval);
	return shortest;
}

/* Takes the pending state; the damage that the device told goes to @told. */
static void take_pending(struct head *head, pixman_region32_t *told)
{
	unsigned before = head->shown.scanout_serial;
	struct damage_tracker *old;

	g_mutex_lock(head->lock);
	head_prepare(head);
	head_state_copy(&head->shown, &head->pending);
	pixman_region32_copy(told, &head->told);
	pixman_region32_clear(&head->told);
	g_mutex_unlock(head->lock);

	if (head->tracker && head->shown.scanout_serial == before)
		return;
	/* The new one before the old one goes: the log of a memory that both are in stays on. */
	old = head->tracker;
	head->tracker = NULL;
	if (head->shown.memory)
		head->tracker = damage_tracker_new(head->shown.memory, &head->shown.scanout);
	if (old)
		damage_tracker_free(old);
}

static void owe(struct head *head, const pixman_region32_t *damage)
{
	for (guint i = 0; i < head->listeners->len; i++) {
		pixman_region32_t *owed = &listener_at(head, i)->damage;

		pixman_region32_union(owed, owed, (pixman_region32_t *)damage);
		if (pixman_region32_n_rects(owed) > OWED_RECTANGLES) {
			pixman_box32_t all = *pixman_region32_extents(owed);

			pixman_region32_reset(owed, &all);
		}
	}
}

/* Gives a listener the picture, if it has not got this one. */
static bool give_scanout(struct head *head, struct head_listener *listener)
{
	if (listener->scanout_serial == head->shown.scanout_serial)
		return false;
	listener->scanout_serial = head->shown.scanout_serial;
	listener->busy = true;
	pixman_region32_clear(&listener->damage);
	if (!head->shown.memory) {
		listener->ops->disable(listener->owner);
		return true;
	}
	damage_tracker_given(head->tracker, NULL);
	listener->ops->scanout(listener->owner, head->shown.memory, &head->shown.scanout);
	return true;
}

static bool give_cursor(struct head *head, struct head_listener *listener)
{
	if (listener->removed || listener->cursor_serial == head->shown.cursor_serial)
		return false;
	listener->cursor_serial = head->shown.cursor_serial;
	listener->busy = true;
	listener->ops->cursor(listener->owner, head->shown.cursor);
	return true;
}

static bool give_mouse(struct head *head, struct head_listener *listener)
{
	if (listener->removed || listener->mouse_serial == head->shown.mouse_serial)
		return false;
	listener->mouse_serial = head->shown.mouse_serial;
	listener->busy = true;
	listener->ops->mouse(listener->owner, head->shown.x, head->shown.y, head->shown.visible);
	return true;
}

static bool give_damage(struct head *head, struct head_listener *listener)
{
	pixman_region32_t damage;

	if (listener->removed || !pixman_region32_not_empty(&listener->damage))
		return false;
	damage = listener->damage;
	pixman_region32_init(&listener->damage);
	listener->busy = true;
	damage_tracker_given(head->tracker, &damage);
	listener->ops->update(listener->owner, &damage);
	pixman_region32_fini(&damage);
	return true;
}

static void give(struct head *head, struct head_listener *listener, int64_t now)
{
	bool given;

	if (!listener_ready(listener) || listener->next_time > now)
		return;
	given = give_scanout(head, listener);
	given |= give_cursor(head, listener);
	given |= give_mouse(head, listener);
	given |= give_damage(head, listener);
	if (given)
		listener->next_time = now + listener->interval;
}

static bool owed_something(struct head *head, const struct head_listener *listener)
{
	return listener->scanout_serial != head->shown.scanout_serial ||
	       listener->cursor_serial != head->shown.cursor_serial ||
	       listener->mouse_serial != head->shown.mouse_serial ||
	       pixman_region32_not_empty((pixman_region32_t *)&listener->damage);
}

/* Whether only looking can tell that something changed. */
static bool must_poll(struct head *head)
{
	return (head->tracker && damage_tracker_polls(head->tracker)) ||
	       (head->ops && head->ops->refresh);
}

static bool pending_something(const struct head *head)
{
	return head->pending.scanout_serial != head->shown.scanout_serial ||
	       head->pending.cursor_serial != head->shown.cursor_serial ||
	       head->pending.mouse_serial != head->shown.mouse_serial ||
	       pixman_region32_not_empty((pixman_region32_t *)&head->told);
}

/* When the next turn has a use: the time at which a listener may get what it is owed, or the next look. Never, while
 * all of them are busy: head_listener_done() sets the time then. */
static void schedule(struct head *head)
{
	int64_t next = INT64_MAX;
	int64_t ready = INT64_MAX; /* when the first listener may get something */

	for (guint i = 0; i < head->listeners->len; i++) {
		struct head_listener *listener = listener_at(head, i);

		if (!listener_ready(listener))
			continue;
		ready = MIN(ready, listener->next_time);
		if (owed_something(head, listener))
			next = MIN(next, listener->next_time);
	}
	g_mutex_lock(head->lock);
	head->earliest_turn = head->last_look + shortest_interval(head);
	if (ready != INT64_MAX && must_poll(head))
		next = MIN(next, MAX(ready, head->last_look + head->interval));
	if (ready != INT64_MAX && pending_something(head))
		next = MIN(next, MAX(ready, head->earliest_turn));
	g_source_set_ready_time(head->turn, next == INT64_MAX ? -1 : next);
	g_mutex_unlock(head->lock);
}

static void sweep_listeners(struct head *head)
{
	for (guint i = head->listeners->len; i-- > 0;) {
		struct head_listener *listener = listener_at(head, i);

		if (listener->removed) {
			g_ptr_array_remove_index(head->listeners, i);
			listener_free(listener);
		}
	}
	if (head->listeners->len > 0)
		return;
	/* Nobody watches: no log, no copy, no timer. */
	g_clear_pointer(&head->tracker, damage_tracker_free);
	g_mutex_lock(head->lock);
	head->watched = false;
	pixman_region32_clear(&head->told);
	g_source_set_ready_time(head->turn, -1);
	g_mutex_unlock(head->lock);
}

/* How often is looked after input: more often than it could be shown, so that the answer is seen the sooner. */
static int64_t lively_interval(struct head *head)
{
	return shortest_interval(head) / 2;
}

static void look(struct head *head, int64_t now)
{
	unsigned scanout = head->shown.scanout_serial;
	unsigned cursor = head->shown.cursor_serial;
	unsigned mouse = head->shown.mouse_serial;
	pixman_region32_t told, damage;
	bool lively;

	head->last_look = now;
	pixman_region32_init(&told);
	pixman_region32_init(&damage);
	take_pending(head, &told);
	if (head->tracker)
		damage_tracker_harvest(head->tracker, &told, any_reading(head), &damage);
	lively = pixman_region32_not_empty(&damage) || scanout != head->shown.scanout_serial ||
		 cursor != head->shown.cursor_serial || mouse != head->shown.mouse_serial;
	owe(head, &damage);
	pixman_region32_fini(&told);
	pixman_region32_fini(&damage);
	if (now < head->lively_end)
		head->interval = lively_interval(head);
	else if (lively)
		head->interval = shortest_interval(head);
	else
		head->interval = MIN(head->interval + head->interval / 8, IDLE_INTERVAL);
}

static void turn(struct head *head)
{
	int64_t now = g_get_monotonic_time();
	guint count = head->listeners->len;

	if (any_ready(head, now)) {
		look(head, now);
		for (guint i = 0; i < count; i++)
			give(head, listener_at(head, i), now);
	}
	schedule(head);
}

static gboolean dispatch_turn(GSource *source, GSourceFunc callback, gpointer data)
{
	struct head *head = data;

	head_ref(head);
	head->in_turn = true;
	g_source_set_ready_time(source, -1);
	turn(head);
	head->in_turn = false;
	sweep_listeners(head);
	head_unref(head);
	return G_SOURCE_CONTINUE;
}

static gboolean no_callback(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs turn_funcs = { .dispatch = dispatch_turn };

void head_turn_init(struct head *head, GMainContext *context)
{
	head->turn = g_source_new(&turn_funcs, sizeof(GSource));
	g_source_set_static_name(head->turn, "head turn");
	g_source_set_callback(head->turn, no_callback, head, NULL);
	g_source_attach(head->turn, context);
}

void head_turn_clear(struct head *head)
{
	g_source_destroy(head->turn);
	g_source_unref(head->turn);
}

void head_turn_soon(struct head *head)
{
	if (head->watched)
		g_source_set_ready_time(head->turn, head->earliest_turn);
}

void head_wake(struct head *head)
{
	int64_t now = g_get_monotonic_time();
	int64_t wanted, due;

	if (head->listeners->len == 0)
		return;
	head->lively_end = now + LIVELY_TIME;
	wanted = MAX(now + REACTION_TIME, head->last_look + lively_interval(head));
	g_mutex_lock(head->lock);
	due = g_source_get_ready_time(head->turn);
	if (due < 0 || due > wanted)
		g_source_set_ready_time(head->turn, wanted);
	g_mutex_unlock(head->lock);
}

struct head_listener *head_add_listener(
	struct head *head, const struct head_listener_ops *ops, void *owner, uint32_t interval_ms)
{
	struct head_listener *listener = g_new0(struct head_listener, 1);

	listener->head = head_ref(head);
	listener->ops = ops;
	listener->owner = owner;
	listener->interval = CLAMP(interval_ms, 1, 1000) * (int64_t)MILLISECOND;
	pixman_region32_init(&listener->damage);
	g_ptr_array_add(head->listeners, listener);
	head->interval = shortest_interval(head);
	g_mutex_lock(head->lock);
	head->watched = true;
	g_source_set_ready_time(head->turn, 0);
	g_mutex_unlock(head->lock);
	return listener;
}

void head_listener_done(struct head_listener *listener)
{
	struct head *head = listener->head;

	if (!listener->busy || listener->removed)
		return;
	listener->busy = false;
	if (!head->in_turn)
		schedule(head);
}

void head_remove_listener(struct head_listener *listener)
{
	struct head *head = listener->head;

	listener->removed = true;
	if (!head->in_turn)
		sweep_listeners(head);
	head_unref(head);
}
