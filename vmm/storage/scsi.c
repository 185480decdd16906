/* The course of a SCSI command, the same for every kind of logical unit. Specification: SAM-5, SPC-4 section 4.5 (sense). */
#include "vmm/storage/scsi.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "vmm/storage/drives.h"
#include "vmm/storage/scsi-private.h"

enum {
	SENSE_FIXED_BYTES = 18,
	SENSE_DESCRIPTOR_BYTES = 8,
	SENSE_FIXED = 0x70,
	SENSE_WITH_DESCRIPTORS = 0x72,
};

unsigned scsi_sense_format(uint8_t *to, struct scsi_sense sense, bool descriptor)
{
	memset(to, 0, SCSI_SENSE_BYTES);
	if (descriptor) {
		to[0] = SENSE_WITH_DESCRIPTORS;
		to[1] = sense.key;
		to[2] = sense.code;
		to[3] = sense.qualifier;
		return SENSE_DESCRIPTOR_BYTES;
	}
	to[0] = SENSE_FIXED;
	to[2] = sense.key;
	to[7] = SENSE_FIXED_BYTES - 8;
	to[12] = sense.code;
	to[13] = sense.qualifier;
	return SENSE_FIXED_BYTES;
}

/* Ends */

static void forget(struct scsi_request *request)
{
	g_queue_remove(&request->lun->requests, request);
	g_clear_pointer(&request->buffer, g_free);
	g_clear_pointer(&request->pieces, g_free);
	g_clear_pointer(&request->ranges, g_free);
	request->lun = NULL;
}

static void end(struct scsi_request *request, enum scsi_status status)
{
	forget(request);
	request->status = status;
	request->ops->done(request);
}

void scsi_succeed(struct scsi_request *request)
{
	end(request, SCSI_GOOD);
}

void scsi_fail(struct scsi_request *request, struct scsi_sense sense)
{
	struct scsi_lun *lun = request->lun;

	if (lun->config.keeps_sense)
		lun->kept = sense;
	request->sense_length = scsi_sense_format(request->sense, sense, lun->descriptor_sense);
	end(request, SCSI_CHECK_CONDITION);
}

void scsi_fail_errno(struct scsi_request *request, int result, bool write)
{
	switch (-result) {
	case ENOMEDIUM:
		scsi_fail(request, SENSE_NO_MEDIUM);
		break;
	case ENOSPC:
		scsi_fail(request, SENSE_NO_SPACE);
		break;
	case EROFS:
	case EPERM:
		scsi_fail(request, write ? SENSE_WRITE_PROTECTED : SENSE_READ_ERROR);
		break;
	case EINVAL:
		scsi_fail(request, SENSE_INVALID_FIELD);
		break;
	default:
		scsi_fail(request, write ? SENSE_WRITE_ERROR : SENSE_READ_ERROR);
	}
}

/* Data */

void scsi_reply(struct scsi_request *request, const void *bytes, size_t length, uint64_t allowed)
{
	request->length = MIN(length, allowed);
	if (request->length == 0) {
		scsi_succeed(request);
		return;
	}
	request->buffer = g_memdup2(bytes, length);
	request->direction = SCSI_TO_GUEST;
	request->ops->data(request);
}

void scsi_receive(struct scsi_request *request, uint64_t length,
	void (*received)(struct scsi_request *request))
{
	if (length > SCSI_REPLY_MAX) {
		scsi_fail(request, SENSE_PARAMETER_LENGTH);
		return;
	}
	request->received = received;
	request->length = length;
	request->buffer = g_malloc0(MAX(length, 1));
	if (length == 0) {
		received(request);
		return;
	}
	request->direction = SCSI_FROM_GUEST;
	request->ops->data(request);
}

void scsi_move(struct scsi_request *request, enum scsi_direction direction, uint64_t offset,
	uint64_t length, bool durable)
{
	request->on_disk = true;
	request->direction = direction;
	request->disk_offset = offset;
	request->length = length;
	request->job.durable = durable;
	if (length == 0)
		scsi_succeed(request);
	else
		request->ops->data(request);
}

static void data_moved(struct scsi_request *request)
{
	if (request->moved < request->length)
		request->ops->data(request);
	else if (request->received)
		request->received(request);
	else
		scsi_succeed(request);
}

struct scsi_request *scsi_request_of(struct disk_job *job)
{
	return (struct scsi_request *)((char *)job - offsetof(struct scsi_request, job));
}

bool scsi_work_failed(struct disk_job *job, int result)
{
	if (result == 0)
		return false;
	scsi_fail_errno(scsi_request_of(job), result, job->operation != BLOCK_READ);
	return true;
}

