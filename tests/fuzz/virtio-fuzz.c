/* A driver that does anything to a virtio device's registers and rings. Rings lie where a driver would put them, so that what
 * is written at random is often nearly right. */
#include "tests/fuzz/virtio-fuzz.h"

#include <string.h>

enum step {
	STEP_REGISTER,
	STEP_CONFIG,
	STEP_DESCRIPTOR,
	STEP_AVAILABLE,
	STEP_BYTES,
	STEP_KICK,
	STEP_READ,
	STEP_NEGOTIATE,
	STEP_PAUSE,
	STEP_HOST,
	STEPS,
};

enum {
	STEPS_MAX = 400,
	DATA_AT = 0x200000,
	DATA_BYTES = 0x10000,
	RING_SIZE = 16,
};

static void negotiate(struct virtio_fuzz *fuzz, uint8_t bits)
{
	uint64_t features = virtio_driver_offered(&fuzz->driver) & 0xffff;

	features |= bits & 1 ? VIRTIO_FEATURE_PACKED : 0;
	features |= bits & 2 ? VIRTIO_FEATURE_EVENT_INDEX : 0;
	features |= bits & 4 ? VIRTIO_FEATURE_INDIRECT : 0;
	features |= bits & 8 ? VIRTIO_FEATURE_QUEUE_RESET : 0;
	fuzz->vm->next_free = 0x10000;
	virtio_driver_negotiate(&fuzz->driver, bits & 16 ? features & ~UINT64_C(0xffff) : features);
	for (unsigned i = 0; i < fuzz->queue_count; i++)
		virtio_driver_queue(&fuzz->driver, &fuzz->queues[i], i,
			MIN(RING_SIZE, fuzz->driver.device->queues[i].max_size));
	virtio_driver_ready(&fuzz->driver);
}

/* An address that is mostly in the data, else anywhere. */
static uint64_t any_address(struct reader *in)
{
	uint16_t value = reader_le16(in);

	return value < 0xf000 ? DATA_AT + value : (uint64_t)value << 48 >> (value & 0x3f);
}

static void write_descriptor(
	struct virtio_fuzz *fuzz, struct driver_queue *queue, struct reader *in)
{
	struct {
		uint64_t address;
		uint32_t length;
		uint16_t third, fourth;
	} descriptor = { .address = any_address(in),
		.length = reader_u8(in) * 16u,
		.third = reader_u8(in),
		.fourth = reader_le16(in) };
	uint8_t index = reader_u8(in);
	uint64_t at = index & 0x80 ? DATA_AT + 16 * (index & 0x7f)
				   : queue->descriptors + 16 * (index % queue->size);

	/* Split: flags, next. Packed: id, flags. */
	if (!queue->packed)
		descriptor.fourth %= queue->size + 1;
	memcpy(virtio_machine_ram(fuzz->vm, at), &descriptor, sizeof(descriptor));
}

static void make_available(struct virtio_fuzz *fuzz, struct driver_queue *queue, struct reader *in)
{
	uint16_t *ring = virtio_machine_ram(fuzz->vm, queue->available);
	uint8_t head = reader_u8(in);

	if (queue->packed) {
		ring[0] = head;
		ring[1] = reader_u8(in);
		return;
	}
	ring[0] = head >> 7;
	ring[2 + ring[1] % queue->size] = head & 0x1f;
	ring[1] += (head & 0x40) && (head & 0x20) ? head : 1;
}

static void run_step(struct virtio_fuzz *fuzz, struct reader *in,
	void (*host)(struct virtio_fuzz *fuzz, struct reader *in))
{
	uint8_t step = reader_u8(in) % STEPS, which = reader_u8(in);
	struct driver_queue *queue = &fuzz->queues[which % fuzz->queue_count];
	unsigned size = 1u << which % 3;
	uint8_t bytes[16];

	switch (step) {
	case STEP_REGISTER:
		virtio_driver_write(
			&fuzz->driver, reader_u8(in) % 0x40 & ~(size - 1), size, reader_le32(in));
		break;
	case STEP_CONFIG:
		virtio_driver_write(&fuzz->driver, REG_CONFIG + (reader_u8(in) & ~(size - 1)), size,
			reader_le32(in));
		break;
	case STEP_DESCRIPTOR:
		write_descriptor(fuzz, queue, in);
		break;
	case STEP_AVAILABLE:
		make_available(fuzz, queue, in);
		break;
	case STEP_BYTES:
		reader_copy(in, bytes, sizeof(bytes));
		memcpy(virtio_machine_ram(fuzz->vm, DATA_AT + which * 8), bytes, sizeof(bytes));
		break;
	case STEP_KICK:
		driver_queue_kick(queue);
		break;
	case STEP_READ:
		virtio_driver_read(&fuzz->driver, reader_le16(in) & 0x3fff & ~(size - 1), size);
		break;
	case STEP_NEGOTIATE:
		negotiate(fuzz, which);
		break;
	case STEP_PAUSE:
		virtio_machine_set_running(fuzz->vm, false);
		virtio_machine_set_running(fuzz->vm, true);
		break;
	case STEP_HOST:
		if (host)
			host(fuzz, in);
		break;
	}
}

void virtio_fuzz_run(struct virtio_fuzz *fuzz, const struct device_class *class,
	const char *const *properties, void (*prepare)(struct virtio_fuzz *fuzz),
	void (*step)(struct virtio_fuzz *fuzz, struct reader *in), const uint8_t *bytes,
	size_t length)
{
	struct reader in = reader_from(bytes, length);
	GPtrArray *netdevs;
	void *around = NULL;

	fuzz->vm = virtio_machine_new();
	if (fuzz->add_around)
		around = fuzz->add_around(fuzz->vm);
	fuzz->device = virtio_machine_add(fuzz->vm, class, "fuzz", properties, NULL);
	g_assert_nonnull(fuzz->device);
	fuzz->driver = virtio_driver_bind(fuzz->vm, fuzz->device);
	fuzz->queue_count = MIN(G_N_ELEMENTS(fuzz->queues), fuzz->driver.device->queue_count);
	if (prepare)
		prepare(fuzz);
	negotiate(fuzz, reader_u8(&in));
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&in) > 0; i++)
		run_step(fuzz, &in, step);
	virtio_machine_settle(fuzz->vm);
	netdevs = fuzz->vm->machine.netdevs;
	virtio_machine_free(fuzz->vm);
	if (fuzz->remove_around)
		fuzz->remove_around(around);
	g_clear_pointer(&netdevs, g_ptr_array_unref);
}
