/* Standard requests, and the descriptors that tables become. Specification: USB 2.0 sections 9.4 and 9.6; USB 3.2 section 9.6
 * (BOS, endpoint companions). */
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci.h"
#include "vmm/usb/usb.h"

enum usb_request {
	REQUEST_GET_STATUS = 0,
	REQUEST_CLEAR_FEATURE = 1,
	REQUEST_SET_FEATURE = 3,
	REQUEST_SET_ADDRESS = 5,
	REQUEST_GET_DESCRIPTOR = 6,
	REQUEST_GET_CONFIGURATION = 8,
	REQUEST_SET_CONFIGURATION = 9,
	REQUEST_GET_INTERFACE = 10,
	REQUEST_SET_INTERFACE = 11,
	REQUEST_SET_SEL = 48,
	REQUEST_SET_ISOCH_DELAY = 49,
};

enum usb_descriptor_type {
	DESCRIPTOR_DEVICE = 1,
	DESCRIPTOR_CONFIGURATION = 2,
	DESCRIPTOR_STRING = 3,
	DESCRIPTOR_INTERFACE = 4,
	DESCRIPTOR_ENDPOINT = 5,
	DESCRIPTOR_QUALIFIER = 6,
	DESCRIPTOR_OTHER_SPEED = 7,
	DESCRIPTOR_BOS = 15,
	DESCRIPTOR_CAPABILITY = 16,
	DESCRIPTOR_HID = 0x21,
	DESCRIPTOR_REPORT = 0x22,
	DESCRIPTOR_COMPANION = 48,
};

enum {
	FEATURE_ENDPOINT_HALT = 0,
	FEATURE_REMOTE_WAKEUP = 1,
	FEATURE_U1_ENABLE = 48,
	FEATURE_U2_ENABLE = 49,

	STATUS_SELF_POWERED = 1 << 0,
	STATUS_REMOTE_WAKEUP = 1 << 1,
	ATTRIBUTE_SELF_POWERED = 1 << 6,

	CAPABILITY_USB2_EXTENSION = 2,
	CAPABILITY_SUPER_SPEED = 3,
	USB2_LPM = 1 << 1,
	SUPER_SPEEDS = 0x000e, /* full, high, super */
	U1_EXIT_LATENCY = 10,
	U2_EXIT_LATENCY = 32,

	LANGUAGE_ENGLISH = 0x0409,
	CONFIGURATION_VALUE = 1,
	DESCRIPTOR_BYTES = 256, /* the longest: a string of 126 characters */
	STRING_MAX = (DESCRIPTOR_BYTES - 4) / 2,
};

struct descriptor {
	uint8_t bytes[DESCRIPTOR_BYTES];
	unsigned length;
};

static void put8(struct descriptor *to, uint8_t value)
{
	g_assert(to->length < DESCRIPTOR_BYTES);
	to->bytes[to->length++] = value;
}

static void put16(struct descriptor *to, uint16_t value)
{
	put8(to, value);
	put8(to, value >> 8);
}

static void put32(struct descriptor *to, uint32_t value)
{
	put16(to, value);
	put16(to, value >> 16);
}

static const struct usb_speed_description *described(const struct usb_device *device)
{
	return device->ops->description->speeds[device->speed];
}

/* Descriptors */

static void put_device(struct descriptor *to, const struct usb_device *device)
{
	const struct usb_description *description = device->ops->description;
	const struct usb_speed_description *speed = described(device);

	put8(to, 18);
	put8(to, DESCRIPTOR_DEVICE);
	put16(to, speed->usb_version);
	put8(to, 0); /* class, subclass, protocol: the interface's */
	put8(to, 0);
	put8(to, 0);
	put8(to, speed->max_packet_0);
	put16(to, description->vendor);
	put16(to, description->product);
	put16(to, description->version);
	put8(to, description->manufacturer_string);
	put8(to, description->product_string);
	put8(to, description->serial_string);
	put8(to, 1); /* configurations */
}

