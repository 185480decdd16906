/* A ring of bytes with a fixed size. */
#include "vmm/chardev/byte-ring.h"

#include <glib.h>
#include <string.h>

void byte_ring_init(struct byte_ring *ring, size_t size)
{
	*ring = (struct byte_ring) { .bytes = g_malloc(size), .size = size };
}

void byte_ring_clear(struct byte_ring *ring)
{
	g_free(ring->bytes);
	*ring = (struct byte_ring) {};
}

void byte_ring_resize(struct byte_ring *ring, size_t size)
{
	struct byte_ring old = *ring;
	size_t first = MIN(old.length, old.size - old.start);

	byte_ring_init(ring, size);
	byte_ring_push(ring, old.bytes + old.start, first);
	byte_ring_push(ring, old.bytes, old.length - first);
	byte_ring_clear(&old);
}

void byte_ring_push(struct byte_ring *ring, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	size_t end, first, dropped;

	if (length > ring->size) {
		from += length - ring->size;
		length = ring->size;
	}
	if (length == 0)
		return;
	if (length > ring->size - ring->length) {
		dropped = length - (ring->size - ring->length);
		ring->start = (ring->start + dropped) % ring->size;
		ring->length -= dropped;
	}
	end = (ring->start + ring->length) % ring->size;
	first = MIN(length, ring->size - end);
	memcpy(ring->bytes + end, from, first);
	memcpy(ring->bytes, from + first, length - first);
	ring->length += length;
}

size_t byte_ring_take(struct byte_ring *ring, void *bytes, size_t length)
{
	size_t first;

	length = MIN(length, ring->length);
	if (length == 0)
		return 0;
	first = MIN(length, ring->size - ring->start);
	memcpy(bytes, ring->bytes + ring->start, first);
	memcpy((uint8_t *)bytes + first, ring->bytes, length - first);
	ring->start = (ring->start + length) % ring->size;
	ring->length -= length;
	return length;
}
