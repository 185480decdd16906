/* One IDE channel: registers, interrupt and PIO. Specification: ATA8-APT; ATA/ATAPI-6 sections 7 (registers) and 9 (protocols). */
#include "vmm/storage/ide.h"

#include <string.h>

#include "vmm/machine/machine.h"

enum register_offset {
	DATA = 0,
	FEATURES = 1, /* read: error */
	COUNT = 2,
	LOW = 3,
	MIDDLE = 4,
	HIGH = 5,
	DEVICE = 6,
	COMMAND = 7, /* read: status */
	REGISTERS = 8,
};

enum control_bits {
	CONTROL_NO_INTERRUPT = 1 << 1,
	CONTROL_RESET = 1 << 2,
	CONTROL_PREVIOUS = 1 << 7, /* registers read as what was written before */
};

enum {
	DEVICE_ALWAYS = 0xa0, /* obsolete bits */
	MASTER_INTERRUPT = 1 << 2,
};

/* Interrupt */

static void update_interrupt(struct ide_channel *channel)
{
	machine_set_irq(channel->machine, channel->irq,
		channel->interrupt && !(channel->control & CONTROL_NO_INTERRUPT));
}

static void set_interrupt(struct ide_channel *channel, bool on)
{
	channel->interrupt = on;
	if (on)
		channel->master_status |= MASTER_INTERRUPT;
	update_interrupt(channel);
}

/* Registers of the drive that has the command */

static struct ide_registers *active_registers(struct ide_channel *channel)
{
	return &channel->registers[channel->active];
}

static void set_status(struct ide_channel *channel, enum ide_state state, uint8_t status)
{
	channel->state = state;
	active_registers(channel)->status = status;
}

static void take_results(struct ide_registers *registers, const struct ata_taskfile *taskfile)
{
	registers->status = taskfile->status;
	registers->error = taskfile->error;
	registers->device = taskfile->device | DEVICE_ALWAYS;
	for (unsigned i = 0; i < 2; i++) {
		registers->count[i] = taskfile->count >> 8 * i;
		registers->low[i] = taskfile->lba >> 24 * i;
		registers->middle[i] = taskfile->lba >> (8 + 24 * i);
		registers->high[i] = taskfile->lba >> (16 + 24 * i);
	}
}

static struct ata_taskfile taskfile_of(const struct ide_registers *registers, uint8_t command)
{
	struct ata_taskfile taskfile = {
		.command = command,
		.device = registers->device,
		.features = registers->features[0] | registers->features[1] << 8,
		.count = registers->count[0] | registers->count[1] << 8,
	};

	for (unsigned i = 0; i < 2; i++)
		taskfile.lba |= (uint64_t)registers->low[i] << 24 * i |
				(uint64_t)registers->middle[i] << (8 + 24 * i) |
				(uint64_t)registers->high[i] << (16 + 24 * i);
	return taskfile;
}

/* Course of a command */

static bool is_packet(const struct ide_channel *channel)
{
	return channel->command.taskfile.command == ATA_COMMAND_PACKET;
}

static void finish(struct ide_channel *channel, bool interrupt)
{
	channel->state = IDE_IDLE;
	take_results(active_registers(channel), &channel->command.taskfile);
	if (interrupt)
		set_interrupt(channel, true);
}

/* Offers the guest the next block of what the buffer holds or is to hold. */
static void offer_block(struct ide_channel *channel, enum ide_state state, bool interrupt)
{
	struct ide_registers *registers = active_registers(channel);
	unsigned size = MIN(channel->filled - channel->at, channel->command.block);

	channel->block_end = channel->at + size;
	set_status(channel, state, ATA_READY | ATA_SEEK_COMPLETE | ATA_DATA_REQUEST);
	if (is_packet(channel)) {
		registers->count[0] = state == IDE_READING ? ATA_REASON_TO_HOST : 0;
		registers->middle[0] = size;
		registers->high[0] = size >> 8;
	}
	if (interrupt)
		set_interrupt(channel, true);
}