static void put_endpoint(
	struct descriptor *to, const struct usb_endpoint *endpoint, enum usb_speed speed)
{
	put8(to, 7);
	put8(to, DESCRIPTOR_ENDPOINT);
	put8(to, endpoint->address);
	put8(to, endpoint->attributes);
	put16(to, endpoint->max_packet);
	put8(to, endpoint->interval);
	if (speed != USB_SPEED_SUPER)
		return;
	put8(to, 6);
	put8(to, DESCRIPTOR_COMPANION);
	put8(to, endpoint->max_burst);
	put8(to, 0);
	put16(to, 0);
}

static void put_configuration(
	struct descriptor *to, const struct usb_device *device, enum usb_speed speed, uint8_t type)
{
	const struct usb_speed_description *description = device->ops->description->speeds[speed];
	const struct usb_interface *interface = description->interface;

	put8(to, 9);
	put8(to, type);
	put16(to, 0); /* the whole length, below */
	put8(to, 1);  /* interfaces */
	put8(to, CONFIGURATION_VALUE);
	put8(to, description->configuration_string);
	put8(to, description->attributes);
	put8(to, description->max_power);

	put8(to, 9);
	put8(to, DESCRIPTOR_INTERFACE);
	put8(to, 0); /* number, alternate setting */
	put8(to, 0);
	put8(to, interface->endpoint_count);
	put8(to, interface->class);
	put8(to, interface->subclass);
	put8(to, interface->protocol);
	put8(to, interface->string);
	for (unsigned i = 0; i < interface->extra_length; i++)
		put8(to, interface->extra[i]);
	for (unsigned i = 0; i < interface->endpoint_count; i++)
		put_endpoint(to, &interface->endpoints[i], speed);
	config_set16(to->bytes + 2, to->length);
}

/* What the device would be on the other kind of USB 2 port. */
static void put_qualifier(struct descriptor *to, const struct usb_speed_description *other)
{
	put8(to, 10);
	put8(to, DESCRIPTOR_QUALIFIER);
	put16(to, other->usb_version);
	put8(to, 0);
	put8(to, 0);
	put8(to, 0);
	put8(to, other->max_packet_0);
	put8(to, 1);
	put8(to, 0);
}

static void put_bos(struct descriptor *to, const struct usb_device *device)
{
	bool super = device->speed == USB_SPEED_SUPER;

	put8(to, 5);
	put8(to, DESCRIPTOR_BOS);
	put16(to, 0);
	put8(to, super ? 2 : 1);

	put8(to, 7);
	put8(to, DESCRIPTOR_CAPABILITY);
	put8(to, CAPABILITY_USB2_EXTENSION);
	put32(to, USB2_LPM);
	if (super) {
		put8(to, 10);
		put8(to, DESCRIPTOR_CAPABILITY);
		put8(to, CAPABILITY_SUPER_SPEED);
		put8(to, 0);
		put16(to, SUPER_SPEEDS);
		put8(to, USB_SPEED_FULL); /* the slowest at which all works */
		put8(to, U1_EXIT_LATENCY);
		put16(to, U2_EXIT_LATENCY);
	}
	config_set16(to->bytes + 2, to->length);
}

/* As QEMU makes it: the kind's number, the controller's place, the port. */
static char *serial_number(const struct usb_device *device)
{
	const struct usb_description *description = device->ops->description;
	const char *kind = description->strings[description->serial_string];
	const struct device *parent = device->bus->bus.parent;
	const struct pci_device *pci = (const struct pci_device *)parent;

	if (device->serial)
		return g_strdup(device->serial);
	if (!parent || parent->class->bus != BUS_PCI)
		return g_strdup_printf("%s-%u", kind, device->port);
	return g_strdup_printf(
		"%s-0000:00:%02x.%x-%u", kind, pci->slot, pci->function, device->port);
}

static bool put_string(struct descriptor *to, const struct usb_device *device, uint8_t index)
{
	const struct usb_description *description = device->ops->description;
	g_autofree char *text = NULL;

	if (index == 0) {
		put8(to, 4);
		put8(to, DESCRIPTOR_STRING);
		put16(to, LANGUAGE_ENGLISH);
		return true;
	}
	if (index >= description->string_count || !description->strings[index])
		return false;
	text = index == description->serial_string ? serial_number(device)
						   : g_strdup(description->strings[index]);
	put8(to, 0);
	put8(to, DESCRIPTOR_STRING);
	for (size_t i = 0; i < STRING_MAX && text[i]; i++)
		put16(to, (uint8_t)text[i]);
	to->bytes[0] = to->length;
	return true;
}

