/* A small xHCI driver, of a guest that is a test: rings in the fake machine's memory, registers through its address space. */
#pragma once

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/usb/usb.h"
#include "vmm/usb/xhci-registers.h"

enum {
	/* where things lie in the guest's memory */
	DRIVER_CONTEXTS = 0x1000,
	DRIVER_COMMANDS = 0x2000,
	DRIVER_TABLE = 0x3000,
	DRIVER_EVENTS = 0x4000,
	DRIVER_INPUT = 0x6000,
	DRIVER_OUTPUT = 0x8000, /* 0x400 for each slot */
	DRIVER_RINGS = 0x20000, /* 0x400 for each endpoint, 0x8000 for each slot */
	DRIVER_BUFFER = 0x80000,
	DRIVER_EVENTS_SIZE = 64, /* TRBs */
	DRIVER_RING_SIZE = 64,   /* the last one is a link */
	DRIVER_SLOTS = 8,
	DRIVER_REGISTERS = 0xe0000000,
};

struct xhci_driver {
	struct fake_machine *fake;
	struct device *controller;
	unsigned next_command, next_event;
	bool event_cycle;
	unsigned next[DRIVER_SLOTS + 1][32];
	bool cycle[DRIVER_SLOTS + 1][32];
};

struct xhci_driver_event {
	unsigned type, code, slot, endpoint;
	uint64_t parameter;
	uint32_t residue;
	bool event_data;
};

/* The machine with a controller whose BAR is mapped; nothing is started. */
struct xhci_driver *xhci_driver_new(void);
void xhci_driver_free(struct xhci_driver *driver);
/* A device on the controller's bus, never NULL. */
struct usb_device *xhci_driver_add(struct xhci_driver *driver, const struct device_class *class);

uint32_t xhci_driver_read(struct xhci_driver *driver, unsigned offset);
void xhci_driver_write(struct xhci_driver *driver, unsigned offset, uint32_t value);
/* Rings, event ring, run. */
void xhci_driver_start(struct xhci_driver *driver);

/* The next event; false: there is none. */
bool xhci_driver_event(struct xhci_driver *driver, struct xhci_driver_event *event);
/* The next event of this type; others are passed over. */
bool xhci_driver_event_of(
	struct xhci_driver *driver, unsigned type, struct xhci_driver_event *event);
/* Puts a command and rings; returns its completion code, and the slot it speaks of. 0: no answer. */
unsigned xhci_driver_command(
	struct xhci_driver *driver, uint64_t parameter, uint32_t control, unsigned *slot);

/* Resets the port (from 1, of the controller), enables a slot and addresses the device; returns the slot. */
unsigned xhci_driver_open(struct xhci_driver *driver, unsigned port);
/* Configures one endpoint more (number as in contexts); returns the completion code. */
unsigned xhci_driver_configure(
	struct xhci_driver *driver, unsigned slot, unsigned endpoint, unsigned type);
/* Puts a TRB on an endpoint's ring; returns its address. */
uint64_t xhci_driver_put(struct xhci_driver *driver, unsigned slot, unsigned endpoint,
	uint64_t parameter, uint32_t status, uint32_t control);
void xhci_driver_ring(struct xhci_driver *driver, unsigned slot, unsigned endpoint);
/* A control transfer with its data at DRIVER_BUFFER; returns the completion code of its last event, and how many bytes. */
unsigned xhci_driver_control(
	struct xhci_driver *driver, unsigned slot, const struct usb_setup *setup, unsigned *moved);
