/* Requests of virtio-blk, from the ring to the disk and back. Specification: virtio 1.2 section 5.2.6. */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "vmm/machine/run-state.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-blk-private.h"

enum {
	HEADER_BYTES = 16,  /* type, reserved, sector */
	DISCARD_BYTES = 16, /* sector, sectors, flags */
	DISCARD_UNMAP = 1 << 0,
};

enum request_type {
	REQUEST_IN = 0,
	REQUEST_OUT = 1,
	REQUEST_FLUSH = 4,
	REQUEST_GET_ID = 8,
	REQUEST_DISCARD = 11,
	REQUEST_WRITE_ZEROES = 13,
};

enum request_status {
	STATUS_OK = 0,
	STATUS_IO_ERROR = 1,
	STATUS_UNSUPPORTED = 2,
};

struct blk_request {
	struct block_request block; /* first: the worker gives it back */
	struct virtqueue_element element;
	uint8_t *status;
	unsigned queue;
	struct blk_request *next_free;
};

/* NULL when more are in flight than the queue has descriptors: the driver gave some of them twice. */
static struct blk_request *request_new(struct virtio_blk *blk)
{
	struct blk_request *request = blk->free;

	if (request) {
		blk->free = request->next_free;
	} else if (blk->requests->len <= blk->virtio.queue_count * blk->queue_size) {
		request = g_new0(struct blk_request, 1);
		g_ptr_array_add(blk->requests, request);
	}
	return request;
}

static void request_free(struct virtio_blk *blk, struct blk_request *request)
{
	request->next_free = blk->free;
	blk->free = request;
}

void blk_request_destroy(gpointer data)
{
	struct blk_request *request = data;

	virtqueue_element_clear(&request->element);
	g_free(request);
}

static void finish(
	struct virtio_blk *blk, struct blk_request *request, uint8_t status, uint32_t read)
{
	*request->status = status;
	virtqueue_push(&blk->virtio.queues[request->queue], &request->element, read + 1);
	blk->pushed |= UINT64_C(1) << request->queue;
	request_free(blk, request);
}

/* Takes the status byte off the end of the writable pieces. */
static bool take_status(struct blk_request *request)
{
	struct virtqueue_element *element = &request->element;
	struct iovec *last;

	if (element->writable_count == 0)
		return false;
	last = &element->writable[element->writable_count - 1];
	if (last->iov_len == 0)
		return false;
	request->status = (uint8_t *)last->iov_base + --last->iov_len;
	if (last->iov_len == 0)
		element->writable_count--;
	return true;
}

static bool inside_disk(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
	uint64_t offset;

	return bytes % blk->logical_block_size == 0 &&
	       sector % (blk->logical_block_size / SECTOR) == 0 &&
	       checked_multiply(sector, SECTOR, &offset) &&
	       checked_range(offset, bytes, blk_disk_size(blk));
}

static bool has_no_flush(const struct virtio_blk *blk)
{
	return blk->drive->image && blk->drive->image->no_flush;
}

/* Section 5.2.6.2: a driver that can neither ask for a flush nor turn the cache on relies on every write. */
static bool is_write_through(const struct virtio_blk *blk)
{
	if (virtio_has_feature(&blk->virtio, BLK_FEATURE_CONFIG_WCE))
		return !__atomic_load_n(&blk->writeback, __ATOMIC_SEQ_CST);
	return !virtio_has_feature(&blk->virtio, BLK_FEATURE_FLUSH) ||
	       !__atomic_load_n(&blk->writeback, __ATOMIC_SEQ_CST);
}

static void submit(struct virtio_blk *blk, struct blk_request *request,
	enum block_operation operation, uint64_t sector, uint64_t length)
{
	struct virtqueue_element *element = &request->element;

	request->block = (struct block_request) {
		.operation = operation,
		.offset = sector * SECTOR,
		.length = length,
		.durable = (operation == BLOCK_WRITE || operation == BLOCK_WRITE_ZEROES) &&
			   !has_no_flush(blk) && is_write_through(blk),
		.pieces = operation == BLOCK_READ ? element->writable : element->readable,
		.count =
			operation == BLOCK_READ ? element->writable_count : element->readable_count,
	};
	block_worker_submit(blk->worker, &request->block);
}

static void do_transfer(
	struct virtio_blk *blk, struct blk_request *request, bool write, uint64_t sector)
{
	struct virtqueue_element *element = &request->element;
	uint64_t length = write ? iovec_length(element->readable, element->readable_count)
				: iovec_length(element->writable, element->writable_count);

	if (!inside_disk(blk, sector, length) || (write && blk->drive->read_only))
		finish(blk, request, STATUS_IO_ERROR, 0);
	else if (length == 0)
		finish(blk, request, STATUS_OK, 0);
	else
		submit(blk, request, write ? BLOCK_WRITE : BLOCK_READ, sector, length);
}

static void do_get_id(struct virtio_blk *blk, struct blk_request *request)
{
	char id[BLK_SERIAL_BYTES] = { 0 };
	size_t length;

	strncpy(id, blk->serial ? blk->serial : "", sizeof(id));
	length = iovec_write(
		request->element.writable, request->element.writable_count, 0, id, sizeof(id));
	finish(blk, request, STATUS_OK, length);
}

