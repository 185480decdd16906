/* virtio-blk-pci: a disk whose requests go through the disk's own thread. Specification: virtio 1.2 section 5.2. */
#include "vmm/virtio/virtio-blk.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/storage/block-worker.h"
#include "vmm/storage/drives.h"
#include "vmm/virtio/virtio-pci.h"

#define FEATURE_SEG_MAX  (UINT64_C(1) << 2)
#define FEATURE_RO       (UINT64_C(1) << 5)
#define FEATURE_BLK_SIZE (UINT64_C(1) << 6)
#define FEATURE_FLUSH    (UINT64_C(1) << 9)
#define FEATURE_DISCARD  (UINT64_C(1) << 13)

enum {
	CONFIG_CAPACITY = 0x00,
	CONFIG_SEG_MAX = 0x0c,
	CONFIG_BLK_SIZE = 0x14,
	CONFIG_MAX_DISCARD_SECTORS = 0x24,
	CONFIG_MAX_DISCARD_SEG = 0x28,
	CONFIG_DISCARD_ALIGNMENT = 0x2c,
	CONFIG_SIZE = 0x3c,

	HEADER_BYTES = 16, /* type, reserved, sector */
	SEGMENTS_MAX = 254,
	DISCARD_BYTES = 16, /* sector, sectors, flags */
	DISCARD_SECTORS_MAX = 1 << 22,
	SERIAL_BYTES = 20,
};

enum request_type {
	REQUEST_IN = 0,
	REQUEST_OUT = 1,
	REQUEST_FLUSH = 4,
	REQUEST_GET_ID = 8,
	REQUEST_DISCARD = 11,
};

enum request_status {
	STATUS_OK = 0,
	STATUS_IO_ERROR = 1,
	STATUS_UNSUPPORTED = 2,
};

struct virtio_blk;

struct blk_request {
	struct block_request block; /* first: the worker gives it back */
	struct virtqueue_element element;
	uint8_t *status;
	struct blk_request *next_free;
};

struct virtio_blk {
	struct virtio_device virtio;
	char *drive_id;
	char *serial;
	struct drive *drive;
	struct block_worker *worker;
	/* as many as the queue can hold, allocated when they are first needed */
	GPtrArray *requests;
	struct blk_request *free;
};

static const struct property blk_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY(VIRTIO_VECTORS_DEFAULT),
	{ "drive", PROPERTY_STRING, offsetof(struct virtio_blk, drive_id), NULL,
		"id of the -drive that holds the disk's contents" },
	{ "serial", PROPERTY_STRING, offsetof(struct virtio_blk, serial), NULL,
		"serial number the guest sees, at most 20 bytes" },
	{ .type = PROPERTY_END },
};

/* NULL when more are in flight than the queue has descriptors: the driver gave some of them twice. */
static struct blk_request *request_new(struct virtio_blk *blk)
{
	struct blk_request *request = blk->free;

