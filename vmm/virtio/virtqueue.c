/* A split virtqueue, device side. Specification: virtio 1.2 section 2.7. */
#include "vmm/virtio/virtqueue.h"

#include <glib.h>
#include <string.h>

#include "base/checked.h"

enum {
	DESCRIPTOR_BYTES = 16,
	DESCRIPTOR_NEXT = 1 << 0,
	DESCRIPTOR_WRITE = 1 << 1,
	DESCRIPTOR_INDIRECT = 1 << 2,

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

static uint16_t load16(const uint8_t *at)
{
	return GUINT16_FROM_LE(__atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE));
}

static void store16(uint8_t *at, uint16_t value)
{
	__atomic_store_n((uint16_t *)at, GUINT16_TO_LE(value), __ATOMIC_RELEASE);
}

void virtqueue_reset(struct virtqueue *queue)
{
	*queue = (struct virtqueue) {
		.size = VIRTQUEUE_MAX_SIZE,
		.vector = VIRTQUEUE_NO_VECTOR,
	};
}

static uint8_t *ring(const struct virtqueue *queue, uint64_t address, uint64_t align, size_t length)
{
	return address % align ? NULL : guest_memory_pointer(queue->memory, address, length);
}

bool virtqueue_start(
	struct virtqueue *queue, struct guest_memory *memory, bool indirect, bool event_index)
{
	queue->memory = memory;
	queue->indirect = indirect;
	queue->event_index = event_index;
	queue->descriptor_bytes =
		ring(queue, queue->descriptors, 16, (size_t)queue->size * DESCRIPTOR_BYTES);
	queue->driver_bytes = ring(queue, queue->driver, 2, RING_ENTRIES + 2 * queue->size + 2);
	queue->device_bytes =
		ring(queue, queue->device, 4, RING_ENTRIES + (size_t)USED_BYTES * queue->size + 2);
	return queue->descriptor_bytes && queue->driver_bytes && queue->device_bytes;
}

static struct descriptor descriptor_at(const uint8_t *table, uint16_t index)
{
	struct descriptor d;

	memcpy(&d, table + (size_t)index * DESCRIPTOR_BYTES, sizeof(d));
	return (struct descriptor) {
		.address = GUINT64_FROM_LE(d.address),
		.length = GUINT32_FROM_LE(d.length),
		.flags = GUINT16_FROM_LE(d.flags),
		.next = GUINT16_FROM_LE(d.next),
	};
}

static bool add_piece(const struct virtqueue *queue, struct virtqueue_element *element,
	const struct descriptor *d)
{
	bool writable = d->flags & DESCRIPTOR_WRITE;
	unsigned *count = writable ? &element->writable_count : &element->readable_count;
	struct iovec *pieces = writable ? element->writable : element->readable;
	void *bytes = guest_memory_pointer(queue->memory, d->address, d->length);

	/* Readable pieces come before writable ones (section 2.7.4.2). */
	if (!bytes || *count == VIRTQUEUE_MAX_SEGMENTS ||
		(!writable && element->writable_count > 0))
		return false;
	pieces[(*count)++] = (struct iovec) { bytes, d->length };
	return true;
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
			const uint8_t *inner =
				guest_memory_pointer(queue->memory, d.address, d.length);
			uint32_t inner_size = d.length / DESCRIPTOR_BYTES;

			/* An indirect descriptor ends its chain (section 2.7.5.3.1). */
			return may_be_indirect && inner && inner_size > 0 &&
			       inner_size <= VIRTQUEUE_MAX_SEGMENTS * 2 &&
			       !(d.flags & DESCRIPTOR_NEXT) &&
			       add_chain(queue, element, inner, inner_size, 0, false);
		}
		if (!add_piece(queue, element, &d))
			return false;
		if (!(d.flags & DESCRIPTOR_NEXT))
			return true;
		index = d.next;
	}
	return false;
}

enum virtqueue_result virtqueue_pop(struct virtqueue *queue, struct virtqueue_element *element)
{
	uint16_t waiting = load16(queue->driver_bytes + RING_INDEX) - queue->next_available;

