/* What the files of virtio-blk share: the device (virtio-blk.c) and the course of its requests (virtio-blk-requests.c). */
#pragma once

#include "vmm/storage/block-worker.h"
#include "vmm/storage/drives.h"
#include "vmm/virtio/virtio-pci.h"

#define BLK_FEATURE_SEG_MAX      (UINT64_C(1) << 2)
#define BLK_FEATURE_GEOMETRY     (UINT64_C(1) << 4)
#define BLK_FEATURE_RO           (UINT64_C(1) << 5)
#define BLK_FEATURE_BLK_SIZE     (UINT64_C(1) << 6)
#define BLK_FEATURE_FLUSH        (UINT64_C(1) << 9)
#define BLK_FEATURE_TOPOLOGY     (UINT64_C(1) << 10)
#define BLK_FEATURE_CONFIG_WCE   (UINT64_C(1) << 11)
#define BLK_FEATURE_MQ           (UINT64_C(1) << 12)
#define BLK_FEATURE_DISCARD      (UINT64_C(1) << 13)
#define BLK_FEATURE_WRITE_ZEROES (UINT64_C(1) << 14)

enum {
	BLK_SERIAL_BYTES = 20,
};

struct blk_request;

struct virtio_blk {
	struct virtio_device virtio;
	char *drive_id;
	char *serial;
	uint16_t num_queues, queue_size, min_io_size;
	uint32_t logical_block_size, physical_block_size, opt_io_size, discard_granularity;
	uint32_t max_discard_sectors, max_zeroes_sectors;
	uint32_t read_error, write_error, write_cache; /* indices into the choices */
	bool config_wce, discard, write_zeroes, share;
	char *iothread;

	struct drive *drive;
	struct object *thread;
	struct block_worker *worker;
	int writeback;   /* atomic: the guest asks for flushes itself */
	uint64_t pushed; /* the thread's: queues to interrupt for */
	/* as many as the queues can hold, allocated when they are first needed */
	GPtrArray *requests;
	struct blk_request *free;
};

/* On the disk's thread: takes requests off the rings, does them and gives them back. */
extern const struct block_worker_ops blk_worker_ops;
/* For the list of requests. */
void blk_request_destroy(gpointer request);
/* While the thread does not run: requests of a queue that were kept to be done again are the driver's no more. */
void blk_forget_queue(struct virtio_device *virtio, unsigned queue);

/* Bytes; a disk whose medium was taken away has none. */
static inline uint64_t blk_disk_size(const struct virtio_blk *blk)
{
	return blk->drive->image ? blk->drive->image->size : 0;
}
