/* What all virtio input devices do: answer what they are, and carry events. Specification: virtio 1.2 section 5.8.
 *
 * Events go out in whole reports. A driver that gives no buffers makes them wait, up to a bound; what comes then is
 * forgotten, and made good when there is room again: keys go to where they are now, so that none stays pressed for ever.
 */
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-input-private.h"

enum {
	QUEUE_EVENTS = 0,
	QUEUE_STATUS = 1,
	QUEUES = 2,
	QUEUE_SIZE = 64,
	EVENT_BYTES = 8,

	CONFIG_SELECT = 0,
	CONFIG_SUBSELECT = 1,
	CONFIG_BYTES = 2, /* of the answer */
	CONFIG_DATA = 8,
	CONFIG_SIZE = CONFIG_DATA + INPUT_CONFIG_DATA,
};

static bool bit(const uint8_t *bits, unsigned index)
{
	return bits[index / 8] >> index % 8 & 1;
}

static void set_bit(uint8_t *bits, unsigned index, bool on)
{
	if (on)
		bits[index / 8] |= 1 << index % 8;
	else
		bits[index / 8] &= ~(1 << index % 8);
}

static void forget_events(struct virtio_input *input)
{
	input->count = input->whole = 0;
}

/* One report ends behind the first SYN_REPORT: how many events it has. */
static unsigned report_length(const struct virtio_input *input)
{
	unsigned i = 0;

	while (input->waiting[i].type != EV_SYN)
		i++;
	return i + 1;
}

static void note_known(struct virtio_input *input, const struct input_event *event)
{
	uint32_t finger = 1u << input->known_slot;

	if (event->type == EV_KEY)
		set_bit(input->known, event->code, event->value != 0);
	else if (event->type == EV_ABS && event->code == ABS_MT_SLOT)
		input->known_slot = event->value;
	else if (event->type == EV_ABS && event->code == ABS_MT_TRACKING_ID)
		input->known_fingers = event->value == UINT32_MAX ? input->known_fingers & ~finger
								  : input->known_fingers | finger;
}

static void give_event(struct virtio_input *input, struct virtqueue_element *element,
	const struct input_event *event)
{
	uint8_t bytes[EVENT_BYTES];

	config_set16(bytes, event->type);
	config_set16(bytes + 2, event->code);
	config_set32(bytes + 4, event->value);
	virtqueue_push(&input->virtio.queues[QUEUE_EVENTS], element,
		iovec_write(element->writable, element->writable_count, 0, bytes, sizeof(bytes)));
	note_known(input, event);
}

/* The first report that waits, if there are buffers for all of it. */
static bool send_report(struct virtio_input *input)
{
	struct virtqueue *queue = &input->virtio.queues[QUEUE_EVENTS];
	unsigned length = report_length(input), taken = 0;

	while (taken < length && virtio_take(&input->virtio, QUEUE_EVENTS, &input->elements[taken]))
		taken++;
	if (taken < length) {
		while (taken > 0 && !virtio_is_broken(&input->virtio))
			virtqueue_unpop(queue, &input->elements[--taken]);
		return false;
	}
	for (unsigned i = 0; i < length; i++)
		give_event(input, &input->elements[i], &input->waiting[i]);
	input->count -= length;
	input->whole -= length;
	memmove(input->waiting, input->waiting + length, input->count * sizeof(*input->waiting));
	return true;
}

static bool add(struct virtio_input *input, uint16_t type, uint16_t code, uint32_t value)
{
	if (input->count == INPUT_EVENTS_MAX)
		return false;
	input->waiting[input->count++] = (struct input_event) { type, code, value };
	return true;
}

/* Fingers that the guest has in another state than they are. Where one is, its next move tells. */
static void make_good_fingers(struct virtio_input *input)
{
	for (unsigned slot = 0; slot < INPUT_TOUCH_SLOTS; slot++) {
		if (((input->fingers ^ input->known_fingers) >> slot & 1) == 0)
			continue;
		add(input, EV_ABS, ABS_MT_SLOT, slot);
		add(input, EV_ABS, ABS_MT_TRACKING_ID,
			input->fingers >> slot & 1 ? slot : UINT32_MAX);
		add(input, EV_SYN, SYN_REPORT, 0);
	}
}

/* Keys that the guest has in another state than they are, a few at a time. Each is a report of its own, for drivers that
 * have few buffers. */
static void make_good(struct virtio_input *input)
{
	input->lost = false;
	make_good_fingers(input);
	for (unsigned code = 0; code < KEY_CNT; code++) {
		if (bit(input->down, code) == bit(input->known, code))
			continue;
		if (input->count > QUEUE_SIZE) {
			input->lost = true;
			break;
		}
		add(input, EV_KEY, code, bit(input->down, code));
		add(input, EV_SYN, SYN_REPORT, 0);
	}
	input->whole = input->count;
}

