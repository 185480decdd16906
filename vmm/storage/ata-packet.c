/* The PACKET command: SCSI commands to a CD-ROM over ATA. Specification: ATA8-ACS 7.18, SFF-8020i. */
#include <string.h>

#include "vmm/storage/ata-private.h"

enum {
	SENSE_KEY_SHIFT = 4, /* in the error register */
};

static struct ata_command *command_of(struct scsi_request *request)
{
	return request->owner;
}

static void packet_data(struct scsi_request *request)
{
	struct ata_command *command = command_of(request);

	command->to_guest = request->direction == SCSI_TO_GUEST;
	command->length = request->length;
	command->moved = request->moved;
	command->taskfile.count = command->to_guest ? ATA_REASON_TO_HOST : 0;
	command->ops->data(command);
}

static void packet_done(struct scsi_request *request)
{
	struct ata_command *command = command_of(request);
	uint8_t key = request->sense_length > 0 ? request->sense[2] & 0xf : 0;

	command->moved = request->moved;
	command->length = request->moved;
	command->taskfile.count = ATA_REASON_COMMAND | ATA_REASON_TO_HOST;
	if (request->status == SCSI_GOOD)
		ata_succeed(command);
	else
		ata_fail(command, key << SENSE_KEY_SHIFT | ATA_ABORTED);
}

static const struct scsi_request_ops packet_ops = {
	.data = packet_data,
	.done = packet_done,
};

void ata_packet(struct ata_command *command)
{
	command->protocol = command->taskfile.features & ATA_PACKET_DMA ? ATA_DMA : ATA_PIO;
	/* At most so many bytes for one interrupt, as the guest has it; never an odd number (SFF-8020i 5.8.1). */
	command->block = command->taskfile.lba >> 8 & 0xffff;
	if (command->block == 0 || command->block == 0xffff)
		command->block = 0xfffe;
	command->block = MAX(command->block & ~1u, 2);
	memset(&command->scsi, 0, sizeof(command->scsi));
	memcpy(command->scsi.cdb, command->packet, ATA_PACKET_BYTES);
	command->scsi.ops = &packet_ops;
	command->scsi.owner = command;
	scsi_request_submit(&command->drive->lun, &command->scsi);
}