/* How much goes through the buffer at a time: a block, or of a packet's data as much as fits. */
static unsigned chunk(const struct ide_channel *channel)
{
	uint64_t left = channel->command.length - channel->command.moved;

	return MIN(left, is_packet(channel) ? IDE_BUFFER : channel->command.block);
}

static void transfer_buffer(struct ide_channel *channel, unsigned length)
{
	struct iovec piece = { channel->buffer, length };

	set_status(channel, IDE_WORKING, ATA_BUSY);
	g_free(channel->pieces);
	channel->pieces = g_memdup2(&piece, sizeof(piece));
	ata_transfer(&channel->command, channel->pieces, 1);
}

static void fetch(struct ide_channel *channel)
{
	channel->fetching = true;
	channel->fetched_from = channel->command.moved;
	transfer_buffer(channel, chunk(channel));
}

static void show_fetched(struct ide_channel *channel)
{
	channel->fetching = false;
	channel->at = 0;
	channel->filled = channel->command.moved - channel->fetched_from;
	offer_block(channel, IDE_READING, true);
}

static void command_data(struct ata_command *command)
{
	struct ide_channel *channel = (struct ide_channel *)command;

	if (command->protocol == ATA_DMA && channel->has_master) {
		if (!ide_master_begin(channel))
			set_status(channel, IDE_DMA_WAIT,
				ATA_READY | ATA_SEEK_COMPLETE | ATA_DATA_REQUEST);
	} else if (command->protocol == ATA_DMA) {
		ata_end_data(command);
	} else if (!command->to_guest) {
		/* The first block is asked for by the status alone, but of a packet. */
		channel->at = 0;
		channel->filled = chunk(channel);
		offer_block(channel, IDE_WRITING, command->moved > 0 || is_packet(channel));
	} else if (channel->fetching) {
		show_fetched(channel);
	} else {
		fetch(channel);
	}
}

static void command_done(struct ata_command *command)
{
	struct ide_channel *channel = (struct ide_channel *)command;

	ide_master_end(channel);
	g_clear_pointer(&channel->pieces, g_free);
	if (channel->fetching && command->moved > channel->fetched_from) {
		channel->ended = true;
		show_fetched(channel);
		return;
	}
	channel->fetching = false;
	finish(channel, true);
}

static const struct ata_command_ops command_ops = {
	.data = command_data,
	.done = command_done,
};

static void cancel(struct ide_channel *channel)
{
	ata_cancel(&channel->command);
	g_clear_pointer(&channel->pieces, g_free);
	channel->state = IDE_IDLE;
	channel->ended = false;
	channel->fetching = false;
}

void ide_channel_abort(struct ide_channel *channel)
{
	cancel(channel);
	active_registers(channel)->status = ATA_READY | ATA_SEEK_COMPLETE | ATA_ERROR;
	active_registers(channel)->error = ATA_ABORTED;
}

/* The guest is through with a block. */
static void block_read(struct ide_channel *channel)
{
	if (channel->at < channel->filled) {
		offer_block(channel, IDE_READING, true);
	} else if (channel->ended) {
		channel->ended = false;
		/* The last block of a disk's data is the end; a packet's end is told by itself. */
		finish(channel, is_packet(channel));
	} else {
		fetch(channel);
	}
}

static void block_written(struct ide_channel *channel)
{
	if (channel->at < channel->filled)
		offer_block(channel, IDE_WRITING, true);
	else
		transfer_buffer(channel, channel->filled);
}

static void start(struct ide_channel *channel)
{
	channel->ended = false;
	channel->fetching = false;
	channel->command.ops = &command_ops;
	set_status(channel, IDE_WORKING, ATA_BUSY);
	ata_start(channel->bus.drives[channel->active], &channel->command);
}

