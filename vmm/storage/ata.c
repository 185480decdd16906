/* ATA commands and their course. Specification: ATA8-ACS sections 7 (commands) and 4 (addressing). */
#include "vmm/storage/ata.h"

#include <errno.h>
#include <string.h>

#include "vmm/storage/ata-private.h"

enum {
	FEATURE_WRITE_CACHE_ON = 0x02,
	FEATURE_TRANSFER_MODE = 0x03,
	FEATURE_APM_ON = 0x05,
	FEATURE_LOOK_AHEAD_OFF = 0x55,
	FEATURE_DEFAULTS_OFF = 0x66,
	FEATURE_WRITE_CACHE_OFF = 0x82,
	FEATURE_APM_OFF = 0x85,
	FEATURE_LOOK_AHEAD_ON = 0xaa,
	FEATURE_DEFAULTS_ON = 0xcc,
};

struct operation {
	uint8_t first, last; /* codes */
	unsigned flags;
	void (*run)(struct ata_command *command);
};

/* Ends */

static void forget(struct ata_command *command)
{
	g_queue_remove(&command->drive->commands, command);
	g_clear_pointer(&command->buffer, g_free);
	command->drive = NULL;
}

static void end(struct ata_command *command, uint8_t status, uint8_t error)
{
	forget(command);
	command->taskfile.status = ATA_READY | ATA_SEEK_COMPLETE | status;
	command->taskfile.error = error;
	command->ops->done(command);
}

void ata_succeed(struct ata_command *command)
{
	end(command, 0, 0);
}

void ata_fail(struct ata_command *command, uint8_t error)
{
	struct ata_drive *drive = command->drive;

	if (command->protocol == ATA_QUEUED && drive->failed_tag == ATA_NO_TAG) {
		drive->failed_tag = command->taskfile.count >> 3 & 0x1f;
		drive->failed = command->taskfile;
		drive->failed.error = error;
	}
	end(command, ATA_ERROR, error);
}

void ata_fail_errno(struct ata_command *command, int result, bool write)
{
	ata_fail(command, write || result == -ENOMEDIUM ? ATA_ABORTED : ATA_UNCORRECTABLE);
}

/* Data */

uint64_t ata_sectors(const struct ata_drive *drive)
{
	return disk_size(&drive->disk) / ATA_SECTOR;
}

void ata_reply(struct ata_command *command, const void *bytes, unsigned sectors)
{
	command->protocol = ATA_PIO;
	command->to_guest = true;
	command->length = (uint64_t)sectors * ATA_SECTOR;
	command->block = ATA_SECTOR;
	command->buffer = g_memdup2(bytes, command->length);
	command->ops->data(command);
}

void ata_receive(struct ata_command *command, unsigned sectors, enum ata_protocol protocol,
	void (*received)(struct ata_command *command))
{
	command->protocol = protocol;
	command->to_guest = false;
	command->length = (uint64_t)sectors * ATA_SECTOR;
	command->block = ATA_SECTOR;
	command->received = received;
	command->buffer = g_malloc0(command->length);
	command->ops->data(command);
}

struct ata_command *ata_command_of(struct disk_job *job)
{
	return (struct ata_command *)((char *)job - offsetof(struct ata_command, job));
}

static void work_done(struct disk_job *job, int result)
{
	struct ata_command *command = ata_command_of(job);

	if (result == 0)
		ata_succeed(command);
	else
		ata_fail_errno(command, result, true);
}

void ata_work(struct ata_command *command, void (*done)(struct disk_job *job, int result))
{
	command->job.done = done ? done : work_done;
	disk_start(&command->drive->disk, &command->job);
}

static void data_moved(struct ata_command *command)
{
	if (command->moved < command->length)
		command->ops->data(command);
	else if (command->received)
		command->received(command);
	else
		ata_succeed(command);
}

static void disk_moved(struct disk_job *job, int result)
{
	struct ata_command *command = ata_command_of(job);

	if (result != 0) {
		ata_fail_errno(command, result, !command->to_guest);
		return;
	}
	command->moved += job->length;
	data_moved(command);
}

