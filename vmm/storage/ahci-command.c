/* Commands of an AHCI port: from the command list to the drive, and what comes back as frames (FIS). Everything in the guest's
 * memory is copied once and then used. Specification: AHCI 1.3.1 sections 4 (memory structures) and 5 (data transfer).
 */
#include "vmm/storage/ahci.h"

#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"

enum {
	HEADER_BYTES = 32,
	HEADER_REGIONS = 2, /* of the header */
	HEADER_MOVED = 4,
	HEADER_TABLE = 8,
	HEADER_LENGTH = 0x1f, /* dwords of the command FIS */

	TABLE_ALIGN = 128,
	TABLE_PACKET = 0x40,
	TABLE_REGIONS = 0x80,
	REGION_BYTES = 16,
	REGION_COUNT = 0x3fffff,
	REGIONS_AT_A_TIME = 256,

	FIS_HOST_REGISTERS = 0x27,
	FIS_DEVICE_REGISTERS = 0x34,
	FIS_DEVICE_BITS = 0xa1,
	FIS_PIO_SETUP = 0x5f,
	FIS_COMMAND = 1 << 7,   /* byte 1: the command register has been written, else control */
	FIS_INTERRUPT = 1 << 6, /* byte 1 */
	FIS_TO_HOST = 1 << 5,
	FIS_REGISTERS_BYTES = 20,
	FIS_DEVICE_BITS_BYTES = 8,
	CONTROL_RESET = 1 << 2,

	RECEIVED_PIO_SETUP = 0x20,
	RECEIVED_REGISTERS = 0x40,
	RECEIVED_DEVICE_BITS = 0x58,
};

static struct guest_memory *memory_of(const struct ahci_port *port)
{
	return port->ahci->pci.device.machine->memory;
}

/* Frames to the guest */

static bool receive(struct ahci_port *port, unsigned offset, const uint8_t *fis, size_t length)
{
	if (!(port->command & AHCI_RECEIVE))
		return false;
	guest_memory_write(memory_of(port), port->received + offset, fis, length);
	return true;
}

static void put_registers(uint8_t *fis, const struct ata_taskfile *taskfile)
{
	fis[2] = taskfile->status;
	fis[3] = taskfile->error;
	for (unsigned i = 0; i < 3; i++) {
		fis[4 + i] = taskfile->lba >> 8 * i;
		fis[8 + i] = taskfile->lba >> (24 + 8 * i);
	}
	fis[7] = taskfile->device;
	config_set16(fis + 12, taskfile->count);
}

bool ahci_receive_registers(struct ahci_port *port, bool interrupt)
{
	uint8_t fis[FIS_REGISTERS_BYTES] = { FIS_DEVICE_REGISTERS };

	fis[1] = interrupt ? FIS_INTERRUPT : 0;
	put_registers(fis, &port->taskfile);
	return receive(port, RECEIVED_REGISTERS, fis, sizeof(fis));
}

static void receive_pio_setup(struct ahci_port *port, const struct ata_command *command)
{
	uint8_t fis[FIS_REGISTERS_BYTES] = { FIS_PIO_SETUP };

	fis[1] = FIS_INTERRUPT | (command->to_guest ? FIS_TO_HOST : 0);
	put_registers(fis, &command->taskfile);
	fis[2] = ATA_READY | ATA_SEEK_COMPLETE | ATA_DATA_REQUEST;
	fis[3] = 0;
	fis[15] = command->taskfile.status;
	config_set16(fis + 16, MIN(command->moved, command->block));
	receive(port, RECEIVED_PIO_SETUP, fis, sizeof(fis));
}

static void receive_device_bits(struct ahci_port *port, uint32_t finished)
{
	uint8_t fis[FIS_DEVICE_BITS_BYTES] = { FIS_DEVICE_BITS, FIS_INTERRUPT };

	fis[2] = port->taskfile.status & ~(ATA_BUSY | ATA_DATA_REQUEST);
	fis[3] = port->taskfile.error;
	config_set32(fis + 4, finished);
	receive(port, RECEIVED_DEVICE_BITS, fis, sizeof(fis));
}

/* Ends */

static void release(struct ahci_slot *slot)
{
	slot->issued = false;
	g_clear_pointer(&slot->pieces, g_free);
}

static void write_moved(const struct ahci_slot *slot)
{
	uint8_t moved[4];

	config_set32(moved, slot->command.moved);
	guest_memory_write(memory_of(slot->port),
		slot->port->list + HEADER_BYTES * slot->number + HEADER_MOVED, moved,
		sizeof(moved));
}

/* After an error the drive has given up everything else too, and nothing goes on until the guest restarts the port. */
static void halt(struct ahci_port *port, uint32_t events)
{
	ahci_port_cancel(port);
	port->halted = true;
	ahci_port_tell(port, events | AHCI_EVENT_TASK_FILE);
}

