/* Keyboard, mouse and tablet alone: any requests and reports, any input. */
#include "base/reader.h"
#include "tests/unit/vmm/usb/xhci-driver.h"
#include "vmm/usb/usb-input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void ignore(struct usb_packet *packet)
{
}

static void submit(struct usb_device *device, struct reader *in)
{
	uint8_t data[64] = { 0 };
	struct iovec piece = { data, reader_u8(in) % sizeof(data) };
	struct usb_packet packet = {
		.endpoint = reader_u8(in) & 1,
		.pieces = &piece,
		.count = 1,
		.length = piece.iov_len,
		.complete = ignore,
	};

	packet.setup.request_type = reader_u8(in);
	packet.setup.request = reader_u8(in);
	packet.setup.value = reader_u16(in);
	packet.setup.index = reader_u16(in);
	packet.setup.length = piece.iov_len;
	packet.in = packet.endpoint || packet.setup.request_type & USB_IN;
	data[0] = reader_u8(in);
	usb_submit(device, &packet);
}

static void give_input(struct fake_machine *fake, struct reader *in)
{
	uint8_t value = reader_u8(in), more = reader_u8(in);

	if (fake->keyboard)
		fake->keyboard->key(fake->keyboard_device, value, more & 1);
	if (!fake->pointer)
		return;
	if (fake->pointer->absolute)
		fake->pointer->position(fake->pointer_device, value, more, value + 1, more + 1);
	else
		fake->pointer->motion(fake->pointer_device, reader_i32(in), reader_i32(in));
	fake->pointer->button(fake->pointer_device, value % INPUT_BUTTONS, more & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct device_class *const classes[] = { &usb_keyboard_class, &usb_mouse_class,
		&usb_tablet_class };
	struct reader in = reader_from(bytes, length);
	struct xhci_driver *driver = xhci_driver_new();
	struct usb_device *device =
		xhci_driver_add(driver, classes[reader_u8(&in) % G_N_ELEMENTS(classes)]);

	while (reader_left(&in) > 0 && !in.ran_out) {
		if (reader_u8(&in) & 1)
			submit(device, &in);
		else
			give_input(driver->fake, &in);
	}
	xhci_driver_free(driver);
	return 0;
}
