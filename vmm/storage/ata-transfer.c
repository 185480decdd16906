/* ATA commands that reach the disk: addresses, reading and writing, flushing, discarding. Specification: ATA8-ACS sections 7
 * and 4 (addressing).
 */
#include <string.h>

#include "base/checked.h"
#include "vmm/storage/ata-private.h"

enum {
	TRIM = 1 << 0, /* feature of DATA SET MANAGEMENT */
	TRIM_ENTRY = 8,
	TRIM_SECTORS_MAX = 8, /* of ranges in one command */

	FUA_QUEUED = 1 << 7, /* device register */
};

/* Addresses (section 4.2; 28 bit commands and cylinders as in ATA-5) */

static bool find_extent(const struct ata_command *command, bool is_48bit, uint16_t count,
	uint64_t *offset, uint64_t *length)
{
	const struct ata_drive *drive = command->drive;
	const struct ata_taskfile *taskfile = &command->taskfile;
	uint64_t sector = taskfile->lba & 0xffffff, sectors;

	if (is_48bit) {
		sector = taskfile->lba;
		sectors = count ? count : 65536;
	} else {
		sectors = (count & 0xff) ? count & 0xff : 256;
		if (taskfile->device & ATA_DEVICE_LBA)
			sector |= (uint64_t)(taskfile->device & 0xf) << 24;
		else if ((sector & 0xff) == 0)
			return false;
		else
			sector = ((sector >> 8) * drive->current_heads + (taskfile->device & 0xf)) *
					 drive->current_sectors +
				 (sector & 0xff) - 1;
	}
	*length = sectors * ATA_SECTOR;
	return checked_multiply(sector, ATA_SECTOR, offset) &&
	       checked_range(*offset, *length, disk_size(&drive->disk));
}

/* Reading and writing */

static void move_sectors(struct ata_command *command, unsigned flags, uint16_t count)
{
	const struct ata_drive *drive = command->drive;

	if (!find_extent(
		    command, flags & ATA_48BIT, count, &command->disk_offset, &command->length)) {
		ata_fail(command, ATA_NOT_FOUND);
		return;
	}
	command->on_disk = true;
	command->to_guest = !(flags & ATA_WRITES);
	command->block = (flags & ATA_IN_BLOCKS ? drive->multiple : 1) * ATA_SECTOR;
	command->job.durable = flags & ATA_DURABLE || (flags & ATA_WRITES && !drive->write_cache);
	command->ops->data(command);
}

void ata_read_write(struct ata_command *command)
{
	unsigned flags = ata_operation_flags(command);

	command->protocol = flags & ATA_USES_DMA ? ATA_DMA : ATA_PIO;
	if (flags & ATA_IN_BLOCKS && command->drive->multiple == 0)
		ata_fail(command, ATA_ABORTED);
	else
		move_sectors(command, flags, command->taskfile.count);
}

void ata_read_write_queued(struct ata_command *command)
{
	unsigned flags = ata_operation_flags(command);

	command->protocol = ATA_QUEUED;
	if (!command->drive->bus->serial_ata)
		ata_fail(command, ATA_ABORTED);
	else
		move_sectors(command,
			flags | (command->taskfile.device & FUA_QUEUED && flags & ATA_WRITES
						? ATA_DURABLE
						: 0),
			command->taskfile.features);
}

void ata_verify(struct ata_command *command)
{
	unsigned flags = ata_operation_flags(command);
	uint64_t offset, length;

	if (find_extent(command, flags & ATA_48BIT, command->taskfile.count, &offset, &length))
		ata_succeed(command);
	else
		ata_fail(command, ATA_NOT_FOUND);
}

void ata_flush(struct ata_command *command)
{
	if (command->drive->is_cdrom || !disk_has_medium(&command->drive->disk) ||
		command->drive->disk.drive->image->no_flush) {
		ata_succeed(command);
		return;
	}
	command->job.operation = BLOCK_FLUSH;
	command->job.offset = 0;
	command->job.length = 0;
	ata_work(command, NULL);
}

/* DATA SET MANAGEMENT: ranges of 48 bits of address and 16 bits of count, in little endian. */

static uint64_t trim_entry(const struct ata_command *command, unsigned index)
{
	uint64_t entry;

	memcpy(&entry, command->buffer + (size_t)index * TRIM_ENTRY, sizeof(entry));
	return GUINT64_FROM_LE(entry);
}

static void trim_next(struct disk_job *job, int result)
{
	struct ata_command *command = ata_command_of(job);
	const struct block_backend *image = command->drive->disk.drive->image;

	if (result != 0) {
		ata_fail_errno(command, result, true);
		return;
	}
	while (command->next < command->length / TRIM_ENTRY) {
		uint64_t entry = trim_entry(command, command->next++);
		uint64_t offset = (entry & 0xffffffffffff) * ATA_SECTOR;
		uint64_t length = (entry >> 48) * ATA_SECTOR;

		if (length == 0)
			continue;
		if (!checked_range(offset, length, disk_size(&command->drive->disk))) {
			ata_fail(command, ATA_NOT_FOUND);
			return;
		}
		if (!image || !image->discard)
			continue;
		command->job.operation = BLOCK_DISCARD;
		command->job.offset = offset;
		command->job.length = length;
		ata_work(command, trim_next);
		return;
	}
	ata_succeed(command);
}

static void trim_received(struct ata_command *command)
{
	trim_next(&command->job, 0);
}

void ata_data_set_management(struct ata_command *command)
{
	uint16_t sectors = command->taskfile.count;

	if (!(command->taskfile.features & TRIM) || sectors == 0 || sectors > TRIM_SECTORS_MAX)
		ata_fail(command, ATA_ABORTED);
	else
		ata_receive(command, sectors, ATA_DMA, trim_received);
}
