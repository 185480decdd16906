/* usb-mouse and usb-tablet: a relative pointer with five buttons and an absolute one with three, both with a wheel.
 *
 * What happened waits in steps until the guest asks; motion with the same buttons down becomes one step. When the queue is full
 * only the buttons of its last step change.
 *
 * Specification: HID 1.11 appendix B.2; HID Usage Tables 1.12 section 4. Identity and descriptors: QEMU's devices.
 */
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/usb/usb-hid.h"
#include "vmm/usb/usb-input.h"

enum {
	STEPS = 16,
	RELATIVE_MAX = 127,
	MOTION_MAX = 1 << 20, /* pixels that may gather in one step */
	ABSOLUTE_MAX = 0x7fff,
	TABLET_BUTTONS = 7,
};

struct pointer_step {
	int32_t x, y;  /* motion, or the position */
	int32_t wheel; /* up is positive */
	uint8_t buttons;
};

struct usb_pointer {
	struct usb_hid hid;
	bool absolute;
	struct pointer_step steps[STEPS]; /* not told yet, a ring */
	unsigned first, used;
	struct pointer_step now; /* what was told last, and of a mouse the buttons alone */
};

static const uint8_t mouse_report_descriptor[] = {
	0x05, 0x01, 0x09, 0x02,             /* generic desktop: mouse */
	0xa1, 0x01,                         /* collection: application */
	0x09, 0x01, 0xa1, 0x00,             /*   pointer, collection: physical */
	0x05, 0x09, 0x19, 0x01, 0x29, 0x05, /*     buttons 1 to 5 */
	0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, /*     a bit each: input */
	0x95, 0x01, 0x75, 0x03, 0x81, 0x01,                         /*     3 constant bits */
	0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38,             /*     x, y, wheel */
	0x15, 0x81, 0x25, 0x7f,                                     /*     -127 to 127 */
	0x75, 0x08, 0x95, 0x03, 0x81, 0x06, /*     a byte each: input, relative */
	0xc0, 0xc0,                         /* end of both */
};

static const uint8_t tablet_report_descriptor[] = {
	0x05, 0x01, 0x09, 0x02,             /* generic desktop: mouse */
	0xa1, 0x01,                         /* collection: application */
	0x09, 0x01, 0xa1, 0x00,             /*   pointer, collection: physical */
	0x05, 0x09, 0x19, 0x01, 0x29, 0x03, /*     buttons 1 to 3 */
	0x15, 0x00, 0x25, 0x01, 0x95, 0x03, 0x75, 0x01, 0x81, 0x02, /*     a bit each: input */
	0x95, 0x01, 0x75, 0x05, 0x81, 0x01,                         /*     5 constant bits */
	0x05, 0x01, 0x09, 0x30, 0x09, 0x31,                         /*     x, y */
	0x15, 0x00, 0x26, 0xff, 0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f, /*     0 to 0x7fff */
	0x75, 0x10, 0x95, 0x02, 0x81, 0x02,             /*     two bytes each: input, absolute */
	0x05, 0x01, 0x09, 0x38,                         /*     wheel */
	0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, /*     -127 to 127 */
	0x75, 0x08, 0x95, 0x01, 0x81, 0x06,             /*     a byte: input, relative */
	0xc0, 0xc0,                                     /* end of both */
};

static const uint8_t mouse_hid_descriptor[] = { 9, 0x21, 0x01, 0x00, 0, 1, 0x22,
	sizeof(mouse_report_descriptor), 0 };
static const uint8_t tablet_hid_descriptor[] = { 9, 0x21, 0x01, 0x00, 0, 1, 0x22,
	sizeof(tablet_report_descriptor), 0 };

static const struct usb_endpoint mouse_full_endpoint = { 0x81, 3, 4, 10 };
static const struct usb_endpoint mouse_high_endpoint = { 0x81, 3, 4, 7 };
static const struct usb_endpoint tablet_full_endpoint = { 0x81, 3, 8, 10 };
static const struct usb_endpoint tablet_high_endpoint = { 0x81, 3, 8, 4 };