static void disk_moved(struct disk_job *job, int result)
{
	struct scsi_request *request = scsi_request_of(job);

	if (scsi_work_failed(job, result))
		return;
	request->moved += job->length;
	data_moved(request);
}

static void work_done(struct disk_job *job, int result)
{
	if (!scsi_work_failed(job, result))
		scsi_succeed(scsi_request_of(job));
}

void scsi_work(struct scsi_request *request, void (*done)(struct disk_job *job, int result))
{
	request->job.done = done ? done : work_done;
	disk_start(request->lun->disk, &request->job);
}

static void move_disk(
	struct scsi_request *request, const struct iovec *pieces, unsigned count, uint64_t length)
{
	length -= length % SECTOR;
	if (length == 0) {
		scsi_request_end_data(request);
		return;
	}
	/* There may be another medium than when the command began. */
	if (!checked_range(
		    request->disk_offset + request->moved, length, disk_size(request->lun->disk))) {
		scsi_fail(request, SENSE_NO_MEDIUM);
		return;
	}
	request->job.operation = request->direction == SCSI_TO_GUEST ? BLOCK_READ : BLOCK_WRITE;
	request->job.offset = request->disk_offset + request->moved;
	request->job.length = length;
	request->job.pieces = pieces;
	request->job.count = count;
	scsi_work(request, disk_moved);
}

void scsi_request_transfer(struct scsi_request *request, const struct iovec *pieces, unsigned count)
{
	uint64_t left = request->length - request->moved, length = 0;

	for (unsigned i = 0; i < count && length < left; i++)
		length += MIN(pieces[i].iov_len, left - length);
	if (request->on_disk) {
		move_disk(request, pieces, count, length);
		return;
	}
	if (length == 0) {
		scsi_request_end_data(request);
		return;
	}
	for (unsigned i = 0; i < count && length > 0; i++) {
		size_t bytes = MIN(pieces[i].iov_len, length);
		uint8_t *at = request->buffer + request->moved;

		if (request->direction == SCSI_TO_GUEST)
			memcpy(pieces[i].iov_base, at, bytes);
		else
			memcpy(at, pieces[i].iov_base, bytes);
		request->moved += bytes;
		length -= bytes;
	}
	data_moved(request);
}

void scsi_request_end_data(struct scsi_request *request)
{
	/* Half a parameter list is none. */
	if (request->received)
		scsi_fail(request, SENSE_PARAMETER_LENGTH);
	else
		scsi_succeed(request);
}

/* Beginnings */

static const struct scsi_command *find_command(uint8_t code)
{
	static const struct scsi_command *const sets[] = { scsi_primary_commands,
		scsi_block_commands, scsi_cd_commands, scsi_mode_commands };

	for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
		for (const struct scsi_command *command = sets[i]; command->run; command++)
			if (command->code == code)
				return command;
	return NULL;
}

static bool is_for(const struct scsi_command *command, enum scsi_kind kind)
{
	static const unsigned flags[] = {
		[SCSI_DISK] = SCSI_FOR_DISK,
		[SCSI_CDROM] = SCSI_FOR_CD,
		[SCSI_ABSENT] = SCSI_FOR_ABSENT,
	};

	return command->flags & flags[kind];
}

struct scsi_sense scsi_medium_state(const struct scsi_lun *lun)
{
	if (lun->tray_open)
		return SENSE_NO_MEDIUM_TRAY_OPEN;
	if (!disk_has_medium(lun->disk))
		return SENSE_NO_MEDIUM;
	return lun->started ? SENSE_NONE : SENSE_NOT_READY;
}

static void run(struct scsi_lun *lun, struct scsi_request *request)
{
	const struct scsi_command *command = find_command(request->cdb[0]);
	struct scsi_sense state;

	if (!command || !is_for(command, lun->config.kind)) {
		scsi_fail(request,
			lun->config.kind == SCSI_ABSENT ? SENSE_NO_UNIT : SENSE_INVALID_OPCODE);
		return;
	}
	if (lun->attention.key && !(command->flags & SCSI_DESPITE_ATTENTION)) {
		state = lun->attention;
		lun->attention = SENSE_NONE;
		scsi_fail(request, state);
		return;
	}
	if (command->flags & SCSI_NEEDS_MEDIUM) {
		state = scsi_medium_state(lun);
		if (state.key) {
			scsi_fail(request, state);
			return;
		}
	}
	command->run(request);
}

