/* virtio-serial-pci: a bus of ports. Specification: virtio 1.2 section 5.3.
 *
 * Each port has two queues; with several ports there are two more, over which guest and host tell each other which ports there
 * are and who has opened them. Messages to the guest wait as flags of their port until the guest has room for them, so that
 * there are never more of them than ports.
 */
#include "vmm/virtio/virtio-serial-private.h"

#include <string.h>

#include "base/error.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-serial.h"

#define FEATURE_MULTIPORT (UINT64_C(1) << 1)
#define FEATURE_EMERGENCY (UINT64_C(1) << 2)

enum {
	QUEUE_CONTROL_RECEIVE = 2,
	QUEUE_CONTROL_TRANSMIT = 3,
	QUEUE_SIZE = 128,
	CONTROL_QUEUE_SIZE = 32,

	CONFIG_PORTS = 4,
	CONFIG_EMERGENCY = 8,
	CONFIG_SIZE = 12,

	MESSAGE_BYTES = 8, /* port, event, value */
};

/* Events of control messages, section 5.3.6.2. */
enum control_event {
	CONTROL_DEVICE_READY = 0,
	CONTROL_PORT_ADD = 1,
	CONTROL_PORT_REMOVE = 2,
	CONTROL_PORT_READY = 3,
	CONTROL_CONSOLE_PORT = 4,
	CONTROL_PORT_OPEN = 6,
	CONTROL_PORT_NAME = 7,
};

static const struct property serial_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY("2"),
	{ .name = "max_ports",
		.type = PROPERTY_UINT32,
		.offset = offsetof(struct virtio_serial, ports_max),
		.default_value = "31",
		.description = "ports there can be",
		.minimum = 1,
		.maximum = SERIAL_PORTS_MAX },
	{ "emergency-write", PROPERTY_BOOL, offsetof(struct virtio_serial, emergency_write), "on",
		"offer a register that prints on the console without a queue" },
	{ .type = PROPERTY_END },
};

unsigned serial_receive_queue(unsigned port)
{
	return port == 0 ? 0 : 2 * port + 2;
}

unsigned serial_transmit_queue(unsigned port)
{
	return serial_receive_queue(port) + 1;
}

/* NULL when there is no such port. */
static struct serial_port *port_of_queue(const struct virtio_serial *serial, unsigned queue)
{
	unsigned number = queue < QUEUE_CONTROL_RECEIVE ? 0 : queue / 2 - 1;

	return serial->ports[number];
}

bool serial_has_ports(const struct virtio_serial *serial)
{
	return virtio_has_feature(&serial->virtio, FEATURE_MULTIPORT);
}

/* --- messages to the guest --- */

static size_t fill_message(const struct virtio_serial *serial, unsigned number, uint8_t message,
	uint8_t *bytes, size_t size)
{
	const struct serial_port *port = serial->ports[number];
	size_t length = MESSAGE_BYTES;
	uint16_t event = CONTROL_PORT_REMOVE, value = 1;

	switch (message) {
	case SERIAL_ADD:
		event = CONTROL_PORT_ADD;
		break;
	case SERIAL_CONSOLE:
		event = CONTROL_CONSOLE_PORT;
		break;
	case SERIAL_OPEN:
		event = CONTROL_PORT_OPEN;
		value = port->host_open;
		break;
	case SERIAL_NAME:
		event = CONTROL_PORT_NAME;
		length += MIN(strlen(port->name), size - MESSAGE_BYTES);
		memcpy(bytes + MESSAGE_BYTES, port->name, length - MESSAGE_BYTES);
		break;
	}
	config_set32(bytes, number);
	config_set16(bytes + 4, event);
	config_set16(bytes + 6, value);
	return length;
}

/* The lowest flag is the first to go. */
static bool send_first(struct virtio_serial *serial, unsigned number)
{
	struct virtqueue_element *element = &serial->virtio.element;
	uint8_t message = serial->messages[number] & -serial->messages[number];
	uint8_t bytes[256];
	size_t length;

	if (!virtio_take(&serial->virtio, QUEUE_CONTROL_RECEIVE, element))
		return false;
	serial->messages[number] &= ~message;
	length = fill_message(serial, number, message, bytes, sizeof(bytes));
	virtqueue_push(&serial->virtio.queues[QUEUE_CONTROL_RECEIVE], element,
		iovec_write(element->writable, element->writable_count, 0, bytes, length));
	return true;
}

static void send_messages(struct virtio_serial *serial)
{
	bool sent = false, room = true;

	if (!virtio_queue_is_ready(&serial->virtio, QUEUE_CONTROL_RECEIVE))
		return;
	for (unsigned i = 0; room && i < serial->ports_max; i++)
		while (room && serial->messages[i] != 0) {
			room = send_first(serial, i);
			sent |= room;
		}
	if (sent)
		virtio_interrupt(&serial->virtio, QUEUE_CONTROL_RECEIVE);
}

