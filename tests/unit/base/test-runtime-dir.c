/* The registry of running guests: one guest a name, dead ones recognised, nothing left behind, changes seen. */
#include "base/runtime-dir.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/runtime-watch.h"
#include "base/sockets.h"

struct fixture {
	char *base;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *folder = g_dir_make_tmp("runtime-XXXXXX", NULL);

	/* One level that does not exist yet. */
	fixture->base = g_build_filename(folder, "vitrine", NULL);
}

/* Fails when something was left behind. */
static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *folder = g_path_get_dirname(fixture->base);

	if (g_file_test(fixture->base, G_FILE_TEST_EXISTS))
		g_assert_cmpint(g_rmdir(fixture->base), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	g_free(fixture->base);
}

static struct runtime_record record_of(const char *name, int pid)
{
	return (struct runtime_record) {
		.name = (char *)name,
		.machine = "q35-1.0",
		.pid = pid,
		.qmp = "qmp.sock",
	};
}

static void publish(struct runtime_dir *dir)
{
	struct runtime_record record = record_of(runtime_dir_name(dir), getpid());
	g_autoptr(GError) error = NULL;

	runtime_dir_publish(dir, &record, &error);
	g_assert_no_error(error);
}

static struct runtime_dir *create(const char *base, const char *name)
{
	g_autoptr(GError) error = NULL;
	struct runtime_dir *dir = runtime_dir_create(base, name, &error);

	g_assert_no_error(error);
	return dir;
}

