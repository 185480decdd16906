/* Watching the registry of running guests.
 *
 * Three things tell that something may have changed: the folder (a guest's directory came or went), the directory (the
 * record was published), and the process itself (a pidfd: a killed guest removes nothing). Each of them only asks for
 * another look at the whole folder, and what is reported is the difference between two looks.
 */
#include "base/runtime-watch.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

struct watched {
	struct runtime_watch *watch;
	GFileMonitor *directory;
	GSource *process; /* ready when the process has ended; NULL: not watched */
	int pidfd;        /* open while there is a source */
	int32_t pid;      /* whose end is or was watched */
	char *reported;   /* the record as reported; NULL: reported as gone, or never */
	bool seen;        /* in this look */
};

struct runtime_watch {
	char *base;
	runtime_watch_func changed;
	void *owner;
	GFileMonitor *folder;
	GHashTable *guests; /* name to struct watched */
	GSource *look;      /* pending, or NULL */
	bool freed;         /* by a callback, during a look */
	bool looking;
};

static void destroy_source(GSource **source)
{
	if (*source)
		g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static gboolean on_look(gpointer user_data);

static void ask_for_look(struct runtime_watch *watch)
{
	if (watch->look)
		return;
	watch->look = g_idle_source_new();
	g_source_set_callback(watch->look, on_look, watch, NULL);
	g_source_attach(watch->look, g_main_context_get_thread_default());
}

static void on_folder_changed(GFileMonitor *monitor, GFile *file, GFile *other,
	GFileMonitorEvent event, gpointer user_data)
{
	ask_for_look(user_data);
}

static GFileMonitor *monitor_directory(
	struct runtime_watch *watch, const char *path, GError **error)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	GFileMonitor *monitor =
		g_file_monitor_directory(file, G_FILE_MONITOR_WATCH_MOVES, NULL, error);

	if (monitor)
		g_signal_connect(monitor, "changed", G_CALLBACK(on_folder_changed), watch);
	return monitor;
}

static void drop_monitor(struct runtime_watch *watch, GFileMonitor **monitor)
{
	if (!*monitor)
		return;
	g_signal_handlers_disconnect_by_data(*monitor, watch);
	g_file_monitor_cancel(*monitor);
	g_clear_object(monitor);
}

static void unwatch_process(struct watched *watched)
{
	if (watched->process)
		close(watched->pidfd);
	destroy_source(&watched->process);
}

static void free_watched(gpointer data)
{
	struct watched *watched = data;

	drop_monitor(watched->watch, &watched->directory);
	unwatch_process(watched);
	g_free(watched->reported);
	g_free(watched);
}

static gboolean on_process_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	struct watched *watched = user_data;

	unwatch_process(watched);
	ask_for_look(watched->watch);
	return G_SOURCE_REMOVE;
}

/* A process that is gone already, or that cannot be seen from here, costs one further look. */
static void watch_process(struct watched *watched, int32_t pid)
{
	if (watched->pid == pid)
		return;
	unwatch_process(watched);
	watched->pid = pid;
	watched->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (watched->pidfd < 0) {
		ask_for_look(watched->watch);
		return;
	}
	watched->process = g_unix_fd_source_new(watched->pidfd, G_IO_IN);
	g_source_set_callback(watched->process, G_SOURCE_FUNC(on_process_ended), watched, NULL);
	g_source_attach(watched->process, g_main_context_get_thread_default());
}

static struct watched *watched_of(struct runtime_watch *watch, const struct runtime_guest *guest)
{
	struct watched *watched = g_hash_table_lookup(watch->guests, guest->name);

	if (watched)
		return watched;
	watched = g_new0(struct watched, 1);
	watched->watch = watch;
	watched->directory = monitor_directory(watch, guest->path, NULL);
	g_hash_table_insert(watch->guests, g_strdup(guest->name), watched);
	/* It may have been published between the look and the monitor. */
	ask_for_look(watch);
	return watched;
}

static void look_at(struct runtime_watch *watch, const struct runtime_guest *guest)
{
	struct watched *watched = watched_of(watch, guest);
	g_autofree char *text = NULL;

	watched->seen = true;
	if (guest->state == RUNTIME_RUNNING && guest->record) {
		watch_process(watched, guest->record->pid);
		text = runtime_record_format(guest->record, NULL);
	}
	if (g_strcmp0(text, watched->reported) == 0)
		return;
	g_free(watched->reported);
	watched->reported = g_steal_pointer(&text);
	if (!watched->reported)
		watched->pid = 0;
	if (watched->reported || guest->state == RUNTIME_STALE)
		watch->changed(watch->owner, guest);
}

static void report_vanished(struct runtime_watch *watch, const char *name)
{
	g_autofree char *path = g_build_filename(watch->base, name, NULL);
	const struct runtime_guest guest = {
		.name = (char *)name,
		.path = path,
		.state = RUNTIME_STALE,
	};

	watch->changed(watch->owner, &guest);
}

/* Names of the guests whose directories are gone; forgets them. Those that were reported as running are returned. */
static GPtrArray *forget_vanished(struct runtime_watch *watch)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, watch->guests);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const struct watched *watched = value;

		if (watched->seen)
			continue;
		if (watched->reported)
			g_ptr_array_add(names, g_strdup(name));
		g_hash_table_iter_remove(&iter);
	}
	return names;
}

static void destroy(struct runtime_watch *watch)
{
	drop_monitor(watch, &watch->folder);
	destroy_source(&watch->look);
	g_hash_table_unref(watch->guests);
	g_free(watch->base);
	g_free(watch);
}

static void look(struct runtime_watch *watch)
{
	g_autoptr(GPtrArray) guests = runtime_dir_list(watch->base, NULL);
	g_autoptr(GPtrArray) vanished = NULL;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, watch->guests);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct watched *)value)->seen = false;
	for (guint i = 0; guests && i < guests->len && !watch->freed; i++)
		look_at(watch, guests->pdata[i]);
	if (watch->freed)
		return;
	vanished = forget_vanished(watch);
	for (guint i = 0; i < vanished->len && !watch->freed; i++)
		report_vanished(watch, vanished->pdata[i]);
}

static gboolean on_look(gpointer user_data)
{
	struct runtime_watch *watch = user_data;

	g_clear_pointer(&watch->look, g_source_unref);
	watch->looking = true;
	look(watch);
	watch->looking = false;
	if (watch->freed)
		destroy(watch);
	return G_SOURCE_REMOVE;
}

struct runtime_watch *runtime_watch_new(
	const char *base, runtime_watch_func changed, void *owner, GError **error)
{
	g_autofree char *folder = runtime_base(base, error);
	struct runtime_watch *watch;

	if (!folder)
		return NULL;
	if (g_mkdir_with_parents(folder, 0700) < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot create %s", folder);
		return NULL;
	}
	watch = g_new0(struct runtime_watch, 1);
	watch->base = g_steal_pointer(&folder);
	watch->changed = changed;
	watch->owner = owner;
	watch->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_watched);
	watch->folder = monitor_directory(watch, watch->base, error);
	if (!watch->folder) {
		destroy(watch);
		return NULL;
	}
	ask_for_look(watch);
	return watch;
}

void runtime_watch_free(struct runtime_watch *watch)
{
	if (!watch)
		return;
	watch->freed = true;
	if (!watch->looking)
		destroy(watch);
}
