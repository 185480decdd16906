/* Character devices: bytes both ways over each back end, what is kept and what is dropped, and that a slow or absent reader
 * holds nobody up. */
#include "vmm/chardev/chardev.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/sockets.h"
#include "vmm/chardev/byte-ring.h"
#include "vmm/options/options.h"

/* A front end with room for so many bytes. */
struct front_end {
	GString *received;
	size_t room;
	unsigned opened, closed;
};

static size_t can_receive(void *front_end)
{
	return ((struct front_end *)front_end)->room;
}

static void receive(void *data, const uint8_t *bytes, size_t length)
{
	struct front_end *front_end = data;

	g_assert_cmpuint(length, <=, front_end->room);
	front_end->room -= length;
	g_string_append_len(front_end->received, (const char *)bytes, (gssize)length);
}

static void event(void *data, enum chardev_event event)
{
	struct front_end *front_end = data;

	front_end->opened += event == CHARDEV_OPENED;
	front_end->closed += event == CHARDEV_CLOSED;
}

static const struct chardev_ops ops = { can_receive, receive, event };

static struct front_end front_end_new(size_t room)
{
	return (struct front_end) { .received = g_string_new(NULL), .room = room };
}

static void front_end_clear(struct front_end *front_end)
{
	g_string_free(front_end->received, TRUE);
}

static struct chardev *create(const char *arguments)
{
	char *words[] = { "-chardev", (char *)arguments };
	struct options *options = options_new();
	g_autoptr(GError) error = NULL;
	struct chardev *chardev;

	g_assert_true(options_parse(options, 2, words, NULL));
	chardev = chardev_new(options_find(options, "chardev"), &error);
	g_assert_no_error(error);
	g_assert_nonnull(chardev);
	options_free(options);
	return chardev;
}

/* Turns the main loop until nothing is left to do at once. */
static void settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void wait_for(bool (*done)(void *data), void *data)
{
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	while (!done(data)) {
		g_assert_cmpint(g_get_monotonic_time(), <, end);
		g_main_context_iteration(NULL, FALSE);
	}
}

static char *read_all(int fd, size_t length)
{
	char *text = g_malloc0(length + 1);
	size_t got = 0;

	while (got < length) {
		ssize_t n = read(fd, text + got, length - got);

		settle();
		if (n > 0)
			got += (size_t)n;
		else if (n == 0)
			break;
	}
	return text;
}

struct socket_fixture {
	char *folder, *path;
	struct chardev *chardev;
	struct front_end front_end;
};

static void socket_setup(struct socket_fixture *f, gconstpointer data)
{
	g_autofree char *arguments = NULL;

	f->folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
	f->path = g_build_filename(f->folder, "s", NULL);
	arguments = g_strdup_printf("socket,id=s,path=%s,server=on,wait=off", f->path);
	f->chardev = create(arguments);
	f->front_end = front_end_new(1000);
	chardev_attach(f->chardev, &ops, &f->front_end);
}

static void socket_teardown(struct socket_fixture *f, gconstpointer data)
{
	chardev_free(f->chardev);
	g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
	g_rmdir(f->folder);
	g_free(f->path);
	g_free(f->folder);
	front_end_clear(&f->front_end);
}

