/* One guest as a running program: the machine and everything around it, from options to exit status. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "vmm/options/config.h"

/* Builds the guest, runs it to its end and takes everything away again. False with @error when it could not be built;
 * then nothing is left behind either. @ready_fd: of daemon_start(), told when the guest is ready; -1: none. @status: the exit
 * status of the program. */
bool guest_run(const struct config *config, int ready_fd, int *status, GError **error);