static const struct usb_interface mouse_full = { 3, 1, 2, 0, mouse_hid_descriptor,
	sizeof(mouse_hid_descriptor), &mouse_full_endpoint, 1 };
static const struct usb_interface mouse_high = { 3, 1, 2, 0, mouse_hid_descriptor,
	sizeof(mouse_hid_descriptor), &mouse_high_endpoint, 1 };
static const struct usb_interface tablet_full = { 3, 0, 0, 0, tablet_hid_descriptor,
	sizeof(tablet_hid_descriptor), &tablet_full_endpoint, 1 };
static const struct usb_interface tablet_high = { 3, 0, 0, 0, tablet_hid_descriptor,
	sizeof(tablet_hid_descriptor), &tablet_high_endpoint, 1 };

static const struct usb_speed_description mouse_full_speed = { 0x0100, 8,
	USB_HID_MOUSE_CONFIGURATION, 0xa0, 50, &mouse_full };
static const struct usb_speed_description mouse_high_speed = { 0x0200, 64,
	USB_HID_MOUSE_CONFIGURATION, 0xa0, 50, &mouse_high };
static const struct usb_speed_description tablet_full_speed = { 0x0100, 8,
	USB_HID_TABLET_CONFIGURATION, 0xa0, 50, &tablet_full };
static const struct usb_speed_description tablet_high_speed = { 0x0200, 64,
	USB_HID_TABLET_CONFIGURATION, 0xa0, 50, &tablet_high };

#define POINTER_IDENTITY \
	.vendor = 0x0627, .product = 0x0001, .manufacturer_string = USB_HID_MANUFACTURER, \
	.strings = usb_hid_strings, .string_count = USB_HID_STRINGS
#define MOUSE_IDENTITY \
	POINTER_IDENTITY, .product_string = USB_HID_MOUSE, .serial_string = USB_HID_MOUSE_SERIAL, \
			  .report = mouse_report_descriptor, \
			  .report_length = sizeof(mouse_report_descriptor)
#define TABLET_IDENTITY \
	POINTER_IDENTITY, .product_string = USB_HID_TABLET, \
			  .serial_string = USB_HID_TABLET_SERIAL, \
			  .report = tablet_report_descriptor, \
			  .report_length = sizeof(tablet_report_descriptor)

static const struct usb_description mouse_1 = { MOUSE_IDENTITY,
	.speeds = { [USB_SPEED_FULL] = &mouse_full_speed } };
static const struct usb_description mouse_2 = { MOUSE_IDENTITY,
	.speeds = { [USB_SPEED_FULL] = &mouse_full_speed, [USB_SPEED_HIGH] = &mouse_high_speed } };
static const struct usb_description tablet_1 = { TABLET_IDENTITY,
	.speeds = { [USB_SPEED_FULL] = &tablet_full_speed } };
static const struct usb_description tablet_2 = { TABLET_IDENTITY,
	.speeds = {
		[USB_SPEED_FULL] = &tablet_full_speed, [USB_SPEED_HIGH] = &tablet_high_speed } };

/* What the user does */

static const uint8_t button_bits[INPUT_BUTTONS] = {
	[INPUT_BUTTON_LEFT] = 1 << 0,
	[INPUT_BUTTON_RIGHT] = 1 << 1,
	[INPUT_BUTTON_MIDDLE] = 1 << 2,
	[INPUT_BUTTON_SIDE] = 1 << 3,
	[INPUT_BUTTON_EXTRA] = 1 << 4,
};

static struct pointer_step *last_step(struct usb_pointer *pointer)
{
	if (pointer->used == 0)
		return &pointer->now;
	return &pointer->steps[(pointer->first + pointer->used - 1) % STEPS];
}