/* DISCARD and WRITE_ZEROES, section 5.2.6.2: one segment, as the configuration says. */
static void do_range(struct virtio_blk *blk, struct blk_request *request, bool zeroes)
{
	const struct virtqueue_element *element = &request->element;
	uint32_t limit = zeroes ? blk->max_zeroes_sectors : blk->max_discard_sectors;
	uint8_t segment[DISCARD_BYTES];
	uint64_t sector;
	uint32_t sectors, flags;

	if (!virtio_has_feature(
		    &blk->virtio, zeroes ? BLK_FEATURE_WRITE_ZEROES : BLK_FEATURE_DISCARD)) {
		finish(blk, request, STATUS_UNSUPPORTED, 0);
		return;
	}
	if (iovec_length(element->readable, element->readable_count) != sizeof(segment) ||
		iovec_read(element->readable, element->readable_count, 0, segment,
			sizeof(segment)) != sizeof(segment)) {
		finish(blk, request, STATUS_IO_ERROR, 0);
		return;
	}
	sector = config_get64(segment);
	sectors = config_get32(segment + 8);
	flags = config_get32(segment + 12);
	if (flags & ~(zeroes ? DISCARD_UNMAP : 0))
		finish(blk, request, STATUS_UNSUPPORTED, 0);
	else if (sectors > limit || blk->drive->read_only ||
		 !inside_disk(blk, sector, (uint64_t)sectors * SECTOR))
		finish(blk, request, STATUS_IO_ERROR, 0);
	else if (sectors == 0 || (!zeroes && !blk->drive->image->discard))
		finish(blk, request, STATUS_OK, 0);
	else
		submit(blk, request, zeroes ? BLOCK_WRITE_ZEROES : BLOCK_DISCARD, sector,
			(uint64_t)sectors * SECTOR);
}

static void do_request(struct virtio_blk *blk, struct blk_request *request)
{
	struct virtqueue_element *element = &request->element;
	uint8_t header[HEADER_BYTES];

	if (iovec_read(element->readable, element->readable_count, 0, header, sizeof(header)) !=
			sizeof(header) ||
		!take_status(request)) {
		virtio_break(&blk->virtio, "a request without header or status");
		request_free(blk, request);
		return;
	}
	element->readable_count =
		iovec_skip(element->readable, element->readable_count, sizeof(header));

	switch (config_get32(header)) {
	case REQUEST_IN:
		do_transfer(blk, request, false, config_get64(header + 8));
		break;
	case REQUEST_OUT:
		do_transfer(blk, request, true, config_get64(header + 8));
		break;
	case REQUEST_FLUSH:
		if (has_no_flush(blk))
			finish(blk, request, STATUS_OK, 0);
		else
			submit(blk, request, BLOCK_FLUSH, 0, 0);
		break;
	case REQUEST_GET_ID:
		do_get_id(blk, request);
		break;
	case REQUEST_DISCARD:
		do_range(blk, request, false);
		break;
	case REQUEST_WRITE_ZEROES:
		do_range(blk, request, true);
		break;
	default:
		finish(blk, request, STATUS_UNSUPPORTED, 0);
	}
}

/* Takes one request off the queue; false when there is none to be had. */
static bool take_request(struct virtio_blk *blk, unsigned index)
{
	struct blk_request *request = request_new(blk);
	enum virtqueue_result result;

	if (!request) {
		virtio_break(&blk->virtio, "more requests than the queue holds");
		return false;
	}
	request->queue = index;
	result = virtqueue_pop(&blk->virtio.queues[index], &request->element);
	if (result == VIRTQUEUE_ELEMENT) {
		do_request(blk, request);
		return true;
	}
	request_free(blk, request);
	if (result == VIRTQUEUE_BROKEN)
		virtio_break(&blk->virtio, "descriptors outside of memory, or in a loop");
	return false;
}

/* At most a queue full of requests at a time: a guest that adds them as fast as they end does not keep the thread from
 * noticing that it has to stop. */
static void blk_kicked(void *owner, unsigned index)
{
	struct virtio_blk *blk = owner;
	struct virtqueue *queue = &blk->virtio.queues[index];
	unsigned left = queue->size;

	if (!virtqueue_is_started(queue))
		return;
	virtqueue_disable_notifications(queue);
	do {
		while (left > 0 && !virtio_is_broken(&blk->virtio) && take_request(blk, index))
			left--;
		if (left == 0) {
			virtio_look_again(&blk->virtio, index);
			return;
		}
	} while (!virtio_is_broken(&blk->virtio) && virtqueue_enable_notifications(queue));
}

static void blk_completed(void *owner, struct block_request *block, int result)
{
	struct virtio_blk *blk = owner;
	struct blk_request *request = (struct blk_request *)block;
	uint32_t read = block->operation == BLOCK_READ && result == 0 ? block->length : 0;

	finish(blk, request, result == 0 ? STATUS_OK : STATUS_IO_ERROR, read);
}

static void blk_settled(void *owner)
{
	struct virtio_blk *blk = owner;

	for (unsigned i = 0; blk->pushed; i++) {
		if (blk->pushed >> i & 1)
			virtio_interrupt(&blk->virtio, i);
		blk->pushed &= ~(UINT64_C(1) << i);
	}
}

static void told_stopped(struct machine *machine, void *device)
{
	virtio_stopped(device);
}

static void blk_stopped(void *owner)
{
	machine_run_soon(((struct virtio_device *)owner)->pci.device.machine, told_stopped, owner);
}

const struct block_worker_ops blk_worker_ops = {
	.kicked = blk_kicked,
	.completed = blk_completed,
	.settled = blk_settled,
	.stopped = blk_stopped,
};

static bool is_of_queue(const struct block_request *request, void *queue)
{
	return ((const struct blk_request *)request)->queue == *(const unsigned *)queue;
}

void blk_forget_queue(struct virtio_device *virtio, unsigned queue)
{
	struct virtio_blk *blk = (struct virtio_blk *)virtio;
	struct block_request *request = block_worker_forget_some(blk->worker, is_of_queue, &queue);

	while (request) {
		struct block_request *next = request->next;

		request_free(blk, (struct blk_request *)request);
		request = next;
	}
}