static void test_life(struct fixture *fixture, gconstpointer data)
{
	struct runtime_dir *dir = create(fixture->base, "demo");
	g_autofree char *qmp = runtime_dir_file(dir, "qmp.sock");
	g_autofree char *beside = NULL;
	g_autoptr(runtime_guest) guest = NULL;
	g_autoptr(GError) error = NULL;
	struct stat status;
	int fd;

	g_assert_cmpint(stat(runtime_dir_path(dir), &status), ==, 0);
	g_assert_cmpint(status.st_mode & 07777, ==, 0700);
	g_assert_null(runtime_dir_find(fixture->base, "demo", &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE);
	g_clear_error(&error);

	fd = socket_listen_unix(qmp, &error);
	g_assert_no_error(error);
	publish(dir);
	publish(dir);
	guest = runtime_dir_find(fixture->base, "demo", &error);
	g_assert_no_error(error);
	g_assert_cmpint(guest->state, ==, RUNTIME_RUNNING);
	g_assert_cmpint(guest->record->pid, ==, getpid());
	beside = runtime_guest_path(guest, guest->record->qmp);
	g_assert_cmpstr(beside, ==, qmp);

	g_assert_null(runtime_dir_find(fixture->base, "other", &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND);
	g_assert_cmpstr(error->message, ==, "no guest named other is running; these are: demo");
	close(fd);
	runtime_dir_remove(dir);
}

static void test_twice(struct fixture *fixture, gconstpointer data)
{
	struct runtime_dir *dir = create(fixture->base, "demo");
	g_autofree char *expected = g_strdup_printf(
		"a guest named demo is running already (pid %d); choose another -name", getpid());
	g_autoptr(GError) error = NULL;

	g_assert_null(runtime_dir_create(fixture->base, "demo", &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY);
	g_assert_cmpstr(error->message, ==, expected);
	runtime_dir_remove(dir);
	dir = create(fixture->base, "demo");
	runtime_dir_remove(dir);
}

/* Only a base that this guest made, and that nobody else has put anything into, goes with a guest that did not start. */
static void test_base(struct fixture *fixture, gconstpointer data)
{
	struct runtime_dir *dir = create(fixture->base, "demo"), *other;

	g_assert_true(g_file_test(fixture->base, G_FILE_TEST_IS_DIR));
	runtime_dir_remove(dir);
	g_assert_false(g_file_test(fixture->base, G_FILE_TEST_EXISTS));

	dir = create(fixture->base, "demo");
	other = create(fixture->base, "other");
	runtime_dir_remove(dir);
	g_assert_true(g_file_test(runtime_dir_path(other), G_FILE_TEST_IS_DIR));
	runtime_dir_remove(other);
	g_assert_true(g_file_test(fixture->base, G_FILE_TEST_IS_DIR));
	g_assert_cmpint(g_rmdir(fixture->base), ==, 0);

	dir = create(fixture->base, "demo");
	publish(dir);
	runtime_dir_remove(dir);
	g_assert_true(g_file_test(fixture->base, G_FILE_TEST_IS_DIR));
}

static void test_foreign_file_stays(struct fixture *fixture, gconstpointer data)
{
	struct runtime_dir *dir = create(fixture->base, "demo");
	g_autofree char *path = g_build_filename(runtime_dir_path(dir), "notes", NULL);
	g_autofree char *folder = g_strdup(runtime_dir_path(dir));

	g_assert_true(g_file_set_contents(path, "", 0, NULL));
	runtime_dir_remove(dir);
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static const char *const bad_names[] = { "", ".", "..", ".a", "-a", "a/b", "a b", "\xc3\xa4",
	"12345678901234567890123456789012345678901234567890123456789012345" };

static void test_names(struct fixture *fixture, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bad_names); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(runtime_dir_create(fixture->base, bad_names[i], &error));
		g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
		g_assert_nonnull(strstr(error->message, "A-Z a-z 0-9 . _ -"));
	}
	g_assert_true(runtime_name_check("a-.1_Z", NULL));
}

/* A process that registers a guest, says so, and stays until it is killed. */
static pid_t start_guest(const char *base, const char *name)
{
	int ready[2];
	char byte;
	pid_t pid;

	g_assert_cmpint(pipe(ready), ==, 0);
	pid = fork();
	if (pid == 0) {
		struct runtime_dir *dir = create(base, name);
		g_autofree char *qmp = runtime_dir_file(dir, "qmp.sock");

		socket_listen_unix(qmp, NULL);
		publish(dir);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	g_assert_cmpint(pid, >, 0);
	close(ready[1]);
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	close(ready[0]);
	return pid;
}

static void kill_guest(pid_t pid)
{
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static void test_killed(struct fixture *fixture, gconstpointer data)
{
	pid_t pid = start_guest(fixture->base, "demo");
	g_autoptr(GPtrArray) guests = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *qmp = NULL;
	struct runtime_dir *dir;

	g_assert_null(runtime_dir_create(fixture->base, "demo", &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY);
	kill_guest(pid);

	guests = runtime_dir_list(fixture->base, NULL);
	g_assert_cmpuint(guests->len, ==, 1);
	g_assert_cmpint(((struct runtime_guest *)guests->pdata[0])->state, ==, RUNTIME_STALE);
	g_assert_null(runtime_dir_find(fixture->base, "demo", NULL));

	dir = create(fixture->base, "demo");
	qmp = g_build_filename(runtime_dir_path(dir), "qmp.sock", NULL);
	g_assert_false(g_file_test(qmp, G_FILE_TEST_EXISTS));
	runtime_dir_remove(dir);
}

static void test_list(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GPtrArray) none = runtime_dir_list(fixture->base, NULL);
	g_autoptr(GPtrArray) guests = NULL;
	struct runtime_dir *second = create(fixture->base, "second");
	struct runtime_dir *first = create(fixture->base, "first");
	g_autofree char *record = g_build_filename(runtime_dir_path(first), "guest.json", NULL);
	const struct runtime_guest *guest;

	g_assert_cmpuint(none->len, ==, 0);
	g_assert_true(g_file_set_contents(record, "[", 1, NULL));
	guests = runtime_dir_list(fixture->base, NULL);
	g_assert_cmpuint(guests->len, ==, 2);
	guest = guests->pdata[0];
	g_assert_cmpstr(guest->name, ==, "first");
	g_assert_cmpint(guest->state, ==, RUNTIME_RUNNING);
	g_assert_nonnull(strstr(guest->problem, "guest.json: the text is no JSON"));
	guest = guests->pdata[1];
	g_assert_cmpstr(guest->name, ==, "second");
	g_assert_cmpint(guest->state, ==, RUNTIME_STARTING);
	runtime_dir_remove(first);
	runtime_dir_remove(second);
}

struct seen {
	GString *events; /* "+name " and "-name " */
};

static void on_changed(void *owner, const struct runtime_guest *guest)
{
	struct seen *seen = owner;

	g_string_append_printf(
		seen->events, "%c%s ", guest->state == RUNTIME_RUNNING ? '+' : '-', guest->name);
}

G_GNUC_NORETURN static gboolean on_too_late(gpointer user_data)
{
	g_error("no change was seen; so far: %s", ((struct seen *)user_data)->events->str);
}

static void wait_for(struct seen *seen, const char *events)
{
	guint timer = g_timeout_add_seconds(60, on_too_late, seen);

	while (!g_str_equal(seen->events->str, events))
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
}

static void test_watch(struct fixture *fixture, gconstpointer data)
{
	struct seen seen = { g_string_new(NULL) };
	struct runtime_dir *before = create(fixture->base, "before");
	struct runtime_dir *later;
	struct runtime_watch *watch;
	pid_t pid;

	publish(before);
	watch = runtime_watch_new(fixture->base, on_changed, &seen, NULL);
	wait_for(&seen, "+before ");
	later = create(fixture->base, "later");
	publish(later);
	wait_for(&seen, "+before +later ");
	publish(later);
	runtime_dir_remove(before);
	wait_for(&seen, "+before +later -before ");
	runtime_dir_remove(later);
	wait_for(&seen, "+before +later -before -later ");

	g_string_truncate(seen.events, 0);
	pid = start_guest(fixture->base, "killed");
	wait_for(&seen, "+killed ");
	kill_guest(pid);
	wait_for(&seen, "+killed -killed ");
	later = create(fixture->base, "killed");
	publish(later);
	wait_for(&seen, "+killed -killed +killed ");
	runtime_dir_remove(later);
	wait_for(&seen, "+killed -killed +killed -killed ");
	runtime_watch_free(watch);
	g_string_free(seen.events, TRUE);
}

static const struct {
	const char *name;
	void (*test)(struct fixture *fixture, gconstpointer data);
} tests[] = {
	{ "/runtime-dir/life", test_life },
	{ "/runtime-dir/twice", test_twice },
	{ "/runtime-dir/base", test_base },
	{ "/runtime-dir/foreign-file-stays", test_foreign_file_stays },
	{ "/runtime-dir/names", test_names },
	{ "/runtime-dir/killed", test_killed },
	{ "/runtime-dir/list", test_list },
	{ "/runtime-dir/watch", test_watch },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
