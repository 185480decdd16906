/* Peers of the bus server that say nothing: they keep nobody else waiting. */
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/bus-names.h"
#include "display/bus-server.h"
#include "display/head.h"
#include "tests/unit/display/bus-peer.h"

enum {
	SILENT = 60,
	HALTING_EVERY = 2, /* of these stops after its first byte */
};

struct fixture {
	GMutex lock;
	struct display *display;
	struct head *head;
	struct bus_server *server;
	char *folder, *path;
	int silent[SILENT];
};

static void set_up(struct fixture *f, gconstpointer data)
{
	struct head_config config = { .label = "VGA", .device = f };
	g_autoptr(GError) error = NULL;

	g_mutex_init(&f->lock);
	f->display = display_new(&f->lock);
	g_mutex_lock(&f->lock);
	f->head = head_new(f->display, &config);
	g_mutex_unlock(&f->lock);
	f->server = bus_server_new(f->display, "guest", NULL);
	f->folder = g_dir_make_tmp("bus-XXXXXX", &error);
	g_assert_no_error(error);
	f->path = g_build_filename(f->folder, "bus", NULL);
	g_assert_true(bus_server_listen(f->server, f->path, &error));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	for (unsigned i = 0; i < SILENT; i++)
		close(f->silent[i]);
	bus_server_free(f->server);
	g_mutex_lock(&f->lock);
	head_free(f->head);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	g_assert_cmpint(g_rmdir(f->folder), ==, 0);
	g_free(f->folder);
	g_free(f->path);
	g_mutex_clear(&f->lock);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static int adopted_socket(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_assert_true(socket_pair(pair, &error));
	bus_server_adopt(f->server, pair[0]);
	return pair[1];
}

static int caller(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	int fd = socket_connect_unix(f->path, &error);

	g_assert_no_error(error);
	while (g_main_context_iteration(NULL, FALSE))
		;
	return fd;
}

static bool cut(int fd)
{
	struct pollfd end = { .fd = fd };

	return poll(&end, 1, 0) > 0 && end.revents & POLLHUP;
}

/* Logs in and asks something. */
static GDBusConnection *served(int fd)
{
	GDBusConnection *peer = foreign_connection(fd, false);
	g_autofree char *message = NULL;

	g_dbus_connection_start_message_processing(peer);
	message = ask(
		peer, BUS_VM_PATH, BUS_PROPERTIES, "GetAll", g_variant_new("(s)", BUS_VM), NULL);
	g_assert_null(message);
	return peer;
}

static void leave(GDBusConnection *peer)
{
	g_dbus_connection_close_sync(peer, NULL, NULL);
	g_object_unref(peer);
}

/* Neither the guest's own programs nor those that come behind wait for them. */
static void test_callers(struct fixture *f, gconstpointer data)
{
	for (unsigned i = 0; i < SILENT; i++) {
		f->silent[i] = caller(f);
		if (i % HALTING_EVERY == 0)
			g_assert_cmpint(send(f->silent[i], "", 1, MSG_NOSIGNAL), ==, 1);
	}
	leave(served(adopted_socket(f)));
	/* An accepted connection: logging in waits for the main loop only to accept it. */
	leave(served(caller(f)));
	/* The last one may still log in: nobody was served because the time of others was over. */
	g_assert_false(cut(f->silent[SILENT - 1]));
	wait_for(cut(f->silent[0]));
}

/* Hands over one end of a pair for a listener, and returns the other; @message as ask(). */
static int hand_over(GDBusConnection *peer, char **message)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(GError) error = NULL;
	int pair[2];

	g_assert_true(socket_pair(pair, &error));
	g_unix_fd_list_append(fds, pair[1], &error);
	g_assert_no_error(error);
	close(pair[1]);
	*message = ask(peer, BUS_CONSOLE_PREFIX "0", BUS_CONSOLE, "RegisterListener",
		g_variant_new("(h)", 0), fds);
	return pair[0];
}

/* A peer that hands over silent sockets can do so only a few times, and hinders only itself. */
static void test_listeners(struct fixture *f, gconstpointer data)
{
	GDBusConnection *hostile = served(adopted_socket(f));
	GDBusConnection *honest;
	g_autofree char *message = NULL;
	unsigned taken = 0;
	int listener;

	for (unsigned i = 0; i < SILENT; i++) {
		g_autofree char *refusal = NULL;

		f->silent[i] = hand_over(hostile, &refusal);
		taken += !refusal;
		if (refusal)
			g_assert_nonnull(strstr(refusal, "have not logged in yet"));
	}
	g_assert_cmpuint(taken, >=, 1);
	g_assert_cmpuint(taken, <, SILENT / 2);
	honest = served(caller(f));
	listener = hand_over(honest, &message);
	g_assert_null(message);
	leave(foreign_connection(listener, false));
	g_assert_false(cut(f->silent[0]));
	leave(honest);
	leave(hostile);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Warnings are not fatal: those who make place are told of. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_test_add("/bus-silent/callers", struct fixture, NULL, set_up, test_callers, tear_down);
	g_test_add(
		"/bus-silent/listeners", struct fixture, NULL, set_up, test_listeners, tear_down);
	return g_test_run();
}
