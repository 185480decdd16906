/* vitrine-vnc: serves the display of one guest to VNC clients. */
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/sockets.h"
#include "version.h"
#include "vnc-server/limits.h"
#include "vnc-server/listen.h"
#include "vnc-server/sandbox.h"
#include "vnc-server/server.h"

#define DEFAULT_PATTERN "1024x768"
#define BUS_ADVICE      "give a running guest's, usually display.sock in its runtime directory"

struct options {
	char *bus;
	int bus_fd;
	bool pattern;
	uint32_t pattern_width, pattern_height;
	char **listen;
	GArray *listen_fds; /* int */
	char *keymap;
	char *name;
	int ready_fd;
	gboolean version;
};

struct program {
	const struct options *options;
	const GArray *fds; /* int; the server's once the source is ready */
	GMainLoop *loop;
	struct server *server;
	bool ready;
	GError *error;
};

static bool parse_fd(const char *option, const char *text, int *fd, GError **error)
{
	gint64 number;

	if (!g_ascii_string_to_signed(text, 10, 0, G_MAXINT, &number, NULL) ||
		fcntl(number, F_GETFD) < 0)
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: %s is no open descriptor", option, text);
	*fd = number;
	fcntl(*fd, F_SETFD, FD_CLOEXEC);
	return true;
}

static gboolean on_bus_fd(const char *option, const char *value, gpointer data, GError **error)
{
	struct options *options = data;

	return parse_fd(option, value, &options->bus_fd, error);
}

static gboolean on_ready_fd(const char *option, const char *value, gpointer data, GError **error)
{
	struct options *options = data;

	return parse_fd(option, value, &options->ready_fd, error);
}

static gboolean on_listen_fd(const char *option, const char *value, gpointer data, GError **error)
{
	struct options *options = data;
	int fd;

	if (!parse_fd(option, value, &fd, error))
		return FALSE;
	if (!listen_check(fd, error)) {
		g_prefix_error(error, "%s: ", option);
		return FALSE;
	}
	g_array_append_val(options->listen_fds, fd);
	return TRUE;
}

static gboolean on_pattern(const char *option, const char *value, gpointer data, GError **error)
{
	struct options *options = data;
	const char *size = value ? value : DEFAULT_PATTERN;
	unsigned width, height;
	char rest;

	if (sscanf(size, "%5ux%5u%c", &width, &height, &rest) != 2 || width < 1 || height < 1 ||
		width > LIMIT_DESKTOP_SIZE || height > LIMIT_DESKTOP_SIZE)
		return fail(error, VITRINE_ERROR_INPUT,
			"--pattern: %s is no size: WIDTHxHEIGHT is, such as %s, with at most %d in "
			"each direction",
			size, DEFAULT_PATTERN, LIMIT_DESKTOP_SIZE);
	options->pattern = true;
	options->pattern_width = width;
	options->pattern_height = height;
	return TRUE;
}

static bool parse_options(struct options *options, int *argc, char ***argv, GError **error)
{
	const GOptionEntry entries[] = {
		{ "bus", 0, 0, G_OPTION_ARG_FILENAME, &options->bus,
			"Serve the guest whose display bus listens there", "PATH" },
		{ "bus-fd", 0, 0, G_OPTION_ARG_CALLBACK, on_bus_fd,
			"Serve the guest at the other end of an inherited bus connection", "N" },
		{ "pattern", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, on_pattern,
			"Serve a moving test picture (of " DEFAULT_PATTERN ", if no size is given)",
			"WxH" },
		{ "listen", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &options->listen,
			"Take clients there; may be given several times", "HOST:PORT|unix:PATH" },
		{ "listen-fd", 0, 0, G_OPTION_ARG_CALLBACK, on_listen_fd,
			"Take clients at an inherited listening socket; may be given several times",
			"N" },
		{ "keymap", 'k', 0, G_OPTION_ARG_STRING, &options->keymap,
			"Keyboard layout of the guest, for clients that send no key numbers (us)",
			"LAYOUT" },
		{ "name", 0, 0, G_OPTION_ARG_STRING, &options->name,
			"Name of the desktop, instead of the guest's", "NAME" },
		{ "ready-fd", 0, 0, G_OPTION_ARG_CALLBACK, on_ready_fd,
			"Write \"ready ADDRESS\" lines to this descriptor once clients are taken",
			"N" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Show the version", NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GOptionGroup *group = g_option_group_new(NULL, NULL, NULL, options, NULL);

	g_option_group_add_entries(group, entries);
	g_option_context_set_main_group(context, group);
	g_option_context_set_summary(context, "Serves the display of a guest to VNC clients.");
	if (!g_option_context_parse(context, argc, argv, error))
		return false;
	if (*argc > 1)
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: no such argument; see --help", (*argv)[1]);
	return true;
}

static bool check_options(const struct options *options, GError **error)
{
	int sources = (options->bus != NULL) + (options->bus_fd >= 0) + options->pattern;

	if (sources != 1)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: give one of --bus PATH, --bus-fd N and --pattern",
			sources ? "more than one thing to serve" : "nothing to serve");
	if (!options->listen && options->listen_fds->len == 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"nowhere to serve it: give --listen HOST:PORT or --listen unix:PATH");
	return true;
}

static bool open_listeners(const struct options *options, GArray *fds, GError **error)
{
	for (char **address = options->listen; address && *address; address++) {
		if (!listen_open(*address, fds, error)) {
			g_prefix_error(error, "--listen: ");
			return false;
		}
	}
	g_array_append_vals(fds, options->listen_fds->data, options->listen_fds->len);
	return true;
}

/* The socket files that --listen made: those of inherited sockets belong to somebody else. */
static GPtrArray *own_paths(const struct options *options, const GArray *fds)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i + options->listen_fds->len < fds->len; i++) {
		char *path = listen_unix_path(g_array_index(fds, int, i));

		if (path)
			g_ptr_array_add(paths, path);
	}
	g_ptr_array_add(paths, NULL);
	return paths;
}

