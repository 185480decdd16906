/* What the firmware is told about starting: boot order, menu, picture, and what users add to fw_cfg. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct machine;

/* Once, after all other files. False with @error, which names the option. */
bool boot_policy_add(struct machine *machine, GError **error);

/* Before every start; the order of -boot once= is the first one's. With the lock. */
void boot_policy_start(struct machine *machine);
