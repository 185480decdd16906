/* MODE SENSE and MODE SELECT: pages of parameters, some of which the guest can change. Specification: SPC-4 sections 6.9 to 6.12
 * and 7.5, SBC-3 section 6.5, MMC-6 section 7.
 */
#include <string.h>

#include "vmm/storage/scsi-private.h"

enum {
	PAGE_ERROR_RECOVERY = 0x01,
	PAGE_GEOMETRY = 0x04,
	PAGE_CACHING = 0x08,
	PAGE_CONTROL = 0x0a,
	PAGE_AUDIO = 0x0e,
	PAGE_CAPABILITIES = 0x2a,
	PAGE_ALL = 0x3f,
	PAGE_HEADER = 2,
	PAGE_MAX = 64,

	CODE_6_SENSE = 0x1a,
	CODE_6_SELECT = 0x15,
	HEADER_6 = 4,
	HEADER_10 = 8,
	BLOCK_DESCRIPTOR = 8,

	NO_BLOCK_DESCRIPTORS = 1 << 3, /* byte 1 of MODE SENSE */
	SAVE_PAGES = 1 << 0,           /* byte 1 of MODE SELECT */
	PAGE_FORMAT = 1 << 4,

	WRITE_PROTECTED = 0x80,
	HAS_FUA = 0x10,

	WRITE_CACHE_ENABLE = 1 << 2, /* caching, byte 2 */
	DESCRIPTOR_SENSE = 1 << 2,   /* control, byte 2 */

	SPEED = 50 * 176, /* KB/s */
	BUFFER_KB = 2048,
	HEADS = 16,
	SECTORS = 63,
};

/* Which of a page's values is asked for. */
enum page_control {
	CURRENT,
	CHANGEABLE, /* ones where the guest can write */
	DEFAULT,
	SAVED,
};

/* Each fills in what follows the two bytes of a page's header, all zero before, and returns how much there is. */

static size_t error_recovery(const struct scsi_lun *lun, enum page_control control, uint8_t *p)
{
	if (control != CHANGEABLE)
		p[0] = lun->config.kind == SCSI_CDROM ? 0x20 : 0x80; /* AWRE; transfer block */
	return 10;
}

static size_t geometry(const struct scsi_lun *lun, enum page_control control, uint8_t *p)
{
	uint64_t cylinders = disk_size(lun->disk) / SCSI_DISK_BLOCK / (HEADS * SECTORS);

	if (control == CHANGEABLE)
		return 22;
	cylinders = MIN(cylinders, 0xffffff);
	p[0] = cylinders >> 16;
	scsi_set16(p + 1, cylinders);
	p[3] = HEADS;
	scsi_set16(p + 18, 5400);
	return 22;
}

static size_t caching(const struct scsi_lun *lun, enum page_control control, uint8_t *p)
{
	if (control != CURRENT || lun->write_cache)
		p[0] = WRITE_CACHE_ENABLE;
	return 18;
}

static size_t control(const struct scsi_lun *lun, enum page_control control, uint8_t *p)
{
	if (control == CHANGEABLE || (control == CURRENT && lun->descriptor_sense))
		p[0] = DESCRIPTOR_SENSE;
	if (control != CHANGEABLE)
		p[1] = 0x10; /* commands may be reordered */
	return 10;
}

static size_t audio(const struct scsi_lun *lun, enum page_control control, uint8_t *p)
{
	return 14;
}

static size_t capabilities(const struct scsi_lun *lun, enum page_control control, uint8_t *p)
{
	if (control == CHANGEABLE)
		return 20;
	p[0] = 0x3b;                         /* reads CD-R, CD-RW, DVD-ROM and DVD-R */
	p[2] = 0x70;                         /* mode 2 forms 1 and 2, multi-session */
	p[4] = 0x29 | (lun->locked ? 2 : 0); /* a tray that can be locked and ejected */
	scsi_set16(p + 6, SPEED);
	scsi_set16(p + 10, BUFFER_KB);
	scsi_set16(p + 12, SPEED);
	return 20;
}

static const struct {
	uint8_t page;
	unsigned flags;
	size_t (*fill)(const struct scsi_lun *lun, enum page_control control, uint8_t *p);
} pages[] = {
	{ PAGE_ERROR_RECOVERY, SCSI_FOR_BOTH, error_recovery },
	{ PAGE_GEOMETRY, SCSI_FOR_DISK, geometry },
	{ PAGE_CACHING, SCSI_FOR_BOTH, caching },
	{ PAGE_CONTROL, SCSI_FOR_BOTH, control },
	{ PAGE_AUDIO, SCSI_FOR_CD, audio },
	{ PAGE_CAPABILITIES, SCSI_FOR_CD, capabilities },
};

static bool has_page(const struct scsi_lun *lun, size_t index)
{
	return pages[index].flags & (lun->config.kind == SCSI_CDROM ? SCSI_FOR_CD : SCSI_FOR_DISK);
}

static size_t put_pages(
	const struct scsi_lun *lun, uint8_t wanted, enum page_control control, uint8_t *to)
{
	size_t at = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		if (!has_page(lun, i) || (wanted != PAGE_ALL && wanted != pages[i].page))
			continue;
		to[at] = pages[i].page;
		to[at + 1] = pages[i].fill(lun, control, to + at + PAGE_HEADER);
		at += PAGE_HEADER + to[at + 1];
	}
	return at;
}

static size_t put_block_descriptor(const struct scsi_lun *lun, uint8_t *to)
{
	uint64_t blocks = disk_size(lun->disk) / SCSI_DISK_BLOCK;

	blocks = MIN(blocks, 0xffffff);
	to[1] = blocks >> 16;
	scsi_set16(to + 2, blocks);
	scsi_set16(to + 6, SCSI_DISK_BLOCK);
	return BLOCK_DESCRIPTOR;
}

