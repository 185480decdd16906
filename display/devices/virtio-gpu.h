/* virtio-gpu: the display core behind the PCI devices "virtio-gpu-pci" and "virtio-vga".
 *
 * Knows nothing of virtqueues, PCI and KVM: whoever has the core brings requests to it as bytes and gets answers as bytes.
 * Each scanout is a head on the display. All functions are called with the display's lock held; virtio_gpu_new() and
 * virtio_gpu_free() on the main loop.
 *
 * In files of their own: the wire format (virtio-gpu-wire), resources (virtio-gpu-resource), scanouts and cursors
 * (virtio-gpu-scanout), monitors (virtio-gpu-monitor), and what renders (virtio-gpu-2d), which is a table of operations that
 * another back end can take the place of. Specification: virtio 1.2 section 5.7.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/devices/virtio-gpu-resource.h"
#include "display/devices/virtio-gpu-wire.h"
#include "display/display.h"
#include "display/edid.h"
#include "display/head.h"

/* Section 5.7.3. */
#define VIRTIO_GPU_FEATURE_EDID          (UINT64_C(1) << 1)
#define VIRTIO_GPU_FEATURE_RESOURCE_UUID (UINT64_C(1) << 2)
#define VIRTIO_GPU_FEATURE_RESOURCE_BLOB (UINT64_C(1) << 3)

enum {
	VIRTIO_GPU_CONFIG_BYTES = 16,
	VIRTIO_GPU_CURSOR_SIZE = 64, /* pixels in each direction: the only size */
};

struct virtio_gpu;

/* What the core asks of its front. */
struct virtio_gpu_ops {
	struct gpu_memory_ops memory;
	/* The configuration changed: the driver is to look at its events. */
	void (*config_changed)(void *owner);
};

/* Who draws head 0 until the driver shows something there (virtio-vga's VGA). */
struct virtio_gpu_legacy_ops {
	void (*refresh)(void *legacy);
	void (*set_ui_info)(void *legacy, const struct head_ui_info *info);
	/* Draws on the head, or leaves it alone. */
	void (*set_shown)(void *legacy, bool shown);
};

struct virtio_gpu_config {
	const char *label;          /* of the heads */
	const char *device_address; /* of the heads, see head.h */
	unsigned scanouts;          /* 1..GPU_SCANOUTS_MAX */
	uint32_t width, height;     /* of the first monitor, unless a viewer wishes another size */
	uint64_t memory_limit;      /* bytes that all resources may cost */
	const struct virtio_gpu_ops *ops;
	void *owner;
};

struct virtio_gpu *virtio_gpu_new(struct display *display, const struct virtio_gpu_config *config);
void virtio_gpu_free(struct virtio_gpu *gpu);
/* Resources, scanouts, cursors and events are gone; what viewers wish stays. */
void virtio_gpu_reset(struct virtio_gpu *gpu);

/* From now on @ops draw on head 0 while the driver does not; NULL: nobody (any more). */
void virtio_gpu_set_legacy(
	struct virtio_gpu *gpu, const struct virtio_gpu_legacy_ops *ops, void *legacy);

/* What the device can do, of the features above. */
uint64_t virtio_gpu_features(const struct virtio_gpu *gpu);

struct head *virtio_gpu_head(const struct virtio_gpu *gpu, unsigned scanout);
/* The monitor of a scanout; its strings live as long as the core. */
const struct edid_info *virtio_gpu_monitor(const struct virtio_gpu *gpu, unsigned scanout);
/* Bytes that the guest's resources cost now. */
uint64_t virtio_gpu_memory_used(const struct virtio_gpu *gpu);

/* Device configuration, section 5.7.4. */
void virtio_gpu_config_read(const struct virtio_gpu *gpu, uint8_t config[VIRTIO_GPU_CONFIG_BYTES]);
void virtio_gpu_config_write(
	struct virtio_gpu *gpu, size_t offset, const uint8_t *bytes, unsigned size);

/* A request as the driver left it: copies bytes from @offset out of it, returns how many there were. */
struct virtio_gpu_request {
	size_t (*read)(const void *owner, size_t offset, void *to, size_t length);
	const void *owner;
};

/**
 * virtio_gpu_control - does a request of the control queue, or of the cursor queue
 * @features: those that the driver has accepted
 * @answer: set
 *
 * Returns how many bytes of pixels were moved for it: whoever has other things to do keeps count.
 */
uint64_t virtio_gpu_control(struct virtio_gpu *gpu, uint64_t features,
	const struct virtio_gpu_request *request, struct gpu_answer *answer);
void virtio_gpu_cursor(struct virtio_gpu *gpu, const struct virtio_gpu_request *request,
	struct gpu_answer *answer);