static void remove_paths(const GPtrArray *paths)
{
	for (guint i = 0; i + 1 < paths->len; i++)
		unlink(paths->pdata[i]);
}

/* Whoever waits on --ready-fd is told once, whole; a closed pipe is nothing to die of. */
static void tell_ready(const struct options *options, const GArray *fds)
{
	g_autoptr(GString) lines = g_string_new(NULL);

	for (guint i = 0; i < fds->len; i++) {
		g_autofree char *name = listen_name(g_array_index(fds, int, i));

		log_info("listening on %s", name);
		g_string_append_printf(lines, "ready %s\n", name);
	}
	if (options->ready_fd < 0)
		return;
	if (write(options->ready_fd, lines->str, lines->len) < 0)
		log_warning("cannot write to --ready-fd %d", options->ready_fd);
	close(options->ready_fd);
}

static void on_ready(void *owner)
{
	struct program *program = owner;

	program->ready = true;
	for (guint i = 0; i < program->fds->len; i++)
		server_listen(program->server, g_array_index(program->fds, int, i));
	tell_ready(program->options, program->fds);
}

/* A connection that never was good is an error: it led to something else than a guest's display. */
static void on_ended(void *owner, const GError *reason)
{
	struct program *program = owner;
	const char *path = program->options->bus;
	const char *why = reason ? reason->message : "it was closed";

	/* This is how a time limit ends. */
	if (g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		why = "nobody answers";
	if (!program->ready)
		fail(&program->error, VITRINE_ERROR_INPUT,
			"%s%s is not the display bus of a guest (%s); " BUS_ADVICE,
			path ? "--bus: " : "--bus-fd", path ? path : "", why);
	else if (reason)
		log_info("the guest's display has gone: %s", reason->message);
	g_main_loop_quit(program->loop);
}

static const struct server_ops server_ops = { .ready = on_ready, .ended = on_ended };

static gboolean on_signal(void *data)
{
	struct program *program = data;

	g_main_loop_quit(program->loop);
	return G_SOURCE_CONTINUE;
}

static struct source *make_source(const struct options *options, int bus, struct server *server)
{
	if (options->pattern)
		return source_pattern_new(options->pattern_width, options->pattern_height,
			&server_source_events, server);
	return source_bus_new(bus, &server_source_events, server);
}

static bool serve(const struct options *options, int bus, const GArray *fds,
	const struct keymap *keymap, GError **error)
{
	struct program program = {
		.options = options,
		.fds = fds,
		.loop = g_main_loop_new(NULL, FALSE),
		.server = server_new(options->name, keymap),
	};

	server_set_source(
		program.server, make_source(options, bus, program.server), &server_ops, &program);
	g_unix_signal_add(SIGINT, on_signal, &program);
	g_unix_signal_add(SIGTERM, on_signal, &program);
	g_main_loop_run(program.loop);
	server_free(program.server);
	g_main_loop_unref(program.loop);
	if (!program.error)
		return true;
	g_propagate_error(error, program.error);
	return false;
}

/* -1 with @error: there is nobody. */
static int connect_bus(const char *path, GError **error)
{
	g_autoptr(GError) reason = NULL;
	int bus = socket_connect_unix(path, &reason);

	if (bus < 0)
		fail(error, VITRINE_ERROR_INPUT, "--bus: %s; " BUS_ADVICE, reason->message);
	return bus;
}

static bool run(const struct options *options, GError **error)
{
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GPtrArray) paths = NULL;
	struct keymap *keymap = NULL;
	int bus = options->bus_fd;
	bool done = false;

	if (!check_options(options, error))
		return false;
	done = open_listeners(options, fds, error);
	paths = own_paths(options, fds);
	if (done)
		keymap = keymap_new(options->keymap ? options->keymap : "us", error);
	done = keymap != NULL;
	if (done && options->bus) {
		bus = connect_bus(options->bus, error);
		done = bus >= 0;
	}
	done = done && sandbox_enter((const char *const *)paths->pdata, error) &&
	       serve(options, bus, fds, keymap, error);
	remove_paths(paths);
	g_clear_pointer(&keymap, keymap_free);
	return done;
}

int main(int argc, char **argv)
{
	struct options options = {
		.bus_fd = -1,
		.ready_fd = -1,
		.listen_fds = g_array_new(FALSE, FALSE, sizeof(int)),
	};
	g_autoptr(GError) error = NULL;
	int status = EXIT_SUCCESS;

	setlocale(LC_ALL, "");
	g_set_prgname("vitrine-vnc");
	signal(SIGPIPE, SIG_IGN);
	if (!parse_options(&options, &argc, &argv, &error)) {
		log_info("%s", error->message);
		status = EXIT_FAILURE;
	} else if (options.version) {
		printf("vitrine-vnc (Vitrine) %s\n", VITRINE_VERSION);
	} else if (!run(&options, &error)) {
		log_info("%s", error->message);
		status = EXIT_FAILURE;
	}
	g_array_unref(options.listen_fds);
	g_strfreev(options.listen);
	g_free(options.bus);
	g_free(options.keymap);
	g_free(options.name);
	return status;
}
