/* Network back ends: their thread, and the frames between them and a card. */
#include "vmm/net/netdev.h"

#include <string.h>

#include "base/error.h"
#include "vmm/net/netdev-private.h"
#include "vmm/options/options.h"

static const struct netdev_kind *const kinds[] = { &netdev_user, &netdev_tap };

static const struct netdev_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

/* Without touching the host. */
static bool check(const struct netdev_kind *kind, const struct option_set *set, GError **error)
{
	for (guint i = 0; i < set->count; i++) {
		const char *key = set->values[i].key;
		g_autofree char *keys = NULL;

		if (strcmp(key, "type") == 0 || g_strv_contains(kind->keys, key))
			continue;
		keys = g_strjoinv(", ", (char **)kind->keys);
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s does not go with %s, which takes %s", set->origin, key, kind->name,
			keys);
	}
	if (kind->check(set, error))
		return true;
	g_prefix_error(error, "%s %s: ", set->origin, kind->name);
	return false;
}

static void *run(void *opaque)
{
	struct netdev *netdev = opaque;

	g_main_context_push_thread_default(netdev->context);
	g_main_loop_run(netdev->loop);
	g_main_context_pop_thread_default(netdev->context);
	return NULL;
}

struct netdev *netdev_new(const struct option_set *set, GError **error)
{
	const struct netdev_kind *kind = find_kind(option_set_get(set, "type"));
	struct netdev *netdev;

	g_assert(kind); /* a choice of the option's table */
	if (!check(kind, set, error))
		return NULL;
	netdev = g_malloc0(kind->size);
	netdev->kind = kind;
	netdev->id = g_strdup(set->id);
	netdev->context = g_main_context_new();
	netdev->loop = g_main_loop_new(netdev->context, FALSE);
	g_queue_init(&netdev->waiting);
	if (!kind->open(netdev, set, error)) {
		g_prefix_error(error, "%s %s: ", set->origin, kind->name);
		netdev_free(netdev);
		return NULL;
	}
	netdev->thread = g_thread_new("network", run, netdev);
	return netdev;
}

static void end_loop(void *opaque)
{
	struct netdev *netdev = opaque;

	g_main_loop_quit(netdev->loop);
}

void netdev_free(struct netdev *netdev)
{
	if (!netdev)
		return;
	if (netdev->thread) {
		netdev_call(netdev, end_loop, netdev);
		g_thread_join(netdev->thread);
	}
	netdev->kind->close(netdev);
	g_queue_clear_full(&netdev->waiting, (GDestroyNotify)g_bytes_unref);
	g_main_loop_unref(netdev->loop);
	g_main_context_unref(netdev->context);
	g_free(netdev->id);
	g_free(netdev);
}

const char *netdev_id(const struct netdev *netdev)
{
	return netdev->id;
}

struct netdev *netdev_find(const GPtrArray *netdevs, const char *id)
{
	for (guint i = 0; netdevs && i < netdevs->len; i++)
		if (strcmp(netdev_id(netdevs->pdata[i]), id) == 0)
			return netdevs->pdata[i];
	return NULL;
}

char *netdev_describe(const struct netdev *netdev)
{
	return netdev->kind->describe(netdev);
}

GMainContext *netdev_context(const struct netdev *netdev)
{
	return netdev->context;
}

/* A call on the thread, and whether it has ended. */
struct call {
	void (*func)(void *data);
	void *data;
	GMutex lock;
	GCond ended;
	bool has_ended;
};

static gboolean make_call(gpointer opaque)
{
	struct call *call = opaque;

	call->func(call->data);
	g_mutex_lock(&call->lock);
	call->has_ended = true;
	g_cond_signal(&call->ended);
	g_mutex_unlock(&call->lock);
	return G_SOURCE_REMOVE;
}

void netdev_call(struct netdev *netdev, void (*func)(void *data), void *data)
{
	struct call call = { .func = func, .data = data };
	GSource *source = g_idle_source_new();

	g_mutex_init(&call.lock);
	g_cond_init(&call.ended);
	g_source_set_priority(source, G_PRIORITY_HIGH);
	g_source_set_callback(source, make_call, &call, NULL);
	g_source_attach(source, netdev->context);
	g_source_unref(source);
	g_mutex_lock(&call.lock);
	while (!call.has_ended)
		g_cond_wait(&call.ended, &call.lock);
	g_mutex_unlock(&call.lock);
	g_mutex_clear(&call.lock);
	g_cond_clear(&call.ended);
}

