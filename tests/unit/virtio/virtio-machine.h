/* A machine for tests of virtio devices: RAM, a PCI bus and a main loop, without KVM. Interrupts, events and what character
 * devices are sent are remembered. */
#pragma once

#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/machine/machine.h"

enum {
	VIRTIO_MACHINE_RAM = 8 << 20, /* bytes, at address 0 */
	VIRTIO_MACHINE_CHARDEVS = 4,
};

struct fake_chardev {
	char id[8]; /* "char0", ... */
	const struct chardev_ops *ops;
	void *front_end;
	GString *output;
	size_t room; /* bytes that are taken before output has to wait */
	bool open;
};

struct virtio_machine {
	struct machine machine;
	struct kvm kvm;
	uint8_t *ram;
	struct memory_slot *slot;
	uint64_t next_free; /* RAM that tests have not used */
	unsigned line;      /* of INTx, as set last */
	bool level;
	size_t random_left; /* bytes that the object "rng0" has */
	unsigned released;  /* objects */
	GString *events;    /* "NAME {data}\n" */
	GMutex soon_lock;
	GPtrArray *soon; /* calls on the main loop that are due */
	struct fake_chardev chardevs[VIRTIO_MACHINE_CHARDEVS];
};

/* One at a time. */
struct virtio_machine *virtio_machine_new(void);
void virtio_machine_free(struct virtio_machine *vm);

/* A device of the class, realized and reset, or NULL with @error. @properties: name, value, ..., NULL; or NULL. */
struct device *virtio_machine_add(struct virtio_machine *vm, const struct device_class *class,
	const char *id, const char *const *properties, GError **error);
void virtio_machine_remove(struct virtio_machine *vm, struct device *device);
/* As when the machine pauses and goes on. */
void virtio_machine_set_running(struct virtio_machine *vm, bool running);

/* RAM that nothing else uses, zeroed; guest-physical. */
uint64_t virtio_machine_alloc(struct virtio_machine *vm, size_t length, size_t align);
void *virtio_machine_ram(struct virtio_machine *vm, uint64_t address);

/* Lets the main loop do all that it can do now. Without the lock. */
void virtio_machine_settle(struct virtio_machine *vm);

/* The other side of a chardev: gives bytes to its front end, as many as it takes; opens and closes; has room again. */
size_t fake_chardev_send(struct fake_chardev *chardev, const void *bytes, size_t length);
void fake_chardev_open(struct fake_chardev *chardev, bool open);
void fake_chardev_drain(struct fake_chardev *chardev, size_t room);
