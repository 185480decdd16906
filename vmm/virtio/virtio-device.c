/* The life of a virtio device: when it runs, who looks at its queues, what the driver is told. Specification: virtio 1.2
 * sections 2.1 (status), 2.3 (notifications), 2.5 (configuration) and 3.1. */
#include <glib-unix.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"
#include "vmm/virtio/virtio-private.h"

enum {
	REQUESTS_AT_ONCE = 64, /* of one queue, before the main loop does something else */
};

static struct machine *machine_of(const struct virtio_device *virtio)
{
	return virtio->pci.device.machine;
}

const char *virtio_device_name(const struct virtio_device *virtio)
{
	const struct device *device = &virtio->pci.device;

	return device->id ? device->id : device->class->name;
}

bool virtio_has_feature(const struct virtio_device *virtio, uint64_t feature)
{
	return virtio->driver_features & feature;
}

uint64_t virtio_offered_features(const struct virtio_device *virtio)
{
	const struct virtio_options *options = &virtio->options;

	return virtio->features | VIRTIO_FEATURE_VERSION_1 |
	       (options->indirect ? VIRTIO_FEATURE_INDIRECT : 0) |
	       (options->event_index ? VIRTIO_FEATURE_EVENT_INDEX : 0) |
	       (options->packed ? VIRTIO_FEATURE_PACKED : 0) |
	       (options->access_platform ? VIRTIO_FEATURE_ACCESS_PLATFORM : 0) |
	       (options->queue_reset ? VIRTIO_FEATURE_QUEUE_RESET : 0);
}

/* --- queues on the main loop --- */

bool virtio_queue_is_ready(const struct virtio_device *virtio, unsigned queue)
{
	return virtio->running && !virtio_is_broken(virtio) &&
	       virtqueue_is_started(&virtio->queues[queue]);
}

struct kick {
	struct virtio_device *virtio;
	unsigned queue;
};

static gboolean kicked(gint fd, GIOCondition condition, gpointer opaque)
{
	struct kick *kick = opaque;
	struct machine *machine = machine_of(kick->virtio);
	uint64_t count;

	g_mutex_lock(&machine->lock);
	if (read(fd, &count, sizeof(count)) == sizeof(count) &&
		virtio_queue_is_ready(kick->virtio, kick->queue))
		kick->virtio->main_queues[kick->queue].kicked(kick->virtio, kick->queue);
	g_mutex_unlock(&machine->lock);
	return G_SOURCE_CONTINUE;
}

void virtio_add_main_queue(struct virtio_device *virtio, unsigned queue, virtio_kicked_func func)
{
	virtio->main_queues[queue].kicked = func;
}

static void watch_kicks(struct virtio_device *virtio)
{
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		struct virtio_main_queue *queue = &virtio->main_queues[i];
		struct kick *kick;

		if (!queue->kicked || !virtqueue_is_started(&virtio->queues[i]))
			continue;
		kick = g_new(struct kick, 1);
		*kick = (struct kick) { virtio, i };
		queue->watch = g_unix_fd_add_full(
			G_PRIORITY_DEFAULT, virtio->kicks[i], G_IO_IN, kicked, kick, g_free);
		/* It never does; but then GLib need not take it off its list meanwhile, and wake itself up twice for that. */
		g_source_set_can_recurse(
			g_main_context_find_source_by_id(NULL, queue->watch), TRUE);
		/* What the driver queued before the machine paused is served as if it had just been announced. */
		virtio_look_again(virtio, i);
	}
}

static void unwatch_kicks(struct virtio_device *virtio)
{
	for (unsigned i = 0; i < virtio->queue_count; i++)
		g_clear_handle_id(&virtio->main_queues[i].watch, g_source_remove);
}

static void complain_of_ring(struct virtio_device *virtio)
{
	virtio_break(virtio,
		"descriptors outside of memory, in a loop, or otherwise not as they may be");
}

