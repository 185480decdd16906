/* SCSI commands of a CD-ROM drive: table of contents, tray, media events. The medium is one data track of 2048-byte blocks; one
 * larger than any CD is a DVD. Specification: MMC-6 section 6.
 */
#include <string.h>

#include "base/checked.h"
#include "vmm/storage/scsi-private.h"

enum {
	FRAMES_PER_SECOND = 75,
	LEAD_IN_FRAMES = 150,
	LEAD_OUT_TRACK = 0xaa,
	TRACK_IS_DATA = 0x14, /* ADR 1, CONTROL: data */

	MSF = 1 << 1, /* byte 1 of READ TOC: addresses in minutes, seconds and frames */

	START_MEDIUM = 1 << 0, /* byte 4 of START STOP UNIT */
	START_EJECT = 1 << 1,

	PROFILE_DVD_ROM = 0x10,
	PROFILE_CD_ROM = 0x08,

	EVENT_MEDIA = 4,
	EVENT_EJECT_REQUEST = 1,
	EVENT_NEW_MEDIUM = 2,
	MEDIA_TRAY_OPEN = 1 << 0,
	MEDIA_PRESENT = 1 << 1,

	READ_CD_USER_DATA = 0x10, /* byte 9 of READ CD */
};

/* More than 80 minutes fit on no CD. */
#define CD_BYTES_MAX (UINT64_C(80) * 60 * FRAMES_PER_SECOND * SCSI_CD_BLOCK)

static uint32_t blocks_of(const struct scsi_lun *lun)
{
	return MIN(disk_size(lun->disk) / SCSI_CD_BLOCK, UINT32_MAX);
}

static bool is_dvd(const struct scsi_lun *lun)
{
	return disk_size(lun->disk) > CD_BYTES_MAX;
}

/* READ TOC/PMA/ATIP (6.25) */

static void put_address(uint8_t *to, uint32_t block, bool msf)
{
	uint32_t frames = block + LEAD_IN_FRAMES;

	if (!msf) {
		scsi_set32(to, block);
		return;
	}
	to[0] = 0;
	to[1] = MIN(frames / FRAMES_PER_SECOND / 60, 255);
	to[2] = frames / FRAMES_PER_SECOND % 60;
	to[3] = frames % FRAMES_PER_SECOND;
}

static size_t put_track(uint8_t *to, uint8_t track, uint32_t block, bool msf)
{
	to[1] = TRACK_IS_DATA;
	to[2] = track;
	put_address(to + 4, block, msf);
	return 8;
}

static size_t formatted_toc(const struct scsi_lun *lun, uint8_t first, bool msf, uint8_t *to)
{
	size_t at = 4;

	if (first > 1 && first != LEAD_OUT_TRACK)
		return 0;
	to[2] = 1;
	to[3] = 1;
	if (first <= 1)
		at += put_track(to + at, 1, 0, msf);
	at += put_track(to + at, LEAD_OUT_TRACK, blocks_of(lun), msf);
	return at;
}

static size_t session_info(const struct scsi_lun *lun, uint8_t first, bool msf, uint8_t *to)
{
	to[2] = 1;
	to[3] = 1;
	return 4 + put_track(to + 4, 1, 0, msf);
}

/* Q subchannel of the lead-in: points a0 to a2 and the track itself. */
static size_t full_toc(const struct scsi_lun *lun, uint8_t first, bool msf, uint8_t *to)
{
	static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 0x01 };
	uint8_t *at = to + 4;

	to[2] = 1;
	to[3] = 1;
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++, at += 11) {
		uint8_t address[4];

		at[0] = 1;
		at[1] = TRACK_IS_DATA;
		at[3] = points[i];
		put_address(address, points[i] == 0xa2 ? blocks_of(lun) : 0, true);
		if (points[i] == 0xa0 || points[i] == 0xa1)
			at[8] = 1; /* first and last track */
		else
			memcpy(at + 8, address + 1, 3);
	}
	return at - to;
}

static void read_toc(struct scsi_request *request)
{
	static size_t (*const formats[])(
		const struct scsi_lun *lun, uint8_t first, bool msf, uint8_t *to) = {
		formatted_toc,
		session_info,
		full_toc,
	};
	const uint8_t *cdb = request->cdb;
	/* The format stands in byte 2, with drives of old in the two high bits of byte 9. */
	unsigned format = cdb[2] & 0xf ? cdb[2] & 0xf : cdb[9] >> 6;
	uint8_t data[128] = { 0 };
	size_t length = 0;

	if (format < G_N_ELEMENTS(formats))
		length = formats[format](request->lun, cdb[6], cdb[1] & MSF, data);
	if (length == 0) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	scsi_set16(data, length - 2);
	scsi_reply(request, data, length, scsi_get16(cdb + 7));
}