void serial_send(struct virtio_serial *serial, unsigned port, uint8_t messages)
{
	if (!serial->guest_ready)
		return;
	serial->messages[port] |= messages;
	send_messages(serial);
}

static void control_receive_kicked(struct virtio_device *virtio, unsigned queue)
{
	send_messages((struct virtio_serial *)virtio);
}

/* --- messages of the guest --- */

static void port_ready(struct virtio_serial *serial, const struct serial_port *port)
{
	serial_send(serial, port->number,
		(port->is_console ? SERIAL_CONSOLE : 0) | (port->name ? SERIAL_NAME : 0) |
			(port->host_open ? SERIAL_OPEN : 0));
}

static void device_ready(struct virtio_serial *serial)
{
	serial->guest_ready = true;
	for (unsigned i = 0; i < serial->ports_max; i++)
		if (serial->ports[i])
			serial->messages[i] |= SERIAL_ADD;
	send_messages(serial);
}

static int64_t take_control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_serial *serial = (struct virtio_serial *)virtio;
	uint8_t bytes[MESSAGE_BYTES];
	struct serial_port *port;
	uint32_t number;
	uint16_t value;

	if (iovec_read(element->readable, element->readable_count, 0, bytes, sizeof(bytes)) !=
		sizeof(bytes))
		return 0;
	number = config_get32(bytes);
	value = config_get16(bytes + 6);
	port = number < serial->ports_max ? serial->ports[number] : NULL;
	switch (config_get16(bytes + 4)) {
	case CONTROL_DEVICE_READY:
		if (value == 1)
			device_ready(serial);
		break;
	case CONTROL_PORT_READY:
		if (port && value == 1)
			port_ready(serial, port);
		break;
	case CONTROL_PORT_OPEN:
		if (port)
			serial_port_set_guest_open(port, value != 0);
		break;
	}
	return 0;
}

/* Answers go through the receive queue, with the same element: so they are sent after what was asked has been served. */
static int64_t serve_control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtqueue_element taken = *element;
	int64_t written;

	*element = (struct virtqueue_element) { 0 };
	written = take_control(virtio, queue, &taken);
	virtqueue_element_clear(element);
	*element = taken;
	return written;
}

static void control_transmit_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, serve_control);
}

/* --- data --- */

static int64_t do_transmit(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct serial_port *port = port_of_queue((struct virtio_serial *)virtio, queue);

	return port ? serial_port_transmit(port, element) : 0;
}

static void transmit_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, do_transmit);
}

static void receive_kicked(struct virtio_device *virtio, unsigned queue)
{
	struct serial_port *port = port_of_queue((struct virtio_serial *)virtio, queue);

	if (port)
		serial_port_deliver(port);
}

/* --- configuration --- */

static void get_config(struct virtio_device *virtio, uint8_t *config)
{
	config_set32(config + CONFIG_PORTS, ((struct virtio_serial *)virtio)->ports_max);
}

static void set_config(
	struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size)
{
	struct virtio_serial *serial = (struct virtio_serial *)virtio;
	const struct serial_port *console = serial->ports[0];

	if (offset == CONFIG_EMERGENCY && serial->emergency_write && console && console->chardev)
		chardev_write(console->chardev, bytes, 1);
}

/* --- the bus of ports --- */

static unsigned free_number(const struct virtio_serial *serial, const struct serial_port *port)
{
	unsigned number = port->is_console && !serial->ports[0] ? 0 : 1;

	while (number < serial->ports_max && serial->ports[number])
		number++;
	return number;
}

static bool name_is_taken(const struct virtio_serial *serial, const char *name)
{
	for (unsigned i = 0; name && i < serial->ports_max; i++)
		if (serial->ports[i] && g_strcmp0(serial->ports[i]->name, name) == 0)
			return true;
	return false;
}

static bool attach_port(struct bus *bus, struct device *device, GError **error)
{
	struct virtio_serial *serial = (struct virtio_serial *)bus->parent;
	struct serial_port *port = (struct serial_port *)device;
	unsigned number = port->number_option;

	port->is_console = device->class == &virtconsole_class;
	if (number == SERIAL_PORT_ANY)
		number = free_number(serial, port);
	else if (number == 0 && !port->is_console)
		return fail(error, VITRINE_ERROR_INPUT,
			"nr=0: that port is kept for a virtconsole; say 1 to %u, or leave it out",
			serial->ports_max - 1);
	if (number >= serial->ports_max)
		return port->number_option == SERIAL_PORT_ANY
			       ? fail(error, VITRINE_ERROR_INPUT,
					 "bus %s: all of its %u ports are taken", bus->name,
					 serial->ports_max)
			       : fail(error, VITRINE_ERROR_INPUT,
					 "bus %s: nr= has to be below max_ports=%u", bus->name,
					 serial->ports_max);
	if (serial->ports[number])
		return fail(error, VITRINE_ERROR_INPUT, "bus %s: nr=%u is taken by another port",
			bus->name, number);
	if (name_is_taken(serial, port->name))
		return fail(error, VITRINE_ERROR_INPUT, "bus %s: name=%s is taken by another port",
			bus->name, port->name);
	port->serial = serial;
	port->number = number;
	serial->ports[number] = port;
	/* One that was taken away and has not been told of yet stays gone; this one is new. */
	serial_send(serial, number, SERIAL_ADD);
	return true;
}