static void move_disk(
	struct ata_command *command, const struct iovec *pieces, unsigned count, uint64_t length)
{
	length -= length % ATA_SECTOR;
	if (length == 0) {
		ata_end_data(command);
		return;
	}
	command->job.operation = command->to_guest ? BLOCK_READ : BLOCK_WRITE;
	command->job.offset = command->disk_offset + command->moved;
	command->job.length = length;
	command->job.pieces = pieces;
	command->job.count = count;
	ata_work(command, disk_moved);
}

void ata_transfer(struct ata_command *command, const struct iovec *pieces, unsigned count)
{
	uint64_t left = command->length - command->moved, length = 0;

	if (command->scsi.lun) {
		scsi_request_transfer(&command->scsi, pieces, count);
		return;
	}
	for (unsigned i = 0; i < count && length < left; i++)
		length += MIN(pieces[i].iov_len, left - length);
	if (command->on_disk) {
		move_disk(command, pieces, count, length);
		return;
	}
	if (length == 0) {
		ata_end_data(command);
		return;
	}
	for (unsigned i = 0; i < count && length > 0; i++) {
		size_t bytes = MIN(pieces[i].iov_len, length);
		uint8_t *at = command->buffer + command->moved;

		if (command->to_guest)
			memcpy(pieces[i].iov_base, at, bytes);
		else
			memcpy(at, pieces[i].iov_base, bytes);
		command->moved += bytes;
		length -= bytes;
	}
	data_moved(command);
}

void ata_end_data(struct ata_command *command)
{
	if (command->scsi.lun)
		scsi_request_end_data(&command->scsi);
	else
		ata_fail(command, ATA_ABORTED);
}

/* Who it is and how it is set */

static void do_identify(struct ata_command *command)
{
	uint8_t data[ATA_SECTOR];

	ata_identify(command->drive, data);
	ata_reply(command, data, 1);
}

static void refuse_with_signature(struct ata_command *command)
{
	ata_set_signature(command->drive, &command->taskfile);
	ata_fail(command, ATA_ABORTED);
}

/* A CD-ROM answers IDENTIFY DEVICE with its signature (7.13.3). */
static void do_identify_device(struct ata_command *command)
{
	if (command->drive->is_cdrom)
		refuse_with_signature(command);
	else
		do_identify(command);
}

static bool set_transfer_mode(struct ata_drive *drive, uint8_t mode)
{
	bool known = mode <= 1 || (mode >= ATA_TRANSFER_PIO && mode <= ATA_TRANSFER_PIO + 4) ||
		     (mode >= ATA_TRANSFER_MULTIWORD && mode <= ATA_TRANSFER_MULTIWORD + 2) ||
		     (mode >= ATA_TRANSFER_ULTRA && mode <= ATA_TRANSFER_ULTRA + 5);

	if (known)
		drive->dma_mode = mode;
	return known;
}

static void do_set_features(struct ata_command *command)
{
	struct ata_drive *drive = command->drive;
	bool known = true, flush = false;

	switch (command->taskfile.features & 0xff) {
	case FEATURE_WRITE_CACHE_ON:
		drive->write_cache = true;
		break;
	case FEATURE_WRITE_CACHE_OFF:
		drive->write_cache = false;
		flush = true;
		break;
	case FEATURE_TRANSFER_MODE:
		known = set_transfer_mode(drive, command->taskfile.count);
		break;
	case FEATURE_LOOK_AHEAD_OFF:
	case FEATURE_LOOK_AHEAD_ON:
		drive->look_ahead = (command->taskfile.features & 0xff) == FEATURE_LOOK_AHEAD_ON;
		break;
	case FEATURE_APM_ON:
	case FEATURE_APM_OFF:
	case FEATURE_DEFAULTS_OFF:
	case FEATURE_DEFAULTS_ON:
		break;
	default:
		known = false;
	}
	if (!known)
		ata_fail(command, ATA_ABORTED);
	else if (flush)
		ata_flush(command);
	else
		ata_succeed(command);
}

static void do_set_multiple(struct ata_command *command)
{
	uint8_t count = command->taskfile.count;

	if (count > ATA_MULTIPLE_MAX || (count & (count - 1)) != 0) {
		ata_fail(command, ATA_ABORTED);
		return;
	}
	command->drive->multiple = count;
	ata_succeed(command);
}

