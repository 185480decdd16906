/* What the firmware is told about the machine, all of it over fw_cfg: memory map, processors, ACPI and SMBIOS tables, boot
 * order, and the kernel when it is booted directly.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct machine;

/**
 * firmware_tables_add - adds every fw_cfg item that describes the machine
 *
 * Call it once, after all devices exist and before the guest runs. Uses the machine's configuration, low_memory,
 * high_memory, cpu_count and devices. Returns false with @error when the kernel or
 * its ramdisk cannot be loaded.
 */
bool firmware_tables_add(struct machine *machine, GError **error);

/* Before every start, the first one and those by resets: what holds for the first one only. With the lock. */
void firmware_tables_start(struct machine *machine);