static void detach_port(struct bus *bus, struct device *device)
{
	struct serial_port *port = (struct serial_port *)device;
	struct virtio_serial *serial = port->serial;
	bool told = !(serial->messages[port->number] & SERIAL_ADD);

	serial->ports[port->number] = NULL;
	serial->messages[port->number] &= SERIAL_REMOVE;
	if (told)
		serial_send(serial, port->number, SERIAL_REMOVE);
}

static bool bus_is_full(struct bus *bus)
{
	const struct virtio_serial *serial = (struct virtio_serial *)bus->parent;
	unsigned count = 0;

	for (unsigned i = 1; i < serial->ports_max; i++)
		count += serial->ports[i] != NULL;
	return count == serial->ports_max - 1 && serial->ports[0];
}

/* attach() has told the guest already. */
static void port_plugged(struct bus *bus, struct device *device)
{
}

static char *port_place(struct bus *bus, const struct device *device)
{
	return g_strdup_printf("port %u", ((const struct serial_port *)device)->number);
}

static const struct bus_ops serial_bus_ops = {
	.attach = attach_port,
	.detach = detach_port,
	.is_full = bus_is_full,
	.plugged = port_plugged,
	.place = port_place,
};

/* --- life --- */

/* A driver that knows of one port only does not open it. */
static void start(struct virtio_device *virtio)
{
	struct virtio_serial *serial = (struct virtio_serial *)virtio;

	if (!serial_has_ports(serial) && serial->ports[0] && !serial->ports[0]->guest_open)
		serial_port_set_guest_open(serial->ports[0], true);
}

static void queue_reset(struct virtio_device *virtio, unsigned queue)
{
	struct serial_port *port = port_of_queue((struct virtio_serial *)virtio, queue);

	if (port && queue == serial_transmit_queue(port->number))
		port->sent = 0;
}

static void reset(struct virtio_device *virtio)
{
	struct virtio_serial *serial = (struct virtio_serial *)virtio;

	serial->guest_ready = false;
	memset(serial->messages, 0, sizeof(serial->messages));
	for (unsigned i = 0; i < serial->ports_max; i++)
		if (serial->ports[i])
			serial_port_reset(serial->ports[i]);
}

static const struct virtio_ops serial_ops = {
	.config_size = CONFIG_SIZE,
	.get_config = get_config,
	.set_config = set_config,
	.start = start,
	.queue_reset = queue_reset,
	.reset = reset,
};

static void add_queues(struct virtio_serial *serial)
{
	struct virtio_device *virtio = &serial->virtio;

	for (unsigned i = 0; i < virtio->queue_count; i++) {
		bool control = i == QUEUE_CONTROL_RECEIVE || i == QUEUE_CONTROL_TRANSMIT;

		virtio_set_queue_size(virtio, i, control ? CONTROL_QUEUE_SIZE : QUEUE_SIZE);
		virtio_add_main_queue(virtio, i, i % 2 ? transmit_kicked : receive_kicked);
	}
	virtio_add_main_queue(virtio, QUEUE_CONTROL_RECEIVE, control_receive_kicked);
	virtio_add_main_queue(virtio, QUEUE_CONTROL_TRANSMIT, control_transmit_kicked);
}

static bool serial_realize(struct device *device, GError **error)
{
	struct virtio_serial *serial = (struct virtio_serial *)device;
	g_autofree char *name = NULL;

	serial->virtio.ops = &serial_ops;
	serial->virtio.queue_count = 2 * (serial->ports_max + 1);
	serial->virtio.features =
		FEATURE_MULTIPORT | (serial->emergency_write ? FEATURE_EMERGENCY : 0);
	if (!virtio_pci_realize(&serial->virtio, error))
		return false;
	add_queues(serial);
	name = bus_make_name(device, "virtio-serial-bus", 0);
	bus_init(&serial->bus, BUS_VIRTIO_SERIAL, name, device->machine, device, &serial_bus_ops);
	return true;
}

static void serial_unrealize(struct device *device)
{
	struct virtio_serial *serial = (struct virtio_serial *)device;

	virtio_pci_unrealize(&serial->virtio);
	bus_finish(&serial->bus);
}

static const struct pci_identity serial_identity = {
	.vendor = 0x1af4,
	.device = 0x1043,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x078000,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_serial_class = {
	.name = "virtio-serial-pci",
	.description = "bus of ports between the guest and character devices",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_serial),
	.pci = &serial_identity,
	.properties = serial_properties,
	.realize = serial_realize,
	.reset = virtio_device_reset,
	.unrealize = serial_unrealize,
	.set_running = virtio_device_set_running,
};