static void finish_queued(struct ahci_slot *slot)
{
	struct ahci_port *port = slot->port;
	const struct ata_taskfile *taskfile = &slot->command.taskfile;
	bool failed = taskfile->status & ATA_ERROR;
	uint32_t finished = failed ? 0 : 1u << slot->number;

	port->taskfile.status = taskfile->status;
	port->taskfile.error = taskfile->error;
	port->active &= ~finished;
	receive_device_bits(port, finished);
	if (failed)
		halt(port, AHCI_EVENT_DEVICE_BITS);
	else
		ahci_port_tell(port, AHCI_EVENT_DEVICE_BITS);
}

static void finish_plain(struct ahci_slot *slot)
{
	struct ahci_port *port = slot->port;
	const struct ata_command *command = &slot->command;
	bool failed = command->taskfile.status & ATA_ERROR;
	uint32_t events = 0;

	port->taskfile = command->taskfile;
	if (command->protocol == ATA_PIO && command->moved > 0) {
		receive_pio_setup(port, command);
		events |= AHCI_EVENT_PIO_SETUP;
	}
	/* Data that the guest has read by PIO are the end of the command; all others end with the registers. */
	if (failed || !command->to_guest || command->protocol != ATA_PIO ||
		command->taskfile.command == ATA_COMMAND_PACKET) {
		ahci_receive_registers(port, true);
		events |= AHCI_EVENT_REGISTERS;
	}
	if (failed) {
		halt(port, events);
		return;
	}
	port->issued &= ~(1u << slot->number);
	ahci_port_tell(port, events);
}

static void command_done(struct ata_command *command)
{
	struct ahci_slot *slot = (struct ahci_slot *)command;
	struct ahci_port *port = slot->port;

	release(slot);
	write_moved(slot);
	if (command->protocol == ATA_QUEUED)
		finish_queued(slot);
	else
		finish_plain(slot);
	ahci_port_run(port);
}

/* Data */

/* The memory that the table names, as far as the command needs it; false: some of it is not RAM. */
static bool gather(struct ahci_slot *slot, unsigned *count)
{
	struct guest_memory *memory = memory_of(slot->port);
	uint8_t regions[REGIONS_AT_A_TIME * REGION_BYTES];
	uint64_t left = slot->command.length;
	g_autofree struct iovec *pieces = g_new(struct iovec, MAX(slot->regions, 1));

	*count = 0;
	for (unsigned i = 0; i < slot->regions && left > 0; i++) {
		const uint8_t *region = regions + i % REGIONS_AT_A_TIME * REGION_BYTES;
		size_t batch = MIN(slot->regions - i, REGIONS_AT_A_TIME) * REGION_BYTES;
		uint64_t bytes;

		if (i % REGIONS_AT_A_TIME == 0 &&
			!guest_memory_read(memory,
				slot->table + TABLE_REGIONS + (uint64_t)i * REGION_BYTES, regions,
				batch))
			return false;
		bytes = MIN((uint64_t)(config_get32(region + 12) & REGION_COUNT) + 1, left);
		pieces[*count].iov_len = bytes;
		pieces[*count].iov_base = guest_memory_pointer(memory, config_get64(region), bytes);
		if (!pieces[(*count)++].iov_base)
			return false;
		left -= bytes;
	}
	slot->pieces = g_steal_pointer(&pieces);
	return true;
}

static void command_data(struct ata_command *command)
{
	struct ahci_slot *slot = (struct ahci_slot *)command;
	unsigned count;

	/* All memory is given at once, so a second call means that it was too little. */
	if (slot->pieces || !gather(slot, &count))
		ata_end_data(command);
	else
		ata_transfer(command, slot->pieces, count);
}

static const struct ata_command_ops command_ops = {
	.data = command_data,
	.done = command_done,
};

/* Beginnings */

static void take_registers(struct ata_taskfile *taskfile, const uint8_t *fis)
{
	*taskfile = (struct ata_taskfile) {
		.command = fis[2],
		.features = fis[3] | fis[11] << 8,
		.device = fis[7],
		.count = config_get16(fis + 12),
	};
	for (unsigned i = 0; i < 3; i++)
		taskfile->lba |= (uint64_t)fis[4 + i] << 8 * i | (uint64_t)fis[8 + i]
									 << (24 + 8 * i);
}

/* A frame with the control register: a software reset begins when its bit is set and ends when it is cleared. */
static void take_control(struct ahci_port *port, uint8_t control)
{
	bool before = port->soft_reset;

	port->soft_reset = control & CONTROL_RESET;
	if (port->soft_reset && !before) {
		ahci_port_abandon(port);
		port->active = 0;
		port->taskfile.status |= ATA_BUSY;
	} else if (before && !port->soft_reset) {
		ata_reset(ahci_port_drive(port));
		ahci_port_greet(port);
	}
}

