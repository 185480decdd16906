/* ACPI power management of the ICH9: the 128 ports at PMBASE.
 *
 * Part of the LPC bridge. Everything here is called with the machine's lock held.
 */
#pragma once

#include "base/state.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/ich9-tco.h"

/* Offsets in the block, as the FADT tells them. */
enum ich9_pm_register {
	ICH9_PM1_STATUS = ACPI_PM1_STATUS,
	ICH9_PM1_ENABLE = ACPI_PM1_ENABLE,
	ICH9_PM1_CONTROL = ACPI_PM1_CONTROL,
	ICH9_PM_TIMER = ACPI_PM1_TIMER,
	ICH9_GPE0_STATUS = 0x20,
	ICH9_GPE0_ENABLE = 0x28,
	ICH9_SMI_ENABLE = 0x30,
	ICH9_SMI_STATUS = 0x34,
	ICH9_TCO = 0x60, /* TCO_SIZE bytes */
	ICH9_PM_SIZE = 0x80,
};

enum {
	ICH9_GPE0_SIZE = 16, /* status and enable, bytes */
	ICH9_APM_COMMAND = ACPI_APM_COMMAND,
	ICH9_APM_ENABLE_ACPI = ACPI_APM_ENABLE,
	ICH9_APM_DISABLE_ACPI = ACPI_APM_DISABLE,
	ICH9_SLEEP_TYPE_S5 = ACPI_SLEEP_TYPE_S5,
};

struct ich9_pm {
	struct acpi_pm acpi;
	struct ich9_tco tco;
	struct io_region region;

	uint32_t smi_enable;
};

/* @no_reboot: whether the watchdog is kept from doing anything. */
void ich9_pm_init(struct ich9_pm *pm, struct machine *machine,
	void (*sci_changed)(void *bridge, bool level), bool (*no_reboot)(void *bridge),
	void *bridge);
void ich9_pm_finish(struct ich9_pm *pm);
void ich9_pm_reset(struct ich9_pm *pm);

/* Where the block's ports are; it is not there when @on is false. */
void ich9_pm_map(struct ich9_pm *pm, bool on, uint16_t base);