static void do_set_geometry(struct ata_command *command)
{
	uint8_t sectors = command->taskfile.count;

	if (sectors == 0) {
		ata_fail(command, ATA_ABORTED);
		return;
	}
	command->drive->current_sectors = sectors;
	command->drive->current_heads = (command->taskfile.device & 0xf) + 1;
	ata_succeed(command);
}

static void do_native_max(struct ata_command *command)
{
	bool is_48bit = ata_operation_flags(command) & ATA_48BIT;
	uint64_t last = ata_sectors(command->drive) - 1;

	if (!is_48bit && !(command->taskfile.device & ATA_DEVICE_LBA)) {
		ata_fail(command, ATA_ABORTED);
		return;
	}
	if (is_48bit) {
		command->taskfile.lba = last;
	} else {
		last = MIN(last, 0x0fffffff);
		command->taskfile.lba = last & 0xffffff;
		command->taskfile.device = (command->taskfile.device & 0xf0) | last >> 24;
	}
	ata_succeed(command);
}

/* The drive never sleeps so deep that it could not answer; the mode is only remembered. */
static void do_power(struct ata_command *command)
{
	switch (command->taskfile.command) {
	case 0x94:
	case 0x96:
	case 0x99:
	case 0xe0:
	case 0xe2:
	case 0xe6:
		command->drive->power = ATA_POWER_STANDBY;
		break;
	case 0x98:
	case 0xe5:
		command->taskfile.count = command->drive->power;
		break;
	default:
		command->drive->power = ATA_POWER_IDLE;
	}
	ata_succeed(command);
}

static void do_nothing(struct ata_command *command)
{
	ata_succeed(command);
}

static void do_diagnostic(struct ata_command *command)
{
	ata_set_signature(command->drive, &command->taskfile);
	forget(command);
	command->ops->done(command);
}

static const struct operation operations[] = {
	{ 0x06, 0x06, ATA_FOR_DISK | ATA_48BIT, ata_data_set_management },
	{ 0x08, 0x08, ATA_FOR_CD, do_diagnostic },
	{ 0x10, 0x1f, ATA_FOR_DISK, do_nothing },
	{ 0x20, 0x21, ATA_FOR_DISK, ata_read_write },
	{ 0x24, 0x24, ATA_FOR_DISK | ATA_48BIT, ata_read_write },
	{ 0x25, 0x25, ATA_FOR_DISK | ATA_48BIT | ATA_USES_DMA, ata_read_write },
	{ 0x27, 0x27, ATA_FOR_DISK | ATA_48BIT, do_native_max },
	{ 0x29, 0x29, ATA_FOR_DISK | ATA_48BIT | ATA_IN_BLOCKS, ata_read_write },
	{ 0x2f, 0x2f, ATA_FOR_DISK | ATA_48BIT, ata_read_log },
	{ 0x30, 0x31, ATA_FOR_DISK | ATA_WRITES, ata_read_write },
	{ 0x34, 0x34, ATA_FOR_DISK | ATA_48BIT | ATA_WRITES, ata_read_write },
	{ 0x35, 0x35, ATA_FOR_DISK | ATA_48BIT | ATA_WRITES | ATA_USES_DMA, ata_read_write },
	{ 0x39, 0x39, ATA_FOR_DISK | ATA_48BIT | ATA_WRITES | ATA_IN_BLOCKS, ata_read_write },
	{ 0x3d, 0x3d, ATA_FOR_DISK | ATA_48BIT | ATA_WRITES | ATA_USES_DMA | ATA_DURABLE,
		ata_read_write },
	{ 0x40, 0x41, ATA_FOR_DISK, ata_verify },
	{ 0x42, 0x42, ATA_FOR_DISK | ATA_48BIT, ata_verify },
	{ 0x60, 0x60, ATA_FOR_DISK | ATA_48BIT, ata_read_write_queued },
	{ 0x61, 0x61, ATA_FOR_DISK | ATA_48BIT | ATA_WRITES, ata_read_write_queued },
	{ 0x70, 0x7f, ATA_FOR_DISK, do_nothing },
	{ 0x90, 0x90, ATA_FOR_BOTH, do_diagnostic },
	{ 0x91, 0x91, ATA_FOR_DISK, do_set_geometry },
	{ 0x94, 0x99, ATA_FOR_BOTH, do_power },
	{ 0xa0, 0xa0, ATA_FOR_CD, ata_packet },
	{ 0xa1, 0xa1, ATA_FOR_CD, do_identify },
	{ 0xb0, 0xb0, ATA_FOR_DISK, ata_smart },
	{ 0xc4, 0xc4, ATA_FOR_DISK | ATA_IN_BLOCKS, ata_read_write },
	{ 0xc5, 0xc5, ATA_FOR_DISK | ATA_WRITES | ATA_IN_BLOCKS, ata_read_write },
	{ 0xc6, 0xc6, ATA_FOR_DISK, do_set_multiple },
	{ 0xc8, 0xc9, ATA_FOR_DISK | ATA_USES_DMA, ata_read_write },
	{ 0xca, 0xcb, ATA_FOR_DISK | ATA_WRITES | ATA_USES_DMA, ata_read_write },
	{ 0xce, 0xce, ATA_FOR_DISK | ATA_48BIT | ATA_WRITES | ATA_IN_BLOCKS | ATA_DURABLE,
		ata_read_write },
	{ 0xe0, 0xe3, ATA_FOR_BOTH, do_power },
	{ 0xe5, 0xe6, ATA_FOR_BOTH, do_power },
	{ 0xe7, 0xe7, ATA_FOR_BOTH, ata_flush },
	{ 0xea, 0xea, ATA_FOR_DISK | ATA_48BIT, ata_flush },
	{ 0xec, 0xec, ATA_FOR_BOTH, do_identify_device },
	{ 0xef, 0xef, ATA_FOR_BOTH, do_set_features },
	{ 0xf8, 0xf8, ATA_FOR_DISK, do_native_max },
};

