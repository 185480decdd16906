/* virtio-rng-pci: random numbers for the guest, from the host's kernel. Specification: virtio 1.2 section 5.4. */
#include "vmm/virtio/virtio-rng.h"

#include <sys/random.h>

#include "vmm/virtio/virtio-pci.h"

enum {
	REQUEST_MAX = 16 * 1024, /* bytes filled per request; a driver asks again for more */
	QUEUE_SIZE = 8,
};

struct virtio_rng {
	struct virtio_device virtio;
};

static uint32_t fill(const struct virtqueue_element *element)
{
	size_t wanted = MIN(iovec_length(element->writable, element->writable_count), REQUEST_MAX);
	size_t done = 0;
	uint8_t bytes[4096];

	while (done < wanted) {
		ssize_t got = getrandom(bytes, MIN(sizeof(bytes), wanted - done), 0);

		if (got <= 0)
			break;
		iovec_write(element->writable, element->writable_count, done, bytes, got);
		done += got;
	}
	return done;
}

static const struct property rng_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY(VIRTIO_VECTORS_DEFAULT),
	{ .type = PROPERTY_END },
};

static int64_t do_request(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	return fill(element);
}

static void kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, do_request);
}

static const struct virtio_ops rng_ops = {
	.queues = 1,
};

static bool rng_realize(struct device *device, GError **error)
{
	struct virtio_rng *rng = (struct virtio_rng *)device;

	rng->virtio.ops = &rng_ops;
	if (!virtio_pci_realize(&rng->virtio, error))
		return false;
	virtio_set_queue_size(&rng->virtio, 0, QUEUE_SIZE);
	virtio_add_main_queue(&rng->virtio, 0, kicked);
	return true;
}

static void rng_unrealize(struct device *device)
{
	virtio_pci_unrealize((struct virtio_device *)device);
}

static const struct pci_identity rng_identity = {
	.vendor = 0x1af4,
	.device = 0x1044,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x00ff00,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_rng_class = {
	.name = "virtio-rng-pci",
	.description = "random numbers from the host",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_rng),
	.pci = &rng_identity,
	.properties = rng_properties,
	.realize = rng_realize,
	.reset = virtio_device_reset,
	.unrealize = rng_unrealize,
	.set_running = virtio_device_set_running,
};
