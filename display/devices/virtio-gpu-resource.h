/* The resources of a virtio-gpu: pictures that the guest keeps with us, what guest memory backs them, and what they cost.
 *
 * A 2D resource has memory of the host's; while it is or lately was on a scanout that is video memory, which consumers can
 * map. A blob has none: the guest's pages are its contents. All that a guest can make us allocate here counts against the
 * device's limit.
 *
 * A transfer from where a pixel has its place in the backing, which is what drivers do, is noted and carried out when the
 * contents are looked at, with all others by then: what nobody sees costs nothing, and what a viewer is too slow for is copied
 * once. Until then the guest may draw on; that is what it does on a screen. Specification: virtio 1.2 sections 5.7.6.3 and
 * 5.7.6.8. With the display's lock held.
 */
#pragma once

#include <glib.h>
#include <pixman.h>
#include <sys/uio.h>

#include "display/devices/virtio-gpu-wire.h"
#include "display/video-memory.h"

enum {
	GPU_RESOURCES_MAX = 16384,
	GPU_RESOURCE_LEAST_CHARGE = 4096, /* bytes that count for any resource */
	GPU_SHARED_MAX = 64,              /* resources with video memory */
	GPU_PIXEL_BYTES = 4,              /* of each format */
};

/* Where guest-physical memory lies: all of the range in RAM, or NULL. It stays there as long as the device is. */
struct gpu_memory_ops {
	void *(*pointer)(void *owner, uint64_t address, size_t length);
};

struct gpu_resources {
	GHashTable *by_id; /* struct gpu_resource, owned */
	const struct gpu_memory_ops *memory;
	void *memory_owner;
	uint64_t limit, used; /* bytes */
	unsigned shared;      /* resources with video memory */
};

struct gpu_resource {
	uint32_t id;
	uint32_t format, width, height; /* of 2D resources */
	uint32_t stride;
	bool is_blob;
	uint64_t size; /* bytes of the contents */

	uint8_t *bytes;              /* 2D: of @memory, or allocated; NULL for blobs */
	struct video_memory *memory; /* NULL: not shared */
	bool written;                /* since it was created */
	pixman_region32_t pending;   /* of a 2D resource: noted, and still to be copied */

	struct iovec *pieces; /* backing; neighbours are joined */
	unsigned piece_count; /* 0: none */
	uint64_t backing;     /* bytes of it */

	uint32_t scanouts; /* bits: where it is shown */
	bool has_uuid;
	uint8_t uuid[GPU_UUID_BYTES];
	uint64_t contents_charge, backing_charge;
};

void gpu_resources_init(struct gpu_resources *resources, uint64_t limit,
	const struct gpu_memory_ops *memory, void *memory_owner);
/* Frees all resources; none is shown any more. */
void gpu_resources_empty(struct gpu_resources *resources);
void gpu_resources_clear(struct gpu_resources *resources);

struct gpu_resource *gpu_resource_find(const struct gpu_resources *resources, uint32_t id);

/* GPU_OK_NODATA, or the error that the guest is told. */
enum gpu_type gpu_resource_create_2d(struct gpu_resources *resources, uint32_t id, uint32_t format,
	uint32_t width, uint32_t height);
/* Backed by @entries from the start. */
enum gpu_type gpu_resource_create_blob(struct gpu_resources *resources, uint32_t id, uint64_t size,
	const struct gpu_entry *entries, uint32_t count);
enum gpu_type gpu_resource_attach(struct gpu_resources *resources, struct gpu_resource *resource,
	const struct gpu_entry *entries, uint32_t count);
enum gpu_type gpu_resource_detach(struct gpu_resources *resources, struct gpu_resource *resource);
/* A rectangle of a 2D resource, whose first pixel lies at @offset of the backing. @moved: set to the bytes that were copied at
 * once. */
enum gpu_type gpu_resource_transfer(struct gpu_resource *resource, const struct gpu_rectangle *area,
	uint64_t offset, uint64_t *moved);
/* Before its contents are looked at: carries out what is pending. Returns the bytes that were copied. */
uint64_t gpu_resource_settle(struct gpu_resource *resource);
/* It is not shown any more. */
void gpu_resource_free(struct gpu_resources *resources, struct gpu_resource *resource);

/* Gives it video memory with its contents. False with @error when the host has none. Another resource that is not shown may
 * lose its own for it. */
bool gpu_resource_share(
	struct gpu_resources *resources, struct gpu_resource *resource, GError **error);

/* Memory that somebody else keeps for the guest: false when it is beyond the limit. */
bool gpu_resources_charge(struct gpu_resources *resources, uint64_t bytes);
void gpu_resources_discharge(struct gpu_resources *resources, uint64_t bytes);

/* Whether a rectangle is not empty and lies in a picture. */
bool gpu_rectangle_inside(const struct gpu_rectangle *area, uint32_t width, uint32_t height);

/* Copies rows out of the backing memory: @rows of them, @row_bytes each, @stride apart, the first at @offset; to @to, whose
 * rows are @to_stride apart. False when a byte of them lies outside; then nothing was copied. */
struct gpu_rows {
	uint64_t offset;
	uint32_t rows, row_bytes, stride;
};
bool gpu_backing_read(const struct gpu_resource *resource, const struct gpu_rows *from, uint8_t *to,
	uint32_t to_stride);
