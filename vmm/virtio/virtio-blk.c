/* virtio-blk-pci: a disk whose requests go through the disk's own thread. Specification: virtio 1.2 section 5.2. */
#include "vmm/virtio/virtio-blk.h"

#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/objects.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-blk-private.h"

enum {
	CONFIG_CAPACITY = 0x00,
	CONFIG_SEG_MAX = 0x0c,
	CONFIG_CYLINDERS = 0x10,
	CONFIG_HEADS = 0x12,
	CONFIG_SECTORS = 0x13,
	CONFIG_BLK_SIZE = 0x14,
	CONFIG_PHYSICAL_EXPONENT = 0x18,
	CONFIG_MIN_IO_SIZE = 0x1a,
	CONFIG_OPT_IO_SIZE = 0x1c,
	CONFIG_WRITEBACK = 0x20,
	CONFIG_QUEUES = 0x22,
	CONFIG_MAX_DISCARD_SECTORS = 0x24,
	CONFIG_MAX_DISCARD_SEG = 0x28,
	CONFIG_DISCARD_ALIGNMENT = 0x2c,
	CONFIG_MAX_ZEROES_SECTORS = 0x30,
	CONFIG_MAX_ZEROES_SEG = 0x34,
	CONFIG_ZEROES_MAY_UNMAP = 0x38,
	CONFIG_SIZE = 0x3c,

	QUEUES_MAX = BLOCK_KICKS_MAX,
	QUEUES_AUTOMATIC = UINT16_MAX, /* one for each processor */
	HEADS = 16,                    /* of the geometry that nobody believes */
	TRACK_SECTORS = 63,
	CYLINDERS_MAX = 16383,

	RESET_PATIENCE = 20, /* milliseconds that a reset by the driver waits for the host */
};

/* Sectors in one request: what QEMU's block layer takes. */
#define DISCARD_SECTORS_MAX     0x3fffff
#define DISCARD_SECTORS_DEFAULT "4194303"

static const char *const error_choices[] = { "auto", "report", "ignore", "stop", "enospc", NULL };
static const char *const cache_choices[] = { "auto", "on", "off", NULL };
static const enum drive_error_policy error_policies[] = {
	[1] = DRIVE_ERROR_REPORT,
	[2] = DRIVE_ERROR_IGNORE,
	[3] = DRIVE_ERROR_STOP,
	[4] = DRIVE_ERROR_ENOSPC,
};

#define BLK(name, type, member, value, text) \
	name, type, offsetof(struct virtio_blk, member), value, text

static const struct property blk_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY(VIRTIO_VECTORS_DEFAULT),
	{ BLK("drive", PROPERTY_STRING, drive_id, NULL,
		"id of the -drive, or node-name of the -blockdev, with the disk's contents") },
	{ BLK("serial", PROPERTY_STRING, serial, NULL,
		  "serial number the guest sees, at most 20 bytes"),
		.maximum = BLK_SERIAL_BYTES },
	{ BLK("num-queues", PROPERTY_UINT16, num_queues, "65535",
		"request queues, up to 64; 65535: one for each processor") },
	{ BLK("queue-size", PROPERTY_UINT16, queue_size, "256",
		  "descriptors of a queue, a power of two"),
		.minimum = 4, .maximum = VIRTQUEUE_MAX_SIZE },
	{ BLK("logical_block_size", PROPERTY_UINT32, logical_block_size, "512",
		  "bytes of a block, a power of two"),
		.minimum = 512, .maximum = 32768 },
	{ BLK("physical_block_size", PROPERTY_UINT32, physical_block_size, "512",
		  "bytes of a block of the medium, a power of two"),
		.minimum = 512, .maximum = 2097152 },
	{ BLK("min_io_size", PROPERTY_UINT16, min_io_size, "0",
		"bytes that are good to read or write at least; 0: not said") },
	{ BLK("opt_io_size", PROPERTY_UINT32, opt_io_size, "0",
		"bytes that are best read or written at once; 0: not said") },
	{ BLK("discard_granularity", PROPERTY_UINT32, discard_granularity, "4294967295",
		"bytes that discards should be multiples of; 4294967295: a block") },
	{ BLK("config-wce", PROPERTY_BOOL, config_wce, "on",
		"the guest may turn the write cache on and off") },
	{ BLK("write-cache", PROPERTY_CHOICE, write_cache, "auto",
		  "whether writes wait for a flush at first; auto: as the drive's cache= says"),
		.choices = cache_choices },
	{ BLK("discard", PROPERTY_BOOL, discard, "on", "offer to discard sectors") },
	{ BLK("write-zeroes", PROPERTY_BOOL, write_zeroes, "on", "offer to write zeroes") },
	{ BLK("max-discard-sectors", PROPERTY_UINT32, max_discard_sectors, DISCARD_SECTORS_DEFAULT,
		  "sectors of one discard"),
		.minimum = 1, .maximum = DISCARD_SECTORS_MAX },
	{ BLK("max-write-zeroes-sectors", PROPERTY_UINT32, max_zeroes_sectors,
		  DISCARD_SECTORS_DEFAULT, "sectors of one request for zeroes"),
		.minimum = 1, .maximum = DISCARD_SECTORS_MAX },
	{ BLK("rerror", PROPERTY_CHOICE, read_error, "auto",
		  "what is done when reading fails; auto: as the drive says"),
		.choices = error_choices },
	{ BLK("werror", PROPERTY_CHOICE, write_error, "auto",
		  "what is done when writing fails; auto: as the drive says"),
		.choices = error_choices },
	{ BLK("share-rw", PROPERTY_BOOL, share, "off", "has to be off") },
	{ BLK("iothread", PROPERTY_STRING, iothread, NULL,
		"id of an -object iothread; each disk has a thread of its own in any case") },
	{ .type = PROPERTY_END },
};

