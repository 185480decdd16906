/* A child process that serves an image.
 *
 * PR_SET_PDEATHSIG is about the thread that forked, so each helper has a thread which lives as long as it does: it forks, reads
 * what the helper says, and waits for its end.
 */
#include "vmm/storage/nbd-helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

enum {
	LISTEN_FD = 3,
	COMPLAINT_MAX = 2000, /* bytes that are kept */
	PID_DIGITS = 12,
	DEATH_PATIENCE = 5000, /* milliseconds until a killed process is gone */
};

struct nbd_helper {
	int references; /* atomic: the owner and the thread */
	char *program;  /* a path */
	char **arguments, **environment;
	char *listen_pid; /* the value inside the environment's LISTEN_PID= */
	int listening, image_fd;

	GMutex lock; /* for what follows */
	GCond changed;
	pid_t pid; /* 0: not yet, or no more */
	bool started, ended;
	int start_error; /* errno */
	GString *complaint;
};

static void unref(struct nbd_helper *helper)
{
	if (__atomic_sub_fetch(&helper->references, 1, __ATOMIC_SEQ_CST) > 0)
		return;
	g_free(helper->program);
	g_strfreev(helper->arguments);
	g_strfreev(helper->environment);
	g_string_free(helper->complaint, TRUE);
	g_mutex_clear(&helper->lock);
	g_cond_clear(&helper->changed);
	g_free(helper);
}

/* Between fork and exec of a program with threads: only what is safe in a signal handler. */
static void write_number(char *to, pid_t number)
{
	char digits[PID_DIGITS];
	unsigned count = 0;

	do
		digits[count++] = '0' + number % 10;
	while ((number /= 10) > 0);
	while (count > 0)
		*to++ = digits[--count];
	*to = '\0';
}

/* Descriptor @from at @to, open in the program that is executed. */
static bool put_fd(int from, int to)
{
	return from == to ? fcntl(to, F_SETFD, 0) == 0 : dup2(from, to) >= 0;
}

static void be_helper(const struct nbd_helper *helper, pid_t parent, int words, int failure)
{
	sigset_t none;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int image, listening, high_words, high_failure;
	int why;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0); /* Ctrl-C at the terminal is not for it */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	/* Out of the way of the numbers they get. */
	listening = fcntl(helper->listening, F_DUPFD_CLOEXEC, 16);
	image = helper->image_fd >= 0 ? fcntl(helper->image_fd, F_DUPFD_CLOEXEC, 16) : -1;
	high_words = fcntl(words, F_DUPFD_CLOEXEC, 16);
	high_failure = fcntl(failure, F_DUPFD_CLOEXEC, 16);
	write_number(helper->listen_pid, getpid());
	if (put_fd(fd, 0) && put_fd(high_words, 1) && put_fd(high_words, 2) &&
		put_fd(listening, LISTEN_FD) && (image < 0 || put_fd(image, NBD_HELPER_IMAGE_FD)))
		execve(helper->program, helper->arguments, helper->environment);
	why = errno;
	if (write(high_failure, &why, sizeof(why)) < 0)
		_exit(2);
	_exit(1);
}

static void tell_start(struct nbd_helper *helper, pid_t pid, int failure)
{
	g_mutex_lock(&helper->lock);
	helper->pid = pid;
	helper->started = true;
	helper->start_error = failure;
	g_cond_broadcast(&helper->changed);
	g_mutex_unlock(&helper->lock);
}

/* 0, or the errno of what went wrong. */
static int fork_helper(struct nbd_helper *helper, int words, pid_t *pid)
{
	int failure[2];
	int why = 0;
	pid_t parent = getpid();

	if (pipe2(failure, O_CLOEXEC) < 0)
		return errno;
	*pid = fork();
	if (*pid == 0)
		be_helper(helper, parent, words, failure[1]);
	if (*pid < 0)
		why = errno;
	close(failure[1]);
	/* Nothing comes when the other program was executed. */
	if (*pid > 0 && read(failure[0], &why, sizeof(why)) != sizeof(why))
		why = 0;
	close(failure[0]);
	return why;
}

/* Until the helper, and whoever it handed its standard error to, has closed it. */
static void read_words(struct nbd_helper *helper, int fd)
{
	char buffer[512];
	ssize_t length;

	while ((length = read(fd, buffer, sizeof(buffer))) > 0 || (length < 0 && errno == EINTR)) {
		g_mutex_lock(&helper->lock);
		if (length > 0 && helper->complaint->len < COMPLAINT_MAX)
			g_string_append_len(helper->complaint, buffer, length);
		g_mutex_unlock(&helper->lock);
	}
	close(fd);
}

static void wait_for_end(struct nbd_helper *helper, pid_t pid)
{
	siginfo_t info;

	/* The process id stays its own until it is taken below, under the lock. */
	while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	g_mutex_lock(&helper->lock);
	waitpid(pid, NULL, 0);
	helper->pid = 0;
	helper->ended = true;
	g_cond_broadcast(&helper->changed);
	g_mutex_unlock(&helper->lock);
}