	if (waiting == 0)
		return VIRTQUEUE_EMPTY;
	if (waiting > queue->size)
		return VIRTQUEUE_BROKEN;
	element->head = load16(queue->driver_bytes + RING_ENTRIES +
			       2 * (queue->next_available & (queue->size - 1)));
	element->readable_count = element->writable_count = 0;
	queue->next_available++;
	if (!add_chain(queue, element, queue->descriptor_bytes, queue->size, element->head,
		    queue->indirect))
		return VIRTQUEUE_BROKEN;
	return VIRTQUEUE_ELEMENT;
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	uint8_t *entry = queue->device_bytes + RING_ENTRIES +
			 (size_t)USED_BYTES * (queue->next_used & (queue->size - 1));
	uint32_t values[2] = { GUINT32_TO_LE(head), GUINT32_TO_LE(written) };

	memcpy(entry, values, sizeof(values));
	store16(queue->device_bytes + RING_INDEX, ++queue->next_used);
}

bool virtqueue_should_interrupt(struct virtqueue *queue)
{
	uint16_t from = queue->signalled;
	uint16_t wanted;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue->next_used == from)
		return false;
	if (!queue->event_index) {
		queue->signalled = queue->next_used;
		return !(load16(queue->driver_bytes + RING_FLAGS) & DRIVER_NO_INTERRUPT);
	}
	/* Section 2.7.7.2: the driver names the entry after whose use it wants to hear. */
	wanted = load16(queue->driver_bytes + RING_ENTRIES + 2 * queue->size);
	queue->signalled = queue->next_used;
	return (uint16_t)(queue->next_used - wanted - 1) < (uint16_t)(queue->next_used - from);
}

static uint16_t waiting_entries(const struct virtqueue *queue)
{
	return load16(queue->driver_bytes + RING_INDEX) - queue->next_available;
}

void virtqueue_disable_notifications(struct virtqueue *queue)
{
	/* With event indexes the driver is quiet after the one it announced, until it is asked again. */
	if (!queue->event_index)
		store16(queue->device_bytes + RING_FLAGS, DEVICE_NO_NOTIFY);
}

bool virtqueue_enable_notifications(struct virtqueue *queue)
{
	if (queue->event_index)
		store16(queue->device_bytes + RING_ENTRIES + (size_t)USED_BYTES * queue->size,
			queue->next_available);
	else
		store16(queue->device_bytes + RING_FLAGS, 0);
	/* The driver first puts its entry in place and then looks whether to notify; we do it the other way round, so that
	 * one of the two sees the other (section 2.7.10). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return waiting_entries(queue) != 0;
}

size_t iovec_length(const struct iovec *pieces, unsigned count)
{
	size_t length = 0;

	for (unsigned i = 0; i < count; i++)
		length += pieces[i].iov_len;
	return length;
}

static size_t copy(const struct iovec *pieces, unsigned count, size_t offset, void *to,
	const void *from, size_t length)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < length; i++) {
		uint8_t *at = (uint8_t *)pieces[i].iov_base + offset;
		size_t now;

		if (offset >= pieces[i].iov_len) {
			offset -= pieces[i].iov_len;
			continue;
		}
		now = MIN(pieces[i].iov_len - offset, length - done);
		if (to)
			memcpy((uint8_t *)to + done, at, now);
		else
			memcpy(at, (const uint8_t *)from + done, now);
		done += now;
		offset = 0;
	}
	return done;
}

size_t iovec_read(
	const struct iovec *pieces, unsigned count, size_t offset, void *to, size_t length)
{
	return copy(pieces, count, offset, to, NULL, length);
}

size_t iovec_write(
	const struct iovec *pieces, unsigned count, size_t offset, const void *from, size_t length)
{
	return copy(pieces, count, offset, NULL, from, length);
}

unsigned iovec_skip(struct iovec *pieces, unsigned count, size_t length)
{
	unsigned gone = 0;

	while (gone < count && length >= pieces[gone].iov_len)
		length -= pieces[gone++].iov_len;
	memmove(pieces, pieces + gone, (count - gone) * sizeof(*pieces));
	count -= gone;
	if (count > 0) {
		pieces[0].iov_base = (uint8_t *)pieces[0].iov_base + length;
		pieces[0].iov_len -= length;
	}
	return count;
}
