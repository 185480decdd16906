/* The common configuration of a virtio PCI device. Specification: virtio 1.2 sections 2.1, 3.1 and 4.1.4.3. */
#include <glib.h>

#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-private.h"

enum {
	DEVICE_FEATURE_SELECT = 0x00,
	DEVICE_FEATURE = 0x04,
	DRIVER_FEATURE_SELECT = 0x08,
	DRIVER_FEATURE = 0x0c,
	CONFIG_VECTOR = 0x10,
	QUEUES = 0x12,
	STATUS = 0x14,
	GENERATION = 0x15,
	QUEUE_SELECT = 0x16,
	QUEUE_SIZE = 0x18,
	QUEUE_VECTOR = 0x1a,
	QUEUE_ENABLE = 0x1c,
	QUEUE_NOTIFY_OFFSET = 0x1e,
	QUEUE_DESCRIPTORS = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
	QUEUE_RESET = 0x3a,
};

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select == 0 ? (uint32_t)features : select == 1 ? (uint32_t)(features >> 32) : 0;
}

/* The queue that the driver has selected, or NULL. */
static struct virtqueue *selected_queue(const struct virtio_device *virtio)
{
	return virtio->queue_select < virtio->queue_count ? &virtio->queues[virtio->queue_select]
							  : NULL;
}

static void fill_queue(
	const struct virtio_device *virtio, const struct virtqueue *queue, uint8_t *to)
{
	config_set16(to + QUEUE_SIZE, queue->size);
	config_set16(to + QUEUE_VECTOR, queue->vector);
	config_set16(to + QUEUE_ENABLE, queue->enabled);
	config_set16(to + QUEUE_NOTIFY_OFFSET, virtio->queue_select);
	config_set32(to + QUEUE_DESCRIPTORS, queue->descriptors);
	config_set32(to + QUEUE_DESCRIPTORS + 4, queue->descriptors >> 32);
	config_set32(to + QUEUE_DRIVER, queue->driver);
	config_set32(to + QUEUE_DRIVER + 4, queue->driver >> 32);
	config_set32(to + QUEUE_DEVICE, queue->device);
	config_set32(to + QUEUE_DEVICE + 4, queue->device >> 32);
}

void virtio_common_fill(const struct virtio_device *virtio, uint8_t *bytes)
{
	const struct virtqueue *queue = selected_queue(virtio);

	config_set32(bytes + DEVICE_FEATURE_SELECT, virtio->feature_select);
	config_set32(bytes + DEVICE_FEATURE,
		feature_word(virtio_offered_features(virtio), virtio->feature_select));
	config_set32(bytes + DRIVER_FEATURE_SELECT, virtio->driver_feature_select);
	config_set32(bytes + DRIVER_FEATURE,
		feature_word(virtio->driver_features, virtio->driver_feature_select));
	config_set16(bytes + CONFIG_VECTOR, virtio->config_vector);
	config_set16(bytes + QUEUES, virtio->queue_count);
	bytes[STATUS] = virtio->status | (virtio_is_broken(virtio) ? VIRTIO_STATUS_NEEDS_RESET : 0);
	bytes[GENERATION] = virtio->generation;
	config_set16(bytes + QUEUE_SELECT, virtio->queue_select);
	if (queue)
		fill_queue(virtio, queue, bytes);
}

/* Section 3.1.1: FEATURES_OK stays only when the features make sense together. */
static bool features_make_sense(const struct virtio_device *virtio)
{
	uint64_t offered = virtio_offered_features(virtio);
	uint64_t required = VIRTIO_FEATURE_VERSION_1 | (offered & VIRTIO_FEATURE_ACCESS_PLATFORM);

	return !(virtio->driver_features & ~offered) &&
	       (virtio->driver_features & required) == required;
}

/* Section 4.1.4.3.1: the status is 0 when the reset is done, and the driver waits for that. */
static void reset(struct virtio_device *virtio)
{
	virtio->resetting =
		virtio->running && virtio->ops->stop_soon && !virtio->ops->stop_soon(virtio);
	if (!virtio->resetting)
		virtio_pci_reset(virtio);
}

/* Section 2.1.2: a driver adds bits, or resets with 0; it takes none back. */
static void set_status(struct virtio_device *virtio, uint8_t status)
{
	uint8_t added = status & ~virtio->status;

	if (status == 0) {
		reset(virtio);
		return;
	}
	if (added & VIRTIO_STATUS_FEATURES_OK && !features_make_sense(virtio))
		added &= ~VIRTIO_STATUS_FEATURES_OK;
	/* Section 3.1.1: nothing runs on features that were not agreed on. */
	if (!((virtio->status | added) & VIRTIO_STATUS_FEATURES_OK))
		added &= ~VIRTIO_STATUS_DRIVER_OK;
	virtio->status |= added & ~VIRTIO_STATUS_NEEDS_RESET;
	if (added & VIRTIO_STATUS_DRIVER_OK) {
		for (unsigned i = 0; i < virtio->queue_count; i++)
			virtio_start_queue(virtio, i);
		virtio_run(virtio);
	}
}