static int connect_nonblocking(const char *path)
{
	int fd = socket_connect_unix(path, NULL);

	g_assert_cmpint(fd, >=, 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	settle();
	return fd;
}

static void test_socket(struct socket_fixture *f, gconstpointer data)
{
	g_autofree char *before = chardev_filename(f->chardev);
	g_autofree char *expected = g_strdup_printf("disconnected:unix:%s,server=on", f->path);
	g_autofree char *text = NULL;
	int fd;

	g_assert_cmpstr(before, ==, expected);
	g_assert_false(chardev_is_open(f->chardev));
	fd = connect_nonblocking(f->path);
	g_assert_true(chardev_is_open(f->chardev));
	g_assert_cmpuint(f->front_end.opened, ==, 1);
	chardev_write(f->chardev, "hello", 5);
	text = read_all(fd, 5);
	g_assert_cmpstr(text, ==, "hello");
	g_assert_cmpint(write(fd, "typed", 5), ==, 5);
	settle();
	g_assert_cmpstr(f->front_end.received->str, ==, "typed");
	close(fd);
	settle();
	g_assert_cmpuint(f->front_end.closed, ==, 1);
	g_assert_false(chardev_is_open(f->chardev));
}

/* The next who connects gets the last 64 KiB. */
static void test_nobody_there(struct socket_fixture *f, gconstpointer data)
{
	g_autofree char *text = NULL;
	int fd;

	for (unsigned i = 0; i < 10000; i++) {
		g_autofree char *line = g_strdup_printf("line %6u\n", i);

		chardev_write(f->chardev, line, strlen(line));
	}
	settle();
	fd = connect_nonblocking(f->path);
	text = read_all(fd, CHARDEV_QUEUE_SIZE);
	g_assert_cmpuint(strlen(text), ==, CHARDEV_QUEUE_SIZE);
	g_assert_true(g_str_has_suffix(text, "line   9999\n"));
	close(fd);
	settle();
}

static void test_no_room(struct socket_fixture *f, gconstpointer data)
{
	int fd = connect_nonblocking(f->path);

	f->front_end.room = 3;
	g_assert_cmpint(write(fd, "abcdef", 6), ==, 6);
	settle();
	g_assert_cmpstr(f->front_end.received->str, ==, "abc");
	/* Nothing turns while there is no room. */
	g_assert_false(g_main_context_pending(NULL));
	f->front_end.room = 2;
	chardev_accept_input(f->chardev);
	settle();
	g_assert_cmpstr(f->front_end.received->str, ==, "abcde");
	close(fd);
	settle();
	/* The client left, its last byte is kept, and the next client is not kept waiting. */
	g_assert_cmpuint(f->front_end.closed, ==, 1);
	fd = connect_nonblocking(f->path);
	g_assert_cmpuint(f->front_end.opened, ==, 2);
	g_assert_cmpint(write(fd, "g", 1), ==, 1);
	f->front_end.room = 10;
	chardev_accept_input(f->chardev);
	settle();
	g_assert_cmpstr(f->front_end.received->str, ==, "abcdefg");
	close(fd);
	settle();
}

static void test_second_client_waits(struct socket_fixture *f, gconstpointer data)
{
	int first = connect_nonblocking(f->path);
	int second = connect_nonblocking(f->path);
	g_autofree char *text = NULL;

	g_assert_cmpuint(f->front_end.opened, ==, 1);
	close(first);
	settle();
	g_assert_cmpuint(f->front_end.opened, ==, 2);
	chardev_write(f->chardev, "yours", 5);
	text = read_all(second, 5);
	g_assert_cmpstr(text, ==, "yours");
	close(second);
	settle();
}

/* A client that reads nothing: the writer is never held up, and what comes at last is the newest. */
static void test_slow_reader(struct socket_fixture *f, gconstpointer data)
{
	int fd = connect_nonblocking(f->path);
	g_autofree char *block = g_strnfill(65536, 'x');
	g_autoptr(GString) all = g_string_new(NULL);
	char bytes[4096];
	ssize_t got;

	for (int i = 0; i < 64; i++) {
		chardev_write(f->chardev, block, 65536);
		settle();
	}
	chardev_write(f->chardev, "end", 3);
	do {
		settle();
		got = read(fd, bytes, sizeof(bytes));
		if (got > 0)
			g_string_append_len(all, bytes, got);
	} while (got > 0);
	g_assert_cmpuint(all->len, <, 64 * 65536);
	g_assert_true(g_str_has_suffix(all->str, "xend"));
	close(fd);
	settle();
}

static void *write_lines(void *chardev)
{
	for (int i = 0; i < 1000; i++)
		chardev_write(chardev, "0123456789abcdef", 16);
	return NULL;
}

static void test_threads(struct socket_fixture *f, gconstpointer data)
{
	int fd = connect_nonblocking(f->path);
	GThread *a = g_thread_new("a", write_lines, f->chardev);
	GThread *b = g_thread_new("b", write_lines, f->chardev);
	g_autofree char *text = read_all(fd, 2 * 1000 * 16);

	g_thread_join(a);
	g_thread_join(b);
	for (int i = 0; i < 2000; i++)
		g_assert_cmpmem(text + i * 16, 16, "0123456789abcdef", 16);
	close(fd);
	settle();
}

static void test_file(void)
{
	g_autofree char *folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "log", NULL);
	g_autofree char *arguments = g_strdup_printf("file,id=f,path=%s", path);
	g_autofree char *append = g_strdup_printf("file,id=f,path=%s,append=on", path);
	const char *const expected[] = { "a", "ab", "c" };
	const char *const words[] = { "a", "b", "c" };

	for (int i = 0; i < 3; i++) {
		struct chardev *chardev = create(i == 1 ? append : arguments);
		g_autofree char *text = NULL;

		chardev_write(chardev, words[i], 1);
		chardev_free(chardev);
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
		g_assert_cmpstr(text, ==, expected[i]);
	}
	g_remove(path);
	g_rmdir(folder);
}