/* The step that motion is added to: the last one that was not told, or a new one with the same buttons. NULL: no room. */
static struct pointer_step *add_step(struct usb_pointer *pointer)
{
	struct pointer_step last = *last_step(pointer);

	if (pointer->used == STEPS)
		return NULL;
	if (!pointer->absolute)
		last.x = last.y = 0;
	last.wheel = 0;
	pointer->used++;
	*last_step(pointer) = last;
	return last_step(pointer);
}

static struct pointer_step *motion_step(struct usb_pointer *pointer)
{
	return pointer->used > 0 ? last_step(pointer) : add_step(pointer);
}

static void pointer_motion(void *device, int32_t dx, int32_t dy)
{
	struct usb_pointer *pointer = device;
	struct pointer_step *step = motion_step(pointer);

	step->x = CLAMP((int64_t)step->x + dx, -MOTION_MAX, MOTION_MAX);
	step->y = CLAMP((int64_t)step->y + dy, -MOTION_MAX, MOTION_MAX);
	usb_hid_changed(&pointer->hid);
}

static int32_t scale(uint32_t value, uint32_t size)
{
	uint64_t last = MAX(size, 2) - 1;

	return MIN(((uint64_t)value * ABSOLUTE_MAX + last / 2) / last, ABSOLUTE_MAX);
}

static void pointer_position(void *device, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct usb_pointer *pointer = device;
	struct pointer_step *step = motion_step(pointer);

	step->x = scale(x, width);
	step->y = scale(y, height);
	usb_hid_changed(&pointer->hid);
}

static void turn_wheel(struct usb_pointer *pointer, int32_t by)
{
	struct pointer_step *step = motion_step(pointer);

	step->wheel = CLAMP(step->wheel + by, -RELATIVE_MAX, RELATIVE_MAX);
	usb_hid_changed(&pointer->hid);
}

static void pointer_button(void *device, enum input_button button, bool down)
{
	struct usb_pointer *pointer = device;
	uint8_t buttons = last_step(pointer)->buttons;
	struct pointer_step *step;

	if (button == INPUT_BUTTON_WHEEL_UP || button == INPUT_BUTTON_WHEEL_DOWN) {
		if (down)
			turn_wheel(pointer, button == INPUT_BUTTON_WHEEL_UP ? 1 : -1);
		return;
	}
	buttons = down ? buttons | button_bits[button] : buttons & ~button_bits[button];
	if (buttons == last_step(pointer)->buttons)
		return;
	step = add_step(pointer);
	if (!step)
		step = last_step(pointer);
	step->buttons = buttons;
	usb_hid_changed(&pointer->hid);
}

static const struct pointer_ops mouse_pointer_ops = {
	.motion = pointer_motion,
	.button = pointer_button,
};

static const struct pointer_ops tablet_pointer_ops = {
	.absolute = true,
	.position = pointer_position,
	.button = pointer_button,
};

/* Reports */

static void step_told(struct usb_pointer *pointer)
{
	pointer->now = pointer->steps[pointer->first];
	pointer->first = (pointer->first + 1) % STEPS;
	pointer->used--;
}

static unsigned mouse_report(struct usb_hid *hid, uint8_t report[USB_HID_REPORT_MAX])
{
	struct usb_pointer *pointer = (struct usb_pointer *)hid;
	struct pointer_step *step = &pointer->steps[pointer->first];
	int32_t x, y;

	if (pointer->used == 0) {
		pointer->now.x = pointer->now.y = pointer->now.wheel = 0;
		step = &pointer->now;
	}
	x = CLAMP(step->x, -RELATIVE_MAX, RELATIVE_MAX);
	y = CLAMP(step->y, -RELATIVE_MAX, RELATIVE_MAX);
	report[0] = step->buttons;
	report[1] = x;
	report[2] = y;
	report[3] = step->wheel;
	step->x -= x;
	step->y -= y;
	step->wheel = 0;
	if (pointer->used > 0 && step->x == 0 && step->y == 0)
		step_told(pointer);
	return 4;
}

