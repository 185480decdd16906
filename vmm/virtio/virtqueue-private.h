/* What the two kinds of ring give to the common code, and what they share. */
#pragma once

#include "vmm/virtio/virtqueue.h"

enum {
	DESCRIPTOR_BYTES = 16,
	DESCRIPTOR_NEXT = 1 << 0,
	DESCRIPTOR_WRITE = 1 << 1,
	DESCRIPTOR_INDIRECT = 1 << 2,
};

struct virtqueue_kind {
	bool (*start)(struct virtqueue *queue);
	bool (*is_empty)(const struct virtqueue *queue);
	enum virtqueue_result (*pop)(struct virtqueue *queue, struct virtqueue_element *element);
	/* After the common counters went back. */
	void (*unpop)(struct virtqueue *queue, const struct virtqueue_element *element);
	/* The driver sees none of them before all are there. */
	void (*push)(struct virtqueue *queue, const struct virtqueue_element *elements,
		const uint32_t *written, unsigned count);
	/* @advanced: ring entries (packed) or requests (split) put since the driver last knew. */
	bool (*wants_interrupt)(const struct virtqueue *queue, uint32_t advanced);
	void (*set_notifications)(struct virtqueue *queue, bool on);
};

extern const struct virtqueue_kind virtqueue_split, virtqueue_packed;

/* A descriptor's common part. */
struct virtqueue_piece {
	uint64_t address;
	uint32_t length;
	bool writable;
};

uint16_t virtqueue_load16(const uint8_t *at);
uint32_t virtqueue_load32(const uint8_t *at);
void virtqueue_store16(uint8_t *at, uint16_t value);
void virtqueue_store32(uint8_t *at, uint32_t value);
/* Copies 16 bytes that may change meanwhile, once. */
void virtqueue_copy_descriptor(const uint8_t *at, void *to);

/* Where a part of the rings lies, or NULL. */
uint8_t *virtqueue_ring(
	const struct virtqueue *queue, uint64_t address, uint64_t align, size_t length);
/* The table that an indirect descriptor names, or NULL; *@count descriptors. */
const uint8_t *virtqueue_table(
	const struct virtqueue *queue, uint64_t address, uint32_t length, uint32_t *count);

void virtqueue_element_begin(struct virtqueue_element *element);
bool virtqueue_element_add(const struct virtqueue *queue, struct virtqueue_element *element,
	const struct virtqueue_piece *piece);
