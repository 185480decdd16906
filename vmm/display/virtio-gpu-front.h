/* What the PCI devices with a virtio-gpu have in common: its queues, its configuration and its properties. */
#pragma once

#include "display/devices/virtio-gpu.h"
#include "vmm/virtio/virtio-pci.h"

struct virtio_gpu_front {
	struct virtio_device virtio;
	/* properties */
	uint32_t outputs, width, height;
	uint64_t memory_limit;
	bool edid, blob;

	struct virtio_gpu *gpu;
	char *label, *address;
	uint64_t moved; /* bytes of pixels, in this turn of the main loop */
};

#define VIRTIO_GPU_PROPERTY(name, type, member, value, ...) \
	{ \
		name, type, offsetof(struct virtio_gpu_front, member), value, __VA_ARGS__ \
	}

/* Rows of the property table of a class whose struct starts with struct virtio_gpu_front. */
#define VIRTIO_GPU_PROPERTIES \
	VIRTIO_GPU_PROPERTY("max_outputs", PROPERTY_UINT32, outputs, "1", \
		"heads, of which a viewer switches on all but the first", 1, GPU_SCANOUTS_MAX), \
		VIRTIO_GPU_PROPERTY("xres", PROPERTY_UINT32, width, "1280", \
			"preferred width of the monitor, pixels", 64, 16000), \
		VIRTIO_GPU_PROPERTY("yres", PROPERTY_UINT32, height, "800", \
			"preferred height of the monitor, pixels", 64, 12000), \
		VIRTIO_GPU_PROPERTY("max_hostmem", PROPERTY_SIZE, memory_limit, "256M", \
			"memory that the guest's pictures may take on the host", 1 << 20, \
			UINT64_C(1) << 40), \
		VIRTIO_GPU_PROPERTY( \
			"edid", PROPERTY_BOOL, edid, "on", "tell the driver about its monitors"), \
		VIRTIO_GPU_PROPERTY("blob", PROPERTY_BOOL, blob, "off", \
			"let the driver show memory of the guest, without copying it first"), \
		VIRTIO_PCI_PROPERTIES, VIRTIO_VECTORS_PROPERTY("3")

/* For realize, after virtio->layout is set if need be. False with @error. */
bool virtio_gpu_front_realize(struct virtio_gpu_front *front, GError **error);
/* Also after a realize that failed. */
void virtio_gpu_front_unrealize(struct virtio_gpu_front *front);
