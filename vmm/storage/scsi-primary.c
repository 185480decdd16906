/* SCSI commands every logical unit has: who it is, how it is. Specification: SPC-4 sections 6 and 7.8 (vital product data). */
#include <string.h>

#include "base/checked.h"
#include "vmm/storage/scsi-private.h"

enum {
	INQUIRY_BYTES = 36,
	INQUIRY_VITAL = 1 << 0, /* byte 1: EVPD */
	VERSION_SPC3 = 0x05,
	RESPONSE_FORMAT = 0x12, /* HISUP, format 2 */
	RESPONSE_FORMAT_ATAPI = 0x21,
	SUPPORTS_TASKS = 0x12, /* MultiP no; SYNC, CMDQUE */

	TYPE_DISK = 0x00,
	TYPE_CDROM = 0x05,
	TYPE_ABSENT = 0x7f, /* qualifier 3: no device can be there */

	PAGE_PAGES = 0x00,
	PAGE_SERIAL = 0x80,
	PAGE_IDENTIFICATION = 0x83,
	PAGE_BLOCK_LIMITS = 0xb0,
	PAGE_CHARACTERISTICS = 0xb1,
	PAGE_PROVISIONING = 0xb2,
	PAGE_HEADER = 4,

	ID_BINARY = 1,
	ID_ASCII = 2,
	ID_VENDOR = 0,
	ID_NAA = 3,
	ID_HEADER = 4,

	SENSE_DESCRIPTOR = 1 << 0, /* REQUEST SENSE byte 1 */

	LUNS_MAX = 256,
};

static uint8_t type_of(const struct scsi_lun *lun)
{
	static const uint8_t types[] = {
		[SCSI_DISK] = TYPE_DISK,
		[SCSI_CDROM] = TYPE_CDROM,
		[SCSI_ABSENT] = TYPE_ABSENT,
	};

	return types[lun->config.kind];
}

/* Text filled up with spaces. */
static void put_text(uint8_t *to, size_t size, const char *text)
{
	memset(to, ' ', size);
	memcpy(to, text, MIN(strlen(text), size));
}

static void standard_inquiry(struct scsi_request *request, uint16_t allowed)
{
	const struct scsi_lun *lun = request->lun;
	const struct scsi_config *config = &lun->config;
	uint8_t data[INQUIRY_BYTES] = { 0 };

	data[0] = type_of(lun);
	data[1] = config->removable ? 0x80 : 0;
	data[2] = config->atapi ? 0 : VERSION_SPC3;
	data[3] = config->atapi ? RESPONSE_FORMAT_ATAPI : RESPONSE_FORMAT;
	data[4] = sizeof(data) - 5;
	data[7] = config->atapi || config->kind == SCSI_ABSENT ? 0 : SUPPORTS_TASKS;
	put_text(data + 8, 8, config->vendor);
	put_text(data + 16, 16, config->product);
	put_text(data + 32, 4, config->revision);
	scsi_reply(request, data, sizeof(data), allowed);
}

/* Vital product data: each fills in what follows the header and returns how much; 0: there is no such page. */

static const char *device_id(const struct scsi_lun *lun)
{
	const struct scsi_config *config = &lun->config;

	if (config->device_id)
		return config->device_id;
	return config->serial ? config->serial : lun->disk->drive->id;
}

static size_t page_serial(const struct scsi_lun *lun, uint8_t *to)
{
	const char *serial = lun->config.serial;
	size_t length = serial ? MIN(strlen(serial), SCSI_SERIAL_BYTES) : 0;

	if (length > 0)
		memcpy(to, serial, length);
	return length;
}

static size_t page_identification(const struct scsi_lun *lun, uint8_t *to)
{
	const char *id = device_id(lun);
	size_t length = id ? MIN(strlen(id), 255 - 8) : 0, at = 0;

	if (length > 0) {
		to[0] = ID_ASCII;
		to[1] = ID_VENDOR;
		to[3] = length;
		memcpy(to + ID_HEADER, id, length);
		at = ID_HEADER + length;
	}
	if (lun->config.wwn) {
		to[at] = ID_BINARY;
		to[at + 1] = ID_NAA;
		to[at + 3] = 8;
		scsi_set64(to + at + ID_HEADER, lun->config.wwn);
		at += ID_HEADER + 8;
	}
	return at;
}

/* Section 6.6.4 of SBC-3. */
static size_t page_block_limits(const struct scsi_lun *lun, uint8_t *to)
{
	if (lun->config.kind != SCSI_DISK)
		return 0;
	to[0] = 1; /* WRITE SAME of 0 blocks is no "to the end" */
	scsi_set32(to + 16, GiB / SCSI_DISK_BLOCK);
	scsi_set32(to + 20, SCSI_UNMAP_RANGES_MAX);
	scsi_set32(to + 24, 4 * KiB / SCSI_DISK_BLOCK);
	scsi_set64(to + 32, SCSI_WRITE_SAME_MAX);
	return 60;
}

