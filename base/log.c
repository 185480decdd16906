/* What a program tells the person who started it. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* A process has one standard error, and one way to write to it. */
static struct {
	bool timestamp;
	char *guest;
} prefix;

void log_set_prefix(bool timestamp, const char *guest)
{
	prefix.timestamp = timestamp;
	g_free(prefix.guest);
	prefix.guest = g_strdup(guest);
}

static void add_prefix(GString *line)
{
	g_autoptr(GDateTime) now = NULL;
	g_autofree char *time = NULL;

	if (prefix.timestamp) {
		now = g_date_time_new_now_utc();
		time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ ");
		g_string_append(line, time);
	}
	if (prefix.guest)
		g_string_append_printf(line, "%s ", prefix.guest);
}

G_GNUC_PRINTF(2, 0)
static void print_line(const char *kind, const char *format, va_list arguments, const char *tail)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	g_autoptr(GString) line = g_string_new(NULL);
	const char *name = g_get_prgname();

	add_prefix(line);
	g_string_append_printf(line, "%s: %s", name ? name : "vitrine", kind);
	for (const char *c = text; *c != '\0'; c++) {
		if (g_ascii_iscntrl(*c) && !(*c == '\n' && c[1] != '\0') && *c != '\t')
			g_string_append_printf(line, "\\x%02x", (unsigned char)*c);
		else
			g_string_append_c(line, *c);
	}
	g_string_append_printf(line, "%s\n", tail);
	/* One write, so that lines of several threads and processes do not mix. */
	if (write(STDERR_FILENO, line->str, line->len) < 0)
		return;
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("", format, arguments, "");
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("warning: ", format, arguments, "");
	va_end(arguments);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("error: ", format, arguments, "");
	va_end(arguments);
}

void log_limited(unsigned *count, unsigned limit, const char *format, ...)
{
	va_list arguments;

	if (*count >= limit)
		return;
	(*count)++;
	va_start(arguments, format);
	print_line("warning: ", format, arguments,
		*count == limit ? " (further ones are not shown)" : "");
	va_end(arguments);
}
