/* virtio-rng-pci: random numbers for the guest, from the host's kernel. Specification: virtio 1.2 section 5.4. */
#include "vmm/virtio/virtio-rng.h"

#include <glib-unix.h>
#include <sys/random.h>
#include <unistd.h>

#include "vmm/machine/machine.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	REQUEST_MAX = 16 * 1024, /* bytes filled per request; a driver asks again for more */
	REQUESTS_AT_ONCE = 16,
};

struct virtio_rng {
	struct virtio_device virtio;
	guint watch;
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

/* A few requests at a time: this is the main loop, and a guest may ask as fast as it is answered. */
static void serve(struct virtio_rng *rng)
{
	struct virtqueue *queue = &rng->virtio.queues[0];
	struct virtqueue_element element;
	enum virtqueue_result result = VIRTQUEUE_EMPTY;
	unsigned left = REQUESTS_AT_ONCE;

	if (!rng->virtio.running || !queue->enabled || virtio_is_broken(&rng->virtio))
		return;
	do {
		while (left > 0 && (result = virtqueue_pop(queue, &element)) == VIRTQUEUE_ELEMENT) {
			virtqueue_push(queue, element.head, fill(&element));
			left--;
		}
		if (left == 0)
			virtio_look_again(&rng->virtio, 0);
	} while (left > 0 && result == VIRTQUEUE_EMPTY && virtqueue_enable_notifications(queue));
	if (result == VIRTQUEUE_BROKEN)
		virtio_break(&rng->virtio, "descriptors outside of memory, or in a loop");
	virtio_interrupt(&rng->virtio, 0);
}

static gboolean kicked(gint fd, GIOCondition condition, gpointer opaque)
{
	struct virtio_rng *rng = opaque;
	struct machine *machine = rng->virtio.pci.device.machine;
	uint64_t count;

	g_mutex_lock(&machine->lock);
	if (read(fd, &count, sizeof(count)) == sizeof(count))
		serve(rng);
	g_mutex_unlock(&machine->lock);
	return G_SOURCE_CONTINUE;
}

static void rng_get_config(struct virtio_device *virtio, uint8_t *config)
{
}

static void rng_start(struct virtio_device *virtio)
{
	/* What the driver queued before the machine paused is served as if it had just been announced. */
	virtio_look_again(virtio, 0);
}

static void rng_stop(struct virtio_device *virtio)
{
}

static const struct virtio_ops rng_ops = {
	.queues = 1,
	.get_config = rng_get_config,
	.start = rng_start,
	.stop = rng_stop,
};

static bool rng_realize(struct device *device, GError **error)
{
	struct virtio_rng *rng = (struct virtio_rng *)device;

	rng->virtio.ops = &rng_ops;
	if (!virtio_pci_realize(&rng->virtio, error))
		return false;
	rng->watch = g_unix_fd_add(rng->virtio.kicks[0], G_IO_IN, kicked, rng);
	return true;
}

static void rng_reset(struct device *device)
{
	virtio_pci_reset((struct virtio_device *)device);
}

static void rng_set_running(struct device *device, bool running)
{
	virtio_set_running((struct virtio_device *)device, running);
}

static void rng_unrealize(struct device *device)
{
	struct virtio_rng *rng = (struct virtio_rng *)device;

	g_clear_handle_id(&rng->watch, g_source_remove);
	virtio_pci_unrealize(&rng->virtio);
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
	.realize = rng_realize,
	.reset = rng_reset,
	.unrealize = rng_unrealize,
	.set_running = rng_set_running,
};
