/* Whether a serial line's socket has a client already. Format: proc(5), /proc/net/unix. */
#include "console/line-owner.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

/* Num: RefCount Protocol Flags Type St Inode Path; the path goes to the end of the line. */
static bool is_client(const char *line, const char *path)
{
	unsigned type, state;
	int end = 0;

	if (sscanf(line, "%*x: %*x %*x %*x %x %x %*u%n", &type, &state, &end) != 2 || end == 0)
		return false;
	return type == 1 && state == 3 && line[end] == ' ' && strcmp(line + end + 1, path) == 0;
}

bool unix_table_has_client(const char *table, const char *path)
{
	g_auto(GStrv) lines = g_strsplit(table, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (is_client(*line, path))
			return true;
	}
	return false;
}

bool line_is_taken(const char *path)
{
	g_autofree char *table = NULL;

	return g_file_get_contents("/proc/net/unix", &table, NULL, NULL) &&
	       unix_table_has_client(table, path);
}
