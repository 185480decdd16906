/* RAM and firmware of a machine: what backs them and where they appear. */
#pragma once

#include "vmm/machine/boards.h"
#include "vmm/machine/machine.h"

bool machine_add_ram(struct machine *machine, const struct board *board, GError **error);

/* The firmware's image: read-only below 4 GiB, and its last 128 KiB in RAM below 1 MiB. */
bool machine_add_firmware(struct machine *machine, GError **error);

/* The copy below 1 MiB as at power-on. With the lock, processors parked. */
void machine_restore_firmware(struct machine *machine);

void machine_free_ram(struct machine *machine);
