/* Boards: the wiring that a machine type names with board=. */
#pragma once

#include "vmm/machine/machine.h"

struct board {
	const char *name;
	struct pci_bus *(*new_bus)(struct machine *machine);
	/* After the last device, with the lock. */
	void (*finish)(struct machine *machine);
};

extern const struct board board_pc, board_q35;

/* NULL with @error, which lists what there is. */
const struct board *board_find(const char *name, GError **error);