static void packet_written(struct ide_channel *channel)
{
	memset(channel->command.packet, 0, sizeof(channel->command.packet));
	memcpy(channel->command.packet, channel->buffer, ATA_PACKET_BYTES);
	start(channel);
}

static void ask_packet(struct ide_channel *channel)
{
	channel->at = 0;
	channel->filled = ATA_PACKET_BYTES;
	channel->block_end = ATA_PACKET_BYTES;
	active_registers(channel)->count[0] = ATA_REASON_COMMAND;
	set_status(channel, IDE_PACKET, ATA_READY | ATA_SEEK_COMPLETE | ATA_DATA_REQUEST);
}

/* Resets */

static void show_signatures(struct ide_channel *channel)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ata_taskfile taskfile = { 0 };

		if (channel->bus.drives[i])
			ata_set_signature(channel->bus.drives[i], &taskfile);
		take_results(&channel->registers[i], &taskfile);
	}
	channel->selected = 0;
}

static void reset_drives(struct ide_channel *channel)
{
	cancel(channel);
	for (unsigned i = 0; i < 2; i++)
		if (channel->bus.drives[i])
			ata_reset(channel->bus.drives[i]);
	show_signatures(channel);
}

static void write_control(struct ide_channel *channel, uint8_t value)
{
	uint8_t before = channel->control;

	channel->control = value;
	if (value & CONTROL_RESET && !(before & CONTROL_RESET)) {
		cancel(channel);
		set_interrupt(channel, false);
		for (unsigned i = 0; i < 2; i++)
			channel->registers[i].status = ATA_BUSY;
	} else if (before & CONTROL_RESET && !(value & CONTROL_RESET)) {
		reset_drives(channel);
	}
	update_interrupt(channel);
}

static void write_command(struct ide_channel *channel, uint8_t code)
{
	struct ata_drive *drive = channel->bus.drives[channel->selected];

	if (!drive || channel->control & CONTROL_RESET)
		return;
	if (code == ATA_COMMAND_DEVICE_RESET && drive->is_cdrom) {
		struct ata_taskfile taskfile = { 0 };

		cancel(channel);
		ata_set_signature(drive, &taskfile);
		taskfile.device = channel->registers[channel->selected].device;
		take_results(&channel->registers[channel->selected], &taskfile);
		return;
	}
	if (channel->state != IDE_IDLE)
		return;
	set_interrupt(channel, false);
	channel->active = channel->selected;
	channel->command.taskfile = taskfile_of(active_registers(channel), code);
	if (code == ATA_COMMAND_DIAGNOSTIC) {
		show_signatures(channel);
		set_interrupt(channel, true);
	} else if (code == ATA_COMMAND_PACKET && drive->is_cdrom) {
		ask_packet(channel);
	} else {
		start(channel);
	}
}

/* Ports */

static void write_register(struct ide_channel *channel, unsigned offset, uint8_t value)
{
	channel->control &= ~CONTROL_PREVIOUS;
	if (offset == COMMAND) {
		write_command(channel, value);
		return;
	}
	if (channel->state != IDE_IDLE)
		return;
	if (offset == DEVICE)
		channel->selected = value & ATA_DEVICE_UNIT ? 1 : 0;
	/* Both drives of the cable take what is written. */
	for (unsigned i = 0; i < 2; i++) {
		struct ide_registers *r = &channel->registers[i];
		uint8_t *const bytes[] = {
			[FEATURES] = r->features,
			[COUNT] = r->count,
			[LOW] = r->low,
			[MIDDLE] = r->middle,
			[HIGH] = r->high,
		};

		if (offset == DEVICE) {
			r->device = value | DEVICE_ALWAYS;
		} else {
			bytes[offset][1] = bytes[offset][0];
			bytes[offset][0] = value;
		}
	}
}

static uint8_t read_status(const struct ide_channel *channel)
{
	return channel->bus.drives[channel->selected] ? channel->registers[channel->selected].status
						      : 0;
}

