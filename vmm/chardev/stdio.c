/* Standard input and output. A terminal is made raw, so that the guest gets every key, and is as it was before on every way
 * out: the normal one, exit(), a deadly signal, Ctrl-Z and back.
 *
 * The process has one standard input, so what is to be restored is one for the process too; signal handlers can reach
 * nothing else.
 */
#include "vmm/chardev/chardev-private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"

static struct {
	volatile sig_atomic_t raw; /* the terminal is ours now */
	struct termios before, ours;
} terminal_of_process;

static const int deadly_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS,
	SIGILL, SIGFPE, SIGPIPE };

static void restore_terminal(void)
{
	if (terminal_of_process.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal_of_process.before);
}

/* SA_RESETHAND: raised again, it does what it did before there was a handler. */
static void handle_deadly(int number)
{
	restore_terminal();
	raise(number);
}

static void handle_stop(int number)
{
	restore_terminal();
	raise(SIGSTOP);
}

static void handle_continue(int number)
{
	if (terminal_of_process.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal_of_process.ours);
}

/* Leaves a signal alone that somebody handles or ignores: whoever does will end the program in good order. */
static void handle_signal(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction current;

	if (sigaction(number, NULL, &current) == 0 && !(current.sa_flags & SA_SIGINFO) &&
		current.sa_handler == SIG_DFL)
		sigaction(number, &action, NULL);
}

static bool make_raw(bool signals)
{
	struct termios mode;

	if (tcgetattr(STDIN_FILENO, &mode) < 0)
		return false;
	terminal_of_process.before = mode;
	mode.c_iflag &=
		~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
	if (!signals)
		mode.c_lflag &= ~(tcflag_t)ISIG;
	mode.c_cflag = (mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	terminal_of_process.ours = mode;
	for (size_t i = 0; i < G_N_ELEMENTS(deadly_signals); i++)
		handle_signal(deadly_signals[i], handle_deadly, (int)SA_RESETHAND);
	handle_signal(SIGTSTP, handle_stop, SA_RESTART);
	handle_signal(SIGCONT, handle_continue, SA_RESTART);
	atexit(restore_terminal);
	terminal_of_process.raw = 1;
	return tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0;
}

/* A descriptor for output that does not block. A terminal or a pipe is opened once more for it: the flag on the one that
 * was handed down would be seen by everybody who shares it, such as the shell. */
static int open_output(void)
{
	struct stat kind;
	int fd = -1;

	if (fstat(STDOUT_FILENO, &kind) == 0 && (S_ISCHR(kind.st_mode) || S_ISFIFO(kind.st_mode)))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? STDOUT_FILENO : fd;
}

static bool stdio_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	if (terminal_of_process.raw)
		return fail(error, VITRINE_ERROR_BUSY, "standard input is in use already");
	chardev->raw = isatty(STDIN_FILENO) && make_raw(option_set_bool(set, "signal", true));
	chardev_use(chardev, STDIN_FILENO, open_output());
	chardev_set_open(chardev, true);
	return true;
}

static void stdio_close(struct chardev *chardev)
{
	if (!chardev->raw)
		return;
	restore_terminal();
	terminal_of_process.raw = 0;
}

const struct chardev_backend chardev_stdio = {
	.name = "stdio",
	.open = stdio_open,
	.close = stdio_close,
};