static gpointer keep(gpointer opaque)
{
	struct nbd_helper *helper = opaque;
	pid_t pid = 0;
	int words[2];
	int why = pipe2(words, O_CLOEXEC) < 0 ? errno : 0;

	if (why == 0) {
		why = fork_helper(helper, words[1], &pid);
		close(words[1]);
	}
	close(helper->listening);
	tell_start(helper, why == 0 ? pid : 0, why);
	if (pid > 0) {
		read_words(helper, words[0]);
		wait_for_end(helper, pid);
	}
	unref(helper);
	return NULL;
}

/* A listening socket, and one that is connected to it. It loses its name before this returns. */
static bool make_sockets(int *listening, int *connected, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *folder = g_dir_make_tmp("vitrine-XXXXXX", error);
	bool good;

	if (!folder)
		return false;
	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	good = (size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/nbd", folder) <
		       sizeof(address.sun_path) &&
	       bind(*listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(*listening, 1) == 0 &&
	       connect(*connected, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (!good) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot make a socket in %s", folder);
		close(*listening);
		close(*connected);
	}
	unlink(address.sun_path);
	rmdir(folder);
	return good;
}

static char **make_environment(char **listen_pid)
{
	char **environment = g_environ_setenv(g_get_environ(), "LISTEN_FDS", "1", TRUE);
	unsigned count;

	environment = g_environ_unsetenv(environment, "LISTEN_FDNAMES");
	environment = g_environ_unsetenv(environment, "LISTEN_PID");
	environment = g_environ_setenv(environment, "LC_ALL", "C", TRUE);
	count = g_strv_length(environment);
	environment = g_renew(char *, environment, count + 2);
	environment[count] = g_strnfill(strlen("LISTEN_PID=") + PID_DIGITS, '\0');
	strcpy(environment[count], "LISTEN_PID=");
	*listen_pid = environment[count] + strlen("LISTEN_PID=");
	environment[count + 1] = NULL;
	return environment;
}

static bool wait_for_start(struct nbd_helper *helper, GError **error)
{
	g_mutex_lock(&helper->lock);
	while (!helper->started)
		g_cond_wait(&helper->changed, &helper->lock);
	g_mutex_unlock(&helper->lock);
	if (helper->start_error == 0)
		return true;
	errno = helper->start_error;
	return fail_errno(error, VITRINE_ERROR_HOST, "cannot start %s", helper->program);
}

struct nbd_helper *nbd_helper_start(const char *const *arguments, const char *package, int image_fd,
	int *socket, GError **error)
{
	g_autofree char *program = g_find_program_in_path(arguments[0]);
	struct nbd_helper *helper;
	int listening;

	if (!program) {
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"the program %s, which serves such images, is not in PATH; the package %s "
			"has it",
			arguments[0], package);
		return NULL;
	}
	if (!make_sockets(&listening, socket, error))
		return NULL;
	helper = g_new0(struct nbd_helper, 1);
	helper->references = 2;
	helper->program = g_steal_pointer(&program);
	helper->arguments = g_strdupv((char **)arguments);
	helper->environment = make_environment(&helper->listen_pid);
	helper->listening = listening;
	helper->image_fd = image_fd;
	helper->complaint = g_string_new(NULL);
	g_mutex_init(&helper->lock);
	g_cond_init(&helper->changed);
	g_thread_unref(g_thread_new("helper", keep, helper));
	if (wait_for_start(helper, error))
		return helper;
	close(*socket);
	unref(helper);
	return NULL;
}

/* With the lock. */
static void wait_until(struct nbd_helper *helper, unsigned milliseconds)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)milliseconds * 1000;

	while (!helper->ended && g_cond_wait_until(&helper->changed, &helper->lock, deadline))
		;
}

char *nbd_helper_complaint(struct nbd_helper *helper, unsigned milliseconds)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	g_mutex_lock(&helper->lock);
	wait_until(helper, milliseconds);
	text = g_utf8_make_valid(helper->complaint->str, -1);
	g_mutex_unlock(&helper->lock);
	lines = g_strsplit(g_strstrip(text), "\n", -1);
	return g_strjoinv(" ", lines);
}

void nbd_helper_finish(struct nbd_helper *helper, unsigned milliseconds, bool force)
{
	g_mutex_lock(&helper->lock);
	wait_until(helper, milliseconds);
	if (!helper->ended)
		kill(helper->pid, force ? SIGKILL : SIGTERM);
	/* What it holds of the image is free only then. */
	if (force)
		wait_until(helper, DEATH_PATIENCE);
	g_mutex_unlock(&helper->lock);
	unref(helper);
}

int nbd_helper_pid(struct nbd_helper *helper)
{
	int pid;

	g_mutex_lock(&helper->lock);
	pid = helper->pid;
	g_mutex_unlock(&helper->lock);
	return pid;
}