static void set_half(uint64_t *value, bool high, uint32_t half)
{
	*value = high ? (*value & UINT32_MAX) | (uint64_t)half << 32
		      : (*value & ~(uint64_t)UINT32_MAX) | half;
}

static uint16_t valid_vector(const struct virtio_device *virtio, uint32_t vector)
{
	return vector < virtio->vectors ? vector : VIRTQUEUE_NO_VECTOR;
}

static void set_queue_size(
	const struct virtio_device *virtio, struct virtqueue *queue, uint32_t size)
{
	bool any = virtio_has_feature(virtio, VIRTIO_FEATURE_PACKED);

	if (size > 0 && size <= queue->max_size && (any || (size & (size - 1)) == 0))
		queue->size = size;
}

/* Once the driver is ready this is a queue that comes back after its reset. */
static void enable_queue(struct virtio_device *virtio)
{
	bool running = virtio->running;

	virtio->queues[virtio->queue_select].enabled = true;
	if (!(virtio->status & VIRTIO_STATUS_DRIVER_OK))
		return;
	virtio_halt(virtio);
	virtio_start_queue(virtio, virtio->queue_select);
	if (running)
		virtio_run(virtio);
}

/* Section 2.6.1. */
static void reset_queue(struct virtio_device *virtio)
{
	bool running = virtio->running;

	if (!virtio_has_feature(virtio, VIRTIO_FEATURE_QUEUE_RESET))
		return;
	virtio_halt(virtio);
	virtio_reset_queue(virtio, virtio->queue_select);
	if (running)
		virtio_run(virtio);
}

static void set_vector(struct virtio_device *virtio, struct virtqueue *queue, uint32_t vector)
{
	queue->vector = valid_vector(virtio, vector);
	if (virtio->running && virtio->ops->vector_changed)
		virtio->ops->vector_changed(virtio, virtio->queue_select);
}

/* All but vector and reset is fixed once the queue is enabled. */
static void write_queue(struct virtio_device *virtio, uint64_t at, uint32_t value)
{
	struct virtqueue *queue = selected_queue(virtio);

	if (!queue)
		return;
	if (at == QUEUE_VECTOR)
		set_vector(virtio, queue, value);
	if (at == QUEUE_RESET && value == 1)
		reset_queue(virtio);
	if (queue->enabled)
		return;
	switch (at) {
	case QUEUE_SIZE:
		set_queue_size(virtio, queue, value);
		break;
	case QUEUE_ENABLE:
		if (value == 1)
			enable_queue(virtio);
		break;
	case QUEUE_DESCRIPTORS:
	case QUEUE_DESCRIPTORS + 4:
		set_half(&queue->descriptors, at & 4, value);
		break;
	case QUEUE_DRIVER:
	case QUEUE_DRIVER + 4:
		set_half(&queue->driver, at & 4, value);
		break;
	case QUEUE_DEVICE:
	case QUEUE_DEVICE + 4:
		set_half(&queue->device, at & 4, value);
		break;
	}
}

/* Bytes of the field at this offset: a driver writes each as a whole (section 4.1.3.1). */
static unsigned field_width(uint64_t at)
{
	switch (at) {
	case STATUS:
	case GENERATION:
		return 1;
	case CONFIG_VECTOR ... QUEUES:
	case QUEUE_SELECT ... QUEUE_NOTIFY_OFFSET:
	case QUEUE_DEVICE + 8 ... QUEUE_RESET:
		return 2;
	default:
		return 4;
	}
}

void virtio_common_write(struct virtio_device *virtio, uint64_t at, unsigned size, uint32_t value)
{
	if (size != field_width(at) || virtio->resetting)
		return;
	switch (at) {
	case DEVICE_FEATURE_SELECT:
		virtio->feature_select = value;
		break;
	case DRIVER_FEATURE_SELECT:
		virtio->driver_feature_select = value;
		break;
	case DRIVER_FEATURE:
		if (!(virtio->status & VIRTIO_STATUS_FEATURES_OK) &&
			virtio->driver_feature_select < 2)
			set_half(&virtio->driver_features, virtio->driver_feature_select == 1,
				value);
		break;
	case CONFIG_VECTOR:
		virtio->config_vector = valid_vector(virtio, value);
		break;
	case STATUS:
		set_status(virtio, value);
		break;
	case QUEUE_SELECT:
		virtio->queue_select = value;
		break;
	default:
		write_queue(virtio, at, value);
	}
}
