/* ACPI power management of the ICH9: the 128 ports at PMBASE, and the APM ports 0xb2 and 0xb3.
 *
 * Part of the LPC bridge. Everything here is called with the machine's lock held.
 */
#pragma once

#include <glib.h>

#include "base/state.h"
#include "vmm/memory/io-space.h"

struct machine;

/* Offsets in the block, as the FADT tells them. */
enum ich9_pm_register {
	ICH9_PM1_STATUS = 0x00,
	ICH9_PM1_ENABLE = 0x02,
	ICH9_PM1_CONTROL = 0x04,
	ICH9_PM_TIMER = 0x08,
	ICH9_GPE0_STATUS = 0x20,
	ICH9_GPE0_ENABLE = 0x28,
	ICH9_SMI_ENABLE = 0x30,
	ICH9_SMI_STATUS = 0x34,
	ICH9_PM_SIZE = 0x80,
};

enum {
	ICH9_GPE0_SIZE = 16, /* status and enable, bytes */
	ICH9_APM_COMMAND = 0xb2,
	ICH9_APM_ENABLE_ACPI = 0x02,
	ICH9_APM_DISABLE_ACPI = 0x03,
	ICH9_SLEEP_TYPE_S5 = 0, /* what SeaBIOS and our DSDT write to power off */
};

struct ich9_pm {
	struct machine *machine;
	void (*sci_changed)(
		void *bridge, bool level); /* the system control interrupt, as it should be now */
	void *bridge;
	struct io_region region, apm;
	GSource *timer;

	uint16_t status, enable;
	uint32_t control;
	uint8_t gpe[ICH9_GPE0_SIZE];
	uint32_t smi_enable;
	uint8_t apm_command, apm_status;
	uint64_t timer_overflow; /* ticks at which the timer's highest bit changes next */
};

extern const struct state_field ich9_pm_state_fields[];

void ich9_pm_init(struct ich9_pm *pm, struct machine *machine,
	void (*sci_changed)(void *bridge, bool level), void *bridge);
void ich9_pm_finish(struct ich9_pm *pm);
void ich9_pm_reset(struct ich9_pm *pm);

/* Where the block's ports are; it is not there when @on is false. */
void ich9_pm_map(struct ich9_pm *pm, bool on, uint16_t base);
