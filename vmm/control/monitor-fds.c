/* Descriptors that came with commands. */
#include "vmm/control/monitor-fds.h"

#include <unistd.h>

#include "base/error.h"

struct monitor_fds {
	GQueue waiting;    /* of descriptors, the oldest first */
	GHashTable *named; /* name -> descriptor */
};

static void close_fd(gpointer fd)
{
	close(GPOINTER_TO_INT(fd));
}

struct monitor_fds *monitor_fds_new(void)
{
	struct monitor_fds *fds = g_new0(struct monitor_fds, 1);

	g_queue_init(&fds->waiting);
	fds->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_fd);
	return fds;
}

void monitor_fds_free(struct monitor_fds *fds)
{
	if (!fds)
		return;
	g_queue_clear_full(&fds->waiting, close_fd);
	g_hash_table_unref(fds->named);
	g_free(fds);
}

void monitor_fds_receive(struct monitor_fds *fds, int fd)
{
	if (g_queue_get_length(&fds->waiting) < MONITOR_FDS_MAX)
		g_queue_push_tail(&fds->waiting, GINT_TO_POINTER(fd));
	else
		close(fd);
}

bool monitor_fds_name(struct monitor_fds *fds, const char *name, GError **error)
{
	if (!fds || g_queue_is_empty(&fds->waiting))
		return fail(
			error, VITRINE_ERROR_INPUT, "No file descriptor supplied via SCM_RIGHTS");
	if (g_ascii_isdigit(name[0]))
		return fail(error, VITRINE_ERROR_INPUT,
			"Parameter 'fdname' expects a name not starting with a digit");
	if (g_hash_table_size(fds->named) >= MONITOR_FDS_MAX)
		return fail(error, VITRINE_ERROR_INPUT,
			"there are %d named file descriptors, the "
			"most that are kept",
			MONITOR_FDS_MAX);
	g_hash_table_replace(fds->named, g_strdup(name), g_queue_pop_head(&fds->waiting));
	return true;
}

bool monitor_fds_close(struct monitor_fds *fds, const char *name, GError **error)
{
	if (fds && g_hash_table_remove(fds->named, name))
		return true;
	return fail(error, VITRINE_ERROR_INPUT, "File descriptor named '%s' not found", name);
}

int monitor_fds_take(struct monitor_fds *fds, const char *name, GError **error)
{
	gpointer key, fd;

	if (!fds || !g_hash_table_steal_extended(fds->named, name, &key, &fd)) {
		fail(error, VITRINE_ERROR_INPUT, "File descriptor named '%s' not found", name);
		return -1;
	}
	g_free(key);
	return GPOINTER_TO_INT(fd);
}