/* What the drive and the medium can (6.6) */

static size_t put_profile(uint8_t *to, uint16_t profile, uint16_t current)
{
	scsi_set16(to, profile);
	to[2] = profile == current;
	return 4;
}

static size_t put_feature(uint8_t *to, uint16_t code, uint8_t flags, uint8_t extra)
{
	scsi_set16(to, code);
	to[2] = flags;
	to[3] = extra;
	return 4;
}

/* Bits of a feature's byte 2: version, persistent, current. */
enum {
	FEATURE_CURRENT = 1 << 0,
	FEATURE_PERSISTENT = 1 << 1,
	FEATURE_VERSION_1 = 1 << 2,
	FEATURE_VERSION_2 = 2 << 2,
};

static void get_configuration(struct scsi_request *request)
{
	const struct scsi_lun *lun = request->lun;
	bool present = !scsi_medium_state(lun).key;
	uint16_t current = !present ? 0 : is_dvd(lun) ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
	uint8_t always = FEATURE_CURRENT | FEATURE_PERSISTENT, data[64] = { 0 };
	size_t at = 8;

	at += put_feature(data + at, 0x0000, always, 8);
	at += put_profile(data + at, PROFILE_DVD_ROM, current);
	at += put_profile(data + at, PROFILE_CD_ROM, current);
	at += put_feature(data + at, 0x0001, always | FEATURE_VERSION_2, 8); /* core */
	scsi_set32(data + at, lun->config.atapi ? 2 : 1);
	data[at + 4] = 1;
	at += 8;
	at += put_feature(data + at, 0x0003, always | FEATURE_VERSION_1, 4); /* removable medium */
	data[at] = 0x29; /* a tray, that ejects and locks */
	at += 4;
	at += put_feature(
		data + at, 0x0010, present ? FEATURE_CURRENT : 0, 8); /* random readable */
	scsi_set32(data + at, SCSI_CD_BLOCK);
	scsi_set16(data + at + 4, 1);
	at += 8;
	scsi_set32(data, at - 4);
	scsi_set16(data + 6, current);
	scsi_reply(request, data, at, scsi_get16(request->cdb + 7));
}

static uint8_t media_status(const struct scsi_lun *lun)
{
	return (lun->tray_open ? MEDIA_TRAY_OPEN : 0) |
	       (disk_has_medium(lun->disk) && !lun->tray_open ? MEDIA_PRESENT : 0);
}

static uint8_t take_event(struct scsi_lun *lun)
{
	if (lun->eject_wanted) {
		lun->eject_wanted = false;
		return EVENT_EJECT_REQUEST;
	}
	if (lun->new_medium) {
		lun->new_medium = false;
		return EVENT_NEW_MEDIUM;
	}
	return 0;
}

/* 6.7: only polled, and only of media. */
static void get_event_status(struct scsi_request *request)
{
	struct scsi_lun *lun = request->lun;
	const uint8_t *cdb = request->cdb;
	uint8_t data[8] = { 0 };
	size_t length = 4;

	if (!(cdb[1] & 1)) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	data[3] = 1 << EVENT_MEDIA;
	if (cdb[4] & 1 << EVENT_MEDIA) {
		data[2] = EVENT_MEDIA;
		data[4] = take_event(lun);
		data[5] = media_status(lun);
		length = 8;
	} else {
		data[2] = 0x80; /* no event of the classes asked for */
	}
	scsi_set16(data, length - 2);
	scsi_reply(request, data, length, scsi_get16(cdb + 7));
}

static void read_disc_information(struct scsi_request *request)
{
	uint8_t data[34] = { 0 };

	if (request->cdb[1] & 7) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	scsi_set16(data, sizeof(data) - 2);
	data[2] = 0x0e; /* finalised, last session complete */
	data[3] = 1;
	data[4] = 1;
	data[5] = 1;
	data[6] = 1;
	data[7] = 0x20; /* for any use */
	memset(data + 16, 0xff, 8);
	scsi_reply(request, data, sizeof(data), scsi_get16(request->cdb + 7));
}

/* 6.26: addressed by block or by track, there is one. */
static void read_track_information(struct scsi_request *request)
{
	uint8_t data[36] = { 0 };

	scsi_set16(data, sizeof(data) - 2);
	data[2] = 1;
	data[3] = 1;
	data[5] = 4; /* data */
	data[6] = 1; /* mode 1 */
	scsi_set32(data + 24, blocks_of(request->lun));
	scsi_reply(request, data, sizeof(data), scsi_get16(request->cdb + 7));
}

