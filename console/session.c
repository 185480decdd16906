/* One attachment to a serial line.
 *
 * A single loop waits for everything at once: the line, the terminal, and signals (as a signalfd, so that nothing
 * interrupts anything and the terminal is restored by the ordinary way out). Neither side is ever waited for alone: what
 * one side does not take is kept up to a bound, and the escape character works meanwhile.
 */
#include "console/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"

enum {
	CHUNK = 16 * KiB,
	/* Bytes typed or pasted that the guest has not taken; what comes beyond is dropped, with a bell. */
	TYPED_MAX = 1 * MiB,
	PIPED_MAX = 64 * KiB, /* from a pipe or a file, which can wait */
};

enum {
	LINE,
	INPUT,
	OUTPUT,
	SIGNALS,
	SOURCES
};

struct state {
	struct session *session;
	struct terminal terminal;
	int signals;
	GByteArray *to_guest;
	GByteArray *to_person;
	bool input_ended;
	bool line_ended;
	bool over;
	enum session_end end;
	GError **error;
};

static const int taken_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT };

static sigset_t taken_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < G_N_ELEMENTS(taken_signals); i++)
		sigaddset(&set, taken_signals[i]);
	return set;
}

void session_block_signals(void)
{
	sigset_t set = taken_set();

	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void end(struct state *state, enum session_end how)
{
	if (state->over)
		return;
	state->over = true;
	state->end = how;
}

static void end_failed(struct state *state, const char *what)
{
	if (state->over)
		return;
	fail_errno(state->error, VITRINE_ERROR_HOST, "%s", what);
	end(state, SESSION_FAILED);
}

/* A line of our own, on standard error so that captured output stays the guest's. */
static void tell(const struct state *state, const char *text)
{
	fprintf(stderr, "%s%s", text, state->terminal.raw ? "\r\n" : "\n");
}

static void tell_help(const struct state *state)
{
	g_autofree char *key = escape_name(&state->session->escape);
	const char *const commands[][2] = {
		{ ". or q", "leave; the guest goes on" },
		{ "z", "stop this program; fg comes back" },
		{ key, "send the escape character itself" },
		{ "?", "show this" },
	};

	fprintf(stderr, "\r\n");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *line =
			g_strdup_printf("  %s %-8s %s", key, commands[i][0], commands[i][1]);

		tell(state, line);
	}
}

/* Stops as ^Z would: the whole job, with the terminal as it was found. Comes back when it is continued. */
static void suspend(struct state *state)
{
	sigset_t stop;

	terminal_restore(&state->terminal);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (!terminal_make_raw(&state->terminal, state->error))
		end(state, SESSION_FAILED);
}

static void take_signal(struct state *state)
{
	struct signalfd_siginfo info;

	if (read(state->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTSTP) {
		suspend(state);
	} else if (info.ssi_signo == SIGCONT) {
		/* The shell may have set its terminal anew while we stood still. */
		if (state->terminal.raw && !terminal_make_raw(&state->terminal, state->error))
			end(state, SESSION_FAILED);
	} else {
		state->session->signal = info.ssi_signo;
		end(state, SESSION_STOPPED);
	}
}

static void obey(struct state *state, enum escape_action action)
{
	switch (action) {
	case ESCAPE_NONE:
		break;
	case ESCAPE_LEAVE:
		end(state, SESSION_LEFT);
		break;
	case ESCAPE_HELP:
		tell_help(state);
		break;
	case ESCAPE_SUSPEND:
		suspend(state);
		break;
	case ESCAPE_UNKNOWN:
		fprintf(stderr, "\a");
		break;
	}
}

static void take_input(struct state *state)
{
	uint8_t bytes[CHUNK];
	ssize_t length = read(state->terminal.input, bytes, sizeof(bytes));
	enum escape_action action;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		state->input_ended = true;
		/* A terminal ends when it is closed; a pipe or a file when all of it was read. */
		if (state->terminal.input_is_terminal)
			end(state, SESSION_LEFT);
		else if (length < 0)
			end_failed(state, "cannot read standard input");
		return;
	}
	for (ssize_t used = 0; used < length && !state->over;) {
		used += escape_scan(&state->session->escape, bytes + used, length - used,
			state->to_guest, &action);
		obey(state, action);
	}
	if (state->terminal.input_is_terminal && state->to_guest->len > TYPED_MAX) {
		g_byte_array_set_size(state->to_guest, TYPED_MAX);
		fprintf(stderr, "\a");
	}
}