static enum usb_status get_descriptor(struct usb_device *device, struct usb_packet *packet)
{
	const struct usb_description *description = device->ops->description;
	enum usb_speed other_speed =
		device->speed == USB_SPEED_HIGH ? USB_SPEED_FULL : USB_SPEED_HIGH;
	const struct usb_speed_description *other = description->speeds[other_speed];
	bool usb2 = device->speed != USB_SPEED_SUPER;
	struct descriptor to = { .length = 0 };
	uint8_t type = packet->setup.value >> 8, index = packet->setup.value;

	if (type == DESCRIPTOR_DEVICE)
		put_device(&to, device);
	else if (type == DESCRIPTOR_CONFIGURATION && index == 0)
		put_configuration(&to, device, device->speed, DESCRIPTOR_CONFIGURATION);
	else if (type == DESCRIPTOR_QUALIFIER && usb2 && other)
		put_qualifier(&to, other);
	else if (type == DESCRIPTOR_OTHER_SPEED && usb2 && other)
		put_configuration(&to, device, other_speed, DESCRIPTOR_OTHER_SPEED);
	else if (type == DESCRIPTOR_BOS && described(device)->usb_version >= 0x0200)
		put_bos(&to, device);
	else if (type != DESCRIPTOR_STRING || !put_string(&to, device, index))
		return USB_STALL;
	usb_packet_send(packet, to.bytes, to.length);
	return USB_SUCCESS;
}

static enum usb_status get_interface_descriptor(
	struct usb_device *device, struct usb_packet *packet)
{
	const struct usb_description *description = device->ops->description;
	const struct usb_interface *interface = described(device)->interface;
	uint8_t type = packet->setup.value >> 8;

	if (!description->report || packet->setup.index != 0)
		return USB_STALL;
	if (type == DESCRIPTOR_HID)
		usb_packet_send(packet, interface->extra, interface->extra_length);
	else if (type == DESCRIPTOR_REPORT)
		usb_packet_send(packet, description->report, description->report_length);
	else
		return USB_STALL;
	return USB_SUCCESS;
}

/* Requests */

static enum usb_status get_status(struct usb_device *device, struct usb_packet *packet)
{
	bool self_powered = described(device)->attributes & ATTRIBUTE_SELF_POWERED;
	uint8_t bytes[2] = { (self_powered ? STATUS_SELF_POWERED : 0) |
			     (device->remote_wakeup ? STATUS_REMOTE_WAKEUP : 0) };

	usb_packet_send(packet, bytes, sizeof(bytes));
	return USB_SUCCESS;
}

static enum usb_status set_device_feature(struct usb_device *device, struct usb_packet *packet)
{
	bool set = packet->setup.request == REQUEST_SET_FEATURE;

	switch (packet->setup.value) {
	case FEATURE_REMOTE_WAKEUP:
		device->remote_wakeup = set;
		return USB_SUCCESS;
	case FEATURE_U1_ENABLE:
	case FEATURE_U2_ENABLE:
		return device->speed == USB_SPEED_SUPER ? USB_SUCCESS : USB_STALL;
	default:
		return USB_STALL;
	}
}

static enum usb_status set_address(struct usb_device *device, struct usb_packet *packet)
{
	if (packet->setup.value > 127)
		return USB_STALL;
	device->address = packet->setup.value;
	return USB_SUCCESS;
}

static enum usb_status get_configuration(struct usb_device *device, struct usb_packet *packet)
{
	usb_packet_send(packet, &device->configuration, 1);
	return USB_SUCCESS;
}

static enum usb_status set_configuration(struct usb_device *device, struct usb_packet *packet)
{
	if (packet->setup.value > CONFIGURATION_VALUE)
		return USB_STALL;
	device->configuration = packet->setup.value;
	device->halted_in = device->halted_out = 0;
	if (device->ops->configured)
		device->ops->configured(device);
	return USB_SUCCESS;
}