static size_t page_characteristics(const struct scsi_lun *lun, uint8_t *to)
{
	if (lun->config.kind != SCSI_DISK)
		return 0;
	scsi_set16(to, lun->config.rotation_rate);
	return 60;
}

static size_t page_provisioning(const struct scsi_lun *lun, uint8_t *to)
{
	if (lun->config.kind != SCSI_DISK)
		return 0;
	to[1] = 0xe0; /* UNMAP, WRITE SAME (16) and (10) unmap */
	to[2] = 0x02; /* thin */
	return 4;
}

static size_t page_pages(const struct scsi_lun *lun, uint8_t *to);

static const struct {
	uint8_t page;
	size_t (*fill)(const struct scsi_lun *lun, uint8_t *to);
} pages[] = {
	{ PAGE_PAGES, page_pages },
	{ PAGE_SERIAL, page_serial },
	{ PAGE_IDENTIFICATION, page_identification },
	{ PAGE_BLOCK_LIMITS, page_block_limits },
	{ PAGE_CHARACTERISTICS, page_characteristics },
	{ PAGE_PROVISIONING, page_provisioning },
};

static size_t page_pages(const struct scsi_lun *lun, uint8_t *to)
{
	size_t count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		uint8_t scratch[SCSI_REPLY_MAX];

		if (pages[i].page == PAGE_PAGES || pages[i].fill(lun, scratch) > 0)
			to[count++] = pages[i].page;
	}
	return count;
}

static void vital_inquiry(struct scsi_request *request, uint16_t allowed)
{
	const struct scsi_lun *lun = request->lun;
	uint8_t data[SCSI_REPLY_MAX] = { 0 };
	size_t length = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(pages) && lun->disk; i++)
		if (pages[i].page == request->cdb[2])
			length = pages[i].fill(lun, data + PAGE_HEADER);
	if (length == 0) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	data[0] = type_of(lun);
	data[1] = request->cdb[2];
	scsi_set16(data + 2, length);
	scsi_reply(request, data, PAGE_HEADER + length, allowed);
}

static void inquiry(struct scsi_request *request)
{
	const uint8_t *cdb = request->cdb;
	uint16_t allowed = scsi_get16(cdb + 3);

	if (cdb[1] & INQUIRY_VITAL)
		vital_inquiry(request, allowed);
	else if (cdb[2] != 0)
		scsi_fail(request, SENSE_INVALID_FIELD);
	else
		standard_inquiry(request, allowed);
}

static void test_unit_ready(struct scsi_request *request)
{
	scsi_succeed(request);
}

/* Section 6.39: a unit attention is told and taken back; else what the last command left, for transports without autosense. */
static void request_sense(struct scsi_request *request)
{
	struct scsi_lun *lun = request->lun;
	struct scsi_sense sense = lun->kept;
	uint8_t data[SCSI_SENSE_BYTES];
	unsigned length;

	if (lun->config.kind == SCSI_ABSENT) {
		sense = SENSE_NO_UNIT;
	} else if (sense.key == 0 && lun->attention.key) {
		sense = lun->attention;
		lun->attention = SENSE_NONE;
	}
	lun->kept = SENSE_NONE;
	length = scsi_sense_format(data, sense, request->cdb[1] & SENSE_DESCRIPTOR);
	scsi_reply(request, data, length, request->cdb[4]);
}

/* Section 6.33; units are in the flat or the peripheral format of SAM-5 4.7. */
static void report_luns(struct scsi_request *request)
{
	const struct scsi_config *config = &request->lun->config;
	uint32_t allowed = scsi_get32(request->cdb + 6);
	uint16_t luns[LUNS_MAX] = { 0 };
	uint8_t data[8 + 8 * LUNS_MAX] = { 0 };
	unsigned count = 1;

	if (request->cdb[2] > 2) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	if (config->list)
		count = config->list(config->owner, luns, LUNS_MAX);
	if (request->cdb[2] == 1)
		count = 0; /* well-known units only: there is none */
	scsi_set32(data, 8 * count);
	for (unsigned i = 0; i < count; i++)
		scsi_set16(data + 8 + 8 * i, luns[i] < 256 ? luns[i] : luns[i] | 0x4000);
	scsi_reply(request, data, 8 + 8 * (size_t)count, allowed);
}

const struct scsi_command scsi_primary_commands[] = {
	{ 0x00, SCSI_FOR_BOTH | SCSI_NEEDS_MEDIUM, test_unit_ready },
	{ 0x03, SCSI_FOR_BOTH | SCSI_FOR_ABSENT | SCSI_DESPITE_ATTENTION, request_sense },
	{ 0x12, SCSI_FOR_BOTH | SCSI_FOR_ABSENT | SCSI_DESPITE_ATTENTION, inquiry },
	{ 0xa0, SCSI_FOR_BOTH | SCSI_FOR_ABSENT | SCSI_DESPITE_ATTENTION, report_luns },
	{ 0 },
};
