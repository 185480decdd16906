#include "vmm/usb/usb-tokens.h"

#include "vmm/pci/config.h"

enum stage {
	STAGE_NONE,
	STAGE_DATA,
	STAGE_STATUS, /* a request without data, or with all of its data here */
};

/* The control transfer that is under way. */
struct usb_control {
	enum stage stage;
	bool submitted; /* the device has it */
	struct usb_packet packet;
	struct iovec piece;
	size_t position; /* of its data, bytes that went over the wire */
	uint8_t data[USB_CONTROL_MAX];
};

/* The packet's status tells. */
static void control_done(struct usb_packet *packet)
{
}

static void submit(struct usb_device *device, struct usb_control *control)
{
	control->submitted = true;
	usb_submit(device, &control->packet);
}

static enum usb_status end(struct usb_control *control, enum usb_status status)
{
	control->stage = STAGE_NONE;
	return status;
}

static enum usb_status setup(struct usb_device *device, struct usb_packet *packet)
{
	struct usb_control *control = device->control;
	uint8_t bytes[USB_SETUP_BYTES];
	struct usb_setup setup;

	if (packet->length != sizeof(bytes))
		return USB_STALL;
	usb_packet_receive(packet, bytes, sizeof(bytes));
	setup = (struct usb_setup) { bytes[0], bytes[1], config_get16(bytes + 2),
		config_get16(bytes + 4), config_get16(bytes + 6) };
	if (!control)
		control = device->control = g_new0(struct usb_control, 1);
	usb_cancel(&control->packet);
	control->stage = setup.length > 0 ? STAGE_DATA : STAGE_STATUS;
	control->submitted = false;
	control->position = 0;
	control->piece = (struct iovec) { control->data, MIN(setup.length, USB_CONTROL_MAX) };
	control->packet = (struct usb_packet) {
		.in = setup.request_type & USB_IN,
		.setup = setup,
		.pieces = &control->piece,
		.count = 1,
		.length = control->piece.iov_len,
		.complete = control_done,
	};
	if (control->packet.in && setup.length > 0)
		submit(device, control);
	return USB_SUCCESS;
}

/* The next part of what the device had; less than the host takes when there is no more. */
static enum usb_status data_in(struct usb_control *control, struct usb_packet *packet)
{
	size_t part = MIN(packet->length, control->packet.moved - control->position);

	usb_packet_send(packet, control->data + control->position, part);
	control->position += part;
	return USB_SUCCESS;
}

static enum usb_status data_out(struct usb_control *control, struct usb_packet *packet)
{
	size_t room = control->packet.length - control->position;

	if (packet->length > room)
		return end(control, USB_STALL);
	usb_packet_receive(packet, control->data + control->position, packet->length);
	control->position += packet->length;
	if (control->position == control->packet.length)
		control->stage = STAGE_STATUS;
	return USB_SUCCESS;
}

/* What the device said of the whole. */
static enum usb_status answer(struct usb_device *device, struct usb_control *control)
{
	if (!control->submitted)
		submit(device, control);
	return control->packet.status == USB_ASYNC ? USB_NAK : control->packet.status;
}

static enum usb_status data_or_status(struct usb_device *device, bool in, struct usb_packet *packet)
{
	struct usb_control *control = device->control;
	bool reads = control && control->packet.in && control->packet.setup.length > 0;
	enum usb_status status;

	if (!control || control->stage == STAGE_NONE)
		return USB_STALL;
	if (!reads && !in)
		return control->stage == STAGE_DATA ? data_out(control, packet)
						    : end(control, USB_STALL);
	if (!reads && control->stage == STAGE_DATA)
		return end(control, USB_STALL);
	status = answer(device, control);
	if (status == USB_NAK)
		return status;
	if (status != USB_SUCCESS)
		return end(control, status);
	return reads && in ? data_in(control, packet) : end(control, USB_SUCCESS);
}

enum usb_status usb_send_token(
	struct usb_device *device, enum usb_token token, struct usb_packet *packet)
{
	packet->in = token == USB_TOKEN_IN;
	packet->moved = 0;
	if (packet->endpoint == 0 && (!device->connected || device->suspended))
		packet->status = USB_IO_ERROR;
	else if (token == USB_TOKEN_SETUP)
		packet->status = packet->endpoint == 0 ? setup(device, packet) : USB_IO_ERROR;
	else if (packet->endpoint == 0)
		packet->status = data_or_status(device, packet->in, packet);
	else
		return usb_submit(device, packet);
	return packet->status;
}

void usb_tokens_reset(struct usb_device *device)
{
	if (!device->control)
		return;
	usb_cancel(&device->control->packet);
	g_clear_pointer(&device->control, g_free);
}
