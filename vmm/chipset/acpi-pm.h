/* ACPI fixed hardware that the ICH9 and the PIIX4 have in common: PM1 events and control, the power management timer, one
 * block of general purpose events, the APM ports, and the interrupt that all of them share (SCI).
 *
 * The chips place it: each has its own block of ports and asks here byte by byte. Everything with the machine's lock held.
 *
 * Specification: ACPI 6.4, section 4.8 (fixed hardware); APM ports: Intel ICH9 datasheet, section 13.7.
 */
#pragma once

#include <glib.h>

#include "vmm/machine/machine.h"
#include "vmm/memory/io-space.h"

/* Offsets from the start of a PM1 block. Both chips have these, in these places. */
enum acpi_pm1_register {
	ACPI_PM1_STATUS = 0x00,  /* 2 bytes, written ones clear */
	ACPI_PM1_ENABLE = 0x02,  /* 2 */
	ACPI_PM1_CONTROL = 0x04, /* 4 */
	ACPI_PM1_TIMER = 0x08,   /* 4, read only */
	ACPI_PM1_SIZE = 0x0c,
};

enum {
	ACPI_GPE_BYTES_MAX = 16, /* status and enable */
	ACPI_APM_COMMAND = 0xb2,
	ACPI_APM_ENABLE = 0x02, /* what the FADT has an operating system write there */
	ACPI_APM_DISABLE = 0x03,
	ACPI_SLEEP_TYPE_S5 = 0, /* what SeaBIOS and our DSDT write to power off */
	ACPI_SLEEP_TYPE_S3 = 1,
	ACPI_SLEEP_TYPE_MAX = 7,
};

struct acpi_pm {
	struct machine *machine;
	void (*sci_changed)(
		void *bridge, bool level); /* the system control interrupt, as it should be now */
	void *bridge;
	struct io_region apm;
	GSource *timer;

	uint16_t status, enable;
	uint32_t control;
	uint8_t gpe[ACPI_GPE_BYTES_MAX]; /* status, then enable, gpe_bytes in all */
	unsigned gpe_bytes;
	uint8_t apm_command, apm_status;
	uint8_t no_s3, no_s4, s4_type; /* properties of the chip */
	uint64_t timer_overflow;       /* ticks at which the timer's highest bit changes next */
};

/* Rows for the state table of a device that embeds a struct acpi_pm as @member. */
#define ACPI_PM_STATE(structure, member) \
	STATE_UINT16(structure, member.status), STATE_UINT16(structure, member.enable), \
		STATE_UINT32(structure, member.control), \
		STATE_UINT8_ARRAY(structure, member.gpe, ACPI_GPE_BYTES_MAX), \
		STATE_UINT8(structure, member.apm_command), \
		STATE_UINT8(structure, member.apm_status)

/* Rows for its property table: which sleep states it has, and the sleep type of S4. */
#define ACPI_PM_PROPERTIES(structure, member) \
	{ "disable_s3", PROPERTY_UINT8, offsetof(structure, member.no_s3), "0", \
		"1: guests cannot sleep with their memory kept (S3)", .maximum = 1 }, \
		{ "disable_s4", PROPERTY_UINT8, offsetof(structure, member.no_s4), "0", \
			"1: guests cannot say that their memory is on a disk (S4)", \
			.maximum = 1 }, \
	{ \
		"s4_val", PROPERTY_UINT8, offsetof(structure, member.s4_type), "2", \
			"what guests write to the sleep type for S4", \
			.minimum = 2, .maximum = ACPI_SLEEP_TYPE_MAX \
	}

/**
 * acpi_pm_init - takes the APM ports and the machine's power button
 * @gpe_bytes: of the general purpose events, status and enable together: even, at most ACPI_GPE_BYTES_MAX
 *
 * The machine's acpi_pm is this one from now on.
 */
void acpi_pm_init(struct acpi_pm *pm, struct machine *machine, unsigned gpe_bytes,
	void (*sci_changed)(void *bridge, bool level), void *bridge);
void acpi_pm_finish(struct acpi_pm *pm); /* nothing when it was not initialised */
void acpi_pm_reset(struct acpi_pm *pm);
/* The machine pauses or goes on: its clock stands still meanwhile. */
void acpi_pm_set_running(struct acpi_pm *pm, bool running);

/* The PM1 block: @offset below ACPI_PM1_SIZE. */
uint8_t acpi_pm1_read(struct acpi_pm *pm, unsigned offset);
void acpi_pm1_write(struct acpi_pm *pm, unsigned offset, uint8_t value);
/* The timer's 24 bits, to be read at once. */
uint32_t acpi_pm_timer(struct acpi_pm *pm);

/* The general purpose events: @offset below gpe_bytes. */
uint8_t acpi_gpe_read(const struct acpi_pm *pm, unsigned offset);
void acpi_gpe_write(struct acpi_pm *pm, unsigned offset, uint8_t value);
/* An event happened: number @event of the block, from 0. Stays until the guest clears it. */
void acpi_gpe_raise(struct acpi_pm *pm, unsigned event);

/* After a write to any of them: the interrupt and the timer follow. */
void acpi_pm_update(struct acpi_pm *pm);

/* After the reset at the end of a sleep: what the guest reads about it. */
void acpi_pm_woken(struct acpi_pm *pm, enum machine_wakeup reason);
bool acpi_pm_has_s3(const struct acpi_pm *pm);
bool acpi_pm_has_s4(const struct acpi_pm *pm);

/* Events of the chassis. */
void acpi_pm_press_power_button(struct acpi_pm *pm);
void acpi_pm_press_sleep_button(struct acpi_pm *pm);
