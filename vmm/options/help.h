/* What --help and the listings print, made from the tables of options, machine types and devices. All to be freed. */
#pragma once

#include "vmm/machine/machine-types.h"
#include "vmm/options/options.h"

/**
 * help_text - the answer to a request for help
 * @options: with a request other than OPTIONS_RUN
 * @types: the machine types; only "-machine help" needs them, NULL otherwise
 *
 * Returns NULL with @error when it is about something that does not exist.
 */
char *help_text(const struct options *options, const struct machine_types *types, GError **error);

/* Whether help_text() needs the machine types. */
bool help_needs_types(const struct options *options);
