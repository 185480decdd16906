/* The kernel serves a card's data queues. */
#include "vmm/virtio/virtio-net-vhost.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <linux/vhost.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"
#include "vmm/virtio/virtio-net-private.h"

enum {
	MEMORY_REGIONS_MAX = 8,
	NO_TAP = -1,
};

/* What the kernel is asked about: the rest is ours to offer or not. */
#define KERNEL_FEATURES \
	(NET_FEATURE_MRG_RXBUF | VIRTIO_FEATURE_INDIRECT | VIRTIO_FEATURE_EVENT_INDEX | \
		VIRTIO_FEATURE_VERSION_1 | VIRTIO_FEATURE_PACKED | \
		VIRTIO_FEATURE_ACCESS_PLATFORM | VIRTIO_FEATURE_QUEUE_RESET)

struct vhost_queue {
	struct vhost_net *vhost;
	unsigned index;
	int call;   /* eventfd that the kernel writes when the driver wants an interrupt */
	int broken; /* and when the driver broke the rules */
	GSource *call_source, *broken_source;
	struct pci_vector_link *link; /* NULL: calls are passed on here */
};

struct vhost_net {
	struct virtio_device *virtio;
	int fd;
	uint64_t features;
	struct vhost_queue queues[NET_DATA_QUEUES];
};

static void free_queues(struct vhost_net *vhost)
{
	for (unsigned i = 0; i < NET_DATA_QUEUES; i++) {
		if (vhost->queues[i].call >= 0)
			close(vhost->queues[i].call);
		if (vhost->queues[i].broken >= 0)
			close(vhost->queues[i].broken);
	}
}

struct vhost_net *vhost_net_new(struct virtio_device *virtio, GError **error)
{
	struct vhost_net *vhost = g_new0(struct vhost_net, 1);

	vhost->virtio = virtio;
	for (unsigned i = 0; i < NET_DATA_QUEUES; i++)
		vhost->queues[i] = (struct vhost_queue) {
			.vhost = vhost,
			.index = i,
			.call = -1,
			.broken = -1,
		};
	vhost->fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (vhost->fd < 0)
		fail_errno(error, VITRINE_ERROR_HOST,
			"/dev/vhost-net cannot be opened; load vhost_net, or leave out vhost=on");
	else if (ioctl(vhost->fd, VHOST_SET_OWNER, NULL) < 0 ||
		 ioctl(vhost->fd, VHOST_GET_FEATURES, &vhost->features) < 0)
		fail_errno(error, VITRINE_ERROR_HOST, "/dev/vhost-net does not answer");
	else
		return vhost;
	vhost_net_free(vhost);
	return NULL;
}

void vhost_net_free(struct vhost_net *vhost)
{
	if (!vhost)
		return;
	free_queues(vhost);
	if (vhost->fd >= 0)
		close(vhost->fd);
	g_free(vhost);
}

uint64_t vhost_net_features(const struct vhost_net *vhost)
{
	return vhost->features | ~KERNEL_FEATURES;
}

static bool set_memory(struct vhost_net *vhost)
{
	struct guest_memory *memory = vhost->virtio->pci.device.machine->memory;
	g_autofree struct vhost_memory *table =
		g_malloc0(sizeof(*table) + MEMORY_REGIONS_MAX * sizeof(struct vhost_memory_region));
	struct vhost_memory_region *region = table->regions;
	uint64_t address, size;
	void *bytes;

	for (; table->nregions < MEMORY_REGIONS_MAX &&
		guest_memory_ram(memory, table->nregions, &address, &size, &bytes);
		table->nregions++)
		*region++ = (struct vhost_memory_region) {
			.guest_phys_addr = address,
			.memory_size = size,
			.userspace_addr = (uintptr_t)bytes,
		};
	return ioctl(vhost->fd, VHOST_SET_MEM_TABLE, table) == 0;
}

static gboolean called(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost_queue *queue = opaque;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		virtio_interrupt_always(queue->vhost->virtio, queue->index);
	return G_SOURCE_CONTINUE;
}

/* The kernel would go on with the other queue. A device that was reset since then is none of this call's business. */
static void halt(struct machine *machine, void *opaque)
{
	if (virtio_is_broken(opaque))
		virtio_set_running(opaque, false);
}

static gboolean found_broken(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost_queue *queue = opaque;
	struct virtio_device *virtio = queue->vhost->virtio;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return G_SOURCE_CONTINUE;
	virtio_break(virtio,
		"descriptors outside of memory, in a loop, or otherwise not as they may be");
	machine_run_soon(virtio->pci.device.machine, halt, virtio);
	return G_SOURCE_CONTINUE;
}

static GSource *watch(
	int fd, GUnixFDSourceFunc func, struct vhost_queue *queue, GMainContext *context)
{
	GSource *source = g_unix_fd_source_new(fd, G_IO_IN);

	g_source_set_callback(source, (GSourceFunc)(void (*)(void))func, queue, NULL);
	g_source_attach(source, context);
	return source;
}

