/* Split rings, device side. Specification: virtio 1.2 section 2.7. */
#include "vmm/virtio/virtqueue-private.h"

#include <glib.h>
#include <string.h>

enum {
	RING_FLAGS = 0,
	RING_INDEX = 2,
	RING_ENTRIES = 4,
	USED_BYTES = 8,

	DRIVER_NO_INTERRUPT = 1 << 0,
	DEVICE_NO_NOTIFY = 1 << 0,
};

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

static bool start(struct virtqueue *queue)
{
	if ((queue->size & (queue->size - 1)) != 0)
		return false;
	queue->descriptor_bytes = virtqueue_ring(
		queue, queue->descriptors, 16, (size_t)queue->size * DESCRIPTOR_BYTES);
	queue->driver_bytes =
		virtqueue_ring(queue, queue->driver, 2, RING_ENTRIES + 2 * queue->size + 2);
	queue->device_bytes = virtqueue_ring(
		queue, queue->device, 4, RING_ENTRIES + (size_t)USED_BYTES * queue->size + 2);
	return queue->descriptor_bytes && queue->driver_bytes && queue->device_bytes;
}

static struct descriptor descriptor_at(const uint8_t *table, uint16_t index)
{
	struct descriptor d;

	virtqueue_copy_descriptor(table + (size_t)index * DESCRIPTOR_BYTES, &d);
	return (struct descriptor) {
		.address = GUINT64_FROM_LE(d.address),
		.length = GUINT32_FROM_LE(d.length),
		.flags = GUINT16_FROM_LE(d.flags),
		.next = GUINT16_FROM_LE(d.next),
	};
}

/* Follows one chain in @table; at most @size steps, so a loop ends. */
static bool add_chain(const struct virtqueue *queue, struct virtqueue_element *element,
	const uint8_t *table, uint32_t size, uint16_t index, bool may_be_indirect)
{
	for (uint32_t steps = 0; steps < size; steps++) {
		struct descriptor d;

		if (index >= size)
			return false;
		d = descriptor_at(table, index);
		if (d.flags & DESCRIPTOR_INDIRECT) {
			uint32_t count;
			const uint8_t *inner;

			/* An indirect descriptor ends its chain (section 2.7.5.3.1). */
			if (!may_be_indirect || d.flags & DESCRIPTOR_NEXT)
				return false;
			inner = virtqueue_table(queue, d.address, d.length, &count);
			return inner && add_chain(queue, element, inner, count, 0, false);
		}
		if (!virtqueue_element_add(queue, element,
			    &(struct virtqueue_piece) {
				    d.address, d.length, d.flags & DESCRIPTOR_WRITE }))
			return false;
		if (!(d.flags & DESCRIPTOR_NEXT))
			return true;
		index = d.next;
	}
	return false;
}

static uint16_t waiting(const struct virtqueue *queue)
{
	return virtqueue_load16(queue->driver_bytes + RING_INDEX) - queue->next_available;
}

static bool is_empty(const struct virtqueue *queue)
{
	return waiting(queue) == 0;
}

static enum virtqueue_result pop(struct virtqueue *queue, struct virtqueue_element *element)
{
	uint16_t count = waiting(queue);

	if (count == 0)
		return VIRTQUEUE_EMPTY;
	if (count > queue->size)
		return VIRTQUEUE_BROKEN;
	element->head = virtqueue_load16(queue->driver_bytes + RING_ENTRIES +
					 2 * (queue->next_available & (queue->size - 1)));
	element->entries = 1;
	queue->next_available++;
	return add_chain(queue, element, queue->descriptor_bytes, queue->size, element->head,
		       queue->indirect)
		       ? VIRTQUEUE_ELEMENT
		       : VIRTQUEUE_BROKEN;
}

static void unpop(struct virtqueue *queue, const struct virtqueue_element *element)
{
	queue->next_available--;
}

static void push(struct virtqueue *queue, const struct virtqueue_element *elements,
	const uint32_t *written, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t *entry = queue->device_bytes + RING_ENTRIES +
				 (size_t)USED_BYTES * (queue->next_used++ & (queue->size - 1));
		uint32_t values[2] = { GUINT32_TO_LE(elements[i].head), GUINT32_TO_LE(written[i]) };

		memcpy(entry, values, sizeof(values));
	}
	queue->used_total += count;
	virtqueue_store16(queue->device_bytes + RING_INDEX, queue->next_used);
}

/* Section 2.7.7.2: with event indexes the driver names the entry after whose use it wants to hear. */
static bool wants_interrupt(const struct virtqueue *queue, uint32_t advanced)
{
	uint16_t wanted;

	if (!queue->event_index)
		return !(virtqueue_load16(queue->driver_bytes + RING_FLAGS) & DRIVER_NO_INTERRUPT);
	wanted = virtqueue_load16(queue->driver_bytes + RING_ENTRIES + 2 * queue->size);
	return (uint16_t)(queue->next_used - wanted - 1) < advanced;
}

static void set_notifications(struct virtqueue *queue, bool on)
{
	/* With event indexes the driver is quiet after the one it announced, until it is asked again. */
	if (!queue->event_index)
		virtqueue_store16(queue->device_bytes + RING_FLAGS, on ? 0 : DEVICE_NO_NOTIFY);
	else if (on)
		virtqueue_store16(
			queue->device_bytes + RING_ENTRIES + (size_t)USED_BYTES * queue->size,
			queue->next_available);
}

const struct virtqueue_kind virtqueue_split = {
	.start = start,
	.is_empty = is_empty,
	.pop = pop,
	.unpop = unpop,
	.push = push,
	.wants_interrupt = wants_interrupt,
	.set_notifications = set_notifications,
};
