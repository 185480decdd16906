/* A split virtqueue, device side. Specification: virtio 1.2 section 2.7.
 *
 * Everything in the rings is the guest's and may change at any time: each descriptor is copied once, then checked, then
 * used. A queue belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/memory/guest-memory.h"

enum {
	VIRTQUEUE_MAX_SIZE = 256,     /* descriptors, a power of two */
	VIRTQUEUE_MAX_SEGMENTS = 256, /* pieces of memory in one request */
	VIRTQUEUE_NO_VECTOR = 0xffff,
};

struct virtqueue {
	/* set by the driver, through the transport */
	uint16_t size; /* 1..VIRTQUEUE_MAX_SIZE, a power of two */
	bool enabled;
	uint64_t descriptors, driver, device; /* guest-physical */
	uint16_t vector;                      /* MSI-X, or VIRTQUEUE_NO_VECTOR */

	/* while running */
	struct guest_memory *memory;
	uint8_t *descriptor_bytes, *driver_bytes, *device_bytes;
	bool indirect, event_index;
	uint16_t next_available; /* what we take next */
	uint16_t next_used;      /* what we put next */
	uint16_t signalled;      /* next_used when the driver was last interrupted */
};

/* A request: pieces the device reads and pieces it writes, both in order. */
struct virtqueue_element {
	uint16_t head;
	unsigned readable_count, writable_count;
	struct iovec readable[VIRTQUEUE_MAX_SEGMENTS], writable[VIRTQUEUE_MAX_SEGMENTS];
};

enum virtqueue_result {
	VIRTQUEUE_EMPTY,
	VIRTQUEUE_ELEMENT,
	VIRTQUEUE_BROKEN, /* the driver broke the rules: the device needs a reset */
};

/* As at reset. */
void virtqueue_reset(struct virtqueue *queue);

/* Finds the rings in guest memory; false when they are not all in RAM or not aligned. */
bool virtqueue_start(
	struct virtqueue *queue, struct guest_memory *memory, bool indirect, bool event_index);

enum virtqueue_result virtqueue_pop(struct virtqueue *queue, struct virtqueue_element *element);

/* Gives a request back; @written bytes of its writable pieces were filled. */
void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written);

/* Whether the driver wants an interrupt for what was pushed since it was last asked. */
bool virtqueue_should_interrupt(struct virtqueue *queue);

/* Tells the driver that it need not notify while we look anyway. */
void virtqueue_disable_notifications(struct virtqueue *queue);
/* Tells it to notify again. True when something came before it could know: then look once more. */
bool virtqueue_enable_notifications(struct virtqueue *queue);

size_t iovec_length(const struct iovec *pieces, unsigned count);
/* Copies out of (into) the pieces from @offset; returns how many bytes there were. */
size_t iovec_read(
	const struct iovec *pieces, unsigned count, size_t offset, void *to, size_t length);
size_t iovec_write(
	const struct iovec *pieces, unsigned count, size_t offset, const void *from, size_t length);
/* Takes @length bytes off the front; returns the count of pieces left (moved to the start of the array). */
unsigned iovec_skip(struct iovec *pieces, unsigned count, size_t length);
