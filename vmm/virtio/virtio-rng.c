/* virtio-rng-pci: random numbers for the guest, from the host's kernel or from an object. Specification: virtio 1.2
 * section 5.4.
 *
 * A user may say how many bytes the guest gets in which time; what it asks for beyond that waits in its queue, as it does while
 * the source has nothing.
 */
#include "vmm/virtio/virtio-rng.h"

#include <glib-unix.h>
#include <sys/random.h>

#include "base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/objects/random.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	REQUEST_MAX = 16 * 1024, /* bytes filled per request; a driver asks again for more */
	CHUNK = 4096,
	QUEUE_SIZE = 8,
};

struct virtio_rng {
	struct virtio_device virtio;
	char *source_id;
	uint64_t bytes_max; /* in each period */
	uint32_t period;    /* milliseconds */

	struct object *source; /* NULL: the kernel's generator */
	uint64_t left;         /* bytes of this period */
	guint timer;           /* runs while a period has been used from */
	guint watch;           /* while the source has nothing */
	unsigned complaints;
};

static const struct property rng_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY(VIRTIO_VECTORS_DEFAULT),
	{ "rng", PROPERTY_STRING, offsetof(struct virtio_rng, source_id), NULL,
		"id of the -object that gives the random numbers; without, the host's kernel "
		"does" },
	{ .name = "max-bytes",
		.type = PROPERTY_UINT64,
		.offset = offsetof(struct virtio_rng, bytes_max),
		.default_value = "9223372036854775807",
		.description = "bytes that the guest gets in each period",
		.minimum = 1,
		.maximum = INT64_MAX },
	{ .name = "period",
		.type = PROPERTY_UINT32,
		.offset = offsetof(struct virtio_rng, period),
		.default_value = "65536",
		.description = "length of a period, milliseconds",
		.minimum = 1,
		.maximum = INT32_MAX },
	{ .type = PROPERTY_END },
};

static ssize_t read_source(struct virtio_rng *rng, void *bytes, size_t length)
{
	return rng->source ? random_read(rng->source, bytes, length) : getrandom(bytes, length, 0);
}

static size_t fill(struct virtio_rng *rng, const struct virtqueue_element *element)
{
	size_t wanted = iovec_length(element->writable, element->writable_count);
	size_t done = 0;
	uint8_t bytes[CHUNK];

	wanted = MIN(MIN(wanted, REQUEST_MAX), rng->left);
	while (done < wanted) {
		ssize_t got = read_source(rng, bytes, MIN(sizeof(bytes), wanted - done));

		if (got < 0)
			log_limited(&rng->complaints, PCI_COMPLAINTS_MAX,
				"%s: its source of random numbers has failed",
				virtio_device_name(&rng->virtio));
		if (got <= 0)
			break;
		iovec_write(element->writable, element->writable_count, done, bytes, got);
		done += got;
	}
	return done;
}

static gboolean look_again(struct virtio_rng *rng, guint *source)
{
	struct machine *machine = rng->virtio.pci.device.machine;

	g_mutex_lock(&machine->lock);
	*source = 0;
	virtio_look_again(&rng->virtio, 0);
	g_mutex_unlock(&machine->lock);
	return G_SOURCE_REMOVE;
}

static gboolean period_over(gpointer data)
{
	struct virtio_rng *rng = data;

	g_mutex_lock(&rng->virtio.pci.device.machine->lock);
	rng->left = rng->bytes_max;
	g_mutex_unlock(&rng->virtio.pci.device.machine->lock);
	return look_again(rng, &rng->timer);
}

static gboolean source_ready(gint fd, GIOCondition condition, gpointer data)
{
	struct virtio_rng *rng = data;

	return look_again(rng, &rng->watch);
}

static void wait_for_more(struct virtio_rng *rng)
{
	int fd = rng->source ? random_fd(rng->source) : -1;

	if (rng->left > 0 && rng->watch == 0 && fd >= 0)
		rng->watch = g_unix_fd_add(fd, G_IO_IN, source_ready, rng);
}

static int64_t do_request(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_rng *rng = (struct virtio_rng *)virtio;
	size_t done;

	if (element->writable_count == 0)
		return 0;
	done = fill(rng, element);
	if (done == 0) {
		wait_for_more(rng);
		return VIRTIO_LATER;
	}
	rng->left -= done;
	if (rng->timer == 0 && rng->bytes_max < INT64_MAX)
		rng->timer = g_timeout_add(rng->period, period_over, rng);
	return done;
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
	rng->left = rng->bytes_max;
	if (rng->source_id) {
		rng->source = objects_take(
			device->machine->objects, rng->source_id, OBJECT_RANDOM, error);
		if (!rng->source)
			return false;
	}
	if (!virtio_pci_realize(&rng->virtio, error))
		return false;
	virtio_set_queue_size(&rng->virtio, 0, QUEUE_SIZE);
	virtio_add_main_queue(&rng->virtio, 0, kicked);
	return true;
}

static void rng_unrealize(struct device *device)
{
	struct virtio_rng *rng = (struct virtio_rng *)device;

	g_clear_handle_id(&rng->timer, g_source_remove);
	g_clear_handle_id(&rng->watch, g_source_remove);
	g_clear_pointer(&rng->source, object_release);
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
	.properties = rng_properties,
	.realize = rng_realize,
	.reset = virtio_device_reset,
	.unrealize = rng_unrealize,
	.set_running = virtio_device_set_running,
};
