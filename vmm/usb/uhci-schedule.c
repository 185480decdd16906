/* Frames: the list that the guest keeps for each, queues in it, and transfer descriptors, each of which is one transaction.
 *
 * Whatever is read of the guest's memory is read once. A frame ends after so many steps, so many bytes, or when it comes back to
 * a queue and nothing was done since: drivers close queues to a ring to have the rest of each frame used.
 *
 * Specification: UHCI 1.1 sections 3 (structures) and 3.4 (how they are worked off).
 */
#include "base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/usb/uhci.h"

enum {
	LINK_END = 1 << 0,
	LINK_QUEUE = 1 << 1,
	LINK_DEPTH_FIRST = 1 << 2,
	LINK_ADDRESS = ~0xf,

	QUEUE_BYTES = 8,
	QUEUE_ELEMENT = 4, /* where it has the link to its first descriptor */
	QUEUES_MAX = 128,  /* that a frame remembers */

	DESCRIPTOR_BYTES = 16,
	DESCRIPTOR_STATUS = 4,
	DESCRIPTOR_TOKEN = 8,
	DESCRIPTOR_BUFFER = 12,

	LENGTH_MASK = 0x7ff, /* of bytes less one */
	STATUS_TIMEOUT = 1 << 18,
	STATUS_NAK = 1 << 19,
	STATUS_BABBLE = 1 << 20,
	STATUS_STALLED = 1 << 22,
	STATUS_ACTIVE = 1 << 23,
	STATUS_ERRORS = 0x7e << 16,
	STATUS_ON_COMPLETE = 1 << 24,
	STATUS_ISOCHRONOUS = 1 << 25,
	STATUS_RETRIES = 3 << 27,
	STATUS_ON_SHORT = 1 << 29,

	TOKEN_ADDRESS_SHIFT = 8,
	TOKEN_ENDPOINT_SHIFT = 15,
	TOKEN_LENGTH_SHIFT = 21,
	TOKEN_OVERHEAD = 8, /* bytes that a transaction takes besides its data */

	PID_IN = 0x69,
	PID_OUT = 0xe1,
	PID_SETUP = 0x2d,
};

struct descriptor {
	uint32_t address;
	uint32_t link, status, token, buffer;
	unsigned length;
	enum usb_token kind;
};

/* A frame being worked off. */
struct frame {
	uint32_t queue, next; /* the queue that we are in, 0: none; what it leads to */
	uint32_t seen[QUEUES_MAX];
	unsigned seen_count;
	unsigned bytes;
	bool progress; /* since seen[] was empty */
	bool worked, completed, was_short;
};

enum step {
	STEP_DONE,  /* the next of the queue, if it goes in depth */
	STEP_LEAVE, /* what the queue leads to */
	STEP_END,   /* of the frame */
};

static void fail_controller(struct uhci *uhci, uint16_t error, const char *what)
{
	uhci->status |= error;
	uhci->command &= ~UHCI_RUN;
	uhci_stop(uhci);
	log_limited(&uhci->pci.complaints, PCI_COMPLAINTS_MAX, "%s: %s; the controller stops",
		uhci->pci.device.class->name, what);
}

static bool read_memory(struct uhci *uhci, uint32_t address, void *to, size_t length)
{
	if (pci_device_is_bus_master(&uhci->pci) &&
		guest_memory_read(uhci->pci.device.machine->memory, address, to, length))
		return true;
	fail_controller(uhci, UHCI_SYSTEM_ERROR, "the schedule or a buffer is not in RAM");
	return false;
}

static bool write_memory(struct uhci *uhci, uint32_t address, const void *from, size_t length)
{
	if (pci_device_is_bus_master(&uhci->pci) &&
		guest_memory_write(uhci->pci.device.machine->memory, address, from, length))
		return true;
	fail_controller(uhci, UHCI_SYSTEM_ERROR, "the schedule or a buffer is not in RAM");
	return false;
}

static bool write_word(struct uhci *uhci, uint32_t address, uint32_t value)
{
	uint8_t bytes[4];

	config_set32(bytes, value);
	return write_memory(uhci, address, bytes, sizeof(bytes));
}

/* Transactions that devices take their time for */

static void transaction_done(struct usb_packet *packet)
{
	struct uhci_transaction *transaction = packet->owner;

	transaction->done = true;
	uhci_wake(transaction->uhci);
}

static void forget(struct uhci_transaction *transaction)
{
	if (transaction->used && !transaction->done)
		usb_cancel(&transaction->packet);
	transaction->used = false;
}

void uhci_cancel(struct uhci *uhci, const struct usb_device *device)
{
	for (unsigned i = 0; i < UHCI_UNDER_WAY; i++)
		if (!device || uhci->transactions[i].device == device)
			forget(&uhci->transactions[i]);
}

