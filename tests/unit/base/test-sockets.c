/* Listening: a dead socket is replaced, and what stands in the way is named with what to do. */
#include "base/sockets.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

struct fixture {
	char *folder, *path;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("sockets-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "s", NULL);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_unlink(fixture->path);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->path);
	g_free(fixture->folder);
}

static int listen_on(const char *path)
{
	g_autoptr(GError) error = NULL;
	int fd = socket_listen_unix(path, &error);

	g_assert_no_error(error);
	return fd;
}

static void check_refused(const char *path, enum vitrine_error code, const char *reason)
{
	g_autofree char *expected = g_strdup_printf("cannot listen on %s: %s", path, reason);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(socket_listen_unix(path, &error), ==, -1);
	g_assert_error(error, VITRINE_ERROR, (int)code);
	g_assert_cmpstr(error->message, ==, expected);
}

static void test_live_and_dead(struct fixture *fixture, gconstpointer data)
{
	int fd = listen_on(fixture->path);

	check_refused(fixture->path, VITRINE_ERROR_BUSY,
		"another program listens there; choose another path");
	close(fd);
	close(listen_on(fixture->path));
}

static void test_other_file(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *text = NULL;

	g_assert_true(g_file_set_contents(fixture->path, "mine", -1, NULL));
	check_refused(fixture->path, VITRINE_ERROR_BUSY,
		"it exists and is no socket; remove it or choose another path");
	g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "mine");
}

static void test_no_folder(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *folder = g_build_filename(fixture->folder, "nowhere", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL);
	g_autofree char *reason = g_strdup_printf(
		"the folder %s does not exist; make it or choose another path", folder);

	check_refused(path, VITRINE_ERROR_HOST, reason);
}

static void test_port_in_use(void)
{
	g_autoptr(GArray) fds = NULL;
	g_autoptr(GArray) more = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *expected = NULL;
	uint16_t port;

	g_assert_true(socket_listen_tcp("127.0.0.1", 0, &fds, &error));
	port = socket_local_port(g_array_index(fds, int, 0));
	expected = g_strdup_printf("cannot listen on 127.0.0.1 port %u: another program listens "
				   "there; choose another display or port",
		port);
	g_assert_false(socket_listen_tcp("127.0.0.1", port, &more, &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY);
	g_assert_cmpstr(error->message, ==, expected);
	close(g_array_index(fds, int, 0));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/sockets/live-and-dead", struct fixture, NULL, set_up, test_live_and_dead,
		tear_down);
	g_test_add("/sockets/other-file", struct fixture, NULL, set_up, test_other_file, tear_down);
	g_test_add("/sockets/no-folder", struct fixture, NULL, set_up, test_no_folder, tear_down);
	g_test_add_func("/sockets/port-in-use", test_port_in_use);
	return g_test_run();
}
