/* SCSI commands that move, unmap and flush blocks. Specification: SBC-3 section 5; of MMC-6 those that CD-ROMs share. */
#include <string.h>

#include "base/checked.h"
#include "vmm/storage/scsi-private.h"

enum {
	FORCE_UNIT_ACCESS = 1 << 3, /* byte 1 of READ and WRITE */
	VERIFY_BYTES = 3 << 1,      /* byte 1 of VERIFY: BYTCHK */
	SAME_UNMAP = 1 << 3,        /* byte 1 of WRITE SAME */
	SAME_ANCHOR = 1 << 4,
	SAME_NO_DATA = 1 << 0,
	SAME_BUFFER = 64 * 1024, /* a guest may have as many as its queues hold */

	SERVICE_READ_CAPACITY = 0x10,
	CAPACITY_16_BYTES = 32,
	CAPACITY_UNMAPS = 0x80,

	UNMAP_HEADER = 8,
	UNMAP_RANGE = 16,
};

struct extent {
	uint64_t block;
	uint64_t count;
};

/* Where READ, WRITE, VERIFY and their like have it, by the length of the CDB (SPC-4 4.2.5.1). */
static struct extent extent_of(const uint8_t *cdb)
{
	switch (cdb[0] >> 5) {
	case 0:
		return (struct extent) { scsi_get24(cdb + 1) & 0x1fffff, cdb[4] ? cdb[4] : 256 };
	case 1:
	case 2:
		return (struct extent) { scsi_get32(cdb + 2), scsi_get16(cdb + 7) };
	case 5:
		return (struct extent) { scsi_get32(cdb + 2), scsi_get32(cdb + 6) };
	default:
		return (struct extent) { scsi_get64(cdb + 2), scsi_get32(cdb + 10) };
	}
}

static bool find_extent(const struct scsi_request *request, struct extent extent, uint64_t *offset,
	uint64_t *length)
{
	unsigned block = scsi_lun_block_size(request->lun);

	return checked_multiply(extent.block, block, offset) &&
	       checked_multiply(extent.count, block, length) &&
	       checked_range(*offset, *length, disk_size(request->lun->disk));
}

static void read_blocks(struct scsi_request *request)
{
	uint64_t offset, length;

	if (find_extent(request, extent_of(request->cdb), &offset, &length))
		scsi_move(request, SCSI_TO_GUEST, offset, length, false);
	else
		scsi_fail(request, SENSE_OUT_OF_RANGE);
}

static bool may_write(struct scsi_request *request)
{
	if (!disk_is_read_only(request->lun->disk))
		return true;
	scsi_fail(request, SENSE_WRITE_PROTECTED);
	return false;
}

static void write_blocks(struct scsi_request *request)
{
	const uint8_t *cdb = request->cdb;
	bool short_cdb = cdb[0] >> 5 == 0;
	bool durable = !request->lun->write_cache || (!short_cdb && cdb[1] & FORCE_UNIT_ACCESS);
	uint64_t offset, length;

	if (!may_write(request))
		return;
	if (find_extent(request, extent_of(cdb), &offset, &length))
		scsi_move(request, SCSI_FROM_GUEST, offset, length, durable);
	else
		scsi_fail(request, SENSE_OUT_OF_RANGE);
}

/* Blocks are never found to be bad here, and comparing with the guest's bytes is not offered. */
static void verify(struct scsi_request *request)
{
	uint64_t offset, length;

	if (request->cdb[1] & VERIFY_BYTES)
		scsi_fail(request, SENSE_INVALID_FIELD);
	else if (!find_extent(request, extent_of(request->cdb), &offset, &length))
		scsi_fail(request, SENSE_OUT_OF_RANGE);
	else
		scsi_succeed(request);
}

static void flush(struct scsi_request *request)
{
	if (request->lun->disk->drive->image->no_flush) {
		scsi_succeed(request);
		return;
	}
	request->job.operation = BLOCK_FLUSH;
	request->job.offset = 0;
	request->job.length = 0;
	scsi_work(request, NULL);
}

/* WRITE SAME */

