/* What the virtio-serial device (virtio-serial.c: queues, ports, control messages) and its ports (virtio-serial-port.c: bytes
 * to and from a character device) share. */
#pragma once

#include "vmm/bus.h"
#include "vmm/chardev/chardev.h"
#include "vmm/machine/limited-event.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	SERIAL_PORTS_MAX = 31,
	SERIAL_PORT_ANY = UINT32_MAX, /* nr=: the first that is free */
	SERIAL_WAITING_MAX = 4096,    /* bytes from the host that the guest has no buffers for */
};

struct virtio_serial;

struct serial_port {
	struct device device;
	char *chardev_id, *name;
	uint32_t number_option, number;

	struct virtio_serial *serial;
	struct chardev *chardev; /* NULL: nothing is behind it */
	bool is_console;
	bool guest_open;
	bool host_open;
	bool attaching; /* our own call, with the lock held */
	size_t sent;    /* of the request being written: what has been */
	uint8_t waiting[SERIAL_WAITING_MAX];
	size_t waiting_count;
	struct limited_event change;
};

struct virtio_serial {
	struct virtio_device virtio;
	struct bus bus;
	uint32_t ports_max;
	bool emergency_write;
	struct serial_port *ports[SERIAL_PORTS_MAX];
	bool guest_ready; /* its driver has asked for the ports */
	uint8_t messages
		[SERIAL_PORTS_MAX]; /* that wait for the guest: enum serial_message, by port */
};

/* Control messages to the guest, in the order in which a port's are sent. */
enum serial_message {
	SERIAL_REMOVE = 1 << 0,
	SERIAL_ADD = 1 << 1,
	SERIAL_CONSOLE = 1 << 2,
	SERIAL_NAME = 1 << 3,
	SERIAL_OPEN = 1 << 4, /* open or closed, as the port is when it is sent */
};

/* --- the device, for its ports --- */

unsigned serial_receive_queue(unsigned port);
unsigned serial_transmit_queue(unsigned port);
bool serial_has_ports(const struct virtio_serial *serial); /* the driver knows of more than one */
void serial_send(struct virtio_serial *serial, unsigned port, uint8_t messages);

/* --- a port, for the device --- */

/* The guest opened or closed it. */
void serial_port_set_guest_open(struct serial_port *port, bool open);
/* The device was reset: the guest has not opened it, nothing is on its way. */
void serial_port_reset(struct serial_port *port);
/* The guest gave buffers: bytes that wait go there. */
void serial_port_deliver(struct serial_port *port);
/* Bytes from the guest; as virtio_request_func. */
int64_t serial_port_transmit(struct serial_port *port, const struct virtqueue_element *element);
