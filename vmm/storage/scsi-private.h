/* Inside of the SCSI command sets: how a command is answered, and the tables of each set. */
#pragma once

#include "vmm/storage/scsi.h"

enum {
	SCSI_REPLY_MAX = 4096, /* bytes of an answer or a parameter list of our own */
	SCSI_DISK_BLOCK = 512,
	SCSI_CD_BLOCK = 2048,
	SCSI_UNMAP_RANGES_MAX = 255,
	SCSI_WRITE_SAME_MAX = 1 << 16, /* blocks */
};

enum {
	SCSI_FOR_DISK = 1 << 0,
	SCSI_FOR_CD = 1 << 1,
	SCSI_FOR_BOTH = SCSI_FOR_DISK | SCSI_FOR_CD,
	SCSI_FOR_ABSENT = 1 << 2,
	SCSI_NEEDS_MEDIUM = 1 << 3,
	SCSI_DESPITE_ATTENTION =
		1 << 4, /* works, and leaves the unit attention pending (SAM-5 5.14) */
};

struct scsi_command {
	uint8_t code;
	unsigned flags;
	void (*run)(struct scsi_request *request);
};

/* Each ends with a run of NULL. */
extern const struct scsi_command scsi_primary_commands[], scsi_block_commands[], scsi_cd_commands[],
	scsi_mode_commands[];

#define SENSE(key, code, qualifier) ((struct scsi_sense) { key, code, qualifier })
#define SENSE_NONE                  SENSE(0, 0, 0)
#define SENSE_NOT_READY             SENSE(0x02, 0x04, 0x02) /* a start command is required */
#define SENSE_NO_MEDIUM             SENSE(0x02, 0x3a, 0x00)
#define SENSE_NO_MEDIUM_TRAY_OPEN   SENSE(0x02, 0x3a, 0x02)
#define SENSE_READ_ERROR            SENSE(0x03, 0x11, 0x00)
#define SENSE_WRITE_ERROR           SENSE(0x03, 0x0c, 0x00)
#define SENSE_TARGET_FAILURE        SENSE(0x04, 0x44, 0x00)
#define SENSE_INVALID_OPCODE        SENSE(0x05, 0x20, 0x00)
#define SENSE_OUT_OF_RANGE          SENSE(0x05, 0x21, 0x00)
#define SENSE_INVALID_FIELD         SENSE(0x05, 0x24, 0x00)
#define SENSE_NO_UNIT               SENSE(0x05, 0x25, 0x00)
#define SENSE_PARAMETER_LENGTH      SENSE(0x05, 0x1a, 0x00)
#define SENSE_INVALID_PARAMETER     SENSE(0x05, 0x26, 0x00)
#define SENSE_SAVING                SENSE(0x05, 0x39, 0x00)
#define SENSE_LOCKED                SENSE(0x05, 0x53, 0x02) /* medium removal prevented */
#define SENSE_INCOMPATIBLE_MEDIUM   SENSE(0x05, 0x30, 0x00)
#define SENSE_ILLEGAL_MODE          SENSE(0x05, 0x64, 0x00)
#define SENSE_MEDIUM_CHANGED        SENSE(0x06, 0x28, 0x00)
#define SENSE_RESET                 SENSE(0x06, 0x29, 0x00)
#define SENSE_CAPACITY_CHANGED      SENSE(0x06, 0x2a, 0x09)
#define SENSE_WRITE_PROTECTED       SENSE(0x07, 0x27, 0x00)
#define SENSE_NO_SPACE              SENSE(0x07, 0x27, 0x07)

/* Ends of a command; the request is the transport's afterwards. */
void scsi_succeed(struct scsi_request *request);
void scsi_fail(struct scsi_request *request, struct scsi_sense sense);
void scsi_fail_errno(struct scsi_request *request, int result, bool write);

/* Sends an answer: as much of it as the command allows. */
void scsi_reply(struct scsi_request *request, const void *bytes, size_t length, uint64_t allowed);
/* Takes a parameter list of @length bytes (at most SCSI_REPLY_MAX) into request->buffer, then calls @received. */
void scsi_receive(struct scsi_request *request, uint64_t length,
	void (*received)(struct scsi_request *request));
/* Moves @length bytes from or to the disk at @offset. */
void scsi_move(struct scsi_request *request, enum scsi_direction direction, uint64_t offset,
	uint64_t length, bool durable);
/* Starts request->job, which moves no data of the guest; its end is the command's unless @done says otherwise. */
void scsi_work(struct scsi_request *request, void (*done)(struct disk_job *job, int result));
struct scsi_request *scsi_request_of(struct disk_job *job);
/* What every done function does first when a job failed: true when it did and the command has ended. */
bool scsi_work_failed(struct disk_job *job, int result);

/* 18 bytes in fixed format or 8 with descriptors (SPC-4 4.5); returns how many. */
unsigned scsi_sense_format(uint8_t *to, struct scsi_sense sense, bool descriptor);

/* SENSE_NONE when commands can reach the medium. */
struct scsi_sense scsi_medium_state(const struct scsi_lun *lun);
void scsi_set_attention(struct scsi_lun *lun, struct scsi_sense sense);
/* Opens or closes the tray by the guest's wish; false: it is locked. */
bool scsi_move_tray(struct scsi_lun *lun, bool open);

static inline uint16_t scsi_get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static inline uint32_t scsi_get24(const uint8_t *at)
{
	return (uint32_t)at[0] << 16 | at[1] << 8 | at[2];
}

static inline uint32_t scsi_get32(const uint8_t *at)
{
	return (uint32_t)scsi_get16(at) << 16 | scsi_get16(at + 2);
}

static inline uint64_t scsi_get64(const uint8_t *at)
{
	return (uint64_t)scsi_get32(at) << 32 | scsi_get32(at + 4);
}

static inline void scsi_set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline void scsi_set32(uint8_t *at, uint32_t value)
{
	scsi_set16(at, value >> 16);
	scsi_set16(at + 2, value);
}

static inline void scsi_set64(uint8_t *at, uint64_t value)
{
	scsi_set32(at, value >> 32);
	scsi_set32(at + 4, value);
}