static void mode_sense(struct scsi_request *request)
{
	const struct scsi_lun *lun = request->lun;
	const uint8_t *cdb = request->cdb;
	bool is_6 = cdb[0] == CODE_6_SENSE;
	bool is_disk = lun->config.kind == SCSI_DISK;
	size_t header = is_6 ? HEADER_6 : HEADER_10, at = header, descriptors = 0, length;
	uint8_t data[SCSI_REPLY_MAX] = { 0 };
	uint8_t specific = 0;

	if (cdb[2] >> 6 == SAVED) {
		scsi_fail(request, SENSE_SAVING);
		return;
	}
	if (is_disk && !(cdb[1] & NO_BLOCK_DESCRIPTORS))
		descriptors = put_block_descriptor(lun, data + at);
	at += descriptors;
	/* Subpages: none, or all of those that there are none of. */
	length = cdb[3] == 0 || cdb[3] == 0xff
			 ? put_pages(lun, cdb[2] & 0x3f, cdb[2] >> 6, data + at)
			 : 0;
	if (length == 0) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	at += length;
	if (is_disk)
		specific = HAS_FUA | (disk_is_read_only(lun->disk) ? WRITE_PROTECTED : 0);
	if (is_6) {
		data[0] = at - 1;
		data[2] = specific;
		data[3] = descriptors;
	} else {
		scsi_set16(data, at - 2);
		data[3] = specific;
		scsi_set16(data + 6, descriptors);
	}
	scsi_reply(request, data, at, is_6 ? cdb[4] : scsi_get16(cdb + 7));
}

/* MODE SELECT */

/* Only bits that can be changed may differ from what MODE SENSE says. */
static bool page_is_right(
	const struct scsi_lun *lun, size_t index, const uint8_t *values, size_t length)
{
	uint8_t current[PAGE_MAX] = { 0 }, changeable[PAGE_MAX] = { 0 };

	if (pages[index].fill(lun, CURRENT, current) != length)
		return false;
	pages[index].fill(lun, CHANGEABLE, changeable);
	for (size_t i = 0; i < length; i++)
		if ((current[i] ^ values[i]) & ~changeable[i])
			return false;
	return true;
}

static void apply_page(struct scsi_lun *lun, uint8_t page, const uint8_t *values)
{
	if (page == PAGE_CACHING)
		lun->write_cache = values[0] & WRITE_CACHE_ENABLE;
	else if (page == PAGE_CONTROL)
		lun->descriptor_sense = values[0] & DESCRIPTOR_SENSE;
}

/* Checks all pages of a list, and then (@apply) takes what they say. */
static bool take_pages(struct scsi_lun *lun, const uint8_t *at, size_t left, bool apply)
{
	while (left > 0) {
		size_t index = 0;

		if (left < PAGE_HEADER || at[0] & 0x40 || left - PAGE_HEADER < at[1])
			return false;
		while (index < G_N_ELEMENTS(pages) &&
			!(has_page(lun, index) && pages[index].page == (at[0] & 0x3f)))
			index++;
		if (index == G_N_ELEMENTS(pages) ||
			!page_is_right(lun, index, at + PAGE_HEADER, at[1]))
			return false;
		if (apply)
			apply_page(lun, pages[index].page, at + PAGE_HEADER);
		left -= PAGE_HEADER + at[1];
		at += PAGE_HEADER + at[1];
	}
	return true;
}

static void mode_received(struct scsi_request *request)
{
	struct scsi_lun *lun = request->lun;
	bool is_6 = request->cdb[0] == CODE_6_SELECT;
	size_t header = is_6 ? HEADER_6 : HEADER_10, descriptors;
	const uint8_t *list = request->buffer;
	bool had_cache = lun->write_cache;

	if (request->length < header) {
		scsi_fail(request, SENSE_PARAMETER_LENGTH);
		return;
	}
	descriptors = is_6 ? list[3] : scsi_get16(list + 6);
	if (descriptors > BLOCK_DESCRIPTOR || request->length - header < descriptors) {
		scsi_fail(request, SENSE_PARAMETER_LENGTH);
		return;
	}
	list += header + descriptors;
	if (!take_pages(lun, list, request->length - header - descriptors, false)) {
		scsi_fail(request, SENSE_INVALID_PARAMETER);
		return;
	}
	take_pages(lun, list, request->length - header - descriptors, true);
	/* What lies in the cache that the guest has switched off goes to the disk first. */
	if (!had_cache || lun->write_cache || !disk_has_medium(lun->disk) ||
		lun->disk->drive->image->no_flush) {
		scsi_succeed(request);
		return;
	}
	request->job.operation = BLOCK_FLUSH;
	request->job.offset = 0;
	request->job.length = 0;
	scsi_work(request, NULL);
}

static void mode_select(struct scsi_request *request)
{
	const uint8_t *cdb = request->cdb;

	if (!(cdb[1] & PAGE_FORMAT) || cdb[1] & SAVE_PAGES)
		scsi_fail(request, SENSE_INVALID_FIELD);
	else
		scsi_receive(request, cdb[0] == CODE_6_SELECT ? cdb[4] : scsi_get16(cdb + 7),
			mode_received);
}

const struct scsi_command scsi_mode_commands[] = {
	{ 0x15, SCSI_FOR_BOTH, mode_select },
	{ 0x1a, SCSI_FOR_BOTH, mode_sense },
	{ 0x55, SCSI_FOR_BOTH, mode_select },
	{ 0x5a, SCSI_FOR_BOTH, mode_sense },
	{ 0 },
};