static void start_discard(struct scsi_request *request, uint64_t offset, uint64_t length)
{
	request->job.operation = BLOCK_DISCARD;
	request->job.offset = offset;
	request->job.length = length;
}

/* The block is written from a buffer full of copies, as often as needed. */
static void write_copies(struct scsi_request *request, uint64_t offset, uint64_t length)
{
	size_t size = MIN(length, SAME_BUFFER);
	unsigned count = (length + size - 1) / size;
	uint8_t *copies = g_malloc(size);

	for (size_t at = 0; at < size; at += SCSI_DISK_BLOCK)
		memcpy(copies + at, request->buffer, SCSI_DISK_BLOCK);
	g_free(request->buffer);
	request->buffer = copies;
	request->pieces = g_new(struct iovec, count);
	for (unsigned i = 0; i < count; i++)
		request->pieces[i] = (struct iovec) { copies, size };
	request->job.operation = BLOCK_WRITE;
	request->job.offset = offset;
	request->job.length = length;
	request->job.durable = !request->lun->write_cache;
	request->job.pieces = request->pieces;
	request->job.count = count;
	scsi_work(request, NULL);
}

static bool is_zero(const uint8_t *block)
{
	return block[0] == 0 && memcmp(block, block + 1, SCSI_DISK_BLOCK - 1) == 0;
}

/* Blocks that are unmapped are not promised to read as zeroes, so zeroes are written unless the guest asks to unmap. */
static void same_received(struct scsi_request *request)
{
	const struct disk *disk = request->lun->disk;
	bool unmap = request->cdb[1] & SAME_UNMAP && disk->drive->image &&
		     disk->drive->image->discard && is_zero(request->buffer);
	uint64_t offset, length;

	/* The medium may have gone or changed while the block came. */
	if (!find_extent(request, extent_of(request->cdb), &offset, &length)) {
		scsi_fail(request, SENSE_OUT_OF_RANGE);
		return;
	}
	if (!unmap) {
		write_copies(request, offset, length);
		return;
	}
	start_discard(request, offset, length);
	scsi_work(request, NULL);
}

static void write_same(struct scsi_request *request)
{
	struct extent extent = extent_of(request->cdb);
	bool no_data = request->cdb[0] == 0x93 && request->cdb[1] & SAME_NO_DATA;
	uint64_t offset, length;

	if (!may_write(request))
		return;
	if (extent.count == 0 || extent.count > SCSI_WRITE_SAME_MAX ||
		request->cdb[1] & SAME_ANCHOR) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	if (!find_extent(request, extent, &offset, &length)) {
		scsi_fail(request, SENSE_OUT_OF_RANGE);
		return;
	}
	if (!no_data) {
		scsi_receive(request, SCSI_DISK_BLOCK, same_received);
		return;
	}
	request->buffer = g_malloc0(SCSI_DISK_BLOCK);
	same_received(request);
}

/* UNMAP: one range after the other. */

struct scsi_ranges {
	unsigned next, count;
	struct extent extents[SCSI_UNMAP_RANGES_MAX];
};

static void unmap_next(struct disk_job *job, int result)
{
	struct scsi_request *request = scsi_request_of(job);
	struct scsi_ranges *ranges = request->ranges;
	const struct block_backend *image = request->lun->disk->drive->image;
	uint64_t offset, length;

	if (scsi_work_failed(job, result))
		return;
	while (ranges->next < ranges->count && ranges->extents[ranges->next].count == 0)
		ranges->next++;
	/* Where the image keeps its space, the guest's wish is no more than that. */
	if (ranges->next == ranges->count || !image || !image->discard) {
		scsi_succeed(request);
		return;
	}
	if (!find_extent(request, ranges->extents[ranges->next++], &offset, &length)) {
		scsi_fail(request, SENSE_OUT_OF_RANGE);
		return;
	}
	start_discard(request, offset, length);
	scsi_work(request, unmap_next);
}