static enum usb_status zeroes(struct usb_device *device, struct usb_packet *packet)
{
	static const uint8_t none[2];

	if (packet->setup.index != 0)
		return USB_STALL;
	usb_packet_send(packet, none, MIN(sizeof(none), packet->setup.length));
	return USB_SUCCESS;
}

static enum usb_status set_interface(struct usb_device *device, struct usb_packet *packet)
{
	return packet->setup.index == 0 && packet->setup.value == 0 ? USB_SUCCESS : USB_STALL;
}

static enum usb_status accept(struct usb_device *device, struct usb_packet *packet)
{
	return USB_SUCCESS;
}

static uint16_t *halts(struct usb_device *device, const struct usb_packet *packet)
{
	return packet->setup.index & USB_IN ? &device->halted_in : &device->halted_out;
}

static enum usb_status get_endpoint_status(struct usb_device *device, struct usb_packet *packet)
{
	uint8_t bytes[2] = { *halts(device, packet) >> (packet->setup.index & 0xf) & 1 };

	usb_packet_send(packet, bytes, sizeof(bytes));
	return USB_SUCCESS;
}

static enum usb_status set_endpoint_feature(struct usb_device *device, struct usb_packet *packet)
{
	uint16_t bit = 1 << (packet->setup.index & 0xf);

	if (packet->setup.value != FEATURE_ENDPOINT_HALT)
		return USB_STALL;
	if (packet->setup.request == REQUEST_SET_FEATURE)
		*halts(device, packet) |= bit & ~1;
	else
		*halts(device, packet) &= ~bit;
	return USB_SUCCESS;
}

static const struct {
	uint16_t request; /* USB_REQUEST() */
	enum usb_status (*run)(struct usb_device *device, struct usb_packet *packet);
} requests[] = {
	{ USB_REQUEST(USB_IN, REQUEST_GET_STATUS), get_status },
	{ USB_REQUEST(0, REQUEST_CLEAR_FEATURE), set_device_feature },
	{ USB_REQUEST(0, REQUEST_SET_FEATURE), set_device_feature },
	{ USB_REQUEST(0, REQUEST_SET_ADDRESS), set_address },
	{ USB_REQUEST(USB_IN, REQUEST_GET_DESCRIPTOR), get_descriptor },
	{ USB_REQUEST(USB_IN, REQUEST_GET_CONFIGURATION), get_configuration },
	{ USB_REQUEST(0, REQUEST_SET_CONFIGURATION), set_configuration },
	{ USB_REQUEST(0, REQUEST_SET_SEL), accept },
	{ USB_REQUEST(0, REQUEST_SET_ISOCH_DELAY), accept },
	{ USB_REQUEST(USB_IN | USB_TO_INTERFACE, REQUEST_GET_STATUS), zeroes },
	{ USB_REQUEST(USB_TO_INTERFACE, REQUEST_CLEAR_FEATURE), accept },
	{ USB_REQUEST(USB_TO_INTERFACE, REQUEST_SET_FEATURE), accept },
	{ USB_REQUEST(USB_IN | USB_TO_INTERFACE, REQUEST_GET_DESCRIPTOR),
		get_interface_descriptor },
	{ USB_REQUEST(USB_IN | USB_TO_INTERFACE, REQUEST_GET_INTERFACE), zeroes },
	{ USB_REQUEST(USB_TO_INTERFACE, REQUEST_SET_INTERFACE), set_interface },
	{ USB_REQUEST(USB_IN | USB_TO_ENDPOINT, REQUEST_GET_STATUS), get_endpoint_status },
	{ USB_REQUEST(USB_TO_ENDPOINT, REQUEST_CLEAR_FEATURE), set_endpoint_feature },
	{ USB_REQUEST(USB_TO_ENDPOINT, REQUEST_SET_FEATURE), set_endpoint_feature },
};

enum usb_status usb_standard_request(struct usb_device *device, struct usb_packet *packet)
{
	uint16_t request = USB_REQUEST(packet->setup.request_type, packet->setup.request);

	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		if (requests[i].request == request)
			return requests[i].run(device, packet);
	return device->ops->control ? device->ops->control(device, packet) : USB_STALL;
}
