/* virtio-balloon: memory that the guest gives back to the host, and takes again. Specification: virtio 1.2 section 5.5. */
#pragma once

#include <json-glib/json-glib.h>

#include "vmm/device.h"

enum {
	VIRTIO_BALLOON_INTERVAL_MAX =
		UINT32_MAX / 1000, /* seconds: what a timer of the main loop takes */
};

extern const struct device_class virtio_balloon_class;

/* All with the machine's lock, @device of the class above. */

/* The guest is asked to give back so much that @bytes of its memory are left to it. */
void virtio_balloon_set_target(struct device *device, uint64_t bytes);
/* What is left to it, as its driver says. */
uint64_t virtio_balloon_actual(const struct device *device);

/* How often the driver is asked for statistics, seconds, at most VIRTIO_BALLOON_INTERVAL_MAX; 0: never. */
void virtio_balloon_set_interval(struct device *device, uint32_t seconds);
/* {"stats": {"stat-free-memory": bytes, ...}, "last-update": seconds since 1970}; -1 for what the driver has not told. */
JsonObject *virtio_balloon_statistics(const struct device *device);