static unsigned exponent(uint32_t of, uint32_t to)
{
	unsigned result = 0;

	while (of << result < to)
		result++;
	return result;
}

static uint32_t discard_alignment(const struct virtio_blk *blk)
{
	return (blk->discard_granularity == UINT32_MAX ? blk->logical_block_size
						       : blk->discard_granularity) /
	       SECTOR;
}

static void blk_get_config(struct virtio_device *virtio, uint8_t *config)
{
	struct virtio_blk *blk = (struct virtio_blk *)virtio;
	uint64_t sectors =
		blk_disk_size(blk) / blk->logical_block_size * (blk->logical_block_size / SECTOR);
	uint64_t cylinders = MIN(sectors / (HEADS * TRACK_SECTORS), (uint64_t)CYLINDERS_MAX);

	config_set32(config + CONFIG_CAPACITY, sectors);
	config_set32(config + CONFIG_CAPACITY + 4, sectors >> 32);
	/* Two descriptors are for the header and the status. */
	config_set32(config + CONFIG_SEG_MAX, blk->queue_size - 2);
	config_set16(config + CONFIG_CYLINDERS, cylinders);
	config[CONFIG_HEADS] = HEADS;
	config[CONFIG_SECTORS] = TRACK_SECTORS;
	config_set32(config + CONFIG_BLK_SIZE, blk->logical_block_size);
	config[CONFIG_PHYSICAL_EXPONENT] =
		exponent(blk->logical_block_size, blk->physical_block_size);
	config_set16(config + CONFIG_MIN_IO_SIZE, blk->min_io_size / blk->logical_block_size);
	config_set32(config + CONFIG_OPT_IO_SIZE, blk->opt_io_size / blk->logical_block_size);
	config[CONFIG_WRITEBACK] = __atomic_load_n(&blk->writeback, __ATOMIC_SEQ_CST);
	config_set16(config + CONFIG_QUEUES, virtio->queue_count);
	config_set32(config + CONFIG_MAX_DISCARD_SECTORS, blk->max_discard_sectors);
	config_set32(config + CONFIG_MAX_DISCARD_SEG, 1);
	config_set32(config + CONFIG_DISCARD_ALIGNMENT, discard_alignment(blk));
	config_set32(config + CONFIG_MAX_ZEROES_SECTORS, blk->max_zeroes_sectors);
	config_set32(config + CONFIG_MAX_ZEROES_SEG, 1);
	config[CONFIG_ZEROES_MAY_UNMAP] = 1;
}

/* The write cache is all that a driver may change. What was written while it was on is flushed by whoever turns it off. */
static void blk_set_config(
	struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size)
{
	struct virtio_blk *blk = (struct virtio_blk *)virtio;

	if (offset <= CONFIG_WRITEBACK && offset + size > CONFIG_WRITEBACK &&
		virtio_has_feature(virtio, BLK_FEATURE_CONFIG_WCE))
		__atomic_store_n(
			&blk->writeback, bytes[CONFIG_WRITEBACK - offset] & 1, __ATOMIC_SEQ_CST);
}

static void blk_start(struct virtio_device *virtio)
{
	block_worker_start(
		((struct virtio_blk *)virtio)->worker, virtio->kicks, virtio->queue_count);
}

static void blk_stop(struct virtio_device *virtio)
{
	block_worker_stop(((struct virtio_blk *)virtio)->worker);
}

static bool blk_stop_soon(struct virtio_device *virtio)
{
	return block_worker_stop_within(((struct virtio_blk *)virtio)->worker, RESET_PATIENCE);
}

static void set_writeback(struct virtio_blk *blk)
{
	const struct block_backend *image = blk->drive->image;
	bool on = blk->write_cache == 0 ? !(image && image->write_through) : blk->write_cache == 1;

	__atomic_store_n(&blk->writeback, on, __ATOMIC_SEQ_CST);
}

