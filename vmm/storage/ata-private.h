/* Inside of the ATA command set. */
#pragma once

#include "vmm/storage/ata.h"

enum {
	ATA_FOR_DISK = 1 << 0,
	ATA_FOR_CD = 1 << 1,
	ATA_FOR_BOTH = ATA_FOR_DISK | ATA_FOR_CD,
	ATA_48BIT = 1 << 2,
	ATA_WRITES = 1 << 3,
	ATA_USES_DMA = 1 << 4,
	ATA_IN_BLOCKS = 1 << 5, /* READ MULTIPLE and its like */
	ATA_DURABLE = 1 << 6,

	ATA_POWER_STANDBY = 0x00,
	ATA_POWER_IDLE = 0x80,
	ATA_POWER_ACTIVE = 0xff,
	ATA_NO_TAG = 0x80,

	ATA_TRANSFER_PIO = 0x08,
	ATA_TRANSFER_MULTIWORD = 0x20,
	ATA_TRANSFER_ULTRA = 0x40,
};

/* Ends of a command. */
void ata_succeed(struct ata_command *command);
void ata_fail(struct ata_command *command, uint8_t error);
void ata_fail_errno(struct ata_command *command, int result, bool write);
/* An answer of ATA_SECTOR bytes times @sectors; @bytes is copied. */
void ata_reply(struct ata_command *command, const void *bytes, unsigned sectors);
void ata_receive(struct ata_command *command, unsigned sectors, enum ata_protocol protocol,
	void (*received)(struct ata_command *command));
struct ata_command *ata_command_of(struct disk_job *job);
void ata_work(struct ata_command *command, void (*done)(struct disk_job *job, int result));

uint64_t ata_sectors(const struct ata_drive *drive);
const char *ata_serial(const struct ata_drive *drive);

/* 256 words of IDENTIFY DEVICE and IDENTIFY PACKET DEVICE. */
void ata_identify(const struct ata_drive *drive, uint8_t *to);

/* Of the operation that the command's code names: ATA_FOR_DISK and so on. */
unsigned ata_operation_flags(const struct ata_command *command);

/* Operations that are not in ata.c. */
void ata_read_write(struct ata_command *command);
void ata_read_write_queued(struct ata_command *command);
void ata_verify(struct ata_command *command);
void ata_flush(struct ata_command *command);
void ata_data_set_management(struct ata_command *command);
void ata_smart(struct ata_command *command);
void ata_read_log(struct ata_command *command);
void ata_packet(struct ata_command *command);
