/* What the virtio input devices share: the queues and the configuration (virtio-input.c), what each kind is
 * (virtio-input-kinds.c), and what it makes of the display's input (virtio-input-events.c). */
#pragma once

#include <linux/input-event-codes.h>

#include "display/display.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	INPUT_EVENTS_MAX = 256, /* that wait for a driver with no room for them */
	INPUT_CONFIG_DATA = 128,
	INPUT_AXIS_MAX = 0x7fff,
	INPUT_TOUCH_SLOTS = 10,
};

struct input_event {
	uint16_t type, code;
	uint32_t value;
};

/* First and last of a row of codes. */
struct input_codes {
	uint16_t first, last;
};

struct input_axis {
	uint16_t code;
	uint32_t maximum;
};

/* What a device says of itself. Lists end with a row of zeroes (keys) or with @axis_count. */
struct input_kind {
	const char *name;
	uint16_t product, version;
	const struct input_codes *keys, *motions, *positions, *lights, *properties;
	bool repeats;
	const struct input_axis *axes;
	unsigned axis_count;
};

struct virtio_input {
	struct virtio_device virtio;
	char *serial;
	const struct input_kind *kind;
	/* Gives the device its input once a driver is there; takes it away. */
	void (*attach)(struct virtio_input *input, bool on);
	bool attached;

	uint8_t select, subselect;
	struct input_event waiting[INPUT_EVENTS_MAX]; /* up to @whole they make whole reports */
	unsigned count, whole;
	bool lost; /* some did not fit: keys may not be as the guest has them */
	uint8_t down[(KEY_CNT + 7) / 8];  /* as they are */
	uint8_t known[(KEY_CNT + 7) / 8]; /* as the guest was told */
	uint32_t lights;
	uint16_t keys_of[256];              /* Linux's codes by qnum; 0: none */
	uint32_t fingers;                   /* touch slots in use, a bit each */
	uint32_t known_fingers;             /* as the guest was told */
	uint32_t known_slot;                /* the one that the guest thinks we speak of */
	struct virtqueue_element *elements; /* of the events on their way */
};

/* Adds an event to the report being made; SYN_REPORT ends it and sends what there is room for. */
void virtio_input_event(struct virtio_input *input, uint16_t type, uint16_t code, uint32_t value);
void virtio_input_report(struct virtio_input *input);

/* The answer to a choice of the driver's: @data filled, how many bytes there are. Section 5.8.4. */
uint8_t virtio_input_answer(const struct input_kind *kind, const char *serial, uint8_t select,
	uint8_t subselect, uint8_t data[INPUT_CONFIG_DATA]);

bool virtio_input_realize(
	struct virtio_input *input, const struct input_kind *kind, GError **error);
void virtio_input_unrealize(struct device *device);

extern const struct input_kind input_keyboard, input_mouse, input_tablet, input_multitouch;
