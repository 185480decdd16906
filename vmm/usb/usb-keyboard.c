/* usb-kbd: a keyboard with the boot protocol's report, which is its only one.
 *
 * Keys wait until the guest asks for them, one change for each report. Room is kept for the release of every key that is down:
 * a guest that does not read loses keys, but none stays down.
 *
 * Specification: HID 1.11 appendix B.1; HID Usage Tables 1.12 section 10. Identity and descriptors: QEMU's usb-kbd.
 */
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/usb/usb-hid.h"
#include "vmm/usb/usb-input.h"

enum {
	QUEUE = 64, /* changes; a power of two */
	KEYS = 6,   /* of a report, besides modifiers */
	KEYS_DOWN_MAX = 16,
	USAGE_ROLLOVER = 1,
	USAGE_MODIFIERS = 0xe0, /* eight of them */

	LED_NUM = 1 << 0,
	LED_CAPS = 1 << 1,
	LED_SCROLL = 1 << 2,
};

struct key_change {
	uint8_t usage;
	bool down;
};

struct usb_keyboard {
	struct usb_hid hid;
	struct key_change queue[QUEUE];
	unsigned first, used;
	uint8_t queued[32];          /* usages that are down once the queue is told */
	uint8_t down[KEYS_DOWN_MAX]; /* as told, in the order of being pressed */
	uint8_t down_count, modifiers;
};

/* Usages by qnum (see display/display.h). */
static const uint8_t usages[256] = {
	[0x01] = 0x29,
	[0x02] = 0x1e,
	[0x03] = 0x1f,
	[0x04] = 0x20,
	[0x05] = 0x21,
	[0x06] = 0x22,
	[0x07] = 0x23,
	[0x08] = 0x24,
	[0x09] = 0x25,
	[0x0a] = 0x26,
	[0x0b] = 0x27,
	[0x0c] = 0x2d,
	[0x0d] = 0x2e,
	[0x0e] = 0x2a,
	[0x0f] = 0x2b,
	[0x10] = 0x14,
	[0x11] = 0x1a,
	[0x12] = 0x08,
	[0x13] = 0x15,
	[0x14] = 0x17,
	[0x15] = 0x1c,
	[0x16] = 0x18,
	[0x17] = 0x0c,
	[0x18] = 0x12,
	[0x19] = 0x13,
	[0x1a] = 0x2f,
	[0x1b] = 0x30,
	[0x1c] = 0x28,
	[0x1d] = 0xe0,
	[0x1e] = 0x04,
	[0x1f] = 0x16,
	[0x20] = 0x07,
	[0x21] = 0x09,
	[0x22] = 0x0a,
	[0x23] = 0x0b,
	[0x24] = 0x0d,
	[0x25] = 0x0e,
	[0x26] = 0x0f,
	[0x27] = 0x33,
	[0x28] = 0x34,
	[0x29] = 0x35,
	[0x2a] = 0xe1,
	[0x2b] = 0x31,
	[0x2c] = 0x1d,
	[0x2d] = 0x1b,
	[0x2e] = 0x06,
	[0x2f] = 0x19,
	[0x30] = 0x05,
	[0x31] = 0x11,
	[0x32] = 0x10,
	[0x33] = 0x36,
	[0x34] = 0x37,
	[0x35] = 0x38,
	[0x36] = 0xe5,
	[0x37] = 0x55,
	[0x38] = 0xe2,
	[0x39] = 0x2c,
	[0x3a] = 0x39,
	[0x3b] = 0x3a,
	[0x3c] = 0x3b,
	[0x3d] = 0x3c,
	[0x3e] = 0x3d,
	[0x3f] = 0x3e,
	[0x40] = 0x3f,
	[0x41] = 0x40,
	[0x42] = 0x41,
	[0x43] = 0x42,
	[0x44] = 0x43,
	[0x45] = 0x53,
	[0x46] = 0x47,
	[0x47] = 0x5f,
	[0x48] = 0x60,
	[0x49] = 0x61,
	[0x4a] = 0x56,
	[0x4b] = 0x5c,
	[0x4c] = 0x5d,
	[0x4d] = 0x5e,
	[0x4e] = 0x57,
	[0x4f] = 0x59,
	[0x50] = 0x5a,
	[0x51] = 0x5b,
	[0x52] = 0x62,
	[0x53] = 0x63,
	[0x54] = 0x46,
	[0x56] = 0x64,
	[0x57] = 0x44,
	[0x58] = 0x45,
	[0x59] = 0x67,
	[0x5c] = 0x8c,
	[0x64] = 0x68,
	[0x65] = 0x69,
	[0x66] = 0x6a,
	[0x67] = 0x6b,
	[0x68] = 0x6c,
	[0x69] = 0x6d,
	[0x6a] = 0x6e,
	[0x6b] = 0x6f,
	[0x6c] = 0x70,
	[0x6d] = 0x71,
	[0x6e] = 0x72,
	[0x6f] = 0x73,
	[0x70] = 0x88,
	[0x71] = 0x91,
	[0x72] = 0x90,
	[0x73] = 0x87,
	[0x76] = 0x94,
	[0x77] = 0x93,
	[0x78] = 0x92,
	[0x79] = 0x8a,
	[0x7b] = 0x8b,
	[0x7d] = 0x89,
	[0x7e] = 0x85,
	[0x9c] = 0x58,
	[0x9d] = 0xe4,
	[0xa0] = 0x7f,
	[0xae] = 0x81,
	[0xb0] = 0x80,
	[0xb5] = 0x54,
	[0xb7] = 0x46,
	[0xb8] = 0xe6,
	[0xc6] = 0x48,
	[0xc7] = 0x4a,
	[0xc8] = 0x52,
	[0xc9] = 0x4b,
	[0xcb] = 0x50,
	[0xcd] = 0x4f,
	[0xcf] = 0x4d,
	[0xd0] = 0x51,
	[0xd1] = 0x4e,
	[0xd2] = 0x49,
	[0xd3] = 0x4c,
	[0xdb] = 0xe3,
	[0xdc] = 0xe7,
	[0xdd] = 0x65,
	[0xde] = 0x66,
};

