/* xHCI, a USB host controller: what its parts share. Specification: eXtensible Host Controller Interface 1.2.
 *
 * The parts: xhci.c (the PCI device), xhci-mmio.c (registers), xhci-ports.c, xhci-events.c (event rings and interrupts),
 * xhci-commands.c, xhci-slots.c (slots, endpoints and their contexts), xhci-transfers.c. All with the machine's lock.
 *
 * Whatever a guest has in its rings and contexts is copied once and checked. Where the guest gives an address that is not in
 * RAM for something the controller itself needs, the controller stops with Host Controller Error until it is reset.
 */
#pragma once

#include "vmm/pci/pci.h"
#include "vmm/usb/usb.h"
#include "vmm/usb/xhci-registers.h"

enum {
	XHCI_PORTS_MAX = 2 * USB_PORTS_MAX,
	XHCI_SLOTS = 64,
	XHCI_INTERRUPTERS = 16,
	XHCI_ENDPOINTS = 31,   /* of a slot, numbered from 1 */
	XHCI_LINKS_MAX = 32,   /* link TRBs one after the other */
	XHCI_CHAIN_MAX = 1024, /* TRBs of one transfer */
	XHCI_STEPS =
		256, /* commands, or transfers of one endpoint, before others have their turn */
	XHCI_COMPLAINTS_MAX = 8,
};

struct xhci;

struct xhci_trb {
	uint64_t parameter;
	uint32_t status, control;
	uint64_t address;     /* where it lies */
	uint8_t immediate[8]; /* the parameter, as bytes */
};

static inline unsigned xhci_trb_type(const struct xhci_trb *trb)
{
	return trb->control >> TRB_TYPE_SHIFT & (TRB_TYPES - 1);
}

/* A ring that the guest fills. */
struct xhci_ring {
	uint64_t dequeue;
	bool cycle;
};

struct xhci_endpoint {
	struct xhci *xhci;
	uint8_t slot, number;  /* number: from 1, as in contexts */
	uint8_t type;          /* enum xhci_endpoint_type */
	uint8_t state;         /* enum xhci_endpoint_state */
	struct xhci_ring ring; /* where the transfer under way begins, or the next one */

	/* the transfer that is under way */
	bool active, waiting; /* waiting: the device had nothing */
	GArray *trbs;         /* of struct xhci_trb */
	GArray *pieces;       /* of struct iovec */
	struct xhci_ring after;
	struct usb_packet packet;
};

struct xhci_slot {
	bool enabled, addressed;
	uint64_t context; /* of the guest, once addressed */
	unsigned port;    /* from 1, of the controller; 0: none */
	uint16_t interrupter;
	struct xhci_endpoint *endpoints[XHCI_ENDPOINTS + 1];
};

struct xhci_port {
	unsigned number; /* of the USB bus */
	bool super;
	uint32_t status; /* PORTSC */
	uint32_t power;  /* PORTPMSC */
};

struct xhci_interrupter {
	uint32_t management, moderation;
	uint32_t table_size;
	uint64_t table, dequeue;
	bool busy; /* ERDP's EHB */

	uint64_t start;      /* of the segment; 0: none */
	uint32_t size, next; /* TRBs */
	bool cycle, full;
	int64_t sent;   /* microseconds, when the last interrupt was */
	bool held_back; /* by moderation */
};

struct xhci {
	struct pci_device pci;
	struct usb_bus bus;
	struct io_region registers;
	uint8_t usb2_ports, usb3_ports;

	uint32_t command, status; /* USBCMD, USBSTS */
	uint32_t notifications, config;
	uint64_t contexts; /* DCBAAP */
	uint32_t ring_low; /* CRCR as it is written */
	struct xhci_ring commands;
	bool commands_running;
	int64_t started; /* microseconds: when MFINDEX was 0 */

	unsigned port_count;
	struct xhci_port ports[XHCI_PORTS_MAX];
	struct xhci_slot slots[XHCI_SLOTS + 1];
	struct xhci_interrupter interrupters[XHCI_INTERRUPTERS];

	bool machine_runs, working;
	bool commands_pending;            /* a doorbell rang */
	uint32_t pending[XHCI_SLOTS + 1]; /* endpoints to be looked at, a bit each */
	GSource *work;
};

