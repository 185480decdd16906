/* The commands of vitrine-console: each takes its own arguments and returns the exit status. */
#pragma once

#include <glib.h>

/* @arguments: what stands behind the command, ending with NULL, for g_option_context_parse_strv(); its first element is the
 * command itself. @base: the folder of the registry, NULL for the default. */
int command_list(const char *base, char ***arguments);
int command_attach(const char *base, char ***arguments);
