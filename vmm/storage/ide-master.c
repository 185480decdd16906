/* The bus master of an IDE channel: a table of regions in the guest's memory, and three registers. Specification: "Programming
 * Interface for Bus Master IDE Controller" 1.0 (Intel, 1994).
 */
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/storage/ide.h"

enum {
	COMMAND = 0,
	STATUS = 2,
	TABLE = 4,

	START = 1 << 0,
	TO_MEMORY = 1 << 3,

	ACTIVE = 1 << 0,
	FAILED = 1 << 1,
	INTERRUPT = 1 << 2,
	STATUS_WRITABLE = 3 << 5, /* which drives the guest has set up for DMA */

	REGION_BYTES = 8,
	REGIONS_MAX = 65536 / REGION_BYTES, /* a table lies in one piece of 64 KiB */
	REGION_LAST = 1 << 7,               /* in its last byte */
};

/* The memory that the table names, as far as the command needs it; false: some of it is not RAM. */
static bool gather(struct ide_channel *channel, unsigned *count)
{
	struct guest_memory *memory = channel->machine->memory;
	uint64_t left = channel->command.length;
	GArray *pieces = g_array_new(FALSE, FALSE, sizeof(struct iovec));
	bool good = true, last = false;

	for (unsigned i = 0; good && !last && i < REGIONS_MAX && left > 0; i++) {
		uint8_t region[REGION_BYTES];
		struct iovec piece;

		good = guest_memory_read(memory, channel->table + (uint64_t)i * REGION_BYTES,
			region, sizeof(region));
		if (!good)
			break;
		last = region[7] & REGION_LAST;
		piece.iov_len = config_get16(region + 4) & ~1u;
		piece.iov_len = MIN(piece.iov_len ? piece.iov_len : 65536, left);
		piece.iov_base =
			guest_memory_pointer(memory, config_get32(region) & ~1u, piece.iov_len);
		good = piece.iov_base != NULL;
		left -= piece.iov_len;
		g_array_append_val(pieces, piece);
	}
	*count = pieces->len;
	channel->pieces = (struct iovec *)g_array_free(pieces, !good);
	return good;
}

bool ide_master_begin(struct ide_channel *channel)
{
	bool to_memory = channel->master_command & TO_MEMORY;
	unsigned count;

	if (!(channel->master_command & START) || !channel->may_master(channel))
		return false;
	/* All memory is given at once, so a second time means that it was too little. */
	if (channel->pieces || to_memory != channel->command.to_guest) {
		channel->master_status &= ~ACTIVE;
		ata_end_data(&channel->command);
		return true;
	}
	if (!gather(channel, &count)) {
		channel->master_status |= FAILED;
		ata_end_data(&channel->command);
		return true;
	}
	channel->state = IDE_WORKING;
	channel->registers[channel->active].status = ATA_BUSY;
	ata_transfer(&channel->command, channel->pieces, count);
	return true;
}

void ide_master_end(struct ide_channel *channel)
{
	if (channel->command.protocol == ATA_DMA)
		channel->master_status &= ~ACTIVE;
}

static void write_command(struct ide_channel *channel, uint8_t value)
{
	uint8_t before = channel->master_command;

	channel->master_command = value & (START | TO_MEMORY);
	if (value & START && !(before & START)) {
		channel->master_status |= ACTIVE;
		if (channel->state == IDE_DMA_WAIT)
			ide_master_begin(channel);
	} else if (!(value & START) && before & START) {
		/* Stopped in the midst of it: what has not been moved never will be. */
		channel->master_status &= ~ACTIVE;
		if (channel->state == IDE_WORKING && channel->command.protocol == ATA_DMA &&
			channel->pieces)
			ide_channel_abort(channel);
	}
}

uint8_t ide_master_read(const struct ide_channel *channel, unsigned offset)
{
	switch (offset) {
	case COMMAND:
		return channel->master_command;
	case STATUS:
		return channel->master_status;
	case TABLE ... TABLE + 3:
		return channel->table >> 8 * (offset - TABLE);
	default:
		return 0;
	}
}

void ide_master_write(struct ide_channel *channel, unsigned offset, uint8_t value)
{
	unsigned shift;

	switch (offset) {
	case COMMAND:
		write_command(channel, value);
		break;
	case STATUS:
		channel->master_status &= ~(value & (FAILED | INTERRUPT));
		channel->master_status =
			(channel->master_status & ~STATUS_WRITABLE) | (value & STATUS_WRITABLE);
		break;
	case TABLE ... TABLE + 3:
		shift = 8 * (offset - TABLE);
		channel->table = (channel->table & ~(0xffu << shift)) | (uint32_t)value << shift;
		channel->table &= ~3u;
		break;
	}
}