static void take_line(struct state *state)
{
	uint8_t bytes[CHUNK];
	ssize_t length = read(state->session->line, bytes, sizeof(bytes));

	if (length > 0)
		g_byte_array_append(state->to_person, bytes, length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR))
		state->line_ended = true;
}

/* Writes what can be written now; false when that side is gone. */
static bool pass(int fd, GByteArray *bytes)
{
	ssize_t length = write(fd, bytes->data, bytes->len);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	g_byte_array_remove_range(bytes, 0, length);
	return true;
}

static bool wants_input(const struct state *state)
{
	return !state->input_ended && !state->line_ended &&
	       (state->terminal.input_is_terminal || state->to_guest->len < PIPED_MAX);
}

static void fill(const struct state *state, struct pollfd fds[SOURCES])
{
	int line = state->line_ended ? 0
				     : (state->to_person->len < CHUNK ? POLLIN : 0) |
					       (state->to_guest->len > 0 ? POLLOUT : 0);

	/* A descriptor that is asked for nothing is left out: an end that is not taken yet would wake us again and again. */
	fds[LINE] = (struct pollfd) { line ? state->session->line : -1, line };
	fds[INPUT] = (struct pollfd) { wants_input(state) ? state->terminal.input : -1, POLLIN };
	fds[OUTPUT] =
		(struct pollfd) { state->to_person->len ? state->terminal.output : -1, POLLOUT };
	fds[SIGNALS] = (struct pollfd) { state->signals, POLLIN };
}

static void handle(struct state *state, const struct pollfd fds[SOURCES])
{
	if (fds[SIGNALS].revents)
		take_signal(state);
	if (fds[INPUT].revents && !state->over)
		take_input(state);
	if (fds[LINE].revents & (POLLIN | POLLHUP | POLLERR))
		take_line(state);
	if (fds[LINE].revents & POLLOUT && !pass(state->session->line, state->to_guest))
		g_byte_array_set_size(state->to_guest, 0);
	if (fds[OUTPUT].revents && !pass(state->terminal.output, state->to_person))
		end_failed(state, "cannot write to standard output");
	if (state->line_ended && state->to_person->len == 0)
		end(state, SESSION_GONE);
}

/* Milliseconds that a silence may last now, or -1. */
static int patience(const struct state *state)
{
	bool may_end = state->input_ended && state->to_guest->len == 0;

	return may_end && state->session->idle_seconds >= 0 ? state->session->idle_seconds * 1000
							    : -1;
}

static void loop(struct state *state)
{
	struct pollfd fds[SOURCES];

	while (!state->over) {
		int ready;

		fill(state, fds);
		ready = poll(fds, SOURCES, patience(state));
		if (ready < 0 && errno != EINTR)
			end_failed(state, "cannot wait for the terminal");
		else if (ready == 0)
			end(state, SESSION_LEFT);
		else if (ready > 0)
			handle(state, fds);
	}
}

static void greet(const struct state *state)
{
	g_autofree char *key = NULL;

	if (!state->terminal.input_is_terminal)
		return;
	if (state->session->escape.character == ESCAPE_OFF) {
		fprintf(stderr, "Attached to %s.\r\n", state->session->name);
		return;
	}
	key = escape_name(&state->session->escape);
	fprintf(stderr, "Attached to %s. %s . leaves, %s ? helps.\r\n", state->session->name, key,
		key);
}

enum session_end session_run(struct session *session, GError **error)
{
	sigset_t set = taken_set();
	struct state state = {
		.session = session,
		.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.to_guest = g_byte_array_new(),
		.to_person = g_byte_array_new(),
		.error = error,
	};

	terminal_open(&state.terminal);
	if (!state.terminal.input_is_terminal)
		session->escape.character = ESCAPE_OFF;
	fcntl(session->line, F_SETFL, fcntl(session->line, F_GETFL) | O_NONBLOCK);
	if (state.signals < 0)
		end_failed(&state, "cannot take signals");
	else if (!terminal_make_raw(&state.terminal, error))
		end(&state, SESSION_FAILED);
	if (!state.over)
		greet(&state);
	loop(&state);

	/* What was typed just before leaving, as far as it is taken at once. */
	if (state.end == SESSION_LEFT && state.to_guest->len > 0)
		pass(session->line, state.to_guest);
	if (state.terminal.raw)
		fprintf(stderr, "\r\n");
	terminal_close(&state.terminal);
	if (state.signals >= 0)
		close(state.signals);
	g_byte_array_unref(state.to_guest);
	g_byte_array_unref(state.to_person);
	return state.end;
}
