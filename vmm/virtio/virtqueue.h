/* A virtqueue, device side. Specification: virtio 1.2 sections 2.6 (virtqueues), 2.7 (split rings) and 2.8 (packed rings).
 *
 * One interface for both kinds of ring: requests are popped, and pushed back when they are done. Everything in the rings is
 * the guest's and may change at any time: each descriptor is copied once, then checked, then used. A queue belongs to one
 * thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/memory/guest-memory.h"
#include "vmm/virtio/iovec.h"

enum {
	VIRTQUEUE_MAX_SIZE = 1024,     /* descriptors */
	VIRTQUEUE_DEFAULT_SIZE = 256,  /* unless a device says otherwise */
	VIRTQUEUE_MAX_SEGMENTS = 1024, /* pieces of memory in one request */
	VIRTQUEUE_NO_VECTOR = 0xffff,
};

struct virtqueue_kind;

struct virtqueue {
	/* set by the driver, through the transport */
	uint16_t size;     /* 1..max_size; a power of two unless packed */
	uint16_t max_size; /* the device's */
	bool enabled;
	uint64_t descriptors, driver, device; /* guest-physical */
	uint16_t vector;                      /* MSI-X, or VIRTQUEUE_NO_VECTOR */

	/* while running */
	const struct virtqueue_kind *kind; /* NULL: not started */
	struct guest_memory *memory;
	uint8_t *descriptor_bytes, *driver_bytes, *device_bytes;
	bool indirect, event_index;
	uint16_t next_available;        /* what we take next */
	uint16_t next_used;             /* what we put next */
	bool available_wrap, used_wrap; /* packed: the wrap counters that go with them */
	uint32_t used_total, signalled; /* what was put, and of it what the driver knows of */
	uint16_t in_flight;             /* ring entries of requests popped and not pushed */
};

/* A request: pieces the device reads and pieces it writes, both in order. Starts zeroed; may be used again and again, for
 * any queue. The pieces are kept, so that a request costs no allocation when one as long was there before. */
struct virtqueue_element {
	uint16_t head;    /* the driver's name for it: descriptor (split) or buffer id (packed) */
	uint16_t entries; /* of the ring */
	unsigned readable_count, writable_count;
	struct iovec *readable, *writable;
	struct iovec *pieces;
	unsigned capacity;
};

/* Frees the pieces. */
void virtqueue_element_clear(struct virtqueue_element *element);

enum virtqueue_result {
	VIRTQUEUE_EMPTY,
	VIRTQUEUE_ELEMENT,
	VIRTQUEUE_BROKEN, /* the driver broke the rules: the device needs a reset */
};

enum virtqueue_flags {
	VIRTQUEUE_PACKED = 1 << 0,
	VIRTQUEUE_INDIRECT = 1 << 1,
	VIRTQUEUE_EVENT_INDEX = 1 << 2,
};

/* As at reset; @max_size is what the device offers. */
void virtqueue_reset(struct virtqueue *queue, uint16_t max_size);

/* Finds the rings in guest memory; false when they are not all in RAM or not aligned, or the size does not suit. @flags:
 * enum virtqueue_flags, as negotiated. */
bool virtqueue_start(struct virtqueue *queue, struct guest_memory *memory, unsigned flags);
bool virtqueue_is_started(const struct virtqueue *queue);

/* BROKEN for every broken rule: an index outside, a loop, an empty piece, memory outside RAM, readable after writable
 * pieces, indirect where it may not be, more in flight than the queue has entries. */
enum virtqueue_result virtqueue_pop(struct virtqueue *queue, struct virtqueue_element *element);
/* Whether pop() would say EMPTY. */
bool virtqueue_is_empty(const struct virtqueue *queue);

/* Undoes the latest pop() that has not been undone; nothing was pushed since. */
void virtqueue_unpop(struct virtqueue *queue, const struct virtqueue_element *element);

/* Split rings: how many requests have been taken so far (modulo 2^16), and taking from there on with nothing in flight, when
 * another one (the kernel) served the ring meanwhile. */
uint16_t virtqueue_position(const struct virtqueue *queue);
void virtqueue_set_position(struct virtqueue *queue, uint16_t position);

/* Gives a request back; @written bytes of its writable pieces were filled. */
void virtqueue_push(
	struct virtqueue *queue, const struct virtqueue_element *element, uint32_t written);
/* Gives several back so that the driver sees all of them or none (a packet in several buffers). */
void virtqueue_push_together(struct virtqueue *queue, const struct virtqueue_element *elements,
	const uint32_t *written, unsigned count);

/* Whether the driver wants an interrupt for what was pushed since it was last asked. */
bool virtqueue_should_interrupt(struct virtqueue *queue);

/* Tells the driver that it need not notify while we look anyway. */
void virtqueue_disable_notifications(struct virtqueue *queue);
/* Tells it to notify again. True when something came before it could know: then look once more. */
bool virtqueue_enable_notifications(struct virtqueue *queue);