static void unmap_received(struct scsi_request *request)
{
	const uint8_t *list = request->buffer;
	uint16_t bytes = request->length < UNMAP_HEADER ? 0 : scsi_get16(list + 2);
	uint64_t offset, length;
	struct scsi_ranges *ranges;

	if (request->length < UNMAP_HEADER || bytes > request->length - UNMAP_HEADER ||
		bytes % UNMAP_RANGE != 0 || bytes / UNMAP_RANGE > SCSI_UNMAP_RANGES_MAX) {
		scsi_fail(request, SENSE_INVALID_PARAMETER);
		return;
	}
	ranges = g_new0(struct scsi_ranges, 1);
	request->ranges = ranges;
	for (const uint8_t *at = list + UNMAP_HEADER; at < list + UNMAP_HEADER + bytes;
		at += UNMAP_RANGE) {
		struct extent extent = { scsi_get64(at), scsi_get32(at + 8) };

		if (!find_extent(request, extent, &offset, &length)) {
			scsi_fail(request, SENSE_OUT_OF_RANGE);
			return;
		}
		ranges->extents[ranges->count++] = extent;
	}
	unmap_next(&request->job, 0);
}

static void unmap(struct scsi_request *request)
{
	uint16_t length = scsi_get16(request->cdb + 7);

	if (!may_write(request))
		return;
	if (request->cdb[1] & 1) /* ANCHOR */
		scsi_fail(request, SENSE_INVALID_FIELD);
	else if (length == 0)
		scsi_succeed(request);
	else
		scsi_receive(request, length, unmap_received);
}

/* Capacity */

static uint64_t last_block(const struct scsi_lun *lun)
{
	uint64_t blocks = disk_size(lun->disk) / scsi_lun_block_size(lun);

	return blocks > 0 ? blocks - 1 : 0;
}

static void read_capacity(struct scsi_request *request)
{
	uint8_t data[8];

	scsi_set32(data, MIN(last_block(request->lun), UINT32_MAX));
	scsi_set32(data + 4, scsi_lun_block_size(request->lun));
	scsi_reply(request, data, sizeof(data), sizeof(data));
}

static void service_action_in(struct scsi_request *request)
{
	uint8_t data[CAPACITY_16_BYTES] = { 0 };

	if ((request->cdb[1] & 0x1f) != SERVICE_READ_CAPACITY) {
		scsi_fail(request, SENSE_INVALID_FIELD);
		return;
	}
	scsi_set64(data, last_block(request->lun));
	scsi_set32(data + 8, scsi_lun_block_size(request->lun));
	data[13] = 3; /* eight blocks make one of the medium's: 4096 bytes */
	data[14] = CAPACITY_UNMAPS;
	scsi_reply(request, data, sizeof(data), scsi_get32(request->cdb + 10));
}

static void seek(struct scsi_request *request)
{
	uint64_t offset, length;
	struct extent extent = { scsi_get32(request->cdb + 2), 0 };

	if (find_extent(request, extent, &offset, &length))
		scsi_succeed(request);
	else
		scsi_fail(request, SENSE_OUT_OF_RANGE);
}

enum {
	READS = SCSI_FOR_BOTH | SCSI_NEEDS_MEDIUM,
	WRITES = SCSI_FOR_DISK | SCSI_NEEDS_MEDIUM,
};

const struct scsi_command scsi_block_commands[] = {
	{ 0x08, READS, read_blocks },
	{ 0x0a, WRITES, write_blocks },
	{ 0x25, READS, read_capacity },
	{ 0x28, READS, read_blocks },
	{ 0x2a, WRITES, write_blocks },
	{ 0x2b, READS, seek },
	{ 0x2f, READS, verify },
	{ 0x35, READS, flush },
	{ 0x41, WRITES, write_same },
	{ 0x42, WRITES, unmap },
	{ 0x88, WRITES, read_blocks },
	{ 0x8a, WRITES, write_blocks },
	{ 0x8f, WRITES, verify },
	{ 0x91, WRITES, flush },
	{ 0x93, WRITES, write_same },
	{ 0x9e, WRITES, service_action_in },
	{ 0xa8, READS, read_blocks },
	{ 0xaa, WRITES, write_blocks },
	{ 0xaf, READS, verify },
	{ 0 },
};
