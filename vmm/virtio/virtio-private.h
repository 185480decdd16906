/* What the files of the virtio transport share: registers (virtio-common.c), their place in PCI (virtio-pci.c), and the
 * device's life (virtio-device.c). */
#pragma once

#include "vmm/virtio/virtio-pci.h"

enum {
	VIRTIO_INTERRUPT_QUEUE = 1 << 0, /* bits of the interrupt status */
	VIRTIO_INTERRUPT_CONFIG = 1 << 1,
	VIRTIO_INTERRUPT_COMING =
		1 << 8, /* not the driver's to see: the main loop will raise the line */

	VIRTIO_COMMON_SIZE = 0x3c, /* bytes of the common configuration */
};

struct virtio_main_queue {
	virtio_kicked_func kicked; /* NULL: not one of the main loop's */
	guint watch;
};

/* Common configuration, section 4.1.4.3. @bytes has VIRTIO_COMMON_SIZE. */
void virtio_common_fill(const struct virtio_device *virtio, uint8_t *bytes);
void virtio_common_write(struct virtio_device *virtio, uint64_t at, unsigned size, uint32_t value);

/* Life. */
uint64_t virtio_offered_features(const struct virtio_device *virtio);
void virtio_run(struct virtio_device *virtio);
void virtio_halt(struct virtio_device *virtio);
/* Starts a queue that the driver enabled; breaks the device when its rings are no rings. */
void virtio_start_queue(struct virtio_device *virtio, unsigned queue);
void virtio_reset_queue(struct virtio_device *virtio, unsigned queue);

/* Has KVM watch for notifications where the BAR is now. */
void virtio_place_kicks(struct virtio_device *virtio);
