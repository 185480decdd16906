/* A display server as a child process. */
#include "vmm/display/server-process.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/sockets.h"
#include "version.h"

enum {
	FIRST_FD = 3, /* in the child: the bus, then the listening sockets */
	FDS_MAX = 64,
	/* A server that dies at once is started again ever more slowly, milliseconds. */
	DELAY_FIRST = 50,
	DELAY_MAX = 800, /* whatever happens, it is back within a second */
	COMPLAINTS_MAX = 16,
	LIVED_LONG = 5000,
	PATIENCE = 500, /* with a server that is told to end, milliseconds */
};

struct server_process {
	struct bus_server *bus;
	char *program, *path, *guest_name;
	char *keymap;      /* NULL: the server\'s default */
	GArray *listening; /* of int */
	GPtrArray *socket_files;
	GPid pid; /* 0 while there is none */
	guint child_watch, restart;
	gint64 started; /* microseconds, monotonic */
	unsigned delay;
	unsigned complaints; /* logged since it last lived long */
};

static void start(struct server_process *server);

/* ../NAME/PROGRAM serves the build tree, where each program has a folder of its own. */
char *server_program_find(const char *program, GError **error)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *here = g_path_get_dirname(self ? self : VITRINE_BIN_DIR "/vitrine");
	const char *family = strchr(program, '-') ? strchr(program, '-') + 1 : program;
	g_autofree char *folder =
		g_strdup_printf("%s%s", family, strcmp(family, "vnc") == 0 ? "-server" : "");
	char *candidates[] = {
		g_build_filename(here, program, NULL),
		g_build_filename(here, "..", folder, program, NULL),
		g_build_filename(VITRINE_BIN_DIR, program, NULL),
	};
	char *found = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
		if (!found && g_file_test(candidates[i], G_FILE_TEST_IS_EXECUTABLE))
			found = candidates[i];
		else
			g_free(candidates[i]);
	}
	if (!found)
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"%s is not installed beside vitrine (looked in %s and %s)", program, here,
			VITRINE_BIN_DIR);
	return found;
}

static gboolean restart(gpointer opaque)
{
	struct server_process *server = opaque;

	server->restart = 0;
	start(server);
	return G_SOURCE_REMOVE;
}

static void schedule_restart(struct server_process *server)
{
	gint64 lived = (g_get_monotonic_time() - server->started) / 1000;

	server->delay = lived > LIVED_LONG || server->delay == 0
				? DELAY_FIRST
				: MIN(server->delay * 2, DELAY_MAX);
	if (lived > LIVED_LONG)
		server->complaints = 0;
	server->restart = g_timeout_add(server->delay, restart, server);
}

static void ended(GPid pid, gint status, gpointer opaque)
{
	struct server_process *server = opaque;
	g_autoptr(GError) error = NULL;

	server->pid = 0;
	server->child_watch = 0;
	g_spawn_check_wait_status(status, &error);
	log_limited(&server->complaints, COMPLAINTS_MAX,
		"%s ended (%s) and is started again; the guest goes on", server->program,
		error ? error->message : "without an error");
	schedule_restart(server);
}

static char **make_arguments(const struct server_process *server)
{
	GPtrArray *arguments = g_ptr_array_new();

	g_ptr_array_add(arguments, g_strdup(server->path));
	g_ptr_array_add(arguments, g_strdup_printf("--name=%s", server->guest_name));
	g_ptr_array_add(arguments, g_strdup_printf("--bus-fd=%d", FIRST_FD));
	for (guint i = 0; i < server->listening->len; i++)
		g_ptr_array_add(arguments, g_strdup_printf("--listen-fd=%u", FIRST_FD + 1 + i));
	if (server->keymap)
		g_ptr_array_add(arguments, g_strdup_printf("--keymap=%s", server->keymap));
	g_ptr_array_add(arguments, NULL);
	return (char **)g_ptr_array_free(arguments, FALSE);
}

/* In the child: Ctrl-C at the terminal is for the guest's program, which then ends its servers. */
static void leave_group(gpointer unused)
{
	setpgid(0, 0);
}

