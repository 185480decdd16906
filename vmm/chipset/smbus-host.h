/* SMBus host controller, as the ICH9 and the PIIX4 have it, and what is on its bus.
 *
 * Part of a PCI function, which maps the region and has the interrupt. Everything with the machine's lock held.
 *
 * Specification: Intel ICH9 datasheet, section 18.2; Intel 82371AB (PIIX4) datasheet, section 7.3; SMBus 2.0, section 5.5.
 */
#pragma once

#include "base/state.h"
#include "vmm/memory/io-space.h"

struct machine;

enum {
	SMBUS_BLOCK_MAX = 32, /* bytes of a block transfer */
	SMBUS_HOST_SIZE = 64, /* ports */
	SMBUS_ADDRESSES = 128,
};

/* A device on the bus. Its memory of what was written before is its own. */
struct smbus_slave {
	void (*write)(void *device, const uint8_t *bytes, unsigned count);
	uint8_t (*read)(void *device); /* the next byte */
	void *device;
};

struct smbus_host {
	struct machine *machine;
	struct io_region region;
	bool enabled;       /* false: the ports answer nobody; true after smbus_host_init() */
	bool has_byte_mode; /* property of the chip: blocks byte by byte, and INUSE (ICH9) */
	void (*interrupt_changed)(void *owner, bool level);
	void *owner;
	struct smbus_slave slaves[SMBUS_ADDRESSES];

	uint8_t status, control, command, address, data0, data1, auxiliary;
	uint8_t block[SMBUS_BLOCK_MAX];
	uint8_t at, count; /* in block: the next byte, and how many there are */
	bool in_block;     /* a block goes byte by byte, BYTE_DONE after each */
};

#define SMBUS_HOST_STATE(structure, member) \
	STATE_UINT8(structure, member.status), STATE_UINT8(structure, member.control), \
		STATE_UINT8(structure, member.command), STATE_UINT8(structure, member.address), \
		STATE_UINT8(structure, member.data0), STATE_UINT8(structure, member.data1), \
		STATE_UINT8(structure, member.auxiliary), \
		STATE_UINT8_ARRAY(structure, member.block, SMBUS_BLOCK_MAX), \
		STATE_UINT8(structure, member.at), STATE_UINT8(structure, member.count), \
		STATE_BOOL(structure, member.in_block)

/* The machine's smbus is this one from now on. */
void smbus_host_init(struct smbus_host *host, struct machine *machine,
	void (*interrupt_changed)(void *owner, bool level), void *owner);
void smbus_host_finish(struct smbus_host *host);
void smbus_host_reset(struct smbus_host *host);

/* @address 0..127; false when it is taken. A NULL @slave takes the device off. */
bool smbus_host_attach(struct smbus_host *host, uint8_t address, const struct smbus_slave *slave);