static void send(struct virtio_input *input)
{
	bool sent = false;

	do {
		while (input->whole > 0 && send_report(input))
			sent = true;
		if (input->count > 0 || !input->lost)
			break;
		make_good(input);
	} while (input->whole > 0);
	if (sent)
		virtio_interrupt(&input->virtio, QUEUE_EVENTS);
}

void virtio_input_event(struct virtio_input *input, uint16_t type, uint16_t code, uint32_t value)
{
	if (type == EV_KEY)
		set_bit(input->down, code, value != 0);
	/* After a loss nothing is added until what is there has gone: the rest would be torn out of its order. */
	if (!input->lost && add(input, type, code, value))
		return;
	input->lost = true;
	input->count = input->whole;
}

void virtio_input_report(struct virtio_input *input)
{
	virtio_input_event(input, EV_SYN, SYN_REPORT, 0);
	input->whole = input->count;
	if (virtio_queue_is_ready(&input->virtio, QUEUE_EVENTS))
		send(input);
}

static void events_kicked(struct virtio_device *virtio, unsigned queue)
{
	send((struct virtio_input *)virtio);
}

/* --- status: the keyboard's lights --- */

static int64_t take_status(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	static const uint32_t lights[] = {
		[LED_NUML] = INPUT_LIGHT_NUM,
		[LED_CAPSL] = INPUT_LIGHT_CAPS,
		[LED_SCROLLL] = INPUT_LIGHT_SCROLL,
	};
	struct virtio_input *input = (struct virtio_input *)virtio;
	uint8_t bytes[EVENT_BYTES];
	uint16_t code;

	if (iovec_read(element->readable, element->readable_count, 0, bytes, sizeof(bytes)) !=
		sizeof(bytes))
		return 0;
	code = config_get16(bytes + 2);
	if (!input->kind->lights || config_get16(bytes) != EV_LED || code >= G_N_ELEMENTS(lights))
		return 0;
	if (config_get32(bytes + 4))
		input->lights |= lights[code];
	else
		input->lights &= ~lights[code];
	display_set_lights(virtio->pci.device.machine->display, input->lights);
	return 0;
}

static void status_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, take_status);
}

/* --- configuration --- */

static void get_config(struct virtio_device *virtio, uint8_t *config)
{
	struct virtio_input *input = (struct virtio_input *)virtio;

	config[CONFIG_SELECT] = input->select;
	config[CONFIG_SUBSELECT] = input->subselect;
	config[CONFIG_BYTES] = virtio_input_answer(
		input->kind, input->serial, input->select, input->subselect, config + CONFIG_DATA);
}

static void set_config(
	struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size)
{
	struct virtio_input *input = (struct virtio_input *)virtio;

	for (unsigned i = 0; i < size; i++) {
		if (offset + i == CONFIG_SELECT)
			input->select = bytes[i];
		if (offset + i == CONFIG_SUBSELECT)
			input->subselect = bytes[i];
	}
}

/* --- life --- */

static void attach(struct virtio_input *input, bool on)
{
	if (input->attached == on)
		return;
	input->attached = on;
	input->attach(input, on);
}

static void start(struct virtio_device *virtio)
{
	attach((struct virtio_input *)virtio, true);
}

static void reset(struct virtio_device *virtio)
{
	struct virtio_input *input = (struct virtio_input *)virtio;

	attach(input, false);
	forget_events(input);
	input->select = input->subselect = 0;
	input->lost = false;
	input->fingers = input->known_fingers = input->known_slot = 0;
	memset(input->down, 0, sizeof(input->down));
	memset(input->known, 0, sizeof(input->known));
	if (input->lights)
		display_set_lights(virtio->pci.device.machine->display, 0);
	input->lights = 0;
}

static const struct virtio_ops input_ops = {
	.queues = QUEUES,
	.config_size = CONFIG_SIZE,
	.get_config = get_config,
	.set_config = set_config,
	.start = start,
	.reset = reset,
};

bool virtio_input_realize(struct virtio_input *input, const struct input_kind *kind, GError **error)
{
	input->kind = kind;
	input->virtio.ops = &input_ops;
	if (!virtio_pci_realize(&input->virtio, error))
		return false;
	input->elements = g_new0(struct virtqueue_element, INPUT_EVENTS_MAX);
	for (unsigned i = 0; i < QUEUES; i++)
		virtio_set_queue_size(&input->virtio, i, QUEUE_SIZE);
	virtio_add_main_queue(&input->virtio, QUEUE_EVENTS, events_kicked);
	virtio_add_main_queue(&input->virtio, QUEUE_STATUS, status_kicked);
	return true;
}

void virtio_input_unrealize(struct device *device)
{
	struct virtio_input *input = (struct virtio_input *)device;

	attach(input, false);
	virtio_pci_unrealize(&input->virtio);
	for (unsigned i = 0; input->elements && i < INPUT_EVENTS_MAX; i++)
		virtqueue_element_clear(&input->elements[i]);
	g_clear_pointer(&input->elements, g_free);
}
