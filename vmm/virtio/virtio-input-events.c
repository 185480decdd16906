/* virtio-keyboard-pci, virtio-mouse-pci, virtio-tablet-pci, virtio-multitouch-pci: what the display's input means in events of
 * Linux. Specification: virtio 1.2 section 5.8.6; the kernel's input/event-codes and multi-touch-protocol (type B). */
#include "display/keycodes.h"
#include "vmm/machine/machine.h"
#include "vmm/virtio/virtio-input-private.h"
#include "vmm/virtio/virtio-input.h"

enum {
	INPUT_ID = 0x1052,
};

static const struct property input_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY("2"),
	{ "serial", PROPERTY_STRING, offsetof(struct virtio_input, serial), NULL,
		"serial number the guest sees" },
	{ .type = PROPERTY_END },
};

/* --- keyboard --- */

static void key(void *device, uint8_t qnum, bool down)
{
	struct virtio_input *input = device;

	if (input->keys_of[qnum] == 0)
		return;
	virtio_input_event(input, EV_KEY, input->keys_of[qnum], down);
	virtio_input_report(input);
}

static const struct keyboard_ops keyboard_ops = { .key = key };

static void attach_keyboard(struct virtio_input *input, bool on)
{
	display_set_keyboard(
		input->virtio.pci.device.machine->display, on ? &keyboard_ops : NULL, input);
}

static bool keyboard_realize(struct device *device, GError **error)
{
	struct virtio_input *input = (struct virtio_input *)device;

	for (const struct input_codes *row = input_keyboard.keys; row->last > 0; row++)
		for (unsigned code = row->first; code <= row->last; code++)
			input->keys_of[keycodes_qnum_from_evdev(code)] = code;
	input->keys_of[0] = 0;
	input->attach = attach_keyboard;
	return virtio_input_realize(input, &input_keyboard, error);
}

/* --- mouse and tablet --- */

static void button(void *device, enum input_button number, bool down)
{
	static const uint16_t codes[INPUT_BUTTONS] = {
		[INPUT_BUTTON_LEFT] = BTN_LEFT,
		[INPUT_BUTTON_MIDDLE] = BTN_MIDDLE,
		[INPUT_BUTTON_RIGHT] = BTN_RIGHT,
		[INPUT_BUTTON_SIDE] = BTN_SIDE,
		[INPUT_BUTTON_EXTRA] = BTN_EXTRA,
	};
	struct virtio_input *input = device;

	if (number == INPUT_BUTTON_WHEEL_UP || number == INPUT_BUTTON_WHEEL_DOWN) {
		if (!down)
			return;
		virtio_input_event(
			input, EV_REL, REL_WHEEL, number == INPUT_BUTTON_WHEEL_UP ? 1 : UINT32_MAX);
	} else {
		virtio_input_event(input, EV_KEY, codes[number], down);
	}
	virtio_input_report(input);
}

static void motion(void *device, int32_t dx, int32_t dy)
{
	struct virtio_input *input = device;

	if (dx != 0)
		virtio_input_event(input, EV_REL, REL_X, dx);
	if (dy != 0)
		virtio_input_event(input, EV_REL, REL_Y, dy);
	if (dx != 0 || dy != 0)
		virtio_input_report(input);
}

/* Of a picture's pixels, 0 to @size - 1, to the whole axis. */
static uint32_t on_axis(uint32_t at, uint32_t size)
{
	return size > 1 ? (uint64_t)at * INPUT_AXIS_MAX / (size - 1) : 0;
}

static void position(void *device, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct virtio_input *input = device;

	virtio_input_event(input, EV_ABS, ABS_X, on_axis(x, width));
	virtio_input_event(input, EV_ABS, ABS_Y, on_axis(y, height));
	virtio_input_report(input);
}

static const struct pointer_ops mouse_ops = { .motion = motion, .button = button };
static const struct pointer_ops tablet_ops = {
	.absolute = true,
	.position = position,
	.button = button,
};

static void attach_mouse(struct virtio_input *input, bool on)
{
	display_set_pointer(
		input->virtio.pci.device.machine->display, on ? &mouse_ops : NULL, input);
}

