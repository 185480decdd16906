/* Root ports: what is connected, resets, and sleep. Each connector of the bus has a port for USB 2 and one for USB 3; those for
 * USB 3 come first. Specification: xHCI 1.2 sections 4.15, 4.19 and 5.4.8. */
#include "vmm/usb/xhci.h"

/* Port speed IDs, section 7.2.2.1.1. */
static const uint8_t speed_ids[USB_SPEEDS] = {
	[USB_SPEED_FULL] = 1,
	[USB_SPEED_LOW] = 2,
	[USB_SPEED_HIGH] = 3,
	[USB_SPEED_SUPER] = 4,
};

static unsigned link_of(const struct xhci_port *port)
{
	return (port->status & PORTSC_LINK) >> PORTSC_LINK_SHIFT;
}

static void set_link(struct xhci_port *port, unsigned link)
{
	port->status = (port->status & ~PORTSC_LINK) | link << PORTSC_LINK_SHIFT;
}

static struct usb_device *device_of(const struct xhci *xhci, const struct xhci_port *port)
{
	struct usb_device *device = xhci->bus.devices[port->number];

	if (!device || !device->connected || (device->speed == USB_SPEED_SUPER) != port->super)
		return NULL;
	return device;
}

struct usb_device *xhci_port_device(const struct xhci *xhci, unsigned port)
{
	if (port < 1 || port > xhci->port_count || !(xhci->ports[port - 1].status & PORTSC_ENABLED))
		return NULL;
	return device_of(xhci, &xhci->ports[port - 1]);
}

static unsigned port_of(const struct xhci *xhci, const struct usb_device *device)
{
	for (unsigned i = 0; i < xhci->port_count; i++)
		if (device_of(xhci, &xhci->ports[i]) == device)
			return i + 1;
	g_assert_not_reached();
}

/* A change bit that was clear becomes set: the guest is told. */
static void notify(struct xhci *xhci, struct xhci_port *port, uint32_t changes)
{
	uint64_t number = port - xhci->ports + 1;

	if ((port->status & changes) == changes)
		return;
	port->status |= changes;
	xhci->status |= USBSTS_PORT_CHANGE;
	if (xhci_is_running(xhci))
		xhci_event(xhci, 0, number << 24, CODE_SUCCESS << TRB_CODE_SHIFT,
			TRB_PORT_EVENT << TRB_TYPE_SHIFT);
}

/* A USB 3 link trains by itself; a USB 2 port waits for a reset. */
static void detect(struct xhci *xhci, struct xhci_port *port, const struct usb_device *device)
{
	port->status &= PORTSC_CHANGES | PORTSC_KEPT;
	port->status |= PORTSC_POWER;
	set_link(port, LINK_RX_DETECT);
	if (!device)
		return;
	port->status |= PORTSC_CONNECTED | speed_ids[device->speed] << PORTSC_SPEED_SHIFT;
	set_link(port, port->super ? LINK_U0 : LINK_POLLING);
	if (port->super)
		port->status |= PORTSC_ENABLED;
}

void xhci_ports_init(struct xhci *xhci)
{
	xhci->port_count = xhci->usb3_ports + xhci->usb2_ports;
	for (unsigned i = 0; i < xhci->port_count; i++) {
		struct xhci_port *port = &xhci->ports[i];

		port->super = i < xhci->usb3_ports;
		port->number = port->super ? i + 1 : i - xhci->usb3_ports + 1;
	}
}

void xhci_ports_reset(struct xhci *xhci)
{
	for (unsigned i = 0; i < xhci->port_count; i++) {
		struct xhci_port *port = &xhci->ports[i];
		struct usb_device *device = device_of(xhci, port);

		port->status = 0;
		port->power = 0;
		if (device)
			usb_device_bus_reset(device);
		detect(xhci, port, device);
		if (device)
			notify(xhci, port, PORTSC_CONNECT_CHANGE);
	}
}

static void reset_port(struct xhci *xhci, struct xhci_port *port, bool warm)
{
	struct usb_device *device = device_of(xhci, port);

	if (!device || (warm && !port->super))
		return;
	usb_device_bus_reset(device);
	set_link(port, LINK_U0);
	port->status |= PORTSC_ENABLED;
	notify(xhci, port, PORTSC_RESET_CHANGE | (warm ? (uint32_t)PORTSC_WARM_RESET_CHANGE : 0));
}

static void look_at_all(struct xhci *xhci, unsigned port)
{
	for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++)
		if (xhci->slots[slot].port == port)
			xhci->pending[slot] = ~0u;
	xhci_look_later(xhci);
}

