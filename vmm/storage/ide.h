/* One IDE channel: the registers and the data port of two drives, and the bus master that moves their data by DMA.
 * Specification: ATA8-APT (parallel transport), "Programming Interface for Bus Master IDE Controller" 1.0.
 */
#pragma once

#include "vmm/memory/io-space.h"
#include "vmm/storage/ata.h"

enum {
	IDE_BUFFER = 62 * 1024, /* 62 KiB: whole blocks of a CD-ROM, less than 64 KiB */
	IDE_BUS_MASTER_BYTES = 8,
};

enum ide_state {
	IDE_IDLE,
	IDE_PACKET,   /* the guest writes a packet */
	IDE_WORKING,  /* the drive is busy */
	IDE_READING,  /* the guest reads the buffer */
	IDE_WRITING,  /* the guest fills it */
	IDE_DMA_WAIT, /* for the guest to start the bus master */
};

/* What the guest wrote last to each register of a drive, or the drive set; [1] is what was there before (48 bits). */
struct ide_registers {
	uint8_t features[2], count[2], low[2], middle[2], high[2];
	uint8_t device, status, error;
};

struct ide_channel {
	struct ata_command command; /* first; one at a time on a cable */
	struct ide_bus bus;
	struct machine *machine;
	unsigned irq;
	struct io_region registers_region, control_region;

	struct ide_registers registers[2];
	uint8_t control;
	unsigned selected;
	bool interrupt;
	uint32_t state;  /* enum ide_state */
	unsigned active; /* the unit that has the command */
	bool ended;      /* the command has, only its data are still to be read */
	bool fetching;
	uint64_t fetched_from;
	/* PIO: @filled bytes are (to be) in the buffer; the guest is at @at of a block that ends at @block_end. */
	uint32_t filled, at, block_end;
	uint8_t buffer[IDE_BUFFER];

	/* bus master; absent on ISA */
	bool has_master;
	bool (*may_master)(struct ide_channel *channel);
	uint8_t master_command, master_status;
	uint32_t table;
	struct iovec *pieces;
};

/* Maps the ports, and makes the bus; @number: among those of the controller. */
void ide_channel_init(struct ide_channel *channel, struct device *controller, unsigned number,
	uint16_t registers, uint16_t control, unsigned irq);
void ide_channel_finish(struct ide_channel *channel);
void ide_channel_reset(struct ide_channel *channel); /* as at power-on */

/* The bus master's registers: 0 command, 2 status, 4 to 7 table of regions. */
uint8_t ide_master_read(const struct ide_channel *channel, unsigned offset);
void ide_master_write(struct ide_channel *channel, unsigned offset, uint8_t value);

/* For the channel itself: data by DMA. False: the guest has not started the bus master yet. */
bool ide_master_begin(struct ide_channel *channel);
void ide_master_end(struct ide_channel *channel);
void ide_channel_abort(struct ide_channel
		*channel); /* the command under way ends with an error, and no interrupt */

extern const struct device_class piix3_ide_class, isa_ide_class;