/* xhci.c */
bool xhci_is_running(const struct xhci *xhci);
/* The guest gave something impossible: Host Controller Error. */
void xhci_die(struct xhci *xhci, const char *what);
bool xhci_read(struct xhci *xhci, uint64_t address, void *to, size_t length);
bool xhci_write(struct xhci *xhci, uint64_t address, const void *from, size_t length);
/* Looks at what is pending on the main loop, soon. */
void xhci_look_later(struct xhci *xhci);
void xhci_look_at(struct xhci *xhci, unsigned slot, unsigned endpoint);
/* Everything that is pending, as far as a turn goes. */
void xhci_work(struct xhci *xhci);
/* The guest's reset (USBCMD), or the machine's. */
void xhci_reset(struct xhci *xhci);
extern const struct io_ops xhci_register_ops;

/* xhci-rings.c */
enum xhci_fetch {
	XHCI_FETCH_NONE, /* the guest has put nothing there yet */
	XHCI_FETCH_TRB,
	XHCI_FETCH_FAILED, /* and the controller has died */
};
/* Takes the next TRB, through links. */
enum xhci_fetch xhci_ring_fetch(struct xhci *xhci, struct xhci_ring *ring, struct xhci_trb *trb);

/* xhci-events.c */
/* The type is in @control. */
void xhci_event(struct xhci *xhci, unsigned interrupter, uint64_t parameter, uint32_t status,
	uint32_t control);
void xhci_interrupter_reset(struct xhci_interrupter *interrupter);
uint32_t xhci_interrupter_read(const struct xhci_interrupter *interrupter, unsigned offset);
void xhci_interrupter_write(struct xhci *xhci, unsigned number, unsigned offset, uint32_t value);
/* Tells the interrupt pin, and sends messages that moderation held back. */
void xhci_update_interrupts(struct xhci *xhci);
/* The guest enables them all (USBCMD): sends messages of what happened before. */
void xhci_interrupts_enabled(struct xhci *xhci);

/* xhci-ports.c */
extern const struct usb_host_ops xhci_host_ops;
void xhci_ports_init(struct xhci *xhci);
void xhci_ports_reset(struct xhci *xhci);
uint32_t xhci_port_read(const struct xhci *xhci, unsigned port, unsigned offset);
void xhci_port_write(struct xhci *xhci, unsigned port, unsigned offset, uint32_t value);
/* The device at a port of the controller (from 1) that is enabled, or NULL. */
struct usb_device *xhci_port_device(const struct xhci *xhci, unsigned port);

/* xhci-commands.c */
void xhci_run_commands(struct xhci *xhci);

/* xhci-slots.c: each returns an enum xhci_code. */
unsigned xhci_slot_enable(struct xhci *xhci, unsigned *slot);
unsigned xhci_slot_disable(struct xhci *xhci, unsigned slot);
unsigned xhci_slot_address(struct xhci *xhci, unsigned slot, uint64_t input, bool block_request);
unsigned xhci_slot_configure(struct xhci *xhci, unsigned slot, uint64_t input, bool deconfigure);
unsigned xhci_slot_evaluate(struct xhci *xhci, unsigned slot, uint64_t input);
unsigned xhci_slot_reset(struct xhci *xhci, unsigned slot);
unsigned xhci_endpoint_reset(struct xhci *xhci, unsigned slot, unsigned number);
unsigned xhci_endpoint_stop(struct xhci *xhci, unsigned slot, unsigned number);
unsigned xhci_endpoint_set_dequeue(
	struct xhci *xhci, unsigned slot, unsigned number, uint64_t dequeue);
/* The device behind an addressed slot, or NULL. */
struct usb_device *xhci_slot_device(struct xhci *xhci, unsigned slot);
/* Sets an endpoint's state, in its context as well. */
void xhci_endpoint_set_state(struct xhci_endpoint *endpoint, enum xhci_endpoint_state state);
void xhci_slots_reset(struct xhci *xhci);

/* xhci-transfers.c */
void xhci_run_transfers(struct xhci_endpoint *endpoint);
/* Gives up what is under way; @tell: with a "stopped" event. */
void xhci_cancel_transfer(struct xhci_endpoint *endpoint, bool tell);
/* The guest rang: a stopped endpoint runs again. */
void xhci_doorbell(struct xhci *xhci, unsigned slot, unsigned endpoint);
