/* A small UHCI driver, of a guest that is a test: one queue that all frames lead to, in the fake machine's memory. */
#pragma once

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/usb/uhci.h"

enum {
	/* where things lie in the guest's memory */
	DRIVER_FRAMES = 0x1000,
	DRIVER_QUEUE = 0x2000,
	DRIVER_DESCRIPTORS = 0x3000, /* 0x20 for each */
	DRIVER_SETUP = 0x8000,
	DRIVER_BUFFER = 0x10000,
	DRIVER_DESCRIPTORS_MAX = 128,
	DRIVER_REGISTERS = 0xc000,

	LINK_END = 1 << 0,
	LINK_QUEUE = 1 << 1,
	LINK_DEPTH_FIRST = 1 << 2,
	TD_ACTIVE = 1 << 23,
	TD_STALLED = 1 << 22,
	TD_NAK = 1 << 19,
	TD_TIMEOUT = 1 << 18,
	TD_ON_COMPLETE = 1 << 24,
	TD_RETRIES = 3 << 27,
	TD_ON_SHORT = 1 << 29,
	PID_IN = 0x69,
	PID_OUT = 0xe1,
	PID_SETUP = 0x2d,
};

struct uhci_driver {
	struct fake_machine *fake;
	struct device *controller;
	unsigned count; /* of descriptors */
	uint8_t address;
};

/* The machine with a controller whose BAR is mapped; nothing is started. */
struct uhci_driver *uhci_driver_new(void);
void uhci_driver_free(struct uhci_driver *driver);
struct usb_device *uhci_driver_add(struct uhci_driver *driver, const struct device_class *class);

uint16_t uhci_driver_read(struct uhci_driver *driver, unsigned offset);
void uhci_driver_write(struct uhci_driver *driver, unsigned offset, uint16_t value);
/* The frame list, an empty queue, run. */
void uhci_driver_start(struct uhci_driver *driver);
/* Resets and enables port 1, and gives the device there address 5 and its configuration. */
void uhci_driver_open(struct uhci_driver *driver);

/* Forgets all descriptors; the queue is empty. */
void uhci_driver_clear(struct uhci_driver *driver);
/* Adds an active descriptor behind the last; returns its number. @flags: besides TD_ACTIVE and TD_RETRIES. */
unsigned uhci_driver_put(struct uhci_driver *driver, uint8_t pid, uint8_t address, uint8_t endpoint,
	unsigned length, uint32_t buffer, uint32_t flags);
uint32_t uhci_driver_status(const struct uhci_driver *driver, unsigned descriptor);
/* Bytes that a descriptor moved. */
unsigned uhci_driver_moved(const struct uhci_driver *driver, unsigned descriptor);
/* Puts the first descriptor into the queue. */
void uhci_driver_go(struct uhci_driver *driver);
/* So many frames go by. */
void uhci_driver_pass(struct uhci_driver *driver, unsigned frames);
/* Goes, and waits until all descriptors are done, or one failed; returns the last status. */
uint32_t uhci_driver_run(struct uhci_driver *driver);
/* A control transfer with its data at DRIVER_BUFFER, in packets of 8 bytes; returns the last status. */
uint32_t uhci_driver_control(struct uhci_driver *driver, const struct usb_setup *setup);
