/* What a program tells the person who started it: one line on standard error, "PROGRAM: text" or
 * "PROGRAM: warning: text". The program's name is g_get_prgname(). Safe from any thread.
 *
 * Bytes from outside never reach the terminal raw: control characters in the text are shown as \xNN.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* What stands in front of every line from now on: the time (ISO 8601, UTC), the name of a guest; NULL: none. For the start of
 * a program, before there are threads. */
void log_set_prefix(bool timestamp, const char *guest);

/* For what a guest or a client can cause again and again: after @limit lines from the same @count they stop, the last
 * one says so. @count starts at 0 and belongs to the device or the connection. */
void log_limited(unsigned *count, unsigned limit, const char *format, ...) G_GNUC_PRINTF(3, 4);