/* Those that the driver took out of the schedule. */
static void age_transactions(struct uhci *uhci)
{
	for (unsigned i = 0; i < UHCI_UNDER_WAY; i++)
		if (uhci->transactions[i].used && ++uhci->transactions[i].age > UHCI_FORGOTTEN)
			forget(&uhci->transactions[i]);
}

/* The one that was begun for this descriptor, or NULL. What was begun for another use of the same endpoint is given up. */
static struct uhci_transaction *find_transaction(
	struct uhci *uhci, const struct descriptor *descriptor, struct usb_device *device)
{
	unsigned endpoint = descriptor->token >> TOKEN_ENDPOINT_SHIFT & 0xf;

	for (unsigned i = 0; i < UHCI_UNDER_WAY; i++) {
		struct uhci_transaction *transaction = &uhci->transactions[i];

		if (!transaction->used)
			continue;
		if (transaction->descriptor == descriptor->address &&
			transaction->token == descriptor->token &&
			transaction->buffer == descriptor->buffer && transaction->device == device)
			return transaction;
		if (transaction->descriptor == descriptor->address ||
			(transaction->device == device &&
				transaction->packet.endpoint == endpoint &&
				transaction->packet.in == (descriptor->kind == USB_TOKEN_IN)))
			forget(transaction);
	}
	return NULL;
}

static struct uhci_transaction *new_transaction(
	struct uhci *uhci, const struct descriptor *descriptor, struct usb_device *device)
{
	for (unsigned i = 0; i < UHCI_UNDER_WAY; i++) {
		struct uhci_transaction *transaction = &uhci->transactions[i];

		if (transaction->used)
			continue;
		transaction->uhci = uhci;
		transaction->descriptor = descriptor->address;
		transaction->token = descriptor->token;
		transaction->buffer = descriptor->buffer;
		transaction->used = true;
		transaction->done = false;
		transaction->device = device;
		transaction->piece = (struct iovec) { transaction->bytes, descriptor->length };
		transaction->packet = (struct usb_packet) {
			.endpoint = descriptor->token >> TOKEN_ENDPOINT_SHIFT & 0xf,
			.pieces = &transaction->piece,
			.count = 1,
			.length = descriptor->length,
			.complete = transaction_done,
			.owner = transaction,
		};
		return transaction;
	}
	return NULL;
}

/* Transactions */

/* Writes what became of a descriptor. */
static enum step finish(struct uhci *uhci, struct frame *frame, struct descriptor *descriptor,
	uint32_t errors, enum step step)
{
	uint32_t status = descriptor->status;

	status &= ~(uint32_t)STATUS_ACTIVE;
	if (errors)
		uhci->status |= UHCI_ERROR;
	if (status & STATUS_ON_COMPLETE)
		frame->completed = true;
	frame->progress = frame->worked = true;
	return write_word(uhci, descriptor->address + DESCRIPTOR_STATUS, status | errors)
		       ? step
		       : STEP_END;
}

static enum step not_ready(struct uhci *uhci, struct frame *frame, struct descriptor *descriptor)
{
	if (descriptor->status & STATUS_ISOCHRONOUS)
		return finish(uhci, frame, descriptor, 0, STEP_DONE);
	if (descriptor->status & STATUS_NAK)
		return STEP_LEAVE;
	return write_word(uhci, descriptor->address + DESCRIPTOR_STATUS,
		       descriptor->status | STATUS_NAK)
		       ? STEP_LEAVE
		       : STEP_END;
}

/* Nobody answers: all retries at once, unless the driver wants them to go on for ever. */
static enum step no_answer(struct uhci *uhci, struct frame *frame, struct descriptor *descriptor)
{
	if (descriptor->status & STATUS_ISOCHRONOUS)
		return finish(uhci, frame, descriptor, STATUS_TIMEOUT, STEP_DONE);
	if (descriptor->status & STATUS_RETRIES) {
		descriptor->status &= ~(uint32_t)STATUS_RETRIES;
		return finish(uhci, frame, descriptor, STATUS_TIMEOUT | STATUS_STALLED, STEP_LEAVE);
	}
	return write_word(uhci, descriptor->address + DESCRIPTOR_STATUS,
		       descriptor->status | STATUS_TIMEOUT)
		       ? STEP_LEAVE
		       : STEP_END;
}

