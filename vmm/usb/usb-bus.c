/* The bus: ports, who sits where, and packets on their way. */
#include "vmm/usb/usb.h"

#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/options/values.h"
#include "vmm/usb/usb-storage.h"
#include "vmm/usb/usb-tokens.h"

static const char *const speed_names[USB_SPEEDS] = {
	[USB_SPEED_LOW] = "1.5",
	[USB_SPEED_FULL] = "12",
	[USB_SPEED_HIGH] = "480",
	[USB_SPEED_SUPER] = "5000",
};

const char *usb_speed_name(enum usb_speed speed)
{
	return speed_names[speed];
}

/* Ports */

static bool is_full(struct bus *bus)
{
	struct usb_bus *usb = (struct usb_bus *)bus;

	for (unsigned i = 1; i <= usb->ports; i++)
		if (!usb->devices[i])
			return false;
	return true;
}

static bool take_named_port(struct usb_bus *usb, struct usb_device *device, GError **error)
{
	uint64_t port;

	if (!value_parse_number(device->port_option, &port) || port < 1 || port > usb->ports)
		return fail(error, VITRINE_ERROR_INPUT,
			"port=%s: there is no such port on %s; it has 1 to %u", device->port_option,
			usb->bus.name, usb->ports);
	if (usb->devices[port])
		return fail(error, VITRINE_ERROR_INPUT, "port=%s of %s is taken by %s",
			device->port_option, usb->bus.name, usb->devices[port]->device.class->name);
	device->port = port;
	return true;
}

static bool attach(struct bus *bus, struct device *device, GError **error)
{
	struct usb_bus *usb = (struct usb_bus *)bus;
	struct usb_device *usb_device = (struct usb_device *)device;

	usb_device->port = 1;
	if (usb_device->port_option) {
		if (!take_named_port(usb, usb_device, error))
			return false;
	} else {
		while (usb_device->port <= usb->ports && usb->devices[usb_device->port])
			usb_device->port++;
		if (usb_device->port > usb->ports)
			return fail(error, VITRINE_ERROR_INPUT, "all %u ports of %s are taken",
				usb->ports, usb->bus.name);
	}
	usb->devices[usb_device->port] = usb_device;
	usb_device->bus = usb;
	return true;
}

static void detach(struct bus *bus, struct device *device)
{
	struct usb_bus *usb = (struct usb_bus *)bus;
	struct usb_device *usb_device = (struct usb_device *)device;

	usb->devices[usb_device->port] = NULL;
	usb_device->bus = NULL;
}

/* The guest was told by the port when the device was connected. */
static void plugged(struct bus *bus, struct device *device)
{
}

static char *place(struct bus *bus, const struct device *device)
{
	const struct usb_device *usb = (const struct usb_device *)device;

	if (!usb->connected)
		return g_strdup_printf("port %u", usb->port);
	return g_strdup_printf("addr 0.%u, port %u, speed %s, name %s, attached", usb->address,
		usb->port, usb_speed_name(usb->speed), usb_device_product(usb));
}

static char *firmware_path(struct bus *bus, const struct device *device)
{
	const char *name = device->class == &usb_storage_class ? "storage" : device->class->name;

	return g_strdup_printf("%s@%x", name, ((const struct usb_device *)device)->port);
}

static const struct bus_ops bus_ops = {
	.attach = attach,
	.detach = detach,
	.is_full = is_full,
	.plugged = plugged,
	.place = place,
	.firmware_path = firmware_path,
};

void usb_bus_init(struct usb_bus *bus, struct machine *machine, struct device *parent,
	unsigned ports, const struct usb_host_ops *ops)
{
	g_autofree char *name = bus_make_name(parent, "usb-bus", 0);

	g_assert(ports >= 1 && ports <= USB_PORTS_MAX);
	bus->ops = ops;
	bus->ports = ports;
	bus_init(&bus->bus, BUS_USB, name, machine, parent, &bus_ops);
}

void usb_bus_finish(struct usb_bus *bus)
{
	bus_finish(&bus->bus);
}

/* Devices */

static unsigned speeds_of(const struct usb_description *description)
{
	unsigned speeds = 0;

	for (unsigned i = 0; i < USB_SPEEDS; i++)
		if (description->speeds[i])
			speeds |= 1 << i;
	return speeds;
}

/* A device that named no port moves to one that is fast enough, or slow enough. */
static unsigned find_port(struct usb_bus *bus, struct usb_device *device, unsigned speeds)
{
	if (bus->ops->speeds(bus, device->port) & speeds)
		return device->port;
	for (unsigned i = 1; !device->port_option && i <= bus->ports; i++)
		if (!bus->devices[i] && bus->ops->speeds(bus, i) & speeds)
			return i;
	return 0;
}

bool usb_device_connect(struct usb_device *device, const struct usb_device_ops *ops, GError **error)
{
	struct usb_bus *bus = device->bus;
	unsigned speeds = speeds_of(ops->description);
	unsigned port = find_port(bus, device, speeds);

	if (port == 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"port=%u of %s does not take a device of this speed", device->port,
			bus->bus.name);
	bus->devices[device->port] = NULL;
	bus->devices[port] = device;
	device->port = port;
	device->ops = ops;
	speeds &= bus->ops->speeds(bus, port);
	device->speed = 31 - __builtin_clz(speeds);
	device->connected = true;
	usb_device_bus_reset(device);
	bus->ops->connected(bus, device);
	return true;
}

