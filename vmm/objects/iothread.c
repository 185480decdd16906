/* iothread: a thread with an event loop of its own. The keys that tune polling are data only: the loop here sleeps until
 * there is something to do. */
#include "vmm/objects/iothread.h"

#include <unistd.h>

#include "vmm/objects/classes.h"

struct iothread {
	struct object object;
	uint64_t poll_max_ns, poll_grow, poll_shrink, aio_max_batch;
	GMainContext *context;
	GMainLoop *loop;
	GThread *thread;
	GMutex lock;
	GCond started;
	pid_t id; /* 0: not started yet */
};

#define POLLING(NAME, MEMBER, DEFAULT, DESCRIPTION) \
	{ \
		NAME, PROPERTY_UINT64, offsetof(struct iothread, MEMBER), DEFAULT, DESCRIPTION, \
			.maximum = INT64_MAX \
	}

static const struct property iothread_properties[] = {
	POLLING("poll-max-ns", poll_max_ns, "32768", "accepted; this loop does not poll"),
	POLLING("poll-grow", poll_grow, "0", "accepted; this loop does not poll"),
	POLLING("poll-shrink", poll_shrink, "0", "accepted; this loop does not poll"),
	POLLING("aio-max-batch", aio_max_batch, "0", "accepted; requests are not held back"),
	{ .type = PROPERTY_END },
};

static void *run(void *data)
{
	struct iothread *iothread = data;

	g_mutex_lock(&iothread->lock);
	iothread->id = gettid();
	g_cond_signal(&iothread->started);
	g_mutex_unlock(&iothread->lock);
	g_main_context_push_thread_default(iothread->context);
	g_main_loop_run(iothread->loop);
	g_main_context_pop_thread_default(iothread->context);
	return NULL;
}

static bool iothread_complete(struct object *object, GError **error)
{
	struct iothread *iothread = (struct iothread *)object;
	g_autofree char *name = g_strdup_printf("IO %.12s", object->id);

	g_mutex_init(&iothread->lock);
	g_cond_init(&iothread->started);
	iothread->context = g_main_context_new();
	iothread->loop = g_main_loop_new(iothread->context, FALSE);
	iothread->thread = g_thread_try_new(name, run, iothread, error);
	if (!iothread->thread)
		return false;
	g_mutex_lock(&iothread->lock);
	while (iothread->id == 0)
		g_cond_wait(&iothread->started, &iothread->lock);
	g_mutex_unlock(&iothread->lock);
	return true;
}

static gboolean quit(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static void iothread_finish(struct object *object)
{
	struct iothread *iothread = (struct iothread *)object;

	if (!iothread->context)
		return;
	if (iothread->thread) {
		/* By the loop itself: one that does not run yet could not be told to end. */
		g_autoptr(GSource) source = g_idle_source_new();

		g_source_set_callback(source, quit, iothread->loop, NULL);
		g_source_attach(source, iothread->context);
		g_thread_join(iothread->thread);
	}
	g_main_loop_unref(iothread->loop);
	g_main_context_unref(iothread->context);
	g_mutex_clear(&iothread->lock);
	g_cond_clear(&iothread->started);
}

GMainContext *iothread_context(const struct object *object)
{
	return ((const struct iothread *)object)->context;
}

pid_t iothread_id(const struct object *object)
{
	return ((const struct iothread *)object)->id;
}

const struct object_class object_iothread = {
	.name = "iothread",
	.description = "a thread for disks to work in",
	.kind = OBJECT_THREAD,
	.size = sizeof(struct iothread),
	.properties = iothread_properties,
	.complete = iothread_complete,
	.finish = iothread_finish,
};
