/* Virtqueues: what both kinds of ring have in common. Specification: virtio 1.2 section 2.6. */
#include "vmm/virtio/virtqueue-private.h"

#include <glib.h>
#include <string.h>

uint16_t virtqueue_load16(const uint8_t *at)
{
	return GUINT16_FROM_LE(
		__atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_ACQUIRE));
}

uint32_t virtqueue_load32(const uint8_t *at)
{
	return GUINT32_FROM_LE(
		__atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE));
}

void virtqueue_store16(uint8_t *at, uint16_t value)
{
	__atomic_store_n((uint16_t *)(void *)at, GUINT16_TO_LE(value), __ATOMIC_RELEASE);
}

void virtqueue_store32(uint8_t *at, uint32_t value)
{
	__atomic_store_n((uint32_t *)(void *)at, GUINT32_TO_LE(value), __ATOMIC_RELEASE);
}

void virtqueue_copy_descriptor(const uint8_t *at, void *to)
{
	memcpy(to, at, DESCRIPTOR_BYTES);
	/* From here on the copy is what counts: nothing may be fetched from the guest once more. */
	__asm__ volatile("" : : "r"(to) : "memory");
}

uint8_t *virtqueue_ring(
	const struct virtqueue *queue, uint64_t address, uint64_t align, size_t length)
{
	return address % align ? NULL : guest_memory_pointer(queue->memory, address, length);
}

const uint8_t *virtqueue_table(
	const struct virtqueue *queue, uint64_t address, uint32_t length, uint32_t *count)
{
	*count = length / DESCRIPTOR_BYTES;
	if (length % DESCRIPTOR_BYTES != 0 || *count == 0 || *count > VIRTQUEUE_MAX_SEGMENTS)
		return NULL;
	return guest_memory_pointer(queue->memory, address, length);
}

void virtqueue_reset(struct virtqueue *queue, uint16_t max_size)
{
	*queue = (struct virtqueue) {
		.size = max_size,
		.max_size = max_size,
		.vector = VIRTQUEUE_NO_VECTOR,
	};
}

bool virtqueue_start(struct virtqueue *queue, struct guest_memory *memory, unsigned flags)
{
	const struct virtqueue_kind *kind =
		flags & VIRTQUEUE_PACKED ? &virtqueue_packed : &virtqueue_split;

	queue->memory = memory;
	queue->indirect = flags & VIRTQUEUE_INDIRECT;
	queue->event_index = flags & VIRTQUEUE_EVENT_INDEX;
	queue->kind = queue->size > 0 && kind->start(queue) ? kind : NULL;
	return queue->kind;
}

bool virtqueue_is_started(const struct virtqueue *queue)
{
	return queue->kind;
}

/* --- elements --- */

void virtqueue_element_clear(struct virtqueue_element *element)
{
	g_free(element->pieces);
	*element = (struct virtqueue_element) { 0 };
}

void virtqueue_element_begin(struct virtqueue_element *element)
{
	element->readable_count = element->writable_count = 0;
}

static bool add_bytes(struct virtqueue_element *element, void *bytes, size_t length, bool writable)
{
	unsigned count = element->readable_count + element->writable_count;

	if (count == VIRTQUEUE_MAX_SEGMENTS)
		return false;
	if (count == element->capacity) {
		element->capacity = MIN(MAX(element->capacity * 2, 8), VIRTQUEUE_MAX_SEGMENTS);
		element->pieces = g_renew(struct iovec, element->pieces, element->capacity);
	}
	element->pieces[count] = (struct iovec) { bytes, length };
	if (writable)
		element->writable_count++;
	else
		element->readable_count++;
	return true;
}

/* Pieces lie in RAM. Readable ones come before writable ones (sections 2.7.4.2 and 2.8.5), and none is empty. */
bool virtqueue_element_add(const struct virtqueue *queue, struct virtqueue_element *element,
	const struct virtqueue_piece *piece)
{
	void *bytes = guest_memory_pointer(queue->memory, piece->address, piece->length);

	if (!bytes || piece->length == 0 || (!piece->writable && element->writable_count > 0))
		return false;
	return add_bytes(element, bytes, piece->length, piece->writable);
}

/* --- requests --- */

enum virtqueue_result virtqueue_pop(struct virtqueue *queue, struct virtqueue_element *element)
{
	enum virtqueue_result result;

	virtqueue_element_begin(element);
	result = queue->kind->pop(queue, element);
	if (result != VIRTQUEUE_ELEMENT)
		return result;
	element->readable = element->pieces;
	element->writable = element->pieces + element->readable_count;
	/* A driver that makes the same descriptors available again, while we have them, could have us take any number. */
	if (element->entries > queue->size - queue->in_flight)
		return VIRTQUEUE_BROKEN;
	queue->in_flight += element->entries;
	return VIRTQUEUE_ELEMENT;
}

bool virtqueue_is_empty(const struct virtqueue *queue)
{
	return queue->kind->is_empty(queue);
}

void virtqueue_unpop(struct virtqueue *queue, const struct virtqueue_element *element)
{
	queue->in_flight -= element->entries;
	queue->kind->unpop(queue, element);
}

void virtqueue_push_together(struct virtqueue *queue, const struct virtqueue_element *elements,
	const uint32_t *written, unsigned count)
{
	queue->kind->push(queue, elements, written, count);
	for (unsigned i = 0; i < count; i++)
		queue->in_flight -= elements[i].entries;
}

void virtqueue_push(
	struct virtqueue *queue, const struct virtqueue_element *element, uint32_t written)
{
	virtqueue_push_together(queue, element, &written, 1);
}

bool virtqueue_should_interrupt(struct virtqueue *queue)
{
	uint32_t advanced = queue->used_total - queue->signalled;

	/* What was pushed is visible before we look whether the driver wants to hear of it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (advanced == 0)
		return false;
	queue->signalled = queue->used_total;
	return queue->kind->wants_interrupt(queue, advanced);
}

void virtqueue_disable_notifications(struct virtqueue *queue)
{
	queue->kind->set_notifications(queue, false);
}

bool virtqueue_enable_notifications(struct virtqueue *queue)
{
	queue->kind->set_notifications(queue, true);
	/* The driver first puts its entry in place and then looks whether to notify; we do it the other way round, so that
	 * one of the two sees the other (section 2.7.10). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !queue->kind->is_empty(queue);
}

uint16_t virtqueue_position(const struct virtqueue *queue)
{
	return queue->next_available;
}

void virtqueue_set_position(struct virtqueue *queue, uint16_t position)
{
	uint16_t done = position - queue->next_used;

	queue->next_available = queue->next_used = position;
	queue->used_total += done;
	queue->signalled = queue->used_total;
	queue->in_flight = 0;
}