/* Calls go to KVM where they can be messages, and here where they cannot (INTx, a masked vector). */
static bool set_events(struct vhost_queue *queue, GMainContext *context)
{
	struct vhost_vring_file call = { .index = queue->index };
	struct vhost_vring_file broken = { .index = queue->index };

	queue->call = call.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	queue->broken = broken.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->call < 0 || queue->broken < 0 ||
		ioctl(queue->vhost->fd, VHOST_SET_VRING_CALL, &call) < 0 ||
		ioctl(queue->vhost->fd, VHOST_SET_VRING_ERR, &broken) < 0)
		return false;
	queue->call_source = watch(queue->call, called, queue, context);
	queue->broken_source = watch(queue->broken, found_broken, queue, context);
	vhost_net_vector_changed(queue->vhost, queue->index);
	return true;
}

void vhost_net_vector_changed(struct vhost_net *vhost, unsigned index)
{
	struct vhost_queue *queue = &vhost->queues[index];
	struct virtio_device *virtio = vhost->virtio;

	if (queue->call < 0)
		return;
	if (queue->link)
		pci_device_unlink_vector(&virtio->pci, queue->link);
	queue->link =
		pci_device_link_vector(&virtio->pci, virtio->queues[index].vector, queue->call);
}

static bool set_queue(struct vhost_net *vhost, unsigned index, GMainContext *context)
{
	struct virtqueue *ring = &vhost->virtio->queues[index];
	struct vhost_vring_state size = { index, ring->size };
	struct vhost_vring_state base = { index, virtqueue_position(ring) };
	struct vhost_vring_addr address = {
		.index = index,
		.desc_user_addr = (uintptr_t)ring->descriptor_bytes,
		.avail_user_addr = (uintptr_t)ring->driver_bytes,
		.used_user_addr = (uintptr_t)ring->device_bytes,
	};
	struct vhost_vring_file kick = { index, vhost->virtio->kicks[index] };

	return ioctl(vhost->fd, VHOST_SET_VRING_NUM, &size) == 0 &&
	       ioctl(vhost->fd, VHOST_SET_VRING_BASE, &base) == 0 &&
	       ioctl(vhost->fd, VHOST_SET_VRING_ADDR, &address) == 0 &&
	       ioctl(vhost->fd, VHOST_SET_VRING_KICK, &kick) == 0 &&
	       set_events(&vhost->queues[index], context);
}

static void drop_watch(GSource **source, int *fd)
{
	if (*source) {
		g_source_destroy(*source);
		g_clear_pointer(source, g_source_unref);
	}
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A call that the kernel has made and nobody has seen yet is still to be passed on. */
static void drop_queue(struct vhost_queue *queue)
{
	struct virtio_device *virtio = queue->vhost->virtio;

	if (queue->link)
		pci_device_unlink_vector(&virtio->pci, queue->link);
	queue->link = NULL;
	if (queue->call >= 0)
		called(queue->call, G_IO_IN, queue);
	drop_watch(&queue->call_source, &queue->call);
	drop_watch(&queue->broken_source, &queue->broken);
}

static void take_back(struct vhost_net *vhost, unsigned index)
{
	struct virtqueue *ring = &vhost->virtio->queues[index];
	struct vhost_vring_file none = { index, NO_TAP };
	struct vhost_vring_state base = { .index = index };

	ioctl(vhost->fd, VHOST_NET_SET_BACKEND, &none);
	if (virtqueue_is_started(ring) && ioctl(vhost->fd, VHOST_GET_VRING_BASE, &base) == 0)
		virtqueue_set_position(ring, base.num);
}

bool vhost_net_start(struct vhost_net *vhost, int tap, GMainContext *context, GError **error)
{
	/* What is not the kernel's business it refuses; and the platform translates nothing, for which it would wait. */
	uint64_t features = vhost->virtio->driver_features & vhost->features & KERNEL_FEATURES &
			    ~VIRTIO_FEATURE_ACCESS_PLATFORM;
	bool good = ioctl(vhost->fd, VHOST_SET_FEATURES, &features) == 0 && set_memory(vhost);

	for (unsigned i = 0; good && i < NET_DATA_QUEUES; i++) {
		struct vhost_vring_file backend = { i, tap };

		if (!virtqueue_is_started(&vhost->virtio->queues[i]))
			continue;
		good = set_queue(vhost, i, context) &&
		       ioctl(vhost->fd, VHOST_NET_SET_BACKEND, &backend) == 0;
	}
	if (good)
		return true;
	return fail_errno(error, VITRINE_ERROR_HOST, "the kernel does not serve the queues");
}

void vhost_net_stop(struct vhost_net *vhost)
{
	for (unsigned i = 0; i < NET_DATA_QUEUES; i++) {
		take_back(vhost, i);
		drop_queue(&vhost->queues[i]);
	}
}
