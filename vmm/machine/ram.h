/* RAM and firmware of a machine: what backs them and where they appear. */
#pragma once

#include "vmm/machine/machine.h"

bool machine_add_ram(struct machine *machine, GError **error);

/* The firmware's image: read-only below 4 GiB; its last 128 KiB also below 1 MiB, where no RAM is read. Nothing when
 * a flash chip has it. */
bool machine_add_firmware(struct machine *machine, GError **error);

void machine_free_ram(struct machine *machine);
