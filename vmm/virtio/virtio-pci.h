/* The virtio PCI transport, modern interface only. Specification: virtio 1.2 sections 2.1 to 2.6, 3.1, 4.1 and 6.
 *
 * A device embeds struct virtio_device and names its operations. The transport owns registers, features, status and
 * interrupts; the device owns its queues between start() and stop(). Requests are served on the main loop with the
 * machine's lock (virtio_add_main_queue()) or on a thread of the device's own, which looks at the queue's kick descriptor.
 */
#pragma once

#include "vmm/pci/pci.h"
#include "vmm/virtio/virtqueue.h"

enum {
	VIRTIO_QUEUES_MAX = 1024, /* of one device */
	VIRTIO_CONFIG_MAX = 256,  /* bytes of device-specific configuration */

	VIRTIO_STATUS_ACKNOWLEDGE = 1 << 0,
	VIRTIO_STATUS_DRIVER = 1 << 1,
	VIRTIO_STATUS_DRIVER_OK = 1 << 2,
	VIRTIO_STATUS_FEATURES_OK = 1 << 3,
	VIRTIO_STATUS_NEEDS_RESET = 1 << 6,
	VIRTIO_STATUS_FAILED = 1 << 7,
};

#define VIRTIO_FEATURE_INDIRECT        (UINT64_C(1) << 28)
#define VIRTIO_FEATURE_EVENT_INDEX     (UINT64_C(1) << 29)
#define VIRTIO_FEATURE_VERSION_1       (UINT64_C(1) << 32)
#define VIRTIO_FEATURE_ACCESS_PLATFORM (UINT64_C(1) << 33)
#define VIRTIO_FEATURE_PACKED          (UINT64_C(1) << 34)
#define VIRTIO_FEATURE_QUEUE_RESET     (UINT64_C(1) << 40)

/* vectors=: one for each queue and one for the configuration. */
#define VIRTIO_VECTORS_AUTOMATIC UINT32_MAX

struct virtio_device;

struct virtio_ops {
	unsigned queues;    /* unless the device sets queue_count before virtio_pci_realize() */
	size_t config_size; /* bytes of device-specific configuration */
	/* Bytes of the configuration, all of it: @config is zeroed. With the lock. NULL: there is none. */
	void (*get_config)(struct virtio_device *virtio, uint8_t *config);
	/* The driver wrote @size bytes (1, 2 or 4, inside the configuration). With the lock. NULL: none is writable. */
	void (*set_config)(
		struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size);
	/* The driver is ready (or the machine goes on): queues that are enabled have been started, and their kick descriptors
	 * tell when to look. Main queues are looked at once by themselves. With the machine's lock. NULL: nothing to do. */
	void (*start)(struct virtio_device *virtio);
	/* No queue is touched after this returns; requests in flight are finished. With the machine's lock. */
	void (*stop)(struct virtio_device *virtio);
	/* The driver resets the device: false when stop() would have to wait for the host. The device goes on to stop, and calls
	 * virtio_stopped() when it has. With the machine's lock. NULL: stop() is quick. */
	bool (*stop_soon)(struct virtio_device *virtio);
	/* The driver resets one queue (the device has been stopped for it), or all of them: requests of it that the device
	 * holds are forgotten. With the lock. NULL: the device holds none. */
	void (*queue_reset)(struct virtio_device *virtio, unsigned queue);
	/* The driver chose another MSI-X vector for a queue while the device runs. With the lock. NULL: the device does not
	 * care, as virtio_interrupt() looks it up. */
	void (*vector_changed)(struct virtio_device *virtio, unsigned queue);
	/* Everything is as at power-on but for the device's own state. With the lock. NULL: it has none. */
	void (*reset)(struct virtio_device *virtio);
};

/* What a user chooses: rows of VIRTIO_PCI_PROPERTIES. */
struct virtio_options {
	bool packed, event_index, indirect, access_platform, queue_reset, disable_modern;
	uint32_t disable_legacy; /* index into virtio_legacy_choices */
	uint32_t vectors;
};

/* Where the parts of the interface lie: offsets into one BAR, and the BAR of the MSI-X table. */
struct virtio_layout {
	uint8_t msix_bar, registers_bar;
	struct virtio_part {
		uint32_t at, size; /* bytes */
	} common, interrupt, device, notify;
	const struct io_ops
		*others; /* what lies before @common, with the virtio device; NULL: nothing */
};

struct virtio_main_queue;

struct virtio_device {
	struct pci_device pci;
	const struct virtio_ops *ops;
	const struct virtio_layout *layout; /* NULL before virtio_pci_realize(): the usual one */
	struct virtio_options options;
	uint64_t features; /* what we offer, without those of the transport */
	unsigned queue_count;

	uint64_t driver_features;
	uint32_t feature_select, driver_feature_select;
	uint16_t queue_select;
	uint16_t config_vector;
	uint16_t vectors; /* MSI-X vectors there are; 0: no MSI-X */
	uint8_t status;   /* as the driver wrote it; NEEDS_RESET is added while broken */
	int broken;       /* atomic: any thread sets it */
	uint8_t generation;
	int interrupt_status; /* ISR; atomic: any thread sets it */
	struct virtqueue *queues;
	int *kicks; /* eventfds that the driver's notifications write, one per queue */
	struct virtio_main_queue *main_queues;
	struct virtqueue_element element; /* of the main queue that is being served */
	bool running;
	bool resetting;    /* by the driver, once the device has stopped */
	uint64_t kicks_at; /* where KVM watches for notifications, PCI_UNMAPPED: nowhere */
	struct io_region registers;
	uint8_t window_capability; /* offset of the one for access through configuration space */
};