static bool is_queued(const struct ata_taskfile *taskfile)
{
	return taskfile->command == ATA_COMMAND_READ_FPDMA ||
	       taskfile->command == ATA_COMMAND_WRITE_FPDMA;
}

static void give_to_drive(struct ahci_slot *slot)
{
	struct ahci_port *port = slot->port;
	struct ata_command *command = &slot->command;

	slot->issued = true;
	command->ops = &command_ops;
	if (is_queued(&command->taskfile))
		port->issued &= ~(1u << slot->number);
	else
		port->taskfile.status |= ATA_BUSY;
	ata_start(ahci_port_drive(port), command);
}

enum taken {
	TAKEN,
	WAITS, /* until others have ended */
	WRONG,
};

static bool any_issued(const struct ahci_port *port, bool plain_only)
{
	for (unsigned i = 0; i < AHCI_SLOTS; i++)
		if (port->slots[i].issued &&
			!(plain_only && is_queued(&port->slots[i].command.taskfile)))
			return true;
	return false;
}

static enum taken take_slot(struct ahci_slot *slot)
{
	struct ahci_port *port = slot->port;
	uint8_t header[HEADER_BYTES], fis[TABLE_REGIONS];
	struct ata_taskfile taskfile;

	if (!guest_memory_read(memory_of(port), port->list + HEADER_BYTES * slot->number, header,
		    sizeof(header)))
		return WRONG;
	slot->table = config_get64(header + HEADER_TABLE) & ~(uint64_t)(TABLE_ALIGN - 1);
	slot->regions = config_get16(header + HEADER_REGIONS);
	if (!guest_memory_read(memory_of(port), slot->table, fis, sizeof(fis)) ||
		(header[0] & HEADER_LENGTH) < FIS_REGISTERS_BYTES / 4 ||
		fis[0] != FIS_HOST_REGISTERS)
		return WRONG;
	if (!(fis[1] & FIS_COMMAND)) {
		port->issued &= ~(1u << slot->number);
		take_control(port, fis[15]);
		return TAKEN;
	}
	take_registers(&taskfile, fis);
	/* Commands that are not queued have the drive for themselves. */
	if (any_issued(port, is_queued(&taskfile)))
		return WAITS;
	if (is_queued(&taskfile) && (taskfile.count >> 3 & 0x1f) != slot->number)
		return WRONG;
	slot->command.taskfile = taskfile;
	memcpy(slot->command.packet, fis + TABLE_PACKET, SCSI_CDB_BYTES);
	give_to_drive(slot);
	return TAKEN;
}

static bool may_run(const struct ahci_port *port)
{
	return port->command & AHCI_START && !port->halted && ahci_port_drive(port) &&
	       port->link_up && pci_device_is_bus_master(&port->ahci->pci);
}

void ahci_port_run(struct ahci_port *port)
{
	/* A command that ends at once runs the port again: the innermost call goes on, the outer ones find nothing left. */
	while (may_run(port)) {
		enum taken taken = WAITS;
		unsigned slot = port->next;

		for (unsigned i = 0; i < AHCI_SLOTS; i++, slot = (slot + 1) % AHCI_SLOTS)
			if (port->issued >> slot & 1 && !port->slots[slot].issued)
				break;
		if (!(port->issued >> slot & 1) || port->slots[slot].issued)
			return;
		port->next = (slot + 1) % AHCI_SLOTS;
		port->command = (port->command & ~(0x1fu << AHCI_CURRENT_SHIFT)) |
				slot << AHCI_CURRENT_SHIFT;
		taken = take_slot(&port->slots[slot]);
		if (taken == WAITS) {
			port->next = slot;
			return;
		}
		if (taken == WRONG) {
			ahci_port_cancel(port);
			port->halted = true;
			ahci_port_tell(port, AHCI_EVENT_HOST_BUS);
			return;
		}
	}
}

void ahci_port_cancel(struct ahci_port *port)
{
	if (ahci_port_drive(port))
		ata_cancel_all(ahci_port_drive(port));
	for (unsigned i = 0; i < AHCI_SLOTS; i++)
		if (port->slots[i].issued)
			release(&port->slots[i]);
}

void ahci_port_abandon(struct ahci_port *port)
{
	for (unsigned i = 0; i < AHCI_SLOTS; i++) {
		if (port->slots[i].issued) {
			port->issued &= ~(1u << i);
			port->active &= ~(1u << i);
		}
	}
	ahci_port_cancel(port);
}
