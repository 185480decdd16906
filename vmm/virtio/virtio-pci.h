/* The virtio PCI transport, modern interface only. Specification: virtio 1.2 sections 2.1 to 2.4, 3.1 and 4.1.
 *
 * A device embeds struct virtio_device and names its operations. The transport owns registers, features, status and
 * interrupts; the device owns its queues between start() and stop().
 */
#pragma once

#include "vmm/pci/pci.h"
#include "vmm/virtio/virtqueue.h"

enum {
	VIRTIO_MAX_QUEUES = 8,

	VIRTIO_STATUS_ACKNOWLEDGE = 1 << 0,
	VIRTIO_STATUS_DRIVER = 1 << 1,
	VIRTIO_STATUS_DRIVER_OK = 1 << 2,
	VIRTIO_STATUS_FEATURES_OK = 1 << 3,
	VIRTIO_STATUS_NEEDS_RESET = 1 << 6,
	VIRTIO_STATUS_FAILED = 1 << 7,
};

#define VIRTIO_FEATURE_INDIRECT    (UINT64_C(1) << 28)
#define VIRTIO_FEATURE_EVENT_INDEX (UINT64_C(1) << 29)
#define VIRTIO_FEATURE_VERSION_1   (UINT64_C(1) << 32)

struct virtio_device;

struct virtio_ops {
	unsigned queues;
	size_t config_size; /* bytes of device-specific configuration */
	/* Bytes of the configuration, all of it. */
	void (*get_config)(struct virtio_device *virtio, uint8_t *config);
	/* The driver is ready (or the machine goes on): queues that are enabled have been started, and their kick descriptors
	 * tell when to look. With the machine's lock. */
	void (*start)(struct virtio_device *virtio);
	/* No queue is touched after this returns; requests in flight are finished. With the machine's lock. */
	void (*stop)(struct virtio_device *virtio);
	/* The driver, or the machine, has reset the device: after stop(). NULL: nothing is left to forget. */
	void (*reset)(struct virtio_device *virtio);
};

struct virtio_device {
	struct pci_device pci;
	const struct virtio_ops *ops;
	uint64_t features; /* what we offer, without those of the transport */

	uint64_t driver_features;
	uint32_t feature_select, driver_feature_select;
	uint16_t queue_select;
	uint16_t config_vector;
	uint8_t status; /* as the driver wrote it; NEEDS_RESET is added while broken */
	int broken;     /* atomic: any thread sets it */
	uint8_t generation;
	int interrupt_status; /* ISR; atomic: any thread sets it */
	struct virtqueue queues[VIRTIO_MAX_QUEUES];
	int kicks[VIRTIO_MAX_QUEUES]; /* eventfds that the driver's notifications write */
	bool running;
	uint64_t kicks_at; /* where KVM watches for notifications, PCI_UNMAPPED: nowhere */
	struct io_region registers;
	uint8_t window_capability; /* offset of the one for access through configuration space */
};

/* For the device's realize, after features and ops are set. */
bool virtio_pci_realize(struct virtio_device *virtio, GError **error);
void virtio_pci_unrealize(struct virtio_device *virtio);
void virtio_pci_reset(struct virtio_device *virtio);

/* Interrupts the driver if it wants to hear of what was pushed. Any thread. */
void virtio_interrupt(struct virtio_device *virtio, unsigned queue);
/* The driver broke the rules: it sees NEEDS_RESET and the device does nothing until then. Any thread. */
void virtio_break(struct virtio_device *virtio, const char *why);
bool virtio_is_broken(const struct virtio_device *virtio);
/* As if the driver had notified once more. Any thread. */
void virtio_look_again(struct virtio_device *virtio, unsigned queue);
bool virtio_has_feature(const struct virtio_device *virtio, uint64_t feature);

/* The machine pauses and goes on. With the lock. */
void virtio_set_running(struct virtio_device *virtio, bool running);
