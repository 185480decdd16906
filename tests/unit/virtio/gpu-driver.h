/* A driver of virtio-gpu for tests: the requests of section 5.7.6 as functions. */
#pragma once

#include "display/devices/virtio-gpu.h"
#include "tests/unit/virtio/virtio-driver.h"

enum {
	GPU_CONTROL = 0,
	GPU_CURSOR = 1,
	GPU_FORMAT_BGRA = 1,
	GPU_FORMAT_BGRX = 2,
};

#define GPU_ALL_FEATURES \
	(VIRTIO_GPU_FEATURE_EDID | VIRTIO_GPU_FEATURE_RESOURCE_UUID | \
		VIRTIO_GPU_FEATURE_RESOURCE_BLOB)

struct gpu_driver {
	struct virtio_machine *vm;
	struct virtio_driver driver;
	struct driver_queue control, cursor;
	uint8_t answer[GPU_ANSWER_MAX + 64];
	uint32_t answer_length;
	/* For the next request. */
	uint32_t flags, context;
	uint64_t fence;
	uint8_t ring;
	uint64_t scratch; /* RAM that requests may use again and again */
};

/* A machine with the device. @properties: name, value, ..., NULL; or NULL. */
void gpu_driver_start(struct gpu_driver *gpu, const struct device_class *class,
	const char *const *properties, uint64_t features);
/* Negotiates anew after a reset; all RAM that was used is free again. */
void gpu_driver_restart(struct gpu_driver *gpu, uint64_t features);
void gpu_driver_end(struct gpu_driver *gpu);

/* The bytes behind the header, for requests that have no function here. Each function returns the type of the answer. */
uint32_t gpu_request(struct gpu_driver *gpu, uint32_t type, GByteArray *rest);
uint32_t gpu_request_words(
	struct gpu_driver *gpu, uint32_t type, const uint32_t *words, unsigned count);
#define GPU_DO(gpu, type, ...) \
	gpu_request_words(gpu, type, (const uint32_t[]) { __VA_ARGS__ }, \
		sizeof((const uint32_t[]) { __VA_ARGS__ }) / sizeof(uint32_t))

uint32_t gpu_create(
	struct gpu_driver *gpu, uint32_t id, uint32_t format, uint32_t width, uint32_t height);
uint32_t gpu_unref(struct gpu_driver *gpu, uint32_t id);
uint32_t gpu_attach(struct gpu_driver *gpu, uint32_t id, uint64_t address, uint32_t length);
/* @pieces of @length, each a gap of @length apart. */
uint32_t gpu_attach_pieces(
	struct gpu_driver *gpu, uint32_t id, uint64_t address, uint32_t length, uint32_t pieces);
uint32_t gpu_detach(struct gpu_driver *gpu, uint32_t id);
uint32_t gpu_transfer(
	struct gpu_driver *gpu, uint32_t id, const struct gpu_rectangle *area, uint64_t offset);
uint32_t gpu_flush(struct gpu_driver *gpu, uint32_t id, const struct gpu_rectangle *area);
uint32_t gpu_set_scanout(
	struct gpu_driver *gpu, uint32_t scanout, uint32_t id, const struct gpu_rectangle *area);
uint32_t gpu_create_blob(
	struct gpu_driver *gpu, uint32_t id, uint64_t size, uint64_t address, uint32_t length);
uint32_t gpu_set_scanout_blob(struct gpu_driver *gpu, uint32_t scanout, uint32_t id,
	const struct gpu_rectangle *area, const uint32_t size[2], uint32_t stride, uint32_t offset);

/* On the cursor queue; the answer is in @gpu as well. */
uint32_t gpu_cursor_request(struct gpu_driver *gpu, uint32_t type, uint32_t scanout, int32_t x,
	int32_t y, uint32_t id, uint32_t hot_x, uint32_t hot_y);

uint32_t gpu_answer_word(const struct gpu_driver *gpu, size_t offset);
uint32_t gpu_config_word(const struct gpu_driver *gpu, size_t offset);
/* What the @index-th head shows: false when nothing. The pixel in the left upper corner, as it lies in memory. */
bool gpu_head_shows(
	struct gpu_driver *gpu, unsigned index, uint32_t *width, uint32_t *height, uint32_t *pixel);
