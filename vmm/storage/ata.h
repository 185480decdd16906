/* ATA and ATAPI devices: what a disk or a CD-ROM does with a command, whichever controller brings it (IDE, AHCI).
 * Specification: ATA8-ACS, SFF-8020i and MMC-6 for the PACKET command.
 *
 * A command goes as in scsi.h: ata_start(); data() when bytes are to move, ata_transfer() with the controller's memory; done().
 * Callbacks may come before the function that caused them returns. All with the machine's lock.
 */
#pragma once

#include "vmm/bus.h"
#include "vmm/storage/scsi.h"

enum {
	ATA_SECTOR = 512,
	ATA_PACKET_BYTES = 12,
	ATA_MULTIPLE_MAX = 16, /* sectors of a block of READ MULTIPLE */
	ATA_QUEUE_DEPTH = 32,
};

enum ata_status {
	ATA_ERROR = 1 << 0,
	ATA_DATA_REQUEST = 1 << 3,
	ATA_SEEK_COMPLETE = 1 << 4,
	ATA_DEVICE_FAULT = 1 << 5,
	ATA_READY = 1 << 6,
	ATA_BUSY = 1 << 7,
};

enum ata_error {
	ATA_ABORTED = 1 << 2,
	ATA_NOT_FOUND = 1 << 4,
	ATA_UNCORRECTABLE = 1 << 6,
	ATA_CRC = 1 << 7,
};

enum ata_device_bits {
	ATA_DEVICE_UNIT = 1 << 4, /* which of the two on a cable */
	ATA_DEVICE_LBA = 1 << 6,
};

enum {
	ATA_COMMAND_DEVICE_RESET = 0x08,
	ATA_COMMAND_READ_FPDMA = 0x60,
	ATA_COMMAND_WRITE_FPDMA = 0x61,
	ATA_COMMAND_DIAGNOSTIC = 0x90,
	ATA_COMMAND_PACKET = 0xa0,

	ATA_PACKET_DMA = 1 << 0, /* feature register of PACKET */
	/* The count register in a PACKET command: what the device expects next. */
	ATA_REASON_COMMAND = 1 << 0,
	ATA_REASON_TO_HOST = 1 << 1,
};

/* The registers. */
struct ata_taskfile {
	uint8_t command, device, status, error;
	uint16_t features, count;
	uint64_t
		lba; /* 48 bits: low, middle and high byte, then those of the registers' previous contents */
};

enum ata_protocol {
	ATA_NO_DATA,
	ATA_PIO,
	ATA_DMA,
	ATA_QUEUED,
};

struct ata_drive;
struct ata_command;

struct ata_command_ops {
	void (*data)(struct ata_command *command);
	/* The registers in taskfile are what the guest sees. */
	void (*done)(struct ata_command *command);
};

struct ata_command {
	/* by the controller, before ata_start() */
	struct ata_taskfile taskfile;
	uint8_t packet[SCSI_CDB_BYTES]; /* for PACKET */
	const struct ata_command_ops *ops;
	void *owner;

	/* from data() on */
	enum ata_protocol protocol;
	bool to_guest;
	uint64_t length, moved; /* bytes of the command, and those moved until now */
	unsigned
		block; /* PIO: bytes the guest moves for one interrupt; the last block may be shorter */

	/* the drive's */
	struct ata_drive *drive; /* NULL: not under way */
	struct disk_job job;
	struct scsi_request scsi;
	uint64_t disk_offset;
	bool on_disk;
	uint8_t *buffer; /* an answer of our own, or what the guest sent */
	void (*received)(struct ata_command *command);
	unsigned next; /* range of a TRIM */
};

struct ata_drive {
	struct device device;
	char *drive_id, *serial, *model, *revision, *unit_option;
	uint64_t wwn;
	uint16_t rotation_rate;

	struct ide_bus *bus;
	unsigned unit;
	bool is_cdrom, realized;
	char default_serial[20];
	struct disk disk;
	struct scsi_lun lun; /* of a CD-ROM */
	GQueue commands;     /* of struct ata_command, under way */

	uint16_t cylinders;
	uint8_t heads, sectors;                 /* of the medium */
	uint8_t current_heads, current_sectors; /* as the guest has set them */
	uint8_t multiple;                       /* sectors of a block, 0: not set */
	uint8_t dma_mode;                       /* as SET FEATURES has it */
	bool write_cache, look_ahead, smart, smart_autosave;
	uint8_t power;      /* as CHECK POWER MODE tells */
	uint8_t failed_tag; /* of the queued command that failed, 0x80: none */
	struct ata_taskfile failed;
};

/* A cable: one or two drives. */
struct ide_bus_ops {
	void (*plugged)(struct ide_bus *bus, struct ata_drive *drive); /* while the machine runs */
	void (*unplugged)(struct ide_bus *bus, struct ata_drive *drive);
};

struct ide_bus {
	struct bus bus;
	unsigned number; /* of the controller's buses */
	unsigned units;  /* 1 or 2 */
	bool serial_ata;
	unsigned first_serial; /* number of the first drive, among all of the machine */
	const struct ide_bus_ops *ops;
	struct ata_drive *drives[2];
	void *controller;
};

/* The bus is named after the controller: "ID.NUMBER", else "ide.N". */
void ide_bus_init(struct ide_bus *bus, unsigned number, struct device *controller, unsigned units,
	bool serial_ata, const struct ide_bus_ops *ops);
void ide_bus_finish(struct ide_bus *bus);

extern const struct device_class ide_hd_class, ide_cd_class;

void ata_start(struct ata_drive *drive, struct ata_command *command);
/* Moves the next bytes; whole sectors when they are a disk's. @pieces stay as they are until data() or done(). */
void ata_transfer(struct ata_command *command, const struct iovec *pieces, unsigned count);
/* There is no more memory: the command ends, by itself (PACKET) or with an error. From data() on, with no transfer under way. */
void ata_end_data(struct ata_command *command);
/* Gives a command up; done() is not called. Nothing when it is not under way. */
void ata_cancel(struct ata_command *command);
void ata_cancel_all(struct ata_drive *drive);
/* The registers after a reset or a diagnostic: status, and the signature that tells a disk from a CD-ROM. */
void ata_set_signature(const struct ata_drive *drive, struct ata_taskfile *taskfile);
/* A reset of the software kind: commands end, the settings of the guest stay. */
void ata_reset(struct ata_drive *drive);
