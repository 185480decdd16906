/* USB: what a device is to the controller it hangs on, and the bus between them.
 *
 * A transfer is a packet: memory in pieces, a direction, an endpoint; a control transfer is one packet with its eight bytes of
 * setup. The device answers at once, later (USB_ASYNC, then usb_packet_complete()), or has nothing (USB_NAK: the controller
 * offers the packet again after usb_wakeup()). All with the machine's lock.
 *
 * Specification: USB 2.0 (chapter 9: requests, descriptors), USB 3.2 (9.6: BOS, companion descriptors).
 */
#pragma once

#include <sys/uio.h>

#include "vmm/bus.h"

enum {
	USB_PORTS_MAX = 15,
	USB_ENDPOINTS = 16,
	USB_SETUP_BYTES = 8,
	USB_CONTROL_MAX = 4096, /* bytes of data that a device's own requests may move */
};

enum usb_speed {
	USB_SPEED_LOW,
	USB_SPEED_FULL,
	USB_SPEED_HIGH,
	USB_SPEED_SUPER,
	USB_SPEEDS,
};

enum usb_status {
	USB_SUCCESS,
	USB_NAK,
	USB_STALL,
	USB_BABBLE,   /* the device had more than the packet takes */
	USB_IO_ERROR, /* no answer: no device, or no such endpoint */
	USB_ASYNC, /* the packet is the device's until it completes it, or the controller cancels it */
};

/* USB 2.0 section 9.3. */
struct usb_setup {
	uint8_t request_type, request;
	uint16_t value, index, length;
};

/* Type and code of a request in one number, as cases and tables have it. */
#define USB_REQUEST(type, code) ((type) << 8 | (code))

enum {
	USB_IN = 0x80, /* of a request type or an endpoint address: to the host */
	USB_TYPE_CLASS = 0x20,
	USB_TYPE_VENDOR = 0x40,
	USB_TO_INTERFACE = 0x01,
	USB_TO_ENDPOINT = 0x02,
};

struct usb_device;

struct usb_packet {
	/* by the controller */
	uint8_t endpoint; /* number, 0 to 15 */
	bool in;          /* to the host */
	struct usb_setup setup;
	const struct iovec *pieces;
	unsigned count;
	size_t length;                               /* of all pieces together, bytes */
	void (*complete)(struct usb_packet *packet); /* after USB_ASYNC */
	void *owner;

	/* by the device */
	size_t moved; /* bytes, from the start */
	enum usb_status status;

	/* the bus's */
	struct usb_device *device; /* NULL: not under way */
	bool submitting;
};

struct usb_endpoint {
	uint8_t address; /* number, and USB_IN */
	uint8_t attributes;
	uint16_t max_packet;
	uint8_t interval;
	uint8_t max_burst; /* USB_SPEED_SUPER */
};

struct usb_interface {
	uint8_t class, subclass, protocol;
	uint8_t string;
	const uint8_t *extra; /* class descriptors, between the interface's and its endpoints' */
	uint8_t extra_length;
	const struct usb_endpoint *endpoints;
	uint8_t endpoint_count;
};

/* What a device says of itself at one speed: one configuration, value 1, with one interface. */
struct usb_speed_description {
	uint16_t usb_version; /* BCD */
	uint8_t max_packet_0; /* as in the descriptor: an exponent at USB_SPEED_SUPER */
	uint8_t configuration_string;
	uint8_t attributes, max_power;
	const struct usb_interface *interface;
};

struct usb_description {
	uint16_t vendor, product, version;
	uint8_t manufacturer_string, product_string, serial_string;
	const char *const *strings; /* by index; the first is not used */
	unsigned string_count;
	const struct usb_speed_description *speeds[USB_SPEEDS]; /* NULL: not at that one */
	const uint8_t *report; /* HID report descriptor, NULL: none */
	uint16_t report_length;
};