static uint8_t read_register(struct ide_channel *channel, unsigned offset)
{
	const struct ide_registers *r = &channel->registers[channel->selected];
	unsigned half = channel->control & CONTROL_PREVIOUS ? 1 : 0;

	if (!channel->bus.drives[0] && !channel->bus.drives[1])
		return 0;
	switch (offset) {
	case FEATURES:
		return r->error;
	case COUNT:
		return r->count[half];
	case LOW:
		return r->low[half];
	case MIDDLE:
		return r->middle[half];
	case HIGH:
		return r->high[half];
	case DEVICE:
		return r->device;
	default:
		set_interrupt(channel, false);
		return read_status(channel);
	}
}

static uint64_t read_data(struct ide_channel *channel, unsigned size)
{
	uint64_t value = 0;
	unsigned bytes;

	if (channel->state != IDE_READING)
		return 0;
	bytes = MIN(size, channel->block_end - channel->at);
	memcpy(&value, channel->buffer + channel->at, bytes);
	channel->at += bytes;
	if (channel->at == channel->block_end)
		block_read(channel);
	return GUINT64_FROM_LE(value);
}

static void write_data(struct ide_channel *channel, unsigned size, uint64_t value)
{
	unsigned bytes;

	if (channel->state != IDE_WRITING && channel->state != IDE_PACKET)
		return;
	bytes = MIN(size, channel->block_end - channel->at);
	value = GUINT64_TO_LE(value);
	memcpy(channel->buffer + channel->at, &value, bytes);
	channel->at += bytes;
	if (channel->at < channel->block_end)
		return;
	if (channel->state == IDE_PACKET)
		packet_written(channel);
	else
		block_written(channel);
}

static uint64_t registers_read(void *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (offset == DATA)
		return read_data(device, size);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_register(device, offset + i) << 8 * i;
	return value;
}

static void registers_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset == DATA) {
		write_data(device, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++)
		write_register(device, offset + i, value >> 8 * i);
}

static const struct io_ops registers_ops = { registers_read, registers_write, .max_access = 4 };

static uint64_t control_read(void *device, uint64_t offset, unsigned size)
{
	return read_status(device);
}

static void control_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	write_control(device, value);
}

static const struct io_ops control_ops = { control_read, control_write, .max_access = 1 };

/* Life */

static void unplugged(struct ide_bus *bus, struct ata_drive *drive)
{
	struct ide_channel *channel =
		(struct ide_channel *)((char *)bus - offsetof(struct ide_channel, bus));

	if (channel->state != IDE_IDLE && channel->active == drive->unit)
		cancel(channel);
}

static const struct ide_bus_ops bus_ops = { .unplugged = unplugged };

void ide_channel_init(struct ide_channel *channel, struct device *controller, unsigned number,
	uint16_t registers, uint16_t control, unsigned irq)
{
	channel->machine = controller->machine;
	channel->irq = irq;
	channel->registers_region = (struct io_region) {
		.name = "IDE", .ops = &registers_ops, .device = channel, .size = REGISTERS
	};
	channel->control_region = (struct io_region) {
		.name = "IDE control", .ops = &control_ops, .device = channel, .size = 1
	};
	ide_bus_init(&channel->bus, number, controller, 2, false, &bus_ops);
	io_space_map(&channel->machine->ports, &channel->registers_region, registers);
	io_space_map(&channel->machine->ports, &channel->control_region, control);
}

void ide_channel_finish(struct ide_channel *channel)
{
	if (!channel->machine)
		return;
	io_region_unmap(&channel->registers_region);
	io_region_unmap(&channel->control_region);
	ide_bus_finish(&channel->bus);
	channel->machine = NULL;
}

void ide_channel_reset(struct ide_channel *channel)
{
	channel->control = 0;
	channel->master_command = 0;
	channel->master_status = 0;
	channel->table = 0;
	reset_drives(channel);
	set_interrupt(channel, false);
	channel->master_status = 0;
}
