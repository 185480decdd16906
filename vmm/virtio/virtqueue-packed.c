/* Packed rings, device side. Specification: virtio 1.2 section 2.8.
 *
 * One ring of descriptors, which driver and device both write. Two bits in each say whether it is available or used, against
 * wrap counters that change with each turn around the ring.
 */
#include "vmm/virtio/virtqueue-private.h"

#include <glib.h>
#include <string.h>

enum {
	AT_LENGTH = 8,
	AT_ID = 12,
	AT_FLAGS = 14,
	FLAG_AVAILABLE = 1 << 7,
	FLAG_USED = 1 << 15,

	/* Event suppression structures, section 2.8.14. */
	EVENT_BYTES = 4,
	EVENT_ENABLE = 0,
	EVENT_DISABLE = 1,
	EVENT_DESCRIPTOR = 2,
	EVENT_WRAP = 1 << 15,
};

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t id, flags;
};

static bool start(struct virtqueue *queue)
{
	queue->descriptor_bytes = virtqueue_ring(
		queue, queue->descriptors, 16, (size_t)queue->size * DESCRIPTOR_BYTES);
	queue->driver_bytes = virtqueue_ring(queue, queue->driver, 4, EVENT_BYTES);
	queue->device_bytes = virtqueue_ring(queue, queue->device, 4, EVENT_BYTES);
	queue->available_wrap = queue->used_wrap = true;
	return queue->descriptor_bytes && queue->driver_bytes && queue->device_bytes;
}

/* Moves on (or back, when @entries is negative) around the ring. */
static void move(const struct virtqueue *queue, uint16_t *at, bool *wrap, int entries)
{
	int to = *at + entries;

	if (to >= queue->size || to < 0)
		*wrap = !*wrap;
	*at = to >= queue->size ? to - queue->size : to < 0 ? to + queue->size : to;
}

/* Section 2.8.1: available when the one bit is the wrap counter and the other one is not. */
static bool flags_available(uint16_t flags, bool wrap)
{
	return !!(flags & FLAG_AVAILABLE) == wrap && !!(flags & FLAG_USED) != wrap;
}

static uint8_t *entry_at(const struct virtqueue *queue, uint16_t index)
{
	return queue->descriptor_bytes + (size_t)index * DESCRIPTOR_BYTES;
}

static bool is_empty(const struct virtqueue *queue)
{
	uint16_t flags = virtqueue_load16(entry_at(queue, queue->next_available) + AT_FLAGS);

	return !flags_available(flags, queue->available_wrap);
}

static struct descriptor descriptor_at(const uint8_t *at)
{
	struct descriptor d;

	virtqueue_copy_descriptor(at, &d);
	return (struct descriptor) {
		.address = GUINT64_FROM_LE(d.address),
		.length = GUINT32_FROM_LE(d.length),
		.id = GUINT16_FROM_LE(d.id),
		.flags = GUINT16_FROM_LE(d.flags),
	};
}

static bool add(const struct virtqueue *queue, struct virtqueue_element *element,
	const struct descriptor *d)
{
	return virtqueue_element_add(queue, element,
		&(struct virtqueue_piece) { d->address, d->length, d->flags & DESCRIPTOR_WRITE });
}

/* Section 2.8.7: all descriptors of the table in their order; of their flags only WRITE means something. */
static bool add_table(const struct virtqueue *queue, struct virtqueue_element *element,
	const struct descriptor *indirect)
{
	uint32_t count;
	const uint8_t *table = virtqueue_table(queue, indirect->address, indirect->length, &count);

	for (uint32_t i = 0; table && i < count; i++) {
		struct descriptor d = descriptor_at(table + (size_t)i * DESCRIPTOR_BYTES);

		if (d.flags & DESCRIPTOR_INDIRECT || !add(queue, element, &d))
			return false;
	}
	return table;
}

static bool add_chain(
	struct virtqueue *queue, struct virtqueue_element *element, const struct descriptor *first)
{
	struct descriptor d = *first;