static const uint8_t report_descriptor[] = {
	0x05, 0x01,                                     /* usage page: generic desktop */
	0x09, 0x06,                                     /* usage: keyboard */
	0xa1, 0x01,                                     /* collection: application */
	0x75, 0x01, 0x95, 0x08,                         /*   8 fields of 1 bit: modifiers */
	0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7,             /*   key codes 0xe0 to 0xe7 */
	0x15, 0x00, 0x25, 0x01, 0x81, 0x02,             /*   0 or 1: input, variable */
	0x95, 0x01, 0x75, 0x08, 0x81, 0x01,             /*   a constant byte */
	0x95, 0x05, 0x75, 0x01,                         /*   5 fields of 1 bit: lights */
	0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, /*   LEDs 1 to 5: output */
	0x95, 0x01, 0x75, 0x03, 0x91, 0x01,             /*   3 constant bits */
	0x95, 0x06, 0x75, 0x08,                         /*   6 bytes: keys that are down */
	0x15, 0x00, 0x25, 0xff,                         /*   0 to 255 */
	0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00, /*   key codes 0 to 255: input, array */
	0xc0,                                           /* end of the collection */
};

static const uint8_t hid_descriptor[] = { 9, 0x21, 0x11, 0x01, 0, 1, 0x22,
	sizeof(report_descriptor), 0 };

static const struct usb_endpoint full_endpoint = { 0x81, 3, 8, 10 };
static const struct usb_endpoint high_endpoint = { 0x81, 3, 8, 7 };

#define KEYBOARD_INTERFACE(endpoint) \
	{ \
		.class = 3, .subclass = 1, .protocol = 1, .extra = hid_descriptor, \
		.extra_length = sizeof(hid_descriptor), .endpoints = &endpoint, \
		.endpoint_count = 1 \
	}

static const struct usb_interface full_interface = KEYBOARD_INTERFACE(full_endpoint);
static const struct usb_interface high_interface = KEYBOARD_INTERFACE(high_endpoint);

static const struct usb_speed_description full_speed = { 0x0100, 8, USB_HID_KEYBOARD_CONFIGURATION,
	0xa0, 50, &full_interface };
static const struct usb_speed_description high_speed = { 0x0200, 64, USB_HID_KEYBOARD_CONFIGURATION,
	0xa0, 50, &high_interface };

#define KEYBOARD_IDENTITY \
	.vendor = 0x0627, .product = 0x0001, .manufacturer_string = USB_HID_MANUFACTURER, \
	.product_string = USB_HID_KEYBOARD, .serial_string = USB_HID_KEYBOARD_SERIAL, \
	.strings = usb_hid_strings, .string_count = USB_HID_STRINGS, .report = report_descriptor, \
	.report_length = sizeof(report_descriptor)

static const struct usb_description description_1 = { KEYBOARD_IDENTITY,
	.speeds = { [USB_SPEED_FULL] = &full_speed } };
static const struct usb_description description_2 = { KEYBOARD_IDENTITY,
	.speeds = { [USB_SPEED_FULL] = &full_speed, [USB_SPEED_HIGH] = &high_speed } };

/* Keys */

static bool is_queued_down(const struct usb_keyboard *keyboard, uint8_t usage)
{
	return keyboard->queued[usage / 8] >> usage % 8 & 1;
}

static unsigned queued_down(const struct usb_keyboard *keyboard)
{
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(keyboard->queued); i++)
		count += __builtin_popcount(keyboard->queued[i]);
	return count;
}