static void test_file_missing_folder(void)
{
	char *words[] = { "-chardev", "file,id=f,path=/nonexistent/log" };
	struct options *options = options_new();
	g_autoptr(GError) error = NULL;

	g_assert_true(options_parse(options, 2, words, NULL));
	g_assert_null(chardev_new(options_find(options, "chardev"), &error));
	g_assert_cmpstr(error->message, ==,
		"-chardev: cannot open /nonexistent/log: No such file or directory");
	options_free(options);
}

static void test_ring(void)
{
	struct chardev *chardev = create("ringbuf,id=r,size=16");
	char bytes[32];

	g_assert_true(chardev_is_ring(chardev));
	g_assert_cmpuint(chardev_ring_read(chardev, bytes, sizeof(bytes)), ==, 0);
	chardev_write(chardev, "0123456789", 10);
	chardev_write(chardev, "abcdefghij", 10);
	g_assert_cmpuint(chardev_ring_read(chardev, bytes, 4), ==, 4);
	g_assert_cmpmem(bytes, 4, "4567", 4);
	g_assert_cmpuint(chardev_ring_read(chardev, bytes, sizeof(bytes)), ==, 12);
	g_assert_cmpmem(bytes, 12, "89abcdefghij", 12);
	chardev_free(chardev);
}

static bool has_typed(void *data)
{
	return ((struct front_end *)data)->received->len >= 5;
}

static void test_pty(void)
{
	struct chardev *chardev = create("pty,id=p");
	g_autofree char *name = chardev_filename(chardev);
	struct front_end front_end = front_end_new(100);
	g_autofree char *text = NULL;
	int fd;

	g_assert_true(g_str_has_prefix(name, "pty:/dev/pts/"));
	chardev_attach(chardev, &ops, &front_end);
	g_assert_cmpuint(front_end.opened, ==, 1);
	fd = open(name + 4, O_RDWR | O_NOCTTY | O_NONBLOCK);
	g_assert_cmpint(fd, >=, 0);
	chardev_write(chardev, "login:", 6);
	text = read_all(fd, 6);
	g_assert_cmpstr(text, ==, "login:");
	/* Raw: a carriage return stays one, and nothing is echoed. */
	g_assert_cmpint(write(fd, "root\r", 5), ==, 5);
	wait_for(has_typed, &front_end);
	g_assert_cmpstr(front_end.received->str, ==, "root\r");
	close(fd);
	chardev_free(chardev);
	front_end_clear(&front_end);
}

static void test_null(void)
{
	struct chardev *chardev = create("null,id=n");
	g_autofree char *name = chardev_filename(chardev);

	chardev_write(chardev, "x", 1);
	settle();
	g_assert_cmpstr(name, ==, "null");
	chardev_free(chardev);
}

/* In a process of its own, with a pseudo-terminal as its standard input. @way: how it ends. */
static void stdio_child(int terminal, char way)
{
	struct chardev *chardev;

	setsid();
	dup2(terminal, STDIN_FILENO);
	dup2(terminal, STDOUT_FILENO);
	chardev = create("stdio,id=s");
	chardev_write(chardev, "guest\n", 6);
	settle();
	if (way == 'f')
		chardev_free(chardev);
	if (way == 'k')
		raise(SIGTERM);
	if (way == 'a')
		raise(SIGABRT);
	while (way == 's')
		pause();
	exit(0);
}

static void test_stdio(gconstpointer data)
{
	const char *way = data;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios before, after;
	char bytes[64];
	int status, terminal;
	pid_t child;

	g_assert_cmpint(grantpt(fd), ==, 0);
	g_assert_cmpint(unlockpt(fd), ==, 0);
	terminal = open(ptsname(fd), O_RDWR | O_NOCTTY);
	g_assert_cmpint(tcgetattr(terminal, &before), ==, 0);
	child = fork();
	if (child == 0)
		stdio_child(terminal, way[0]);
	/* A terminal gives its bytes in as many pieces as it likes. */
	for (size_t got = 0; got < 7; got += status) {
		status = read(fd, bytes + got, 7 - got);
		g_assert_cmpint(status, >, 0);
	}
	g_assert_cmpmem(bytes, 7, "guest\r\n", 7);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(WIFSIGNALED(status), ==, way[0] == 'k' || way[0] == 'a');
	g_assert_cmpint(tcgetattr(terminal, &after), ==, 0);
	g_assert_cmphex(after.c_lflag, ==, before.c_lflag);
	g_assert_cmphex(after.c_iflag, ==, before.c_iflag);
	close(terminal);
	close(fd);
}

