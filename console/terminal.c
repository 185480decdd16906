/* The terminal that this program runs in. */
#include "console/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

void terminal_open(struct terminal *terminal)
{
	struct stat status;
	int fd = -1;

	*terminal = (struct terminal) {
		.input = STDIN_FILENO,
		.output = STDOUT_FILENO,
		.input_is_terminal = isatty(STDIN_FILENO),
	};
	if (isatty(STDOUT_FILENO) ||
		(fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode)))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		terminal->output = fd;
		terminal->output_is_own = true;
	}
}

void terminal_close(struct terminal *terminal)
{
	terminal_restore(terminal);
	if (terminal->output_is_own)
		close(terminal->output);
	terminal->output_is_own = false;
}

/* Another process may have the terminal by now; its settings are none of ours then. */
static bool in_foreground(const struct terminal *terminal)
{
	return tcgetpgrp(terminal->input) == getpgrp();
}

bool terminal_make_raw(struct terminal *terminal, GError **error)
{
	struct termios raw;

	if (!terminal->input_is_terminal)
		return true;
	if (!terminal->raw && tcgetattr(terminal->input, &terminal->found) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot read the terminal's settings");
	raw = terminal->found;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	terminal->raw = true;
	if (tcsetattr(terminal->input, TCSADRAIN, &raw) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot set the terminal to raw");
	return true;
}

void terminal_restore(struct terminal *terminal)
{
	if (!terminal->raw)
		return;
	terminal->raw = false;
	if (in_foreground(terminal))
		tcsetattr(terminal->input, TCSANOW, &terminal->found);
}