	if (request) {
		blk->free = request->next_free;
	} else if (blk->requests->len <= VIRTQUEUE_DEFAULT_SIZE) {
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

static void request_destroy(gpointer data)
{
	struct blk_request *request = data;

	virtqueue_element_clear(&request->element);
	g_free(request);
}

static void finish(
	struct virtio_blk *blk, struct blk_request *request, uint8_t status, uint32_t read)
{
	*request->status = status;
	virtqueue_push(&blk->virtio.queues[0], &request->element, read + 1);
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

/* A disk whose medium was taken away has no sectors. */
static uint64_t disk_size(const struct virtio_blk *blk)
{
	return blk->drive->image ? blk->drive->image->size : 0;
}

static bool inside_disk(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
	uint64_t offset;

	return bytes % SECTOR == 0 && checked_multiply(sector, SECTOR, &offset) &&
	       checked_range(offset, bytes, disk_size(blk));
}

static bool has_no_flush(const struct virtio_blk *blk)
{
	return blk->drive->image && blk->drive->image->no_flush;
}

static void submit(struct virtio_blk *blk, struct blk_request *request,
	enum block_operation operation, uint64_t sector, uint64_t length)
{
	struct virtqueue_element *element = &request->element;

	request->block = (struct block_request) {
		.operation = operation,
		.offset = sector * SECTOR,
		.length = length,
		/* Section 5.2.6.2: a driver that cannot ask for a flush relies on every write. */
		.durable = operation == BLOCK_WRITE && !has_no_flush(blk) &&
			   !virtio_has_feature(&blk->virtio, FEATURE_FLUSH),
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
	char id[SERIAL_BYTES] = { 0 };
	size_t length;

	strncpy(id, blk->serial ? blk->serial : "", sizeof(id));
	length = iovec_write(
		request->element.writable, request->element.writable_count, 0, id, sizeof(id));
	finish(blk, request, STATUS_OK, length);
}

static void do_discard(struct virtio_blk *blk, struct blk_request *request)
{
	const struct virtqueue_element *element = &request->element;
	uint8_t segment[DISCARD_BYTES];
	uint64_t sector;
	uint32_t sectors;

	if (!virtio_has_feature(&blk->virtio, FEATURE_DISCARD)) {
		finish(blk, request, STATUS_UNSUPPORTED, 0);
		return;
	}
	/* One segment, as the configuration says. */
	if (iovec_length(element->readable, element->readable_count) != sizeof(segment) ||
		iovec_read(element->readable, element->readable_count, 0, segment,
			sizeof(segment)) != sizeof(segment)) {
		finish(blk, request, STATUS_IO_ERROR, 0);
		return;
	}
	sector = config_get64(segment);
	sectors = config_get32(segment + 8);
	if (sectors > DISCARD_SECTORS_MAX || !inside_disk(blk, sector, (uint64_t)sectors * SECTOR))
		finish(blk, request, STATUS_IO_ERROR, 0);
	else if (config_get32(segment + 12) != 0)
		finish(blk, request, STATUS_UNSUPPORTED, 0);
	else if (sectors == 0)
		finish(blk, request, STATUS_OK, 0);
	else
		submit(blk, request, BLOCK_DISCARD, sector, (uint64_t)sectors * SECTOR);
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
		do_discard(blk, request);
		break;
	default:
		finish(blk, request, STATUS_UNSUPPORTED, 0);
	}
}

/* Takes one request off the queue; false when there is none to be had. */
static bool take_request(struct virtio_blk *blk)
{
	struct blk_request *request = request_new(blk);
	enum virtqueue_result result;

	if (!request) {
		virtio_break(&blk->virtio, "more requests than the queue holds");
		return false;
	}
	result = virtqueue_pop(&blk->virtio.queues[0], &request->element);
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

	virtqueue_disable_notifications(queue);
	do {
		while (left > 0 && !virtio_is_broken(&blk->virtio) && take_request(blk))
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

	virtio_interrupt(&blk->virtio, 0);
}

static const struct block_worker_ops worker_ops = {
	.kicked = blk_kicked,
	.completed = blk_completed,
	.settled = blk_settled,
};

static void blk_get_config(struct virtio_device *virtio, uint8_t *config)
{
	struct virtio_blk *blk = (struct virtio_blk *)virtio;
	uint64_t sectors = disk_size(blk) / SECTOR;

	config_set32(config + CONFIG_CAPACITY, sectors);
	config_set32(config + CONFIG_CAPACITY + 4, sectors >> 32);
	config_set32(config + CONFIG_SEG_MAX, SEGMENTS_MAX);
	config_set32(config + CONFIG_BLK_SIZE, SECTOR);
	config_set32(config + CONFIG_MAX_DISCARD_SECTORS, DISCARD_SECTORS_MAX);
	config_set32(config + CONFIG_MAX_DISCARD_SEG, 1);
	config_set32(config + CONFIG_DISCARD_ALIGNMENT, 1);
}

static void blk_start(struct virtio_device *virtio)
{
	struct virtio_blk *blk = (struct virtio_blk *)virtio;

	if (virtio->queues[0].enabled)
		block_worker_start(blk->worker, virtio->kicks, 1);
}

static void blk_stop(struct virtio_device *virtio)
{
	block_worker_stop(((struct virtio_blk *)virtio)->worker);
}

/* Requests that were kept to be done again are the driver's no more. */
static void blk_forget(struct virtio_device *virtio)
{
	struct virtio_blk *blk = (struct virtio_blk *)virtio;

	block_worker_forget(blk->worker);
	blk->free = NULL;
	for (guint i = 0; i < blk->requests->len; i++)
		request_free(blk, blk->requests->pdata[i]);
}

static void blk_forget_queue(struct virtio_device *virtio, unsigned queue)
{
	blk_forget(virtio);
}

static const struct virtio_ops blk_ops = {
	.queues = 1,
	.config_size = CONFIG_SIZE,
	.get_config = blk_get_config,
	.start = blk_start,
	.stop = blk_stop,
	.queue_reset = blk_forget_queue,
	.reset = blk_forget,
};

static const struct drive_ops blk_drive_ops = { .is_cdrom = false };

static bool blk_realize(struct device *device, GError **error)
{
	struct virtio_blk *blk = (struct virtio_blk *)device;

	if (!blk->drive_id)
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=ID is missing: it names a -drive ...,if=none,id=ID");
	if (blk->serial && strlen(blk->serial) > SERIAL_BYTES)
		return fail(error, VITRINE_ERROR_INPUT,
			"serial=%s is too long; %d bytes are possible", blk->serial, SERIAL_BYTES);
	blk->drive =
		drives_take(device->machine->drives, blk->drive_id, device, &blk_drive_ops, error);
	if (!blk->drive)
		return false;
	if (!blk->drive->image)
		return fail(error, VITRINE_ERROR_INPUT, "drive=%s has no image; a disk needs one",
			blk->drive_id);
	blk->requests = g_ptr_array_new_with_free_func(request_destroy);
	blk->worker = block_worker_new(blk->drive, &worker_ops, blk);

	blk->virtio.ops = &blk_ops;
	blk->virtio.features = FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH |
			       (blk->drive->read_only ? FEATURE_RO : 0) |
			       (blk->drive->image->discard ? FEATURE_DISCARD : 0);
	return virtio_pci_realize(&blk->virtio, error);
}

static void blk_reset(struct device *device)
{
	virtio_pci_reset((struct virtio_device *)device);
}

static void blk_set_running(struct device *device, bool running)
{
	virtio_set_running((struct virtio_device *)device, running);
}

static void blk_unrealize(struct device *device)
{
	struct virtio_blk *blk = (struct virtio_blk *)device;

	if (blk->virtio.ops)
		virtio_pci_unrealize(&blk->virtio);
	g_clear_pointer(&blk->worker, block_worker_free);
	g_clear_pointer(&blk->requests, g_ptr_array_unref);
	g_clear_pointer(&blk->drive, drive_release);
}

static const struct pci_identity blk_identity = {
	.vendor = 0x1af4,
	.device = 0x1042,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x010000,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_blk_class = {
	.name = "virtio-blk-pci",
	.description = "disk",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_blk),
	.boot_suffix = "disk@0,0",
	.pci = &blk_identity,
	.properties = blk_properties,
	.realize = blk_realize,
	.reset = blk_reset,
	.unrealize = blk_unrealize,
	.set_running = blk_set_running,
};