static tcflag_t local_modes(int terminal)
{
	struct termios mode;

	g_assert_cmpint(tcgetattr(terminal, &mode), ==, 0);
	return mode.c_lflag & (ICANON | ECHO);
}

/* Ctrl-Z and fg: the shell gets its terminal, and then the guest gets it again. */
static void test_stdio_stopped(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char bytes[64];
	int status, terminal;
	pid_t child;

	g_assert_cmpint(grantpt(fd), ==, 0);
	g_assert_cmpint(unlockpt(fd), ==, 0);
	terminal = open(ptsname(fd), O_RDWR | O_NOCTTY);
	child = fork();
	if (child == 0)
		stdio_child(terminal, 's');
	g_assert_cmpint(read(fd, bytes, sizeof(bytes)), >, 0);
	g_assert_cmphex(local_modes(terminal), ==, 0);
	kill(child, SIGTSTP);
	g_assert_cmpint(waitpid(child, &status, WUNTRACED), ==, child);
	g_assert_true(WIFSTOPPED(status));
	g_assert_cmphex(local_modes(terminal), ==, ICANON | ECHO);
	kill(child, SIGCONT);
	g_assert_cmpint(waitpid(child, &status, WCONTINUED), ==, child);
	for (gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; local_modes(terminal) != 0;)
		g_assert_cmpint(g_get_monotonic_time(), <, end);
	kill(child, SIGTERM);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmphex(local_modes(terminal), ==, ICANON | ECHO);
	close(terminal);
	close(fd);
}

static bool is_open(void *chardev)
{
	return chardev_is_open(chardev);
}

static bool is_closed(void *chardev)
{
	return !chardev_is_open(chardev);
}

static bool has_hello(void *front_end)
{
	return strcmp(((struct front_end *)front_end)->received->str, "hello") == 0;
}

/* One that listens and one that connects, by a name. */
static void test_tcp(void)
{
	struct chardev *server = create("socket,id=s,host=127.0.0.1,port=0,server=on");
	struct front_end server_front = front_end_new(1000), client_front = front_end_new(1000);
	g_autofree char *name = chardev_filename(server);
	g_autofree char *arguments = NULL;
	struct chardev *client;

	g_assert_true(g_str_has_prefix(name, "disconnected:tcp:127.0.0.1:"));
	arguments = g_strdup_printf("socket,id=c,host=localhost,port=%d,nodelay=on",
		atoi(name + strlen("disconnected:tcp:127.0.0.1:")));
	chardev_attach(server, &ops, &server_front);
	client = create(arguments);
	chardev_attach(client, &ops, &client_front);
	wait_for(is_open, server);
	chardev_write(client, "hello", 5);
	wait_for(has_hello, &server_front);
	chardev_write(server, "hello", 5);
	wait_for(has_hello, &client_front);
	chardev_free(server);
	wait_for(is_closed, client);
	chardev_free(client);
	front_end_clear(&server_front);
	front_end_clear(&client_front);
}

/* It connects when there is a server at last, and again when there is another one. */
static void test_reconnect(void)
{
	g_autofree char *folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL);
	g_autofree char *arguments = g_strdup_printf("socket,id=c,path=%s,reconnect=1", path);
	g_autofree char *listen = g_strdup_printf("socket,id=s,path=%s,server=on", path);
	struct chardev *client = create(arguments);

	for (unsigned i = 0; i < 2; i++) {
		struct chardev *server = create(listen);

		wait_for(is_open, client);
		wait_for(is_open, server);
		chardev_free(server);
		wait_for(is_closed, client);
	}
	chardev_free(client);
	settle(); /* what was under way is cancelled */
	g_rmdir(folder);
}

static void test_refused_by_peer(void)
{
	char *words[] = { "-chardev", "socket,id=c,path=/nowhere/s" };
	struct options *options = options_new();
	g_autoptr(GError) error = NULL;

	g_assert_true(options_parse(options, 2, words, NULL));
	g_assert_null(chardev_new(options_find(options, "chardev"), &error));
	g_assert_nonnull(strstr(error->message, "cannot connect to /nowhere/s"));
	options_free(options);
}