static enum step moved(struct uhci *uhci, struct frame *frame, struct descriptor *descriptor,
	const struct uhci_transaction *transaction)
{
	size_t length = transaction->packet.moved;
	bool is_short = descriptor->kind == USB_TOKEN_IN && length < descriptor->length;

	if (descriptor->kind == USB_TOKEN_IN && length > 0 &&
		!write_memory(uhci, descriptor->buffer, transaction->bytes, length))
		return STEP_END;
	descriptor->status &= ~(uint32_t)(LENGTH_MASK | STATUS_ERRORS);
	descriptor->status |= (length - 1) & LENGTH_MASK;
	if (is_short && frame->queue && descriptor->status & STATUS_ON_SHORT) {
		frame->was_short = true;
		return finish(uhci, frame, descriptor, 0, STEP_LEAVE);
	}
	return finish(uhci, frame, descriptor, 0, STEP_DONE);
}

static enum step conclude(struct uhci *uhci, struct frame *frame, struct descriptor *descriptor,
	struct uhci_transaction *transaction)
{
	enum step step;

	switch (transaction->packet.status) {
	case USB_ASYNC:
		transaction->age = 0;
		frame->worked = true;
		return not_ready(uhci, frame, descriptor);
	case USB_NAK:
		step = not_ready(uhci, frame, descriptor);
		break;
	case USB_SUCCESS:
		step = moved(uhci, frame, descriptor, transaction);
		break;
	case USB_STALL:
		step = finish(uhci, frame, descriptor, STATUS_STALLED, STEP_LEAVE);
		break;
	case USB_BABBLE:
		step = finish(uhci, frame, descriptor, STATUS_BABBLE | STATUS_STALLED, STEP_LEAVE);
		break;
	default:
		step = no_answer(uhci, frame, descriptor);
		break;
	}
	transaction->used = false;
	return step;
}

static enum step run_transaction(
	struct uhci *uhci, struct frame *frame, struct descriptor *descriptor)
{
	struct usb_device *device =
		uhci_find_device(uhci, descriptor->token >> TOKEN_ADDRESS_SHIFT & 0x7f);
	struct uhci_transaction *transaction;

	if (!device)
		return no_answer(uhci, frame, descriptor);
	transaction = find_transaction(uhci, descriptor, device);
	if (transaction)
		return conclude(uhci, frame, descriptor, transaction);
	transaction = new_transaction(uhci, descriptor, device);
	if (!transaction)
		return not_ready(uhci, frame, descriptor);
	if (descriptor->kind != USB_TOKEN_IN && descriptor->length > 0 &&
		!read_memory(uhci, descriptor->buffer, transaction->bytes, descriptor->length)) {
		transaction->used = false;
		return STEP_END;
	}
	usb_send_token(device, descriptor->kind, &transaction->packet);
	return conclude(uhci, frame, descriptor, transaction);
}

static bool parse(struct descriptor *descriptor, const uint8_t bytes[DESCRIPTOR_BYTES])
{
	descriptor->link = config_get32(bytes);
	descriptor->status = config_get32(bytes + DESCRIPTOR_STATUS);
	descriptor->token = config_get32(bytes + DESCRIPTOR_TOKEN);
	descriptor->buffer = config_get32(bytes + DESCRIPTOR_BUFFER);
	descriptor->length = ((descriptor->token >> TOKEN_LENGTH_SHIFT) + 1) & LENGTH_MASK;
	switch (descriptor->token & 0xff) {
	case PID_IN:
		descriptor->kind = USB_TOKEN_IN;
		break;
	case PID_OUT:
		descriptor->kind = USB_TOKEN_OUT;
		break;
	case PID_SETUP:
		descriptor->kind = USB_TOKEN_SETUP;
		break;
	default:
		return false;
	}
	return descriptor->length <= UHCI_FRAME_BYTES;
}

static enum step run_descriptor(
	struct uhci *uhci, struct frame *frame, uint32_t address, uint32_t *link)
{
	struct descriptor descriptor = { .address = address };
	uint8_t bytes[DESCRIPTOR_BYTES];
	bool fits;

	if (!read_memory(uhci, address, bytes, sizeof(bytes)))
		return STEP_END;
	fits = parse(&descriptor, bytes);
	*link = descriptor.link;
	if (!(descriptor.status & STATUS_ACTIVE)) {
		/* Drivers have themselves told of the end of a frame by one that is not active. */
		if (descriptor.status & STATUS_ON_COMPLETE)
			frame->completed = true;
		return frame->queue ? STEP_LEAVE : STEP_DONE;
	}
	if (!fits) {
		fail_controller(uhci, UHCI_PROCESS_ERROR,
			"a transfer descriptor has a wrong token or length");
		return STEP_END;
	}
	if (frame->bytes + descriptor.length + TOKEN_OVERHEAD > UHCI_FRAME_BYTES &&
		frame->bytes > 0)
		return STEP_END;
	frame->bytes += descriptor.length + TOKEN_OVERHEAD;
	return run_transaction(uhci, frame, &descriptor);
}

/* Queues */