static bool mouse_realize(struct device *device, GError **error)
{
	struct virtio_input *input = (struct virtio_input *)device;

	input->attach = attach_mouse;
	return virtio_input_realize(input, &input_mouse, error);
}

static void attach_tablet(struct virtio_input *input, bool on)
{
	display_set_pointer(
		input->virtio.pci.device.machine->display, on ? &tablet_ops : NULL, input);
}

static bool tablet_realize(struct device *device, GError **error)
{
	struct virtio_input *input = (struct virtio_input *)device;

	input->attach = attach_tablet;
	return virtio_input_realize(input, &input_tablet, error);
}

/* --- touch screen --- */

/* A finger is in a slot as long as it has a tracking id; the first one down and the last one up are BTN_TOUCH as well. */
static void touch(void *device, enum input_touch kind, unsigned slot, uint32_t x, uint32_t y,
	uint32_t width, uint32_t height)
{
	struct virtio_input *input = device;
	bool was_down = input->fingers >> slot & 1, is_down = kind <= INPUT_TOUCH_UPDATE;
	bool touched = input->fingers != 0;

	if (!was_down && !is_down)
		return;
	if (is_down)
		input->fingers |= 1u << slot;
	else
		input->fingers &= ~(1u << slot);
	virtio_input_event(input, EV_ABS, ABS_MT_SLOT, slot);
	if (is_down != was_down)
		virtio_input_event(input, EV_ABS, ABS_MT_TRACKING_ID, is_down ? slot : UINT32_MAX);
	if (is_down) {
		virtio_input_event(input, EV_ABS, ABS_MT_POSITION_X, on_axis(x, width));
		virtio_input_event(input, EV_ABS, ABS_MT_POSITION_Y, on_axis(y, height));
	}
	if (touched != (input->fingers != 0))
		virtio_input_event(input, EV_KEY, BTN_TOUCH, !touched);
	virtio_input_report(input);
}

static const struct touch_ops touch_ops = { .slots = INPUT_TOUCH_SLOTS, .touch = touch };

static void attach_multitouch(struct virtio_input *input, bool on)
{
	display_set_touch(input->virtio.pci.device.machine->display, on ? &touch_ops : NULL, input);
}

static bool multitouch_realize(struct device *device, GError **error)
{
	struct virtio_input *input = (struct virtio_input *)device;

	input->attach = attach_multitouch;
	return virtio_input_realize(input, &input_multitouch, error);
}

/* --- classes --- */

#define IDENTITY(class) \
	{ \
		.vendor = 0x1af4, .device = INPUT_ID, .subsystem_vendor = 0x1af4, \
		.subsystem = 0x1100, .class_code = (class), .revision = 1, .interrupt_pin = 1, \
	}

static const struct pci_identity keyboard_identity = IDENTITY(0x090000);
static const struct pci_identity mouse_identity = IDENTITY(0x090200);
static const struct pci_identity other_identity = IDENTITY(0x098000);

#define INPUT_CLASS(class_name, text, pci_identity, realize_function) \
	{ \
		.name = (class_name), .description = (text), .bus = BUS_PCI, \
		.user_creatable = true, .size = sizeof(struct virtio_input), \
		.pci = &(pci_identity), .properties = input_properties, \
		.realize = (realize_function), .reset = virtio_device_reset, \
		.unrealize = virtio_input_unrealize, .set_running = virtio_device_set_running, \
	}

const struct device_class virtio_keyboard_class =
	INPUT_CLASS("virtio-keyboard-pci", "keyboard", keyboard_identity, keyboard_realize);
const struct device_class virtio_mouse_class =
	INPUT_CLASS("virtio-mouse-pci", "mouse", mouse_identity, mouse_realize);
const struct device_class virtio_tablet_class = INPUT_CLASS("virtio-tablet-pci",
	"tablet: a pointer that goes where the viewer's is", other_identity, tablet_realize);
const struct device_class virtio_multitouch_class = INPUT_CLASS("virtio-multitouch-pci",
	"touch screen for ten fingers", other_identity, multitouch_realize);
