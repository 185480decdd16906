/* What the fuzz targets of virtio devices share: a device, a driver that does anything to its registers and rings. */
#pragma once

#include "base/reader.h"
#include "tests/unit/virtio/virtio-driver.h"

struct virtio_fuzz {
	struct virtio_machine *vm;
	struct device *device;
	struct virtio_driver driver;
	struct driver_queue queues[8];
	unsigned queue_count;
	/* What is made before the device and freed after the machine; NULL: nothing. */
	void *(*add_around)(struct virtio_machine *vm);
	void (*remove_around)(void *around);
};

/* @properties as for virtio_machine_add(). @step: what the host does to the device, by a number; NULL: nothing. */
void virtio_fuzz_run(struct virtio_fuzz *fuzz, const struct device_class *class,
	const char *const *properties, void (*prepare)(struct virtio_fuzz *fuzz),
	void (*step)(struct virtio_fuzz *fuzz, struct reader *in), const uint8_t *bytes,
	size_t length);