	for (element->entries = 1; element->entries <= queue->size; element->entries++) {
		move(queue, &queue->next_available, &queue->available_wrap, 1);
		/* The last descriptor of a request names it (section 2.8.6). */
		element->head = d.id;
		if (d.flags & DESCRIPTOR_INDIRECT)
			return queue->indirect && element->entries == 1 &&
			       !(d.flags & DESCRIPTOR_NEXT) && add_table(queue, element, &d);
		if (!add(queue, element, &d))
			return false;
		if (!(d.flags & DESCRIPTOR_NEXT))
			return true;
		d = descriptor_at(entry_at(queue, queue->next_available));
		if (!flags_available(d.flags, queue->available_wrap))
			return false;
	}
	return false;
}

static enum virtqueue_result pop(struct virtqueue *queue, struct virtqueue_element *element)
{
	const uint8_t *at = entry_at(queue, queue->next_available);
	uint16_t flags = virtqueue_load16(at + AT_FLAGS);
	struct descriptor d;

	if (!flags_available(flags, queue->available_wrap))
		return VIRTQUEUE_EMPTY;
	/* The rest is read after the flags have said that it is there; they themselves are not believed twice. */
	d = descriptor_at(at);
	d.flags = flags;
	return add_chain(queue, element, &d) ? VIRTQUEUE_ELEMENT : VIRTQUEUE_BROKEN;
}

static void unpop(struct virtqueue *queue, const struct virtqueue_element *element)
{
	move(queue, &queue->next_available, &queue->available_wrap, -element->entries);
}

/* Section 2.8.2: one used descriptor for each request, in the first of the entries that it took; the driver looks at the
 * first one's flags first, so those come last. */
static void push(struct virtqueue *queue, const struct virtqueue_element *elements,
	const uint32_t *written, unsigned count)
{
	uint8_t *first = entry_at(queue, queue->next_used);
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < count; i++) {
		uint8_t *entry = entry_at(queue, queue->next_used);
		uint32_t length = GUINT32_TO_LE(written[i]);
		uint16_t id = GUINT16_TO_LE(elements[i].head);
		uint16_t flags = (queue->used_wrap ? FLAG_AVAILABLE | FLAG_USED : 0) |
				 (written[i] > 0 ? DESCRIPTOR_WRITE : 0);

		memcpy(entry + AT_LENGTH, &length, sizeof(length));
		memcpy(entry + AT_ID, &id, sizeof(id));
		if (i == 0)
			first_flags = flags;
		else
			virtqueue_store16(entry + AT_FLAGS, flags);
		move(queue, &queue->next_used, &queue->used_wrap, elements[i].entries);
		queue->used_total += elements[i].entries;
	}
	if (count > 0)
		virtqueue_store16(first + AT_FLAGS, first_flags);
}

/* Sections 2.8.10 and 2.8.14: the driver names an entry of the ring and the turn that it belongs to. */
static bool wants_interrupt(const struct virtqueue *queue, uint32_t advanced)
{
	uint32_t event = virtqueue_load32(queue->driver_bytes);
	uint16_t flags = event >> 16, offset = event & (EVENT_WRAP - 1);
	int64_t behind;

	if ((flags & 3) != EVENT_DESCRIPTOR || !queue->event_index)
		return (flags & 3) != EVENT_DISABLE;
	/* How far back of what we use next the entry lies: negative for those to come. */
	behind = (int64_t)queue->next_used - offset;
	if (!!(event & EVENT_WRAP) != queue->used_wrap)
		behind += queue->size;
	return behind > 0 && behind <= advanced;
}

static void set_notifications(struct virtqueue *queue, bool on)
{
	uint32_t offset = queue->next_available | (queue->available_wrap ? EVENT_WRAP : 0);
	uint32_t flags = !on ? EVENT_DISABLE : queue->event_index ? EVENT_DESCRIPTOR : EVENT_ENABLE;

	virtqueue_store32(queue->device_bytes, flags << 16 | offset);
}

const struct virtqueue_kind virtqueue_packed = {
	.start = start,
	.is_empty = is_empty,
	.pop = pop,
	.unpop = unpop,
	.push = push,
	.wants_interrupt = wants_interrupt,
	.set_notifications = set_notifications,
};