static unsigned tablet_report(struct usb_hid *hid, uint8_t report[USB_HID_REPORT_MAX])
{
	struct usb_pointer *pointer = (struct usb_pointer *)hid;

	pointer->now.wheel = 0;
	if (pointer->used > 0)
		step_told(pointer);
	report[0] = pointer->now.buttons & TABLET_BUTTONS;
	report[1] = pointer->now.x;
	report[2] = pointer->now.x >> 8;
	report[3] = pointer->now.y;
	report[4] = pointer->now.y >> 8;
	report[5] = pointer->now.wheel;
	return 6;
}

static bool pointer_has_report(const struct usb_hid *hid)
{
	return ((const struct usb_pointer *)hid)->used > 0;
}

static void pointer_activate(struct usb_hid *hid, bool active)
{
	bool absolute = ((struct usb_pointer *)hid)->absolute;
	const struct pointer_ops *ops = absolute ? &tablet_pointer_ops : &mouse_pointer_ops;

	display_set_pointer(hid->usb.device.machine->display, active ? ops : NULL, hid);
}

static void pointer_clear(struct usb_hid *hid)
{
	struct usb_pointer *pointer = (struct usb_pointer *)hid;

	pointer->first = pointer->used = 0;
	memset(&pointer->now, 0, sizeof(pointer->now));
}

static const struct usb_hid_ops mouse_hid_ops = {
	.report = mouse_report,
	.has_report = pointer_has_report,
	.activate = pointer_activate,
	.clear = pointer_clear,
};

static const struct usb_hid_ops tablet_hid_ops = {
	.report = tablet_report,
	.has_report = pointer_has_report,
	.activate = pointer_activate,
	.clear = pointer_clear,
};

#define POINTER_OPS(name) \
	{ \
		.description = &name, .control = usb_hid_control, .transfer = usb_hid_transfer, \
		.configured = usb_hid_configured, .reset = usb_hid_reset \
	}

static const struct usb_device_ops mouse_ops_1 = POINTER_OPS(mouse_1);
static const struct usb_device_ops mouse_ops_2 = POINTER_OPS(mouse_2);
static const struct usb_device_ops tablet_ops_1 = POINTER_OPS(tablet_1);
static const struct usb_device_ops tablet_ops_2 = POINTER_OPS(tablet_2);

static bool mouse_realize(struct device *device, GError **error)
{
	return usb_hid_realize(
		(struct usb_hid *)device, &mouse_hid_ops, &mouse_ops_1, &mouse_ops_2, error);
}

static bool tablet_realize(struct device *device, GError **error)
{
	((struct usb_pointer *)device)->absolute = true;
	return usb_hid_realize(
		(struct usb_hid *)device, &tablet_hid_ops, &tablet_ops_1, &tablet_ops_2, error);
}

static const struct property pointer_properties[] = {
	{ "usb_version", PROPERTY_CHOICE, offsetof(struct usb_hid, usb_version), "2",
		"1: full speed, 2: high speed", .choices = usb_hid_versions },
	{ .type = PROPERTY_END },
};

const struct device_class usb_mouse_class = {
	.name = "usb-mouse",
	.description = "USB mouse",
	.bus = BUS_USB,
	.user_creatable = true,
	.size = sizeof(struct usb_pointer),
	.properties = pointer_properties,
	.realize = mouse_realize,
	.unrealize = usb_hid_unrealize,
};

const struct device_class usb_tablet_class = {
	.name = "usb-tablet",
	.description = "USB tablet: a pointer with absolute positions",
	.bus = BUS_USB,
	.user_creatable = true,
	.size = sizeof(struct usb_pointer),
	.properties = pointer_properties,
	.realize = tablet_realize,
	.unrealize = usb_hid_unrealize,
};