void scsi_request_submit(struct scsi_lun *lun, struct scsi_request *request)
{
	request->lun = lun;
	request->direction = SCSI_NO_DATA;
	request->length = 0;
	request->moved = 0;
	request->sense_length = 0;
	request->on_disk = false;
	request->received = NULL;
	g_queue_push_tail(&lun->requests, request);
	if (request->cdb[0] != 0x03) /* REQUEST SENSE asks for it */
		lun->kept = SENSE_NONE;
	run(lun, request);
}

void scsi_request_cancel(struct scsi_request *request)
{
	if (!request->lun)
		return;
	if (request->lun->disk)
		disk_cancel(request->lun->disk, &request->job);
	forget(request);
}

/* Life */

static struct scsi_config with_names(const struct scsi_config *config)
{
	struct scsi_config named = *config;

	if (!named.vendor)
		named.vendor = "QEMU";
	if (!named.product && config->kind == SCSI_CDROM)
		named.product = config->atapi ? "QEMU DVD-ROM" : "QEMU CD-ROM";
	else if (!named.product)
		named.product = config->kind == SCSI_DISK ? "QEMU HARDDISK" : "QEMU TARGET";
	if (!named.revision)
		named.revision = "2.5+";
	return named;
}

void scsi_lun_init(struct scsi_lun *lun, const struct scsi_config *config, struct disk *disk)
{
	*lun = (struct scsi_lun) {
		.config = with_names(config),
		.disk = disk,
		.started = true,
		.write_cache = true,
	};
	lun->config.removable = config->removable || config->kind == SCSI_CDROM;
	g_queue_init(&lun->requests);
	if (config->kind != SCSI_ABSENT)
		lun->attention = SENSE_RESET;
}

static void cancel_all(struct scsi_lun *lun)
{
	if (lun->disk && lun->requests.length > 0)
		disk_cancel_all(lun->disk);
	while (lun->requests.length > 0)
		forget(lun->requests.head->data);
}

void scsi_lun_finish(struct scsi_lun *lun)
{
	cancel_all(lun);
}

void scsi_lun_reset(struct scsi_lun *lun)
{
	cancel_all(lun);
	if (lun->config.kind == SCSI_ABSENT)
		return;
	lun->attention = SENSE_RESET;
	lun->kept = SENSE_NONE;
	lun->locked = false;
	lun->started = true;
	lun->write_cache = true;
	lun->descriptor_sense = false;
	lun->eject_wanted = false;
	lun->new_medium = false;
}

unsigned scsi_lun_block_size(const struct scsi_lun *lun)
{
	return lun->config.kind == SCSI_CDROM ? SCSI_CD_BLOCK : SCSI_DISK_BLOCK;
}

/* Media */

void scsi_set_attention(struct scsi_lun *lun, struct scsi_sense sense)
{
	lun->attention = sense;
	if (lun->config.attention)
		lun->config.attention(lun, lun->config.owner, sense);
}

void scsi_lun_medium_changed(struct scsi_lun *lun)
{
	if (lun->config.kind == SCSI_DISK && !lun->config.removable) {
		scsi_set_attention(lun, SENSE_CAPACITY_CHANGED);
		return;
	}
	lun->eject_wanted = false;
	lun->new_medium = disk_has_medium(lun->disk);
	lun->started = true;
	if (lun->new_medium)
		scsi_set_attention(lun, SENSE_MEDIUM_CHANGED);
	else if (lun->config.attention)
		lun->config.attention(lun, lun->config.owner, SENSE_NO_MEDIUM);
}

void scsi_lun_set_tray(struct scsi_lun *lun, bool open)
{
	if (lun->tray_open == open)
		return;
	lun->tray_open = open;
	disk_tell_tray(lun->disk, open);
	if (!open && disk_has_medium(lun->disk))
		scsi_lun_medium_changed(lun);
}

/* For the drive */

static void drive_medium_changed(void *data)
{
	scsi_lun_medium_changed(data);
}

static void drive_eject_requested(void *data, bool force)
{
	struct scsi_lun *lun = data;

	lun->eject_wanted = true;
	if (force)
		lun->locked = false;
}

static bool drive_is_locked(void *data)
{
	return ((const struct scsi_lun *)data)->locked;
}

static bool drive_is_tray_open(void *data)
{
	return ((const struct scsi_lun *)data)->tray_open;
}

static void drive_set_tray(void *data, bool open)
{
	scsi_lun_set_tray(data, open);
}

const struct drive_ops scsi_disk_drive_ops = {
	.medium_changed = drive_medium_changed,
};

const struct drive_ops scsi_cd_drive_ops = {
	.is_cdrom = true,
	.medium_changed = drive_medium_changed,
	.eject_requested = drive_eject_requested,
	.is_locked = drive_is_locked,
	.is_tray_open = drive_is_tray_open,
	.set_tray = drive_set_tray,
};
