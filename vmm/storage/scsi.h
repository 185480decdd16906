/* SCSI logical units: what a disk or a CD-ROM answers to commands, whatever carries them (virtio-scsi, the PACKET command of
 * ATA, USB mass storage). Specification: SPC-4, SBC-3, MMC-6, SAM-5.
 *
 * A command goes through: scsi_request_submit(); data() when bytes are to move, as often as it takes (each time the
 * transport gives memory with scsi_request_transfer()); done(). The data phase:
 *
 *   - SCSI_TO_GUEST: scsi_request_transfer() fills the memory; data() or done() is called when it is full.
 *   - SCSI_FROM_GUEST: the memory holds what the guest sent; data() asks for more, done() ends.
 *
 * A transport with all of the guest's memory at hand gives it at once; one with a small buffer gives that again and again.
 * Callbacks may come before the function that caused them returns. All with the machine's lock, on any thread that has it;
 * the end of a disk's work is told on the main loop.
 */
#pragma once

#include "vmm/storage/disk.h"

enum {
	SCSI_CDB_BYTES = 16, /* longer CDBs are refused: INVALID OPCODE */
	SCSI_SENSE_BYTES =
		20, /* of a sense record: 18 in fixed format, up to 20 with descriptors */
	SCSI_SERIAL_BYTES = 36,
};

enum scsi_status {
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_BUSY = 0x08,
	SCSI_TASK_ABORTED = 0x40,
};

enum scsi_direction {
	SCSI_NO_DATA,
	SCSI_TO_GUEST,
	SCSI_FROM_GUEST,
};

/* Sense key, additional sense code and its qualifier. */
struct scsi_sense {
	uint8_t key, code, qualifier;
};

struct scsi_request;
struct scsi_lun;

struct scsi_request_ops {
	/* @request->length - @request->moved bytes are left to move: scsi_request_transfer() now or later. */
	void (*data)(struct scsi_request *request);
	/* The command has ended; status, sense and moved are set. The request is the transport's again. */
	void (*done)(struct scsi_request *request);
};

struct scsi_request {
	/* by the transport, before it submits; the rest zero */
	uint8_t cdb[SCSI_CDB_BYTES]; /* shorter ones end in zeroes */
	const struct scsi_request_ops *ops;
	void *owner;

	/* from data() on */
	enum scsi_direction direction;
	uint64_t length; /* bytes the command moves */
	uint64_t moved;  /* bytes moved until now */

	/* in done() */
	uint8_t status;
	uint8_t sense[SCSI_SENSE_BYTES];
	unsigned sense_length; /* 0: there is none */

	/* the logical unit's */
	struct scsi_lun *lun; /* NULL: not under way */
	struct disk_job job;
	struct iovec *pieces; /* of what WRITE SAME writes */
	uint8_t *buffer;      /* an answer, or a parameter list */
	uint64_t disk_offset; /* of the first byte, when the data are a disk's */
	bool on_disk;
	void (*received)(struct scsi_request *request); /* once the parameter list is whole */
	struct scsi_ranges *ranges;                     /* of UNMAP */
};

enum scsi_kind {
	SCSI_DISK,
	SCSI_CDROM,
	SCSI_ABSENT, /* a logical unit that does not exist, of a target that does */
};

/* What a logical unit is; strings are borrowed for its life. */
struct scsi_config {
	enum scsi_kind kind;
	const char *vendor, *product, *revision; /* NULL: those of QEMU's devices, by kind */
	const char *serial;                      /* NULL: none */
	const char *device_id;                   /* NULL: the serial number, else the drive's id */
	uint64_t wwn;                            /* 0: none */
	bool removable;                          /* CD-ROMs always are */
	bool atapi;                              /* speaks as an ATAPI device does */
	bool keeps_sense; /* the transport has no autosense: REQUEST SENSE tells of the last command */
	uint16_t rotation_rate; /* revolutions per minute, 1: none turns, 0: not told */

	/* The unit has a unit attention (medium, size): NULL or told at once. */
	void (*attention)(struct scsi_lun *lun, void *owner, struct scsi_sense sense);
	/* The logical units of the target, for REPORT LUNS; returns how many. NULL: this one alone, as 0. */
	unsigned (*list)(void *owner, uint16_t *luns, unsigned max);
	void *owner;
};

struct scsi_lun {
	struct scsi_config config;
	struct disk *disk;           /* NULL for SCSI_ABSENT */
	GQueue requests;             /* of struct scsi_request, under way */
	struct scsi_sense attention; /* key 0: none */
	struct scsi_sense kept;      /* of the last command, see keeps_sense */
	bool tray_open, locked;
	bool started;                  /* by START STOP UNIT */
	bool new_medium, eject_wanted; /* to be told by GET EVENT STATUS NOTIFICATION */
	bool write_cache, descriptor_sense;
};

/**
 * scsi_lun_init - a logical unit, as after power-on
 * @disk: of the owner, who keeps it initialised as long as there is this; NULL for SCSI_ABSENT
 */
void scsi_lun_init(struct scsi_lun *lun, const struct scsi_config *config, struct disk *disk);
/* Cancels what is under way (done() is not called). */
void scsi_lun_finish(struct scsi_lun *lun);
/* As after power-on or a bus reset: what is under way is cancelled, done() is not called, and the next command is told by a
 * unit attention. */
void scsi_lun_reset(struct scsi_lun *lun);

/* Block size: 512 for a disk, 2048 for a CD-ROM. */
unsigned scsi_lun_block_size(const struct scsi_lun *lun);

/* Starts a command. */
void scsi_request_submit(struct scsi_lun *lun, struct scsi_request *request);
/* Moves the next bytes; of a disk only whole sectors (512 bytes) are moved. @pieces belong to the transport and stay as they are
 * until data() or done() is called. With less than can be moved at all, the command ends with what has been moved. */
void scsi_request_transfer(
	struct scsi_request *request, const struct iovec *pieces, unsigned count);
/* The transport has no more memory: the command ends (status GOOD) with what has been moved. Only from data() on, when no
 * transfer is under way. */
void scsi_request_end_data(struct scsi_request *request);
/* Gives the command up; done() is not called. Nothing when it is not under way. */
void scsi_request_cancel(struct scsi_request *request);

/* For disk_init() of the device that has the disk, with the logical unit as their data: of a disk, whose medium or size may
 * change, and of a CD-ROM, which has a tray. */
extern const struct drive_ops scsi_disk_drive_ops, scsi_cd_drive_ops;

void scsi_lun_medium_changed(struct scsi_lun *lun);
void scsi_lun_set_tray(struct scsi_lun *lun, bool open);