static void test_handed_over(void)
{
	g_autofree char *arguments = NULL;
	g_autofree char *text = NULL;
	struct chardev *chardev;
	int fds[2];

	g_assert_true(socket_pair(fds, NULL));
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	arguments = g_strdup_printf("socket,id=c,fd=%d", fds[0]);
	chardev = create(arguments);
	g_assert_true(chardev_is_open(chardev));
	chardev_write(chardev, "hello", 5);
	text = read_all(fds[1], 5);
	g_assert_cmpstr(text, ==, "hello");
	chardev_free(chardev);
	close(fds[1]);
}

/* Also what nobody reads. */
static void test_log(void)
{
	g_autofree char *folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "log", NULL);
	g_autofree char *arguments =
		g_strdup_printf("ringbuf,id=r,size=16,logfile=%s,logappend=on", path);
	g_autofree char *text = NULL;

	for (unsigned i = 0; i < 2; i++) {
		struct chardev *chardev = create(arguments);

		chardev_write(chardev, "more than sixteen bytes\n", 24);
		chardev_free(chardev);
	}
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "more than sixteen bytes\nmore than sixteen bytes\n");
	g_unlink(path);
	g_rmdir(folder);
}

static void test_pipe(void)
{
	g_autofree char *folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
	g_autofree char *in = g_build_filename(folder, "p.in", NULL);
	g_autofree char *out = g_build_filename(folder, "p.out", NULL);
	g_autofree char *arguments = g_strdup_printf("pipe,id=p,path=%s/p", folder);
	struct front_end front_end = front_end_new(1000);
	g_autofree char *text = NULL;
	struct chardev *chardev;
	int to, from;

	g_assert_cmpint(mkfifo(in, 0600), ==, 0);
	g_assert_cmpint(mkfifo(out, 0600), ==, 0);
	chardev = create(arguments);
	chardev_attach(chardev, &ops, &front_end);
	to = open(in, O_WRONLY | O_CLOEXEC);
	from = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	g_assert_cmpint(write(to, "hello", 5), ==, 5);
	wait_for(has_hello, &front_end);
	chardev_write(chardev, "world", 5);
	settle();
	text = g_malloc0(6);
	g_assert_cmpint(read(from, text, 5), ==, 5);
	g_assert_cmpstr(text, ==, "world");
	chardev_free(chardev);
	close(to);
	close(from);
	g_unlink(in);
	g_unlink(out);
	g_rmdir(folder);
	front_end_clear(&front_end);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(struct socket_fixture *f, gconstpointer data);
	} socket_tests[] = {
		{ "/chardev/socket/both-ways", test_socket },
		{ "/chardev/socket/nobody-there", test_nobody_there },
		{ "/chardev/socket/no-room", test_no_room },
		{ "/chardev/socket/second-client-waits", test_second_client_waits },
		{ "/chardev/socket/slow-reader", test_slow_reader },
		{ "/chardev/socket/threads", test_threads },
	};

	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(socket_tests); i++)
		g_test_add(socket_tests[i].name, struct socket_fixture, NULL, socket_setup,
			socket_tests[i].test, socket_teardown);
	g_test_add_func("/chardev/socket/tcp", test_tcp);
	g_test_add_func("/chardev/socket/reconnect", test_reconnect);
	g_test_add_func("/chardev/socket/refused", test_refused_by_peer);
	g_test_add_func("/chardev/socket/handed-over", test_handed_over);
	g_test_add_func("/chardev/log", test_log);
	g_test_add_func("/chardev/pipe", test_pipe);
	g_test_add_func("/chardev/file", test_file);
	g_test_add_func("/chardev/file/missing-folder", test_file_missing_folder);
	g_test_add_func("/chardev/ringbuf", test_ring);
	g_test_add_func("/chardev/pty", test_pty);
	g_test_add_func("/chardev/null", test_null);
	g_test_add_data_func("/chardev/stdio/freed", "f", test_stdio);
	g_test_add_data_func("/chardev/stdio/exit", "e", test_stdio);
	g_test_add_data_func("/chardev/stdio/killed", "k", test_stdio);
	g_test_add_func("/chardev/stdio/stopped", test_stdio_stopped);
	g_test_add_data_func("/chardev/stdio/aborted", "a", test_stdio);
	return g_test_run();
}