/* Software moves a link to U0, U3 or, from U3, to Resume; other states are the hardware's (section 4.19.1). */
static void write_link(struct xhci *xhci, struct xhci_port *port, unsigned link)
{
	struct usb_device *device = device_of(xhci, port);
	unsigned old = link_of(port);

	if (!device || !(port->status & PORTSC_ENABLED))
		return;
	if (link == LINK_U0 && (old == LINK_U3 || old == LINK_RESUME)) {
		set_link(port, LINK_U0);
		device->suspended = false;
		notify(xhci, port, PORTSC_LINK_CHANGE);
		look_at_all(xhci, port - xhci->ports + 1);
	} else if (link == LINK_U3 && old < LINK_U3) {
		set_link(port, LINK_U3);
		device->suspended = true;
	} else if (link == LINK_RESUME && old == LINK_U3 && !port->super) {
		set_link(port, LINK_RESUME);
	}
}

static void write_status(struct xhci *xhci, struct xhci_port *port, uint32_t value)
{
	if (value & PORTSC_WARM_RESET || value & PORTSC_RESET) {
		port->status &= ~(value & PORTSC_CHANGES);
		reset_port(xhci, port, value & PORTSC_WARM_RESET);
		return;
	}
	port->status &= ~(value & PORTSC_CHANGES);
	if (value & PORTSC_ENABLED && port->status & PORTSC_ENABLED) {
		port->status &= ~PORTSC_ENABLED;
		set_link(port, LINK_DISABLED);
	}
	if (value & PORTSC_LINK_WRITE)
		write_link(xhci, port, (value & PORTSC_LINK) >> PORTSC_LINK_SHIFT);
	port->status = (port->status & ~PORTSC_KEPT) | (value & PORTSC_KEPT);
}

uint32_t xhci_port_read(const struct xhci *xhci, unsigned port, unsigned offset)
{
	if (offset == PORTSC)
		return xhci->ports[port].status;
	return offset == PORTPMSC ? xhci->ports[port].power : 0;
}

void xhci_port_write(struct xhci *xhci, unsigned port, unsigned offset, uint32_t value)
{
	if (offset == PORTSC)
		write_status(xhci, &xhci->ports[port], value);
	else if (offset == PORTPMSC)
		xhci->ports[port].power = value & 0xffff;
}

/* What the bus tells */

static unsigned port_speeds(struct usb_bus *bus, unsigned port)
{
	const struct xhci *xhci = (const struct xhci *)bus->bus.parent;
	unsigned speeds = 0;

	if (port <= xhci->usb2_ports)
		speeds |= 1 << USB_SPEED_LOW | 1 << USB_SPEED_FULL | 1 << USB_SPEED_HIGH;
	if (port <= xhci->usb3_ports)
		speeds |= 1 << USB_SPEED_SUPER;
	return speeds;
}

static void device_connected(struct usb_bus *bus, struct usb_device *device)
{
	struct xhci *xhci = (struct xhci *)bus->bus.parent;
	struct xhci_port *port = &xhci->ports[port_of(xhci, device) - 1];

	detect(xhci, port, device);
	notify(xhci, port, PORTSC_CONNECT_CHANGE);
}

static void device_disconnected(struct usb_bus *bus, struct usb_device *device)
{
	struct xhci *xhci = (struct xhci *)bus->bus.parent;
	unsigned number = port_of(xhci, device);

	for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
		if (xhci->slots[slot].port != number)
			continue;
		for (unsigned i = 1; i <= XHCI_ENDPOINTS; i++)
			if (xhci->slots[slot].endpoints[i])
				xhci_cancel_transfer(xhci->slots[slot].endpoints[i], false);
		xhci->slots[slot].port = 0;
	}
	detect(xhci, &xhci->ports[number - 1], NULL);
	notify(xhci, &xhci->ports[number - 1], PORTSC_CONNECT_CHANGE);
}

static void device_wakeup(struct usb_bus *bus, struct usb_device *device, uint8_t endpoint)
{
	struct xhci *xhci = (struct xhci *)bus->bus.parent;
	unsigned number = port_of(xhci, device);
	struct xhci_port *port = &xhci->ports[number - 1];

	if (link_of(port) == LINK_U3 && device->remote_wakeup) {
		set_link(port, LINK_RESUME);
		notify(xhci, port, PORTSC_LINK_CHANGE);
		return;
	}
	for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++)
		if (xhci->slots[slot].port == number)
			xhci_look_at(xhci, slot, (endpoint & 0xf) * 2 + 1);
}

const struct usb_host_ops xhci_host_ops = {
	.speeds = port_speeds,
	.connected = device_connected,
	.disconnected = device_disconnected,
	.wakeup = device_wakeup,
};
