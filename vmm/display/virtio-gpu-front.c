/* The front of a virtio-gpu: brings requests from the queues to the core and answers back. Specification: virtio 1.2 section
 * 5.7.
 *
 * Requests are done on the main loop, in their order, and are answered when they are done: so a fence is signalled when
 * everything before it happened.
 */
#include "vmm/display/virtio-gpu-front.h"

#include "base/checked.h"
#include "vmm/machine/machine.h"

enum {
	QUEUE_CONTROL = 0,
	QUEUE_CURSOR = 1,
	QUEUES = 2,
	CONTROL_SIZE = 64,
	CURSOR_SIZE = 16,
	MOVED_MAX = 32 * MiB, /* bytes of pixels, before the main loop does something else */
};

static struct virtio_gpu_front *front_of(struct virtio_device *virtio)
{
	return (struct virtio_gpu_front *)virtio;
}

static size_t read_request(const void *owner, size_t offset, void *to, size_t length)
{
	const struct virtqueue_element *element = owner;

	return iovec_read(element->readable, element->readable_count, offset, to, length);
}

static size_t write_answer(const struct virtqueue_element *element, const struct gpu_answer *answer)
{
	return iovec_write(
		element->writable, element->writable_count, 0, answer->bytes, answer->length);
}

static int64_t do_control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_gpu_front *front = front_of(virtio);
	struct virtio_gpu_request request = { read_request, element };
	struct gpu_answer answer;

	if (front->moved >= MOVED_MAX) {
		virtio_look_again(virtio, queue);
		return VIRTIO_LATER;
	}
	front->moved += virtio_gpu_control(front->gpu, virtio->driver_features, &request, &answer);
	return write_answer(element, &answer);
}

static int64_t do_cursor(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_gpu_request request = { read_request, element };
	struct gpu_answer answer;

	virtio_gpu_cursor(front_of(virtio)->gpu, &request, &answer);
	return write_answer(element, &answer);
}

static void control_kicked(struct virtio_device *virtio, unsigned queue)
{
	front_of(virtio)->moved = 0;
	virtio_serve(virtio, queue, do_control);
}

static void cursor_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, do_cursor);
}

static void get_config(struct virtio_device *virtio, uint8_t *config)
{
	virtio_gpu_config_read(front_of(virtio)->gpu, config);
}

static void set_config(
	struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size)
{
	virtio_gpu_config_write(front_of(virtio)->gpu, offset, bytes, size);
}

static void reset(struct virtio_device *virtio)
{
	virtio_gpu_reset(front_of(virtio)->gpu);
}

static const struct virtio_ops front_ops = {
	.queues = QUEUES,
	.config_size = VIRTIO_GPU_CONFIG_BYTES,
	.get_config = get_config,
	.set_config = set_config,
	.reset = reset,
};

/* --- what the core asks for --- */

static void *memory_pointer(void *owner, uint64_t address, size_t length)
{
	struct virtio_device *virtio = owner;

	return guest_memory_pointer(virtio->pci.device.machine->memory, address, length);
}

static void config_changed(void *owner)
{
	virtio_config_changed(owner);
}

static const struct virtio_gpu_ops core_ops = {
	.memory = { .pointer = memory_pointer },
	.config_changed = config_changed,
};

static uint64_t offered(const struct virtio_gpu_front *front)
{
	uint64_t features = virtio_gpu_features(front->gpu);

	if (!front->edid)
		features &= ~VIRTIO_GPU_FEATURE_EDID;
	if (!front->blob)
		features &= ~VIRTIO_GPU_FEATURE_RESOURCE_BLOB;
	return features;
}

bool virtio_gpu_front_realize(struct virtio_gpu_front *front, GError **error)
{
	struct virtio_device *virtio = &front->virtio;
	struct device *base = &virtio->pci.device;
	struct virtio_gpu_config config;

	virtio->ops = &front_ops;
	front->label = g_strdup(base->id ? base->id : base->class->name);
	front->address = pci_device_path(&virtio->pci);
	config = (struct virtio_gpu_config) {
		.label = front->label,
		.device_address = front->address,
		.scanouts = front->outputs,
		.width = front->width,
		.height = front->height,
		.memory_limit = front->memory_limit,
		.ops = &core_ops,
		.owner = virtio,
	};
	front->gpu = virtio_gpu_new(base->machine->display, &config);
	virtio->features = offered(front);
	if (!virtio_pci_realize(virtio, error))
		return false;
	virtio_set_queue_size(virtio, QUEUE_CONTROL, CONTROL_SIZE);
	virtio_set_queue_size(virtio, QUEUE_CURSOR, CURSOR_SIZE);
	virtio_add_main_queue(virtio, QUEUE_CONTROL, control_kicked);
	virtio_add_main_queue(virtio, QUEUE_CURSOR, cursor_kicked);
	return true;
}

void virtio_gpu_front_unrealize(struct virtio_gpu_front *front)
{
	virtio_pci_unrealize(&front->virtio);
	g_clear_pointer(&front->gpu, virtio_gpu_free);
	g_clear_pointer(&front->label, g_free);
	g_clear_pointer(&front->address, g_free);
}