/* The front end changes between two events of the thread. */
struct attachment {
	struct netdev *netdev;
	const struct netdev_front_ops *ops;
	void *front;
};

static void set_front(void *opaque)
{
	const struct attachment *attachment = opaque;

	attachment->netdev->ops = attachment->ops;
	attachment->netdev->front = attachment->front;
	netdev_flush(attachment->netdev);
}

bool netdev_attach(struct netdev *netdev, const struct netdev_front_ops *ops, void *front)
{
	struct attachment attachment = { netdev, ops, front };

	if (netdev->ops)
		return false;
	netdev_call(netdev, set_front, &attachment);
	return true;
}

void netdev_detach(struct netdev *netdev)
{
	struct attachment attachment = { netdev, NULL, NULL };

	netdev_call(netdev, set_front, &attachment);
}

bool netdev_is_taken(const struct netdev *netdev)
{
	return netdev->ops != NULL;
}

void netdev_send(struct netdev *netdev, const struct iovec *pieces, unsigned count)
{
	if (netdev_link_is_up(netdev))
		netdev->kind->send(netdev, pieces, count);
}

bool netdev_is_congested(const struct netdev *netdev)
{
	return netdev->waiting.length >= NETDEV_WAITING_MAX;
}

bool netdev_deliver(struct netdev *netdev, const uint8_t *bytes, size_t length)
{
	if (!netdev->ops || !netdev_link_is_up(netdev))
		return true;
	if (netdev->waiting.length == 0 && netdev->ops->receive(netdev->front, bytes, length))
		return true;
	if (netdev_is_congested(netdev))
		return false;
	g_queue_push_tail(&netdev->waiting, g_bytes_new(bytes, length));
	return true;
}

void netdev_resume(struct netdev *netdev)
{
	while (netdev->ops && netdev->waiting.length > 0) {
		GBytes *frame = g_queue_peek_head(&netdev->waiting);
		gsize length;
		const uint8_t *bytes = g_bytes_get_data(frame, &length);

		if (!netdev->ops->receive(netdev->front, bytes, length))
			return;
		g_bytes_unref(g_queue_pop_head(&netdev->waiting));
	}
	if (netdev->kind->resume)
		netdev->kind->resume(netdev);
}

void netdev_flush(struct netdev *netdev)
{
	g_queue_clear_full(&netdev->waiting, (GDestroyNotify)g_bytes_unref);
	if (netdev->kind->resume)
		netdev->kind->resume(netdev);
}

struct netdev_offloads netdev_offloads(const struct netdev *netdev)
{
	return netdev->kind->offloads ? netdev->kind->offloads(netdev)
				      : (struct netdev_offloads) { 0 };
}

void netdev_set_offloads(struct netdev *netdev, const struct netdev_offloads *offloads)
{
	if (netdev->kind->set_offloads)
		netdev->kind->set_offloads(netdev, offloads);
}

int netdev_vhost_tap(const struct netdev *netdev)
{
	bool forced;

	return netdev->kind->vhost_tap ? netdev->kind->vhost_tap(netdev, &forced) : -1;
}

bool netdev_vhost_is_forced(const struct netdev *netdev)
{
	bool forced = false;

	if (netdev->kind->vhost_tap)
		netdev->kind->vhost_tap(netdev, &forced);
	return forced;
}

void netdev_set_kernel_reads(struct netdev *netdev, bool on)
{
	if (on)
		g_queue_clear_full(&netdev->waiting, (GDestroyNotify)g_bytes_unref);
	if (netdev->kind->set_kernel_reads)
		netdev->kind->set_kernel_reads(netdev, on);
}

bool netdev_link_is_up(const struct netdev *netdev)
{
	return !g_atomic_int_get(&netdev->link_down);
}

void netdev_set_link(struct netdev *netdev, bool up)
{
	if (up == netdev_link_is_up(netdev))
		return;
	g_atomic_int_set(&netdev->link_down, !up);
	if (netdev->ops)
		netdev->ops->link_changed(netdev->front);
}
