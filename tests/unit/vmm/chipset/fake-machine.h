/* A machine without KVM, for tests of single chips: ports, memory, and notes of what the chip did to its surroundings. */
#pragma once

#include "display/display.h"
#include "vmm/chardev/chardev.h"
#include "vmm/machine/machine.h"

enum {
	FAKE_MEMORY = 1 << 20
}; /* bytes of RAM, from address 0 */

struct fake_machine {
	struct machine machine;
	uint8_t *ram;
	struct memory_slot *slot;
	bool levels[MACHINE_GSIS];
	unsigned rises[MACHINE_GSIS];
	unsigned resets, shutdowns, suspends, wakeups, watchdogs;
	void (*soon)(struct machine *machine, void *device); /* what machine_run_soon() got last */
	void *soon_device;
	const char *event; /* the last one, and its offset= */
	int64_t event_offset;
	int exit_status; /* -1: it goes on */
	void (*press)(void *device);
	void *button;

	const struct keyboard_ops *keyboard;
	void *keyboard_device;
	const struct pointer_ops *pointer;
	void *pointer_device;
	uint32_t lights;

	GString *output; /* of the one character device there is */
	unsigned accepts;
	const struct chardev_ops *front_end_ops;
	void *front_end;
};

/* One at a time. */
struct fake_machine *fake_machine_new(void);
void fake_machine_free(struct fake_machine *fake);

/* The character device of the fake machine; its id is "line". */
struct chardev *fake_chardev(void);

/* A device of the class, realized and reset, or NULL with @error. @properties: name, value, ..., NULL; or NULL. */
struct device *fake_machine_add(struct fake_machine *fake, const struct device_class *class,
	const char *const *properties, GError **error);

uint8_t fake_in(struct fake_machine *fake, uint16_t port);
uint32_t fake_in_long(struct fake_machine *fake, uint16_t port);
void fake_out(struct fake_machine *fake, uint16_t port, uint8_t value);
