/* vitrine-console attach: finds the serial line, sees to it that it is free, and says how it ended. */
#include "console/commands.h"

#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/runtime-dir.h"
#include "base/sockets.h"
#include "console/escape.h"
#include "console/line-owner.h"
#include "console/session.h"

#define PORT_PREFIX "serial"

/* How long a guest that has closed its line may take to end, milliseconds. */
enum {
	ENDING_TIME = 5000
};

struct target {
	struct runtime_guest *guest; /* NULL: a socket was named */
	char *path;                  /* of the socket */
	char *name;                  /* for people */
};

static void clear_target(struct target *target)
{
	runtime_guest_free(target->guest);
	g_free(target->path);
	g_free(target->name);
}

static bool fail_port(const struct runtime_record *record, const char *port, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < record->serial_count; i++) {
		if (record->serial[i].socket)
			g_string_append_printf(
				names, "%s%s", names->len ? ", " : "", record->serial[i].name);
	}
	if (names->len == 0)
		return fail(error, VITRINE_ERROR_NOT_FOUND,
			"%s has no serial port to attach to; start it with -serial "
			"unix:PATH,server=on",
			record->name);
	return fail(error, VITRINE_ERROR_NOT_FOUND, "%s has no serial port %s; it has: %s",
		record->name, port, names->str);
}

/* @port: NULL for the first that can be reached; "serial1", or 1 for short. */
static bool is_port(const struct runtime_port *candidate, const char *port)
{
	const char *name = candidate->name;

	if (!port || strcmp(name, port) == 0)
		return true;
	return g_str_has_prefix(name, PORT_PREFIX) && strcmp(name + strlen(PORT_PREFIX), port) == 0;
}

static bool find_target(
	const char *base, const char *name, const char *port, struct target *target, GError **error)
{
	const struct runtime_record *record;

	target->guest = runtime_dir_find(base, name, error);
	if (!target->guest)
		return false;
	record = target->guest->record;
	for (guint i = 0; i < record->serial_count; i++) {
		const struct runtime_port *candidate = &record->serial[i];

		if (!candidate->socket || !is_port(candidate, port))
			continue;
		target->path = runtime_guest_path(target->guest, candidate->socket);
		target->name = g_strdup_printf("%s, %s", name, candidate->name);
		return true;
	}
	return fail_port(record, port, error);
}

static int connect_target(const struct target *target, GError **error)
{
	if (line_is_taken(target->path)) {
		fail(error, VITRINE_ERROR_BUSY,
			"somebody else is attached to %s; it takes one at a time", target->name);
		return -1;
	}
	return socket_connect_unix(target->path, error);
}

/* Whether the guest's process is over, given a moment for what is left of it. */
static bool has_ended(const struct runtime_guest *guest)
{
	struct pollfd process = { syscall(SYS_pidfd_open, guest->record->pid, 0), POLLIN };
	bool ended = process.fd < 0 || poll(&process, 1, ENDING_TIME) > 0;

	if (process.fd >= 0)
		close(process.fd);
	return ended;
}

static int report_gone(const struct target *target)
{
	if (!target->guest) {
		log_info("%s was closed by the other side", target->name);
		return EXIT_SUCCESS;
	}
	if (has_ended(target->guest)) {
		log_info("the guest %s has ended", target->guest->name);
		return EXIT_SUCCESS;
	}
	log_info("%s was closed, though the guest still runs; perhaps somebody else is attached",
		target->name);
	return EXIT_FAILURE;
}

/* Ends as a program ends that the signal was not held back from. */
static int end_by_signal(int number)
{
	sigset_t set;

	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return EXIT_FAILURE;
}

static int attach(struct target *target, struct escape escape, int idle_seconds)
{
	g_autoptr(GError) error = NULL;
	struct session session = {
		.line = connect_target(target, &error),
		.escape = escape,
		.name = target->name,
		.idle_seconds = idle_seconds,
	};
	enum session_end end;

	if (session.line < 0) {
		log_info("%s", error->message);
		return EXIT_FAILURE;
	}
	session_block_signals();
	end = session_run(&session, &error);
	close(session.line);
	switch (end) {
	case SESSION_LEFT:
		return EXIT_SUCCESS;
	case SESSION_GONE:
		return report_gone(target);
	case SESSION_STOPPED:
		return end_by_signal(session.signal);
	case SESSION_FAILED:
		log_info("%s", error->message);
		return EXIT_FAILURE;
	}
	return EXIT_FAILURE;
}

static bool choose_target(const char *base, char **arguments, const char *socket_path,
	struct target *target, GError **error)
{
	guint count = g_strv_length(arguments);

	if (socket_path && count > 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"attach: --socket names the line, \"%s\" another; give one of them",
			arguments[0]);
	if (socket_path) {
		target->path = g_strdup(socket_path);
		target->name = g_strdup(socket_path);
		return true;
	}
	if (count < 1 || count > 2)
		return fail(error, VITRINE_ERROR_INPUT,
			"attach: %u arguments; it takes the guest's name and perhaps a port's",
			count);
	return find_target(base, arguments[0], arguments[1], target, error);
}

int command_attach(const char *base, char ***arguments)
{
	g_autofree char *socket_path = NULL, *escape_text = NULL;
	int idle_seconds = -1;
	const GOptionEntry entries[] = {
		{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &socket_path,
			N_("Attach to this UNIX socket rather than to a guest by name"),
			N_("PATH") },
		{ "escape", 'e', 0, G_OPTION_ARG_STRING, &escape_text,
			N_("The escape character: ^X, one character, or none (default: ^])"),
			N_("CHARACTER") },
		{ "idle", 0, 0, G_OPTION_ARG_INT, &idle_seconds,
			N_("When the input is no terminal and has ended: leave after so long a "
			   "silence (default: stay until the guest ends)"),
			N_("SECONDS") },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(_("NAME [PORT]"));
	g_autoptr(GError) error = NULL;
	struct target target = { 0 };
	struct escape escape;
	int status = EXIT_FAILURE;

	g_option_context_set_summary(context, _("Attaches to a guest's serial line."));
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, arguments, &error))
		log_info("attach: %s; see vitrine-console attach --help", error->message);
	else if (idle_seconds < -1 || idle_seconds > 86400)
		log_info("attach: --idle %d is not in 0..86400 seconds", idle_seconds);
	else if (!escape_parse(escape_text ? escape_text : "^]", &escape, &error) ||
		 !choose_target(base, *arguments + 1, socket_path, &target, &error))
		log_info("%s", error->message);
	else
		status = attach(&target, escape, idle_seconds);
	clear_target(&target);
	return status;
}