void usb_device_disconnect(struct usb_device *device)
{
	if (!device->connected)
		return;
	device->bus->ops->disconnected(device->bus, device);
	usb_device_bus_reset(device);
	device->connected = false;
}

void usb_device_bus_reset(struct usb_device *device)
{
	bool was_configured = device->configuration != 0;

	device->address = 0;
	device->configuration = 0;
	device->remote_wakeup = false;
	device->suspended = false;
	device->halted_in = device->halted_out = 0;
	usb_tokens_reset(device);
	if (was_configured && device->ops->configured)
		device->ops->configured(device);
	if (device->ops->reset)
		device->ops->reset(device);
}

void usb_device_halt(struct usb_device *device, uint8_t address)
{
	uint16_t bit = 1 << (address & 0xf);

	if (address & USB_IN)
		device->halted_in |= bit;
	else
		device->halted_out |= bit;
}

void usb_wakeup(struct usb_device *device, uint8_t endpoint)
{
	if (device->connected)
		device->bus->ops->wakeup(device->bus, device, endpoint);
}

const char *usb_device_product(const struct usb_device *device)
{
	const struct usb_description *description = device->ops->description;

	return description->strings[description->product_string];
}

void usb_info(struct machine *machine, GString *to)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct usb_device *device = machine->devices->pdata[i];

		if (device->device.class->bus != BUS_USB || !device->connected)
			continue;
		g_string_append_printf(to, "  Device 0.%u, Port %u, Speed %s Mb/s, Product %s",
			device->address, device->port, usb_speed_name(device->speed),
			usb_device_product(device));
		if (device->device.id)
			g_string_append_printf(to, ", ID: %s", device->device.id);
		g_string_append_c(to, '\n');
	}
}

/* Packets */

static bool has_endpoint(const struct usb_device *device, const struct usb_packet *packet)
{
	const struct usb_interface *interface =
		device->ops->description->speeds[device->speed]->interface;
	uint8_t address = packet->endpoint | (packet->in ? USB_IN : 0);

	if (device->configuration == 0)
		return false;
	for (unsigned i = 0; i < interface->endpoint_count; i++)
		if (interface->endpoints[i].address == address)
			return true;
	return false;
}

static bool is_halted(const struct usb_device *device, const struct usb_packet *packet)
{
	return (packet->in ? device->halted_in : device->halted_out) >> packet->endpoint & 1;
}

static enum usb_status start(struct usb_device *device, struct usb_packet *packet)
{
	if (!device->connected || device->suspended)
		return USB_IO_ERROR;
	if (packet->endpoint == 0)
		return usb_standard_request(device, packet);
	if (!has_endpoint(device, packet))
		return USB_IO_ERROR;
	if (is_halted(device, packet))
		return USB_STALL;
	return device->ops->transfer(device, packet);
}

enum usb_status usb_submit(struct usb_device *device, struct usb_packet *packet)
{
	enum usb_status status;

	packet->moved = 0;
	packet->status = USB_ASYNC;
	packet->device = device;
	packet->submitting = true;
	status = start(device, packet);
	packet->submitting = false;
	/* A device may complete the packet before it returns from the call that took it. */
	if (packet->status == USB_ASYNC)
		packet->status = status;
	if (packet->status != USB_ASYNC)
		packet->device = NULL;
	return packet->status;
}

void usb_packet_complete(struct usb_packet *packet, enum usb_status status)
{
	packet->status = status;
	packet->device = NULL;
	if (!packet->submitting)
		packet->complete(packet);
}

void usb_cancel(struct usb_packet *packet)
{
	struct usb_device *device = packet->device;

	packet->device = NULL;
	if (device && device->ops->cancel)
		device->ops->cancel(device, packet);
}

/* Calls @move for the pieces behind what was moved, at most @length bytes; returns how many there were. */
static size_t walk(struct usb_packet *packet, size_t length,
	void (*move)(void *piece, void *bytes, size_t length), char *bytes)
{
	size_t skip = packet->moved, done = 0;

	for (unsigned i = 0; i < packet->count && done < length; i++) {
		const struct iovec *piece = &packet->pieces[i];
		size_t part;

		if (skip >= piece->iov_len) {
			skip -= piece->iov_len;
			continue;
		}
		part = MIN(piece->iov_len - skip, length - done);
		move((char *)piece->iov_base + skip, bytes ? bytes + done : NULL, part);
		done += part;
		skip = 0;
	}
	packet->moved += done;
	return done;
}

static void send_piece(void *piece, void *bytes, size_t length)
{
	memcpy(piece, bytes, length);
}

static void receive_piece(void *piece, void *bytes, size_t length)
{
	memcpy(bytes, piece, length);
}

static void clear_piece(void *piece, void *bytes, size_t length)
{
	memset(piece, 0, length);
}

static void pass_piece(void *piece, void *bytes, size_t length)
{
}

size_t usb_packet_send(struct usb_packet *packet, const void *bytes, size_t length)
{
	return walk(packet, length, send_piece, (char *)bytes);
}

size_t usb_packet_receive(struct usb_packet *packet, void *bytes, size_t length)
{
	return walk(packet, length, receive_piece, bytes);
}

void usb_packet_skip(struct usb_packet *packet, size_t length)
{
	walk(packet, length, packet->in ? clear_piece : pass_piece, NULL);
}