static const struct operation *find_operation(uint8_t code)
{
	for (size_t i = 0; i < G_N_ELEMENTS(operations); i++)
		if (code >= operations[i].first && code <= operations[i].last)
			return &operations[i];
	return NULL;
}

unsigned ata_operation_flags(const struct ata_command *command)
{
	return find_operation(command->taskfile.command)->flags;
}

void ata_start(struct ata_drive *drive, struct ata_command *command)
{
	const struct operation *operation = find_operation(command->taskfile.command);
	unsigned kind = drive->is_cdrom ? ATA_FOR_CD : ATA_FOR_DISK;

	command->drive = drive;
	command->protocol = ATA_NO_DATA;
	command->to_guest = false;
	command->length = 0;
	command->moved = 0;
	command->on_disk = false;
	command->received = NULL;
	command->next = 0;
	g_queue_push_tail(&drive->commands, command);
	if (command->taskfile.command != 0xe5 && command->taskfile.command != 0x98)
		drive->power = ATA_POWER_ACTIVE;
	if (!operation || !(operation->flags & kind))
		ata_fail(command, ATA_ABORTED);
	else
		operation->run(command);
}

void ata_cancel(struct ata_command *command)
{
	if (!command->drive)
		return;
	scsi_request_cancel(&command->scsi);
	disk_cancel(&command->drive->disk, &command->job);
	forget(command);
}

void ata_cancel_all(struct ata_drive *drive)
{
	if (drive->commands.length == 0)
		return;
	disk_cancel_all(&drive->disk);
	while (drive->commands.length > 0)
		ata_cancel(drive->commands.head->data);
}

void ata_set_signature(const struct ata_drive *drive, struct ata_taskfile *taskfile)
{
	taskfile->count = 1;
	taskfile->lba = drive->is_cdrom ? 0xeb1401 : 0x000001;
	taskfile->device &= ATA_DEVICE_UNIT;
	taskfile->error = 1;
	taskfile->status = drive->is_cdrom ? 0 : ATA_READY | ATA_SEEK_COMPLETE;
}

void ata_reset(struct ata_drive *drive)
{
	ata_cancel_all(drive);
	drive->multiple = ATA_MULTIPLE_MAX;
	drive->current_heads = drive->heads;
	drive->current_sectors = drive->sectors;
	drive->power = ATA_POWER_ACTIVE;
	drive->failed_tag = ATA_NO_TAG;
}