static void keyboard_key(void *device, uint8_t qnum, bool down)
{
	struct usb_keyboard *keyboard = device;
	uint8_t usage = usages[qnum];
	unsigned room = QUEUE - keyboard->used;

	if (usage == 0 || is_queued_down(keyboard, usage) == down)
		return;
	if (down && (queued_down(keyboard) + 1 >= room || queued_down(keyboard) >= KEYS_DOWN_MAX))
		return;
	keyboard->queued[usage / 8] ^= 1 << usage % 8;
	keyboard->queue[(keyboard->first + keyboard->used++) % QUEUE] =
		(struct key_change) { usage, down };
	usb_hid_changed(&keyboard->hid);
}

static const struct keyboard_ops keyboard_ops = { .key = keyboard_key };

static void release(struct usb_keyboard *keyboard, uint8_t usage)
{
	uint8_t *at = memchr(keyboard->down, usage, keyboard->down_count);

	if (!at)
		return;
	keyboard->down_count--;
	memmove(at, at + 1, keyboard->down + keyboard->down_count - at);
}

static void take_change(struct usb_keyboard *keyboard)
{
	struct key_change change = keyboard->queue[keyboard->first];
	uint8_t modifier = change.usage - USAGE_MODIFIERS;

	if (keyboard->used == 0)
		return;
	keyboard->first = (keyboard->first + 1) % QUEUE;
	keyboard->used--;
	if (modifier < 8 && change.down)
		keyboard->modifiers |= 1 << modifier;
	else if (modifier < 8)
		keyboard->modifiers &= ~(1 << modifier);
	else if (!change.down)
		release(keyboard, change.usage);
	else if (keyboard->down_count < KEYS_DOWN_MAX)
		keyboard->down[keyboard->down_count++] = change.usage;
}

static unsigned keyboard_report(struct usb_hid *hid, uint8_t report[USB_HID_REPORT_MAX])
{
	struct usb_keyboard *keyboard = (struct usb_keyboard *)hid;

	take_change(keyboard);
	memset(report, 0, USB_HID_REPORT_MAX);
	report[0] = keyboard->modifiers;
	if (keyboard->down_count > KEYS)
		memset(report + 2, USAGE_ROLLOVER, KEYS);
	else
		memcpy(report + 2, keyboard->down, keyboard->down_count);
	return USB_HID_REPORT_MAX;
}

static bool keyboard_has_report(const struct usb_hid *hid)
{
	return ((const struct usb_keyboard *)hid)->used > 0;
}

static void keyboard_output(struct usb_hid *hid, const uint8_t *report, size_t length)
{
	uint32_t lights = 0;

	if (report[0] & LED_NUM)
		lights |= INPUT_LIGHT_NUM;
	if (report[0] & LED_CAPS)
		lights |= INPUT_LIGHT_CAPS;
	if (report[0] & LED_SCROLL)
		lights |= INPUT_LIGHT_SCROLL;
	display_set_lights(hid->usb.device.machine->display, lights);
}

static void keyboard_activate(struct usb_hid *hid, bool active)
{
	display_set_keyboard(hid->usb.device.machine->display, active ? &keyboard_ops : NULL, hid);
}

static void keyboard_clear(struct usb_hid *hid)
{
	struct usb_keyboard *keyboard = (struct usb_keyboard *)hid;

	keyboard->first = keyboard->used = 0;
	memset(keyboard->queued, 0, sizeof(keyboard->queued));
	keyboard->down_count = keyboard->modifiers = 0;
}

static const struct usb_hid_ops hid_ops = {
	.report = keyboard_report,
	.has_report = keyboard_has_report,
	.output = keyboard_output,
	.activate = keyboard_activate,
	.clear = keyboard_clear,
};

#define KEYBOARD_OPS(name) \
	{ \
		.description = &name, .control = usb_hid_control, .transfer = usb_hid_transfer, \
		.configured = usb_hid_configured, .reset = usb_hid_reset \
	}

static const struct usb_device_ops device_ops_1 = KEYBOARD_OPS(description_1);
static const struct usb_device_ops device_ops_2 = KEYBOARD_OPS(description_2);

static bool keyboard_realize(struct device *device, GError **error)
{
	return usb_hid_realize(
		(struct usb_hid *)device, &hid_ops, &device_ops_1, &device_ops_2, error);
}

static const struct property keyboard_properties[] = {
	{ "usb_version", PROPERTY_CHOICE, offsetof(struct usb_hid, usb_version), "2",
		"1: full speed, 2: high speed", .choices = usb_hid_versions },
	{ .type = PROPERTY_END },
};

const struct device_class usb_keyboard_class = {
	.name = "usb-kbd",
	.description = "USB keyboard",
	.bus = BUS_USB,
	.user_creatable = true,
	.size = sizeof(struct usb_keyboard),
	.properties = keyboard_properties,
	.realize = keyboard_realize,
	.unrealize = usb_hid_unrealize,
};
