/* What the ACPI tables say of a machine, as it is now: firmware moves registers and assigns addresses before it asks. */
#pragma once

#include <glib.h>

#include "vmm/firmware/acpi.h"

struct machine;

struct acpi_machine {
	struct acpi_config config;
	struct acpi_root *roots;
	struct acpi_hotplug_bus *hotplug;
	uint32_t *apic_ids;
};

/* With the lock. */
void acpi_machine_init(struct acpi_machine *out, struct machine *machine);
void acpi_machine_clear(struct acpi_machine *out);