/* False: the frame has been here, and nothing was done since. */
static bool enter_queue(struct frame *frame, uint32_t address)
{
	bool again = frame->seen_count == QUEUES_MAX;

	for (unsigned i = 0; i < frame->seen_count && !again; i++)
		again = frame->seen[i] == address;
	if (again && !frame->progress)
		return false;
	if (again) {
		frame->seen_count = 0;
		frame->progress = false;
	}
	frame->seen[frame->seen_count++] = address;
	frame->queue = address;
	return true;
}

/* From a queue's head to its first element, or to what it leads to when it is empty. */
static bool run_queue(struct uhci *uhci, struct frame *frame, uint32_t address, uint32_t *link)
{
	uint8_t bytes[QUEUE_BYTES];
	uint32_t element;

	if (!enter_queue(frame, address) || !read_memory(uhci, address, bytes, sizeof(bytes)))
		return false;
	frame->next = config_get32(bytes);
	element = config_get32(bytes + QUEUE_ELEMENT);
	*link = element & LINK_END ? frame->next : element;
	return true;
}

static bool run_element(struct uhci *uhci, struct frame *frame, uint32_t *link)
{
	uint32_t address = *link & LINK_ADDRESS;

	switch (run_descriptor(uhci, frame, address, link)) {
	case STEP_LEAVE:
		*link = frame->queue ? frame->next : *link;
		frame->queue = 0;
		return true;
	case STEP_DONE:
		if (!frame->queue)
			return true;
		if (!write_word(uhci, frame->queue + QUEUE_ELEMENT, *link))
			return false;
		if (!(*link & LINK_DEPTH_FIRST) || *link & LINK_END) {
			*link = frame->next;
			frame->queue = 0;
		}
		return true;
	default:
		return false;
	}
}

static void run_frame(struct uhci *uhci, struct frame *frame)
{
	uint8_t bytes[4];
	uint32_t link;
	bool goes_on = true;

	if (!read_memory(
		    uhci, uhci->frame_list + uhci->frame % UHCI_FRAMES * 4, bytes, sizeof(bytes)))
		return;
	link = config_get32(bytes);
	for (unsigned i = 0; i < UHCI_STEPS && goes_on && !(link & LINK_END); i++)
		goes_on = link & LINK_QUEUE ? run_queue(uhci, frame, link & LINK_ADDRESS, &link)
					    : run_element(uhci, frame, &link);
}

/* Time */

static void set_timer(struct uhci *uhci)
{
	unsigned batch = uhci->quiet < UHCI_QUIET ? 1
			 : uhci_has_devices(uhci) ? UHCI_BATCH
						  : UHCI_BATCH_ALONE;

	g_source_set_ready_time(
		uhci->timer, uhci->next_frame + (int64_t)(batch - 1) * UHCI_FRAME_TIME);
}

static bool is_running(const struct uhci *uhci)
{
	return uhci->machine_runs && uhci->command & UHCI_RUN;
}

void uhci_wake(struct uhci *uhci)
{
	uhci->quiet = 0;
	if (is_running(uhci))
		set_timer(uhci);
}

void uhci_start(struct uhci *uhci)
{
	uhci->status &= ~UHCI_HALTED;
	uhci->next_frame = g_get_monotonic_time() + UHCI_FRAME_TIME;
	uhci_wake(uhci);
}

void uhci_stop(struct uhci *uhci)
{
	if (!(uhci->command & UHCI_RUN))
		uhci->status |= UHCI_HALTED;
	g_source_set_ready_time(uhci->timer, -1);
}

static void run_next_frame(struct uhci *uhci)
{
	struct frame frame = { .queue = 0 };

	run_frame(uhci, &frame);
	age_transactions(uhci);
	uhci->frame = (uhci->frame + 1) & UHCI_FRAME_MASK;
	uhci->next_frame += UHCI_FRAME_TIME;
	uhci->completed |= frame.completed;
	uhci->was_short |= frame.was_short;
	if (frame.completed || frame.was_short)
		uhci->status |= UHCI_INTERRUPT;
	if (frame.worked || frame.completed)
		uhci->quiet = 0;
	else if (uhci->quiet < UHCI_QUIET)
		uhci->quiet++;
}

void uhci_run_frames(struct uhci *uhci)
{
	int64_t now = g_get_monotonic_time(), due;

	if (!is_running(uhci))
		return;
	due = now < uhci->next_frame ? 0 : (now - uhci->next_frame) / UHCI_FRAME_TIME + 1;
	if (due > UHCI_AT_ONCE) {
		uhci->next_frame += (due - UHCI_AT_ONCE) * UHCI_FRAME_TIME;
		due = UHCI_AT_ONCE;
	}
	for (; due > 0 && is_running(uhci); due--)
		run_next_frame(uhci);
	uhci_update_interrupt(uhci);
	if (is_running(uhci))
		set_timer(uhci);
}
