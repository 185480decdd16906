/* Drives a virtio device as a guest's driver does, through its registers and rings, without a guest.
 *
 * The device's BARs are mapped, features negotiated, queues laid out in the RAM of a struct virtio_machine: split rings or
 * packed ones, as negotiated. Requests are lists of pieces. What a driver must not do can be done too: the rings lie open.
 */
#pragma once

#include "tests/unit/virtio/virtio-machine.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	DRIVER_QUEUE_MAX = 256,
	DRIVER_PIECES_MAX = 64,

	/* Registers of the common configuration, section 4.1.4.3, and where the other parts of the BAR begin. */
	REG_DEVICE_FEATURE_SELECT = 0x00,
	REG_DEVICE_FEATURE = 0x04,
	REG_DRIVER_FEATURE_SELECT = 0x08,
	REG_DRIVER_FEATURE = 0x0c,
	REG_CONFIG_VECTOR = 0x10,
	REG_QUEUES = 0x12,
	REG_STATUS = 0x14,
	REG_GENERATION = 0x15,
	REG_QUEUE_SELECT = 0x16,
	REG_QUEUE_SIZE = 0x18,
	REG_QUEUE_VECTOR = 0x1a,
	REG_QUEUE_ENABLE = 0x1c,
	REG_QUEUE_NOTIFY_OFFSET = 0x1e,
	REG_QUEUE_DESCRIPTORS = 0x20,
	REG_QUEUE_DRIVER = 0x28,
	REG_QUEUE_DEVICE = 0x30,
	REG_QUEUE_RESET = 0x3a,
	REG_INTERRUPT = 0x1000,
	REG_CONFIG = 0x2000,
	REG_NOTIFY = 0x3000,

	/* Flags of descriptors. */
	DRIVER_NEXT = 1,
	DRIVER_WRITE = 2,
	DRIVER_INDIRECT = 4,
	DRIVER_AVAILABLE = 1 << 7,
	DRIVER_USED = 1 << 15,
};

struct virtio_driver {
	struct virtio_machine *vm;
	struct virtio_device *device;
	uint64_t bar;      /* address of the registers */
	uint64_t features; /* negotiated */
};

/* A piece of a request. @bytes are copied into the guest's RAM when it is readable (NULL: zeroes); @address is set. */
struct driver_piece {
	const void *bytes;
	size_t length;
	bool writable;
	uint64_t address;
};

struct driver_queue {
	struct virtio_driver *driver;
	unsigned index;
	uint16_t size;
	bool packed, event_index;
	uint64_t descriptors, available, used; /* packed: ring, driver's events, device's events */
	uint16_t next_available, next_used, last_notified;
	bool available_wrap, used_wrap;
	uint16_t free_head, free_count;    /* split: descriptors that are free; packed: ids */
	uint16_t next[DRIVER_QUEUE_MAX];   /* chain of the free ones */
	uint16_t length[DRIVER_QUEUE_MAX]; /* descriptors of the request of each name */
};

/* The device is virtio; it is found in PCI configuration space and its BARs are mapped. */
struct virtio_driver virtio_driver_bind(struct virtio_machine *vm, struct device *device);

/* Registers: @offset into BAR 4, @size 1, 2 or 4. With the lock taken meanwhile. */
uint32_t virtio_driver_read(const struct virtio_driver *driver, uint64_t offset, unsigned size);
void virtio_driver_write(
	const struct virtio_driver *driver, uint64_t offset, unsigned size, uint32_t value);
uint8_t virtio_driver_status(const struct virtio_driver *driver);
bool virtio_driver_needs_reset(const struct virtio_driver *driver);
uint64_t virtio_driver_offered(const struct virtio_driver *driver);
void virtio_driver_reset(struct virtio_driver *driver);

/* Reset, ACKNOWLEDGE, DRIVER, features (VERSION_1 is added), FEATURES_OK: whether it stuck. */
bool virtio_driver_negotiate(struct virtio_driver *driver, uint64_t features);
/* Lays out and enables a queue; @size 0: the device's. */
void virtio_driver_queue(
	struct virtio_driver *driver, struct driver_queue *queue, unsigned index, uint16_t size);
void virtio_driver_ready(struct virtio_driver *driver);

/* Enables MSI-X with a vector for each queue (queue N: address 0xfee00000, data N + 1) and one for changes (data 0). Before
 * or after the queues. */
void virtio_driver_use_msix(struct virtio_driver *driver);

/* Makes a request available, each piece in a descriptor of its own (or all in an indirect table). Returns its name. */
uint16_t driver_queue_add(struct driver_queue *queue, struct driver_piece *pieces, unsigned count);
uint16_t driver_queue_add_indirect(
	struct driver_queue *queue, struct driver_piece *pieces, unsigned count);
/* Notifies (whether or not the device wants it) and lets the main loop run. */
void driver_queue_kick(struct driver_queue *queue);
/* Whether the device wants to be notified of what was added since the last kick. */
bool driver_queue_wants_kick(const struct driver_queue *queue);

/* The next request that the device has given back, if any: its name, and the bytes that it wrote. */
bool driver_queue_used(struct driver_queue *queue, uint16_t *name, uint32_t *written);
/* The same, and runs the main loop until there is one, at most 30 s. For devices with threads. */
bool driver_queue_wait(struct driver_queue *queue, uint16_t *name, uint32_t *written);

/* Adds, kicks and waits: a whole request. Returns the bytes written. */
uint32_t driver_queue_do(struct driver_queue *queue, struct driver_piece *pieces, unsigned count);

/* What lies in a piece now. */
void *driver_piece_bytes(const struct driver_queue *queue, const struct driver_piece *piece);