static void mechanism_status(struct scsi_request *request)
{
	uint8_t data[8] = { 0 };

	data[1] = request->lun->tray_open ? 0x10 : 0;
	data[5] = 1; /* one slot, whose table is left out */
	scsi_reply(request, data, sizeof(data), scsi_get16(request->cdb + 8));
}

/* READ DISC STRUCTURE (6.22): physical format and copyright of a DVD. */
static void read_disc_structure(struct scsi_request *request)
{
	const struct scsi_lun *lun = request->lun;
	uint8_t data[4 + 2048] = { 0 };
	size_t length = 0;

	if (!is_dvd(lun) || (request->cdb[1] & 0xf) != 0) {
		scsi_fail(request, SENSE_INCOMPATIBLE_MEDIUM);
		return;
	}
	if (request->cdb[7] == 0x00) {
		uint8_t *p = data + 4;

		p[0] = 0x01; /* DVD-ROM, version 1 */
		p[1] = 0x0f; /* 120 mm, any rate */
		p[2] = 0x01; /* one embossed layer */
		scsi_set32(p + 4, 0x30000);
		scsi_set32(p + 8, 0x30000 + blocks_of(lun) - 1);
		length = 4 + 2048;
	} else if (request->cdb[7] == 0x01) {
		length = 8;
	} else {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	scsi_set16(data, length - 2);
	scsi_reply(request, data, length, scsi_get16(request->cdb + 8));
}

/* READ CD (6.19): user data of a data track, or nothing at all. */
static void read_cd(struct scsi_request *request)
{
	const uint8_t *cdb = request->cdb;
	uint64_t offset = (uint64_t)scsi_get32(cdb + 2) * SCSI_CD_BLOCK;
	uint64_t length = (uint64_t)scsi_get24(cdb + 6) * SCSI_CD_BLOCK;
	unsigned sector_type = cdb[1] >> 2 & 7, wanted = cdb[9] & 0xf8;

	if (!checked_range(offset, length, disk_size(request->lun->disk)))
		scsi_fail(request, SENSE_OUT_OF_RANGE);
	else if (wanted == 0 || length == 0)
		scsi_succeed(request);
	else if (wanted == READ_CD_USER_DATA && sector_type != 1)
		scsi_move(request, SCSI_TO_GUEST, offset, length, false);
	else
		scsi_fail(request, sector_type == 1 ? SENSE_ILLEGAL_MODE : SENSE_INVALID_FIELD);
}

/* Tray */

bool scsi_move_tray(struct scsi_lun *lun, bool open)
{
	struct disk *disk = lun->disk;

	if (lun->tray_open == open)
		return true;
	if (open && lun->locked)
		return false;
	lun->tray_open = open;
	lun->started = !open;
	lun->eject_wanted = false;
	disk_tell_tray(disk, open);
	if (!open && disk_has_medium(disk))
		scsi_lun_medium_changed(lun);
	return true;
}

static void start_stop(struct scsi_request *request)
{
	struct scsi_lun *lun = request->lun;
	bool start = request->cdb[4] & START_MEDIUM, eject = request->cdb[4] & START_EJECT;

	if (request->cdb[4] >> 4) {
		/* A power condition: there is nothing to save. */
		scsi_succeed(request);
		return;
	}
	if (eject && lun->config.kind == SCSI_CDROM) {
		if (!scsi_move_tray(lun, !start)) {
			scsi_fail(request,
				disk_has_medium(lun->disk) ? SENSE_LOCKED : SENSE_NO_MEDIUM);
			return;
		}
	} else {
		lun->started = start;
	}
	scsi_succeed(request);
}

static void prevent_removal(struct scsi_request *request)
{
	request->lun->locked = request->cdb[4] & 1;
	scsi_succeed(request);
}

static void set_speed(struct scsi_request *request)
{
	scsi_succeed(request);
}

enum {
	MEDIUM = SCSI_FOR_CD | SCSI_NEEDS_MEDIUM,
};

const struct scsi_command scsi_cd_commands[] = {
	{ 0x1b, SCSI_FOR_BOTH, start_stop },
	{ 0x1e, SCSI_FOR_BOTH, prevent_removal },
	{ 0x43, MEDIUM, read_toc },
	{ 0x46, SCSI_FOR_CD | SCSI_DESPITE_ATTENTION, get_configuration },
	{ 0x4a, SCSI_FOR_CD | SCSI_DESPITE_ATTENTION, get_event_status },
	{ 0x51, MEDIUM, read_disc_information },
	{ 0x52, MEDIUM, read_track_information },
	{ 0xad, MEDIUM, read_disc_structure },
	{ 0xbb, SCSI_FOR_CD, set_speed },
	{ 0xbd, SCSI_FOR_CD, mechanism_status },
	{ 0xbe, MEDIUM, read_cd },
	{ 0 },
};
