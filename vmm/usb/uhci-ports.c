/* The two ports of a UHCI controller. Specification: UHCI 1.1 section 2.1.7. */
#include "vmm/usb/uhci.h"

static struct uhci *uhci_of(struct usb_bus *bus)
{
	return (struct uhci *)bus->bus.parent;
}

static struct usb_device *device_at(const struct uhci *uhci, unsigned port)
{
	struct usb_device *device = uhci->bus.devices[port + 1];

	return device && device->connected ? device : NULL;
}

struct usb_device *uhci_find_device(struct uhci *uhci, uint8_t address)
{
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		struct usb_device *device = device_at(uhci, i);

		if (device && uhci->ports[i] & UHCI_PORT_ENABLED && device->address == address)
			return device;
	}
	return NULL;
}

bool uhci_has_devices(const struct uhci *uhci)
{
	for (unsigned i = 0; i < UHCI_PORTS; i++)
		if (uhci->ports[i] & UHCI_PORT_ENABLED)
			return true;
	return false;
}

/* A device wakes a controller that sleeps, or comes or goes there. */
static void resume(struct uhci *uhci)
{
	if (!(uhci->command & UHCI_SUSPEND))
		return;
	uhci->command |= UHCI_RESUME;
	uhci->status |= UHCI_RESUME_DETECTED;
	uhci_update_interrupt(uhci);
}

static void detect(struct uhci *uhci, unsigned port)
{
	struct usb_device *device = device_at(uhci, port);

	uhci->ports[port] &= UHCI_PORT_CHANGES | UHCI_PORT_RESET;
	uhci->ports[port] |= UHCI_PORT_ALWAYS;
	if (device)
		uhci->ports[port] |= UHCI_PORT_CONNECTED;
	if (device && device->speed == USB_SPEED_LOW)
		uhci->ports[port] |= UHCI_PORT_LOW_SPEED;
}

void uhci_ports_reset(struct uhci *uhci)
{
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		struct usb_device *device = device_at(uhci, i);

		uhci->ports[i] = device ? UHCI_PORT_CONNECT_CHANGE : 0;
		detect(uhci, i);
		if (device)
			usb_device_bus_reset(device);
	}
}

void uhci_port_write(struct uhci *uhci, unsigned port, uint16_t value)
{
	struct usb_device *device = device_at(uhci, port);
	uint16_t old = uhci->ports[port], now = old & ~(value & UHCI_PORT_CHANGES);

	now = (now & ~UHCI_PORT_WRITABLE) | (value & UHCI_PORT_WRITABLE);
	if (!device || now & UHCI_PORT_RESET)
		now &= ~(UHCI_PORT_ENABLED | UHCI_PORT_SUSPENDED | UHCI_PORT_RESUME);
	uhci->ports[port] = now;
	if (!device)
		return;
	if (now & UHCI_PORT_RESET && !(old & UHCI_PORT_RESET)) {
		uhci_cancel(uhci, device);
		usb_device_bus_reset(device);
	}
	device->suspended = now & UHCI_PORT_SUSPENDED && !(now & UHCI_PORT_RESUME);
	uhci_wake(uhci);
}

/* What the bus tells */

static unsigned port_speeds(struct usb_bus *bus, unsigned port)
{
	return 1 << USB_SPEED_LOW | 1 << USB_SPEED_FULL;
}

static void device_connected(struct usb_bus *bus, struct usb_device *device)
{
	struct uhci *uhci = uhci_of(bus);

	detect(uhci, device->port - 1);
	uhci->ports[device->port - 1] |= UHCI_PORT_CONNECT_CHANGE;
	resume(uhci);
}

static void device_disconnected(struct usb_bus *bus, struct usb_device *device)
{
	struct uhci *uhci = uhci_of(bus);
	uint16_t *port = &uhci->ports[device->port - 1];

	uhci_cancel(uhci, device);
	if (*port & UHCI_PORT_ENABLED)
		*port |= UHCI_PORT_ENABLE_CHANGE;
	*port |= UHCI_PORT_CONNECT_CHANGE;
	*port &= UHCI_PORT_CHANGES | UHCI_PORT_RESET | UHCI_PORT_ALWAYS;
	resume(uhci);
}

static void device_wakeup(struct usb_bus *bus, struct usb_device *device, uint8_t endpoint)
{
	struct uhci *uhci = uhci_of(bus);
	uint16_t *port = &uhci->ports[device->port - 1];

	if (device->remote_wakeup && *port & UHCI_PORT_SUSPENDED) {
		*port |= UHCI_PORT_RESUME;
		uhci->status |= UHCI_RESUME_DETECTED;
		uhci_update_interrupt(uhci);
	} else if (device->remote_wakeup) {
		resume(uhci);
	}
	uhci_wake(uhci);
}

const struct usb_host_ops uhci_host_ops = {
	.speeds = port_speeds,
	.connected = device_connected,
	.disconnected = device_disconnected,
	.wakeup = device_wakeup,
};
