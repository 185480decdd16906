/* What the firmware is told about the machine, all of it over fw_cfg: memory map, processors, ACPI and SMBIOS tables, boot
 * order.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct machine;

/**
 * firmware_tables_add - adds every fw_cfg item that describes the machine
 *
 * Call it once, after all devices exist and before the guest runs. Uses the machine's configuration, low_memory,
 * high_memory, cpu_count and devices. Returns false with @error when something cannot be described.
 */
bool firmware_tables_add(struct machine *machine, GError **error);