extern const char *const virtio_legacy_choices[];

#define VIRTIO_PROPERTY(name, type, member, value, description) \
	{ \
		name, type, offsetof(struct virtio_device, options.member), value, description \
	}

/* Rows of every virtio device's property table; the device struct starts with struct virtio_device. */
#define VIRTIO_PCI_PROPERTIES \
	VIRTIO_PROPERTY("packed", PROPERTY_BOOL, packed, "off", "offer packed rings"), \
		VIRTIO_PROPERTY("event_idx", PROPERTY_BOOL, event_index, "on", \
			"offer event indexes, which save notifications and interrupts"), \
		VIRTIO_PROPERTY("indirect_desc", PROPERTY_BOOL, indirect, "on", \
			"offer indirect descriptors"), \
		VIRTIO_PROPERTY("iommu_platform", PROPERTY_BOOL, access_platform, "off", \
			"the driver has to use the platform's address translation"), \
		VIRTIO_PROPERTY("queue_reset", PROPERTY_BOOL, queue_reset, "on", \
			"offer to reset single queues"), \
		{ .name = "disable-legacy", \
			.type = PROPERTY_CHOICE, \
			.offset = offsetof(struct virtio_device, options.disable_legacy), \
			.default_value = "auto", \
			.description = "virtio 0.9 is never there: on and auto mean the same", \
			.choices = virtio_legacy_choices }, \
		VIRTIO_PROPERTY("disable-modern", PROPERTY_BOOL, disable_modern, "off", \
			"virtio 1 is the only interface there is: off")

/* For devices with message-signalled interrupts; without it they have none. @value: a number, or VIRTIO_VECTORS_DEFAULT. */
#define VIRTIO_VECTORS_DEFAULT "4294967295"
#define VIRTIO_VECTORS_PROPERTY(value) \
	{ \
		.name = "vectors", .type = PROPERTY_UINT32, \
		.offset = offsetof(struct virtio_device, options.vectors), .default_value = value, \
		.description = \
			"MSI-X vectors; 0: no MSI-X, 4294967295: as many as there is use for" \
	}

/* For the device's realize, after features and ops are set. */
bool virtio_pci_realize(struct virtio_device *virtio, GError **error);
void virtio_pci_unrealize(struct virtio_device *virtio); /* also after a realize that failed */
void virtio_pci_reset(struct virtio_device *virtio);

/* After virtio_pci_realize(): how many descriptors a queue has at most, and unless the driver asks for less. Power of two,
 * at most VIRTQUEUE_MAX_SIZE; VIRTQUEUE_DEFAULT_SIZE until then. */
void virtio_set_queue_size(struct virtio_device *virtio, unsigned queue, uint16_t size);

/* Looks at a queue after the driver notified: on the main loop, with the lock, while the device runs, is not broken and the
 * queue is started. */
typedef void (*virtio_kicked_func)(struct virtio_device *virtio, unsigned queue);
/* After virtio_pci_realize(). */
void virtio_add_main_queue(struct virtio_device *virtio, unsigned queue, virtio_kicked_func kicked);

enum {
	VIRTIO_KEEP = -1, /* the device pushes the request itself, later: it copied @element away */
	VIRTIO_LATER =
		-2, /* the request goes back into the queue; virtio_look_again() when it can be done */
	VIRTIO_STOP = -3, /* the device is broken now */
};

/* Does a request. Returns how many bytes of the writable pieces were filled, or one of the above. */
typedef int64_t (*virtio_request_func)(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element);
/* For kicked functions: does what requests are waiting. A few at a time: this is the main loop, and a guest may ask as fast
 * as it is answered. */
void virtio_serve(struct virtio_device *virtio, unsigned queue, virtio_request_func request);

/* For queues whose buffers the device fills when it has something: the next one, or false when there is none (the driver
 * notifies when there is) or the driver broke the rules. */
bool virtio_take(struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element);
/* Whether the queue can be used: the device runs and is not broken, the queue is started. */
bool virtio_queue_is_ready(const struct virtio_device *virtio, unsigned queue);

/* Interrupts the driver if it wants to hear of what was pushed. Any thread. */
void virtio_interrupt(struct virtio_device *virtio, unsigned queue);
/* Interrupts the driver, which another one (the kernel) has found to want it. Any thread. */
void virtio_interrupt_always(struct virtio_device *virtio, unsigned queue);
/* The configuration is another one now: tells the driver. With the lock. */
void virtio_config_changed(struct virtio_device *virtio);
/* The driver broke the rules: it sees NEEDS_RESET and the device does nothing until then. Any thread. */
void virtio_break(struct virtio_device *virtio, const char *why);
bool virtio_is_broken(const struct virtio_device *virtio);
/* As if the driver had notified once more. Any thread. */
void virtio_look_again(struct virtio_device *virtio, unsigned queue);
bool virtio_has_feature(const struct virtio_device *virtio, uint64_t feature);

/* The device, which could not stop at once (stop_soon()), has stopped. On the main loop, with the lock. */
void virtio_stopped(struct virtio_device *virtio);

/* The machine pauses and goes on. With the lock. */
void virtio_set_running(struct virtio_device *virtio, bool running);

/* For the class of a device whose struct starts with struct virtio_device and that does nothing more. */
void virtio_device_reset(struct device *device);
void virtio_device_set_running(struct device *device, bool running);

/* Name of the device for what people read. */
const char *virtio_device_name(const struct virtio_device *virtio);