void virtio_serve(struct virtio_device *virtio, unsigned queue, virtio_request_func request)
{
	struct virtqueue *ring = &virtio->queues[queue];
	struct virtqueue_element *element = &virtio->element;
	enum virtqueue_result result;
	int64_t written = 0;

	for (unsigned left = REQUESTS_AT_ONCE;;) {
		result = virtqueue_pop(ring, element);
		if (result == VIRTQUEUE_EMPTY && virtqueue_enable_notifications(ring))
			continue;
		if (result != VIRTQUEUE_ELEMENT)
			break;
		written = request(virtio, queue, element);
		if (written == VIRTIO_LATER)
			virtqueue_unpop(ring, element);
		if (written == VIRTIO_LATER || written == VIRTIO_STOP)
			break;
		if (written >= 0)
			virtqueue_push(ring, element, written);
		if (--left == 0) {
			virtio_look_again(virtio, queue);
			break;
		}
	}
	if (result == VIRTQUEUE_BROKEN)
		complain_of_ring(virtio);
	virtio_interrupt(virtio, queue);
}

bool virtio_take(struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtqueue *ring = &virtio->queues[queue];
	enum virtqueue_result result;

	if (!virtio_queue_is_ready(virtio, queue))
		return false;
	do
		result = virtqueue_pop(ring, element);
	while (result == VIRTQUEUE_EMPTY && virtqueue_enable_notifications(ring));
	if (result == VIRTQUEUE_BROKEN)
		complain_of_ring(virtio);
	return result == VIRTQUEUE_ELEMENT;
}

/* --- running --- */

void virtio_run(struct virtio_device *virtio)
{
	if (virtio->running || virtio->resetting || !(virtio->status & VIRTIO_STATUS_DRIVER_OK) ||
		virtio_is_broken(virtio))
		return;
	virtio->running = true;
	virtio_place_kicks(virtio);
	watch_kicks(virtio);
	if (virtio->ops->start)
		virtio->ops->start(virtio);
}

void virtio_halt(struct virtio_device *virtio)
{
	if (!virtio->running)
		return;
	if (virtio->ops->stop)
		virtio->ops->stop(virtio);
	unwatch_kicks(virtio);
	virtio->running = false;
	virtio_place_kicks(virtio);
}

void virtio_set_running(struct virtio_device *virtio, bool running)
{
	if (running)
		virtio_run(virtio);
	else
		virtio_halt(virtio);
}

void virtio_start_queue(struct virtio_device *virtio, unsigned index)
{
	struct virtqueue *queue = &virtio->queues[index];
	unsigned flags =
		(virtio_has_feature(virtio, VIRTIO_FEATURE_PACKED) ? VIRTQUEUE_PACKED : 0) |
		(virtio_has_feature(virtio, VIRTIO_FEATURE_INDIRECT) ? VIRTQUEUE_INDIRECT : 0) |
		(virtio_has_feature(virtio, VIRTIO_FEATURE_EVENT_INDEX) ? VIRTQUEUE_EVENT_INDEX
									: 0);

	if (!queue->enabled || virtqueue_start(queue, machine_of(virtio)->memory, flags))
		return;
	queue->enabled = false;
	virtio_break(virtio, "a queue's rings are not in RAM or not aligned");
}

void virtio_reset_queue(struct virtio_device *virtio, unsigned queue)
{
	uint64_t count;

	if (virtio->ops->queue_reset)
		virtio->ops->queue_reset(virtio, queue);
	virtqueue_reset(&virtio->queues[queue], virtio->queues[queue].max_size);
	while (read(virtio->kicks[queue], &count, sizeof(count)) > 0)
		; /* nothing is pending any more */
}

