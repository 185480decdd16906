/* What the monitor knows: the tables of its commands and of "info", searched and listed. */
#include <stdlib.h>
#include <string.h>

#include "vmm/control/hmp.h"

/* What every line is first looked at for, so that these have no function. */
static const struct hmp_command own_commands[] = {
	{ "help|?", .usage = "[cmd]", .help = "show the help" },
	{ "info", .usage = "[subcommand]",
		.help = "show various information about the system state" },
	{},
};

static const struct hmp_command *const commands[] = {
	own_commands,
	hmp_machine_commands,
	hmp_memory_commands,
	hmp_object_commands,
	hmp_display_commands,
	hmp_host_commands,
	NULL,
};

static const struct hmp_command *const info[] = {
	hmp_info_machine,
	hmp_info_devices,
	hmp_info_memory,
	hmp_info_board,
	hmp_info_display,
	hmp_info_host,
	hmp_info_network,
	NULL,
};

static bool is_called(const struct hmp_command *command, const char *name)
{
	g_auto(GStrv) names = g_strsplit(command->name, "|", -1);

	return g_strv_contains((const char *const *)names, name);
}

static const struct hmp_command *find(const struct hmp_command *const *tables, const char *name)
{
	for (; *tables; tables++) {
		for (const struct hmp_command *row = *tables; row->name; row++) {
			if (is_called(row, name))
				return row;
		}
	}
	return NULL;
}

const struct hmp_command *hmp_find(const char *name)
{
	return find(commands, name);
}

const struct hmp_command *hmp_find_info(const char *name)
{
	return find(info, name);
}

static gint compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **hmp_complete(const char *start, bool of_info)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (const struct hmp_command *const *table = of_info ? info : commands; *table; table++) {
		for (const struct hmp_command *row = *table; row->name; row++) {
			g_auto(GStrv) parts = g_strsplit(row->name, "|", 2);

			if (g_str_has_prefix(parts[0], start))
				g_ptr_array_add(names, g_strdup(parts[0]));
		}
	}
	g_ptr_array_sort(names, compare);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
