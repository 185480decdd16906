/* The data queues of a network card, on its network's thread.
 *
 * Specification: virtio 1.2 sections 5.1.6.1 to 5.1.6.4.
 */
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/virtio/iovec.h"
#include "vmm/virtio/virtio-net-private.h"

enum {
	FRAMES_AT_ONCE = 256, /* sent in a row, before the network is looked at again */
	NUM_BUFFERS_AT = 10,  /* in the header */
	COMPLAINTS_MAX = 8,
};

/* Sending */

static bool send_one(struct virtio_net *net, struct virtqueue_element *element)
{
	size_t length = iovec_length(element->readable, element->readable_count);

	if (length < NETDEV_HEADER || length > NETDEV_FRAME_MAX || element->writable_count > 0) {
		virtio_break(&net->virtio, "a frame to send without a header, or too long");
		return false;
	}
	netdev_send(net->netdev, element->readable, element->readable_count);
	return true;
}

/* True when more may be waiting. */
static bool send_some(struct virtio_net *net)
{
	struct virtqueue *queue = &net->virtio.queues[NET_TRANSMIT];
	struct virtqueue_element *element = &net->data.out;
	enum virtqueue_result result = VIRTQUEUE_EMPTY;
	unsigned left = FRAMES_AT_ONCE;

	virtqueue_disable_notifications(queue);
	do {
		while (left > 0 && (result = virtqueue_pop(queue, element)) == VIRTQUEUE_ELEMENT) {
			if (!send_one(net, element))
				return false;
			virtqueue_push(queue, element, 0);
			left--;
		}
	} while (left > 0 && result == VIRTQUEUE_EMPTY && virtqueue_enable_notifications(queue));
	virtio_interrupt(&net->virtio, NET_TRANSMIT);
	if (result == VIRTQUEUE_BROKEN)
		virtio_break(&net->virtio, "descriptors outside of memory, or in a loop");
	return left == 0;
}

static gboolean transmit_kicked(gint fd, GIOCondition condition, gpointer opaque)
{
	struct virtio_net *net = opaque;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count) || virtio_is_broken(&net->virtio) ||
		!virtqueue_is_started(&net->virtio.queues[NET_TRANSMIT]))
		return G_SOURCE_CONTINUE;
	if (send_some(net))
		virtio_look_again(&net->virtio, NET_TRANSMIT);
	return G_SOURCE_CONTINUE;
}

/* Receiving */

static void put_back(struct virtqueue *queue, struct virtio_net *net, unsigned count)
{
	while (count > 0)
		virtqueue_unpop(queue, &net->data.in[--count]);
}

/* Takes buffers until there is room for @length bytes. Their number, 0: there are too few (the driver notifies when there
 * are more), or the driver broke the rules. */
static unsigned take_buffers(struct virtio_net *net, struct virtqueue *queue, size_t length)
{
	unsigned count = 0, most = net->data.mergeable ? NET_MERGED_MAX : 1;
	size_t room = 0;

	while (room < length && count < most) {
		struct virtqueue_element *element = &net->data.in[count];
		enum virtqueue_result result = virtqueue_pop(queue, element);

		if (result == VIRTQUEUE_EMPTY && virtqueue_enable_notifications(queue))
			continue;
		if (result == VIRTQUEUE_BROKEN)
			virtio_break(&net->virtio, "descriptors outside of memory, or in a loop");
		if (result != VIRTQUEUE_ELEMENT) {
			put_back(queue, net, count);
			return 0;
		}
		room += iovec_length(element->writable, element->writable_count);
		count++;
	}
	return count;
}