struct usb_device_ops {
	const struct usb_description *description;
	/* A class or vendor request. NULL: all are refused. */
	enum usb_status (*control)(struct usb_device *device, struct usb_packet *packet);
	enum usb_status (*transfer)(struct usb_device *device, struct usb_packet *packet);
	/* A packet of transfer() or control() that was USB_ASYNC is taken back. NULL when there are none. */
	void (*cancel)(struct usb_device *device, struct usb_packet *packet);
	/* The guest chose a configuration, or took it back (device->configuration is 0). NULL: nothing to do. */
	void (*configured)(struct usb_device *device);
	void (*reset)(struct usb_device *device); /* by the port; NULL: nothing of its own */
};

struct usb_bus;
struct usb_control;

struct usb_device {
	struct device device;
	char *port_option; /* port=, a number from 1 */
	char *serial;      /* serial=, in place of one made of the device's place */
	const struct usb_device_ops *ops;
	struct usb_bus *bus;
	unsigned port; /* from 1 */
	enum usb_speed speed;
	bool connected;
	uint8_t address, configuration;
	bool remote_wakeup, suspended;
	uint16_t halted_in, halted_out; /* a bit for each endpoint */
	struct usb_control *control;    /* of vmm/usb/usb-tokens.h, NULL: none */
};

/* The controller's half. */
struct usb_host_ops {
	/* Speeds a port takes: a bit for each enum usb_speed. */
	unsigned (*speeds)(struct usb_bus *bus, unsigned port);
	void (*connected)(struct usb_bus *bus, struct usb_device *device);
	/* Gone from the port: packets under way are cancelled before it returns. */
	void (*disconnected)(struct usb_bus *bus, struct usb_device *device);
	/* An endpoint that had nothing has something now; a suspended device asks to be resumed. */
	void (*wakeup)(struct usb_bus *bus, struct usb_device *device, uint8_t endpoint);
};

struct usb_bus {
	struct bus bus;
	const struct usb_host_ops *ops;
	unsigned ports;                                /* 1 to USB_PORTS_MAX */
	struct usb_device *devices[USB_PORTS_MAX + 1]; /* by port */
};

/* @ports may be used from then on; named after @parent. */
void usb_bus_init(struct usb_bus *bus, struct machine *machine, struct device *parent,
	unsigned ports, const struct usb_host_ops *ops);
void usb_bus_finish(struct usb_bus *bus);

/* For realize functions, at the end: the device is there for the guest, at the best speed that it and its port have. */
bool usb_device_connect(
	struct usb_device *device, const struct usb_device_ops *ops, GError **error);
/* For unrealize functions, at the start; nothing when it is not connected. */
void usb_device_disconnect(struct usb_device *device);

/* What the controller does: */

/* As after a reset on the wire: address 0, not configured. */
void usb_device_bus_reset(struct usb_device *device);
/* Gives the device a packet. With USB_ASYNC, complete() is called later, and never from here. */
enum usb_status usb_submit(struct usb_device *device, struct usb_packet *packet);
/* Takes back a packet that is under way; complete() is not called. Nothing when it is not. */
void usb_cancel(struct usb_packet *packet);

/* What the device does: */

/* @status is not USB_ASYNC. */
void usb_packet_complete(struct usb_packet *packet, enum usb_status status);
/* Copies to the host behind what was moved, as much as there is room; returns how much. */
size_t usb_packet_send(struct usb_packet *packet, const void *bytes, size_t length);
/* Copies from the host behind what was moved. */
size_t usb_packet_receive(struct usb_packet *packet, void *bytes, size_t length);
/* Zero bytes to the host, or bytes of the host that nobody wants. */
void usb_packet_skip(struct usb_packet *packet, size_t length);
/* Endpoint @address answers with USB_STALL until the guest clears that. */
void usb_device_halt(struct usb_device *device, uint8_t address);
/* There is something at @endpoint (an address with USB_IN). */
void usb_wakeup(struct usb_device *device, uint8_t endpoint);

/* Standard requests and descriptors; for usb_submit(). */
enum usb_status usb_standard_request(struct usb_device *device, struct usb_packet *packet);

/* "12", "480", "5000": megabits per second. */
const char *usb_speed_name(enum usb_speed speed);
/* "QEMU USB Tablet" */
const char *usb_device_product(const struct usb_device *device);

/* What QEMU's HMP "info usb" prints. */
void usb_info(struct machine *machine, GString *to);
