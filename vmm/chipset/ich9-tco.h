/* The ICH9's watchdog (TCO timer): 32 ports in the power management block.
 *
 * The timer counts ticks of 0.6 s down from TCO_TMR. A guest that uses it writes TCO_RLD again and again; when the timer ran
 * out twice without, the machine does what it is told to do about a guest that hangs (see machine_watchdog_expired()), unless
 * NO_REBOOT is set: in the bridge's configuration registers, or by its strap.
 *
 * Part of the LPC bridge; everything with the machine's lock held. Specification: Intel ICH9 datasheet (316972), section 13.9.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/state.h"

struct machine;

enum ich9_tco_register {
	TCO_RELOAD = 0x00,        /* 2 bytes */
	TCO_DATA_IN = 0x02,       /* 1 */
	TCO_DATA_OUT = 0x03,      /* 1 */
	TCO_STATUS_1 = 0x04,      /* 2, written ones clear */
	TCO_STATUS_2 = 0x06,      /* 2, the same */
	TCO_CONTROL_1 = 0x08,     /* 2 */
	TCO_CONTROL_2 = 0x0a,     /* 2 */
	TCO_MESSAGE_1 = 0x0c,     /* 1 */
	TCO_MESSAGE_2 = 0x0d,     /* 1 */
	TCO_WATCHDOG_BYTE = 0x0e, /* 1 */
	TCO_SOFTWARE_IRQ = 0x10,  /* 1 */
	TCO_TIMER = 0x12,         /* 2: where the timer starts, ticks */
	TCO_SIZE = 0x20,
};

enum {
	TCO_TICK = 600000000, /* nanoseconds */
	TCO_STATUS_DATA_IN = 1 << 1,
	TCO_STATUS_DATA_OUT = 1 << 2,
	TCO_STATUS_TIMEOUT = 1 << 3, /* of status 1 */
	TCO_STATUS_SECOND = 1 << 1,  /* of status 2: it ran out twice */
	TCO_STATUS_BOOT = 1 << 2,    /* and after that the machine was started again */
	TCO_CONTROL_HALT = 1 << 11,  /* of control 1 */
	TCO_CONTROL_LOCK = 1 << 12,  /* stays until a reset */
};

struct ich9_tco {
	struct machine *machine;
	bool (*no_reboot)(void *bridge);
	void *bridge;
	GSource *source;

	uint8_t registers[TCO_SIZE];
	bool runs, ran_out; /* the latter: once */
	int64_t end;        /* guest's clock, nanoseconds, when it runs */
};

#define ICH9_TCO_STATE(structure, member) \
	STATE_UINT8_ARRAY(structure, member.registers, TCO_SIZE), \
		STATE_BOOL(structure, member.runs), STATE_BOOL(structure, member.ran_out)

void ich9_tco_init(struct ich9_tco *tco, struct machine *machine, bool (*no_reboot)(void *bridge),
	void *bridge);
void ich9_tco_finish(struct ich9_tco *tco); /* nothing when it was not initialised */
void ich9_tco_reset(struct ich9_tco *tco);
/* The machine pauses or goes on: its clock stands still meanwhile. */
void ich9_tco_set_running(struct ich9_tco *tco);

/* @offset + @size up to TCO_SIZE; @size 1, 2 or 4. */
uint32_t ich9_tco_read(struct ich9_tco *tco, unsigned offset, unsigned size);
void ich9_tco_write(struct ich9_tco *tco, unsigned offset, unsigned size, uint32_t value);
