/* A ring of bytes with a fixed size: what does not fit pushes the oldest bytes out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct byte_ring {
	uint8_t *bytes;
	size_t size, start, length;
};

void byte_ring_init(struct byte_ring *ring, size_t size);
void byte_ring_clear(struct byte_ring *ring);

/* Keeps what is in the ring; a smaller size pushes the oldest bytes out. */
void byte_ring_resize(struct byte_ring *ring, size_t size);

void byte_ring_push(struct byte_ring *ring, const void *bytes, size_t length);

/* Takes up to @length of the oldest bytes; returns how many there were. */
size_t byte_ring_take(struct byte_ring *ring, void *bytes, size_t length);