static void fill_buffers(struct virtio_net *net, struct virtqueue *queue, unsigned count,
	const uint8_t *bytes, size_t length)
{
	uint32_t written[NET_MERGED_MAX];
	uint8_t buffers[2] = { count & 0xff, count >> 8 };
	size_t done = 0;

	for (unsigned i = 0; i < count; i++) {
		struct virtqueue_element *element = &net->data.in[i];

		written[i] = iovec_write(
			element->writable, element->writable_count, 0, bytes + done, length - done);
		done += written[i];
	}
	iovec_write(net->data.in[0].writable, net->data.in[0].writable_count, NUM_BUFFERS_AT,
		buffers, sizeof(buffers));
	virtqueue_push_together(queue, net->data.in, written, count);
	virtio_interrupt(&net->virtio, NET_RECEIVE);
}

/* A frame that will never fit is taken and dropped. */
bool virtio_net_receive(void *front, const uint8_t *bytes, size_t length)
{
	struct virtio_net *net = front;
	struct virtqueue *queue = &net->virtio.queues[NET_RECEIVE];
	unsigned count;
	size_t room = 0;

	if (!net->data.serving)
		return false;
	if (virtio_is_broken(&net->virtio) || !virtqueue_is_started(queue) ||
		!receive_filter_takes(
			&net->data.filter, bytes + NETDEV_HEADER, length - NETDEV_HEADER))
		return true;
	count = take_buffers(net, queue, length);
	if (count == 0)
		return virtio_is_broken(&net->virtio);
	for (unsigned i = 0; i < count; i++)
		room += iovec_length(net->data.in[i].writable, net->data.in[i].writable_count);
	if (room < length) {
		put_back(queue, net, count);
		log_limited(&net->data.complaints, COMPLAINTS_MAX,
			"%s: the driver's buffers are too small for a frame of %zu bytes",
			virtio_device_name(&net->virtio), length);
		return true;
	}
	fill_buffers(net, queue, count, bytes, length);
	return true;
}

static gboolean receive_kicked(gint fd, GIOCondition condition, gpointer opaque)
{
	struct virtio_net *net = opaque;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		netdev_resume(net->netdev);
	return G_SOURCE_CONTINUE;
}

/* Between the machine's lock and the thread */

static void use_settings(void *opaque)
{
	struct virtio_net *net = opaque;

	net->data.filter = net->filter;
	net->data.mergeable = virtio_has_feature(&net->virtio, NET_FEATURE_MRG_RXBUF);
	netdev_set_offloads(net->netdev, &net->guest_offloads);
}

static GSource *watch_kick(struct virtio_net *net, unsigned queue, GUnixFDSourceFunc func)
{
	GSource *source = g_unix_fd_source_new(net->virtio.kicks[queue], G_IO_IN);

	g_source_set_callback(source, (GSourceFunc)(void (*)(void))func, net, NULL);
	g_source_attach(source, netdev_context(net->netdev));
	return source;
}

static void start(void *opaque)
{
	struct virtio_net *net = opaque;

	use_settings(net);
	net->data.serving = true;
	net->data.receive_kick = watch_kick(net, NET_RECEIVE, receive_kicked);
	net->data.transmit_kick = watch_kick(net, NET_TRANSMIT, transmit_kicked);
	netdev_resume(net->netdev);
}

static void drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void stop(void *opaque)
{
	struct virtio_net *net = opaque;

	net->data.serving = false;
	drop_source(&net->data.receive_kick);
	drop_source(&net->data.transmit_kick);
}

void virtio_net_start_data(struct virtio_net *net)
{
	netdev_call(net->netdev, start, net);
	/* What was queued before the machine paused was announced then. */
	virtio_look_again(&net->virtio, NET_TRANSMIT);
}

void virtio_net_stop_data(struct virtio_net *net)
{
	netdev_call(net->netdev, stop, net);
}

void virtio_net_update_data(struct virtio_net *net)
{
	netdev_call(net->netdev, use_settings, net);
}

void virtio_net_clear_data(struct virtio_net *net)
{
	virtqueue_element_clear(&net->data.out);
	for (unsigned i = 0; i < NET_MERGED_MAX; i++)
		virtqueue_element_clear(&net->data.in[i]);
}