static void blk_forget(struct virtio_device *virtio)
{
	set_writeback((struct virtio_blk *)virtio);
}

static const struct virtio_ops blk_ops = {
	.config_size = CONFIG_SIZE,
	.get_config = blk_get_config,
	.set_config = blk_set_config,
	.start = blk_start,
	.stop = blk_stop,
	.stop_soon = blk_stop_soon,
	.queue_reset = blk_forget_queue,
	.reset = blk_forget,
};

static void blk_medium_changed(void *device)
{
	virtio_config_changed(device);
}

static const struct drive_ops blk_drive_ops = { .medium_changed = blk_medium_changed };

static bool is_power_of_two(uint32_t number)
{
	return (number & (number - 1)) == 0;
}

static bool check_properties(const struct virtio_blk *blk, GError **error)
{
	if (!blk->drive_id)
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=ID is missing: it names a -drive ...,if=none,id=ID");
	if (!is_power_of_two(blk->logical_block_size) ||
		!is_power_of_two(blk->physical_block_size) || !is_power_of_two(blk->queue_size))
		return fail(error, VITRINE_ERROR_INPUT,
			"logical_block_size, physical_block_size and queue-size have to be powers "
			"of two");
	if (blk->physical_block_size < blk->logical_block_size)
		return fail(error, VITRINE_ERROR_INPUT,
			"physical_block_size=%u is smaller than logical_block_size=%u",
			blk->physical_block_size, blk->logical_block_size);
	if (blk->discard_granularity != UINT32_MAX &&
		blk->discard_granularity % blk->logical_block_size != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"discard_granularity=%u is no multiple of logical_block_size=%u",
			blk->discard_granularity, blk->logical_block_size);
	if (blk->share)
		return fail(error, VITRINE_ERROR_INPUT,
			"share-rw=on is not possible: no two guests may write to one image");
	return blk->num_queues == QUEUES_AUTOMATIC ||
	       (blk->num_queues >= 1 && blk->num_queues <= QUEUES_MAX) ||
	       fail(error, VITRINE_ERROR_INPUT, "num-queues=%u is not accepted; accepted: 1 to %d",
		       blk->num_queues, QUEUES_MAX);
}

static bool take_drive(struct virtio_blk *blk, GError **error)
{
	struct device *device = &blk->virtio.pci.device;

	if (blk->iothread) {
		blk->thread =
			objects_take(device->machine->objects, blk->iothread, OBJECT_THREAD, error);
		if (!blk->thread)
			return false;
	}
	blk->drive = drives_take(
		device->machine->drives, blk->drive_id, device, &blk_drive_ops, blk, error);
	if (!blk->drive)
		return false;
	if (!blk->drive->image)
		return fail(error, VITRINE_ERROR_INPUT, "drive=%s has no image; a disk needs one",
			blk->drive_id);
	if (blk->read_error > 0)
		blk->drive->on_read_error = error_policies[blk->read_error];
	if (blk->write_error > 0)
		blk->drive->on_write_error = error_policies[blk->write_error];
	return true;
}

static bool blk_realize(struct device *device, GError **error)
{
	struct virtio_blk *blk = (struct virtio_blk *)device;

	if (!check_properties(blk, error) || !take_drive(blk, error))
		return false;
	blk->requests = g_ptr_array_new_with_free_func(blk_request_destroy);
	blk->worker = block_worker_new(blk->drive, &blk_worker_ops, blk);

	blk->virtio.ops = &blk_ops;
	blk->virtio.queue_count =
		blk->num_queues == QUEUES_AUTOMATIC
			? CLAMP(device->machine->config->cpus, 1, (unsigned)QUEUES_MAX)
			: blk->num_queues;
	blk->virtio.features = BLK_FEATURE_SEG_MAX | BLK_FEATURE_GEOMETRY | BLK_FEATURE_BLK_SIZE |
			       BLK_FEATURE_FLUSH | BLK_FEATURE_TOPOLOGY |
			       (blk->drive->read_only ? BLK_FEATURE_RO : 0) |
			       (blk->config_wce ? BLK_FEATURE_CONFIG_WCE : 0) |
			       (blk->virtio.queue_count > 1 ? BLK_FEATURE_MQ : 0) |
			       (blk->discard ? BLK_FEATURE_DISCARD : 0) |
			       (blk->write_zeroes ? BLK_FEATURE_WRITE_ZEROES : 0);
	set_writeback(blk);
	if (!virtio_pci_realize(&blk->virtio, error))
		return false;
	for (unsigned i = 0; i < blk->virtio.queue_count; i++)
		virtio_set_queue_size(&blk->virtio, i, blk->queue_size);
	return true;
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
	g_clear_pointer(&blk->thread, object_release);
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
