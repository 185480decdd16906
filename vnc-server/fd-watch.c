/* A GSource for one descriptor and one point in time. */
#include "vnc-server/fd-watch.h"

struct fd_watch {
	GSource source;
	gpointer tag;
	GIOCondition conditions;
	fd_watch_func func;
	void *owner;
};

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct fd_watch *watch = (struct fd_watch *)source;

	watch->func(watch->owner, g_source_query_unix_fd(source, watch->tag));
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = { .dispatch = dispatch };

struct fd_watch *fd_watch_new(int fd, fd_watch_func func, void *owner)
{
	GSource *source = g_source_new(&functions, sizeof(struct fd_watch));
	struct fd_watch *watch = (struct fd_watch *)source;

	watch->func = func;
	watch->owner = owner;
	watch->conditions = G_IO_IN;
	watch->tag = g_source_add_unix_fd(source, fd, watch->conditions);
	g_source_attach(source, NULL);
	return watch;
}

void fd_watch_free(struct fd_watch *watch)
{
	g_source_destroy(&watch->source);
	g_source_unref(&watch->source);
}

void fd_watch_set_conditions(struct fd_watch *watch, GIOCondition conditions)
{
	if (conditions != watch->conditions)
		g_source_modify_unix_fd(&watch->source, watch->tag, conditions);
	watch->conditions = conditions;
}

void fd_watch_set_time(struct fd_watch *watch, int64_t time_us)
{
	g_source_set_ready_time(&watch->source, time_us);
}