void virtio_pci_reset(struct virtio_device *virtio)
{
	virtio_halt(virtio);
	virtio->resetting = false;
	virtio->status = 0;
	g_atomic_int_set(&virtio->broken, 0);
	for (unsigned i = 0; i < virtio->queue_count; i++)
		virtio_reset_queue(virtio, i);
	virtio->driver_features = 0;
	virtio->feature_select = virtio->driver_feature_select = 0;
	virtio->queue_select = 0;
	virtio->config_vector = VIRTQUEUE_NO_VECTOR;
	g_atomic_int_set(&virtio->interrupt_status, 0);
	if (virtio->ops->reset)
		virtio->ops->reset(virtio);
	pci_device_set_interrupt(&virtio->pci, false);
}

void virtio_stopped(struct virtio_device *virtio)
{
	if (virtio->resetting)
		virtio_pci_reset(virtio);
}

void virtio_device_reset(struct device *device)
{
	virtio_pci_reset((struct virtio_device *)device);
}

void virtio_device_set_running(struct device *device, bool running)
{
	virtio_set_running((struct virtio_device *)device, running);
}

/* --- interrupts --- */

void virtio_look_again(struct virtio_device *virtio, unsigned queue)
{
	uint64_t one = 1;

	if (write(virtio->kicks[queue], &one, sizeof(one)) < 0)
		return; /* the counter is full: it has been told often enough */
}

/* Lines are the chipset's, so they change with the machine's lock only: the main loop does it. */
static void raise_line(struct machine *machine, void *device)
{
	struct virtio_device *virtio = device;

	g_atomic_int_and((guint *)&virtio->interrupt_status, ~VIRTIO_INTERRUPT_COMING);
	pci_device_set_interrupt(&virtio->pci, g_atomic_int_get(&virtio->interrupt_status) != 0);
}

/* Section 4.1.4.5.1: the status tells of the configuration with messages, too, and of queues without them only. */
static void interrupt(struct virtio_device *virtio, int kind, uint16_t vector)
{
	if (kind == VIRTIO_INTERRUPT_CONFIG)
		g_atomic_int_or((guint *)&virtio->interrupt_status, kind);
	if (vector != VIRTQUEUE_NO_VECTOR ? pci_device_signal(&virtio->pci, vector)
					  : pci_device_uses_messages(&virtio->pci))
		return;
	/* With the queues' bit the line is raised already. */
	if (g_atomic_int_or((guint *)&virtio->interrupt_status, kind | VIRTIO_INTERRUPT_COMING) &
		(VIRTIO_INTERRUPT_COMING | VIRTIO_INTERRUPT_QUEUE))
		return;
	machine_run_soon(machine_of(virtio), raise_line, virtio);
}

void virtio_interrupt(struct virtio_device *virtio, unsigned queue)
{
	if (virtqueue_should_interrupt(&virtio->queues[queue]))
		interrupt(virtio, VIRTIO_INTERRUPT_QUEUE, virtio->queues[queue].vector);
}

void virtio_interrupt_always(struct virtio_device *virtio, unsigned queue)
{
	interrupt(virtio, VIRTIO_INTERRUPT_QUEUE, virtio->queues[queue].vector);
}

void virtio_config_changed(struct virtio_device *virtio)
{
	virtio->generation++;
	if (virtio->status & VIRTIO_STATUS_DRIVER_OK)
		interrupt(virtio, VIRTIO_INTERRUPT_CONFIG, virtio->config_vector);
}

bool virtio_is_broken(const struct virtio_device *virtio)
{
	return g_atomic_int_get(&virtio->broken);
}

void virtio_break(struct virtio_device *virtio, const char *why)
{
	if (!g_atomic_int_compare_and_exchange(&virtio->broken, 0, 1))
		return;
	log_limited(&virtio->pci.complaints, PCI_COMPLAINTS_MAX,
		"%s: the guest's driver broke the rules (%s); the device waits for a reset",
		virtio_device_name(virtio), why);
	interrupt(virtio, VIRTIO_INTERRUPT_CONFIG, virtio->config_vector);
}