static bool spawn(struct server_process *server, int bus, GError **error)
{
	g_auto(GStrv) arguments = make_arguments(server);
	int from[FDS_MAX], to[FDS_MAX];
	guint count = 0;

	from[count++] = bus;
	for (guint i = 0; i < server->listening->len; i++)
		from[count++] = g_array_index(server->listening, int, i);
	for (guint i = 0; i < count; i++)
		to[i] = FIRST_FD + i;
	return g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)arguments, NULL,
		G_SPAWN_DO_NOT_REAP_CHILD, leave_group, NULL, -1, -1, -1, from, to, count,
		&server->pid, NULL, NULL, NULL, error);
}

static void start(struct server_process *server)
{
	g_autoptr(GError) error = NULL;
	int bus[2];
	bool done;

	server->started = g_get_monotonic_time();
	done = socket_pair(bus, &error);
	if (done) {
		done = spawn(server, bus[1], &error);
		close(bus[1]);
		if (done)
			bus_server_adopt(server->bus, bus[0]);
		else
			close(bus[0]);
	}
	if (!done) {
		server->pid = 0;
		log_limited(&server->complaints, COMPLAINTS_MAX,
			"cannot start %s: %s; trying again", server->program, error->message);
		schedule_restart(server);
		return;
	}
	server->child_watch = g_child_watch_add(server->pid, ended, server);
}

static bool listen_on(
	struct server_process *server, const struct server_address *address, GError **error)
{
	if (address->path) {
		int fd = socket_listen_unix(address->path, error);

		if (fd < 0)
			return false;
		g_array_append_val(server->listening, fd);
		g_ptr_array_add(server->socket_files, g_strdup(address->path));
	} else {
		g_autoptr(GArray) fds = NULL;

		if (!socket_listen_tcp(address->host, address->port, &fds, error))
			return false;
		g_array_append_vals(server->listening, fds->data, fds->len);
		for (guint i = 0; i < fds->len; i++) {
			if (!socket_is_local(g_array_index(fds, int, i)))
				return fail(error, VITRINE_ERROR_INPUT,
					"%s port %u can be reached from other machines, and %s "
					"does "
					"not ask its clients who they are: listen on 127.0.0.1 or "
					"on "
					"unix:PATH, and let others in through ssh -L",
					address->host[0] ? address->host : "every address",
					socket_local_port(g_array_index(fds, int, i)),
					server->program);
		}
	}
	if (server->listening->len >= FDS_MAX)
		return fail(error, VITRINE_ERROR_INPUT, "more than %d addresses to listen on",
			FDS_MAX - 1);
	return true;
}

struct server_process *server_process_new(struct bus_server *bus, const char *program,
	const char *guest_name, const struct server_address *addresses, unsigned count,
	const char *keymap, GError **error)
{
	struct server_process *server = g_new0(struct server_process, 1);
	bool done;

	server->bus = bus;
	server->program = g_strdup(program);
	server->guest_name = g_strdup(guest_name);
	server->keymap = g_strdup(keymap);
	server->listening = g_array_new(FALSE, FALSE, sizeof(int));
	server->socket_files = g_ptr_array_new_with_free_func(g_free);
	server->path = server_program_find(program, error);
	done = server->path != NULL;
	for (unsigned i = 0; done && i < count; i++)
		done = listen_on(server, &addresses[i], error);
	if (done) {
		start(server);
		return server;
	}
	server_process_free(server);
	return NULL;
}

/* Kindly first; a server that does not listen any more holds nothing up. */
static void end_process(pid_t pid)
{
	struct pollfd ended = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	kill(pid, SIGTERM);
	if (ended.fd < 0 || poll(&ended, 1, PATIENCE) <= 0)
		kill(pid, SIGKILL);
	if (ended.fd >= 0)
		close(ended.fd);
	waitpid(pid, NULL, 0);
}

void server_process_free(struct server_process *server)
{
	g_clear_handle_id(&server->child_watch, g_source_remove);
	g_clear_handle_id(&server->restart, g_source_remove);
	if (server->pid != 0) {
		end_process(server->pid);
	}
	for (guint i = 0; i < server->listening->len; i++)
		close(g_array_index(server->listening, int, i));
	for (guint i = 0; i < server->socket_files->len; i++)
		unlink(server->socket_files->pdata[i]);
	g_array_unref(server->listening);
	g_ptr_array_unref(server->socket_files);
	g_free(server->program);
	g_free(server->path);
	g_free(server->guest_name);
	g_free(server->keymap);
	g_free(server);
}
