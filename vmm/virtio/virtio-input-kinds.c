/* What each virtio input device is: its name, its numbers, its keys and axes. These are those of QEMU's devices, by which
 * guests may know them. Specification: virtio 1.2 section 5.8.4; the codes are those of linux/input-event-codes.h. */
#include <string.h>

#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-input-private.h"

/* Values of select. */
enum {
	SELECT_NAME = 0x01,
	SELECT_SERIAL = 0x02,
	SELECT_NUMBERS = 0x03,
	SELECT_PROPERTIES = 0x10,
	SELECT_CODES = 0x11,
	SELECT_AXIS = 0x12,

	BUS_TYPE_VIRTUAL = 0x06,
	VENDOR = 0x0627,
	NUMBERS_BYTES = 8,
	AXIS_BYTES = 20,
};

static const struct input_codes keyboard_keys[] = {
	{ KEY_ESC, KEY_KPDOT },
	{ KEY_102ND, KEY_RO },
	{ KEY_HIRAGANA, KEY_MUHENKAN },
	{ KEY_KPENTER, KEY_DELETE },
	{ KEY_MUTE, KEY_KPEQUAL },
	{ KEY_PAUSE, KEY_PAUSE },
	{ KEY_KPCOMMA, KEY_CALC },
	{ KEY_SLEEP, KEY_WAKEUP },
	{ KEY_MAIL, KEY_FORWARD },
	{ KEY_NEXTSONG, KEY_STOPCD },
	{ KEY_HOMEPAGE, KEY_REFRESH },
	{ KEY_MEDIA, KEY_MEDIA },
	{ 0, 0 },
};

static const struct input_codes keyboard_lights[] = { { LED_NUML, LED_SCROLLL }, { 0, 0 } };

static const struct input_codes buttons[] = {
	{ BTN_LEFT, BTN_EXTRA },
	{ BTN_GEAR_DOWN, BTN_GEAR_UP },
	{ 0, 0 },
};

static const struct input_codes touch_buttons[] = {
	{ BTN_LEFT, BTN_EXTRA },
	{ BTN_TOUCH, BTN_TOUCH },
	{ BTN_GEAR_DOWN, BTN_GEAR_UP },
	{ 0, 0 },
};

static const struct input_codes mouse_motions[] = {
	{ REL_X, REL_Y },
	{ REL_WHEEL, REL_WHEEL },
	{ 0, 0 },
};
static const struct input_codes wheel[] = { { REL_WHEEL, REL_WHEEL }, { 0, 0 } };
static const struct input_codes tablet_positions[] = { { ABS_X, ABS_Y }, { 0, 0 } };
static const struct input_codes touch_positions[] = {
	{ ABS_MT_SLOT, ABS_MT_SLOT },
	{ ABS_MT_POSITION_X, ABS_MT_POSITION_Y },
	{ ABS_MT_TRACKING_ID, ABS_MT_TRACKING_ID },
	{ 0, 0 },
};
static const struct input_codes touch_properties[] = {
	{ INPUT_PROP_DIRECT, INPUT_PROP_DIRECT },
	{ 0, 0 },
};

static const struct input_axis tablet_axes[] = {
	{ ABS_X, INPUT_AXIS_MAX },
	{ ABS_Y, INPUT_AXIS_MAX },
};
static const struct input_axis touch_axes[] = {
	{ ABS_MT_SLOT, INPUT_TOUCH_SLOTS },
	{ ABS_MT_TRACKING_ID, INPUT_TOUCH_SLOTS },
	{ ABS_MT_POSITION_X, INPUT_AXIS_MAX },
	{ ABS_MT_POSITION_Y, INPUT_AXIS_MAX },
};

const struct input_kind input_keyboard = {
	.name = "QEMU Virtio Keyboard",
	.product = 1,
	.version = 1,
	.keys = keyboard_keys,
	.lights = keyboard_lights,
	.repeats = true,
};

const struct input_kind input_mouse = {
	.name = "QEMU Virtio Mouse",
	.product = 2,
	.version = 2,
	.keys = buttons,
	.motions = mouse_motions,
};

const struct input_kind input_tablet = {
	.name = "QEMU Virtio Tablet",
	.product = 3,
	.version = 2,
	.keys = buttons,
	.motions = wheel,
	.positions = tablet_positions,
	.axes = tablet_axes,
	.axis_count = G_N_ELEMENTS(tablet_axes),
};

const struct input_kind input_multitouch = {
	.name = "QEMU Virtio MultiTouch",
	.product = 3,
	.version = 1,
	.keys = touch_buttons,
	.positions = touch_positions,
	.properties = touch_properties,
	.axes = touch_axes,
	.axis_count = G_N_ELEMENTS(touch_axes),
};

/* A bit for each code; as many bytes as there are codes for. The row of zeroes ends the list unless it comes first. */
static uint8_t fill_bits(const struct input_codes *rows, uint8_t *data)
{
	uint8_t bytes = 0;

	for (const struct input_codes *row = rows; row && (row == rows || row->last > 0); row++) {
		for (unsigned code = row->first; code <= row->last; code++) {
			data[code / 8] |= 1 << code % 8;
			bytes = MAX(bytes, code / 8 + 1);
		}
	}
	return bytes;
}

static uint8_t fill_codes(const struct input_kind *kind, uint8_t type, uint8_t *data)
{
	switch (type) {
	case EV_KEY:
		return fill_bits(kind->keys, data);
	case EV_REL:
		return fill_bits(kind->motions, data);
	case EV_ABS:
		return fill_bits(kind->positions, data);
	case EV_LED:
		return fill_bits(kind->lights, data);
	case EV_REP:
		return kind->repeats;
	default:
		return 0;
	}
}

static uint8_t fill_axis(const struct input_kind *kind, uint8_t code, uint8_t *data)
{
	for (unsigned i = 0; i < kind->axis_count; i++) {
		if (kind->axes[i].code != code)
			continue;
		config_set32(data + 4, kind->axes[i].maximum); /* the minimum is 0 */
		return AXIS_BYTES;
	}
	return 0;
}

static uint8_t fill_numbers(const struct input_kind *kind, uint8_t *data)
{
	config_set16(data, BUS_TYPE_VIRTUAL);
	config_set16(data + 2, VENDOR);
	config_set16(data + 4, kind->product);
	config_set16(data + 6, kind->version);
	return NUMBERS_BYTES;
}

static uint8_t fill_text(const char *text, size_t length, uint8_t *data)
{
	length = MIN(length, INPUT_CONFIG_DATA);
	memcpy(data, text, length);
	return length;
}

uint8_t virtio_input_answer(const struct input_kind *kind, const char *serial, uint8_t select,
	uint8_t subselect, uint8_t data[INPUT_CONFIG_DATA])
{
	/* Only codes and axes have anything to choose from. */
	if (subselect != 0 && select != SELECT_CODES && select != SELECT_AXIS)
		return 0;
	switch (select) {
	case SELECT_NAME: /* with the NUL, as guests have always seen it */
		return fill_text(kind->name, strlen(kind->name) + 1, data);
	case SELECT_SERIAL:
		return serial ? fill_text(serial, strlen(serial), data) : 0;
	case SELECT_NUMBERS:
		return fill_numbers(kind, data);
	case SELECT_PROPERTIES:
		return fill_bits(kind->properties, data);
	case SELECT_CODES:
		return fill_codes(kind, subselect, data);
	case SELECT_AXIS:
		return fill_axis(kind, subselect, data);
	default:
		return 0;
	}
}
