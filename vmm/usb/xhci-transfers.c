/* Transfer rings: transfer descriptors become USB packets, and their ends become events.
 *
 * A transfer's TRBs are copied once, when the whole of it is there; the ring's dequeue pointer stays before it until it has
 * ended, so that an endpoint that is stopped starts it again.
 *
 * Specification: xHCI 1.2 sections 3.2.8 to 3.2.11, 4.10, 4.11 and 6.4.1.
 */
#include "vmm/machine/machine.h"
#include "vmm/usb/xhci.h"

enum {
	IMMEDIATE_MAX = 8,        /* bytes */
	TRANSFER_MAX = 32 << 20,  /* bytes */
	TURN_BYTES_MAX = 4 << 20, /* transfers of one endpoint, before others have their turn */
};

static bool carries_data(const struct xhci_trb *trb)
{
	unsigned type = xhci_trb_type(trb);

	return type == TRB_NORMAL || type == TRB_DATA || type == TRB_ISOCH;
}

static unsigned trb_bytes(const struct xhci_trb *trb)
{
	return carries_data(trb) ? trb->status & TRB_LENGTH : 0;
}

static const struct xhci_trb *trb_at(const struct xhci_endpoint *endpoint, unsigned index)
{
	return &g_array_index(endpoint->trbs, struct xhci_trb, index);
}

/* Events */

static void send_event(struct xhci_endpoint *endpoint, const struct xhci_trb *trb, unsigned code,
	uint32_t residue, bool event_data)
{
	xhci_event(endpoint->xhci, trb->status >> TRB_INTERRUPTER_SHIFT,
		event_data ? trb->parameter : trb->address,
		(residue & TRB_RESIDUE) | code << TRB_CODE_SHIFT,
		TRB_TRANSFER_EVENT << TRB_TYPE_SHIFT | (event_data ? TRB_EVENT_DATA_EVENT : 0) |
			(uint32_t)endpoint->number << TRB_ENDPOINT_SHIFT |
			(uint32_t)endpoint->slot << TRB_SLOT_SHIFT);
}

/* Tells of the TRB where the transfer failed: the first that was not filled, or the last. */
static void tell_failure(struct xhci_endpoint *endpoint, unsigned code)
{
	size_t left = endpoint->packet.moved;

	for (unsigned i = 0; i < endpoint->trbs->len; i++) {
		const struct xhci_trb *trb = trb_at(endpoint, i);
		unsigned length = trb_bytes(trb), moved = MIN(length, left);

		left -= moved;
		if (moved < length || i + 1 == endpoint->trbs->len) {
			send_event(endpoint, trb, code, length - moved, false);
			return;
		}
	}
}

/* Section 4.10.1: events where the driver asked for them. Data that ended early are told once, by the TRB that saw it; event
 * data TRBs tell what came since the last one. A status stage speaks for itself. */
static void tell_success(struct xhci_endpoint *endpoint)
{
	size_t left = endpoint->packet.moved;
	uint32_t accumulated = 0;
	bool is_short = false, told = false;

	for (unsigned i = 0; i < endpoint->trbs->len; i++) {
		const struct xhci_trb *trb = trb_at(endpoint, i);
		unsigned length = trb_bytes(trb), moved = MIN(length, left);
		bool event_data = xhci_trb_type(trb) == TRB_EVENT_DATA;
		bool asked = trb->control & TRB_EVENT;

		left -= moved;
		accumulated += moved;
		is_short |= moved < length;
		if (xhci_trb_type(trb) == TRB_STATUS)
			is_short = told = false;
		if (is_short && carries_data(trb) && trb->control & TRB_EVENT_ON_SHORT)
			asked = true;
		if (!asked || (told && !event_data))
			continue;
		send_event(endpoint, trb, is_short ? CODE_SHORT_PACKET : CODE_SUCCESS,
			event_data ? accumulated : length - moved, event_data);
		told = is_short;
		if (event_data)
			accumulated = 0;
	}
}

static void tell_error(struct xhci_endpoint *endpoint, unsigned code)
{
	endpoint->packet.moved = 0;
	if (endpoint->trbs->len > 0)
		send_event(
			endpoint, trb_at(endpoint, 0), code, trb_bytes(trb_at(endpoint, 0)), false);
	xhci_endpoint_set_state(endpoint, ENDPOINT_ERROR);
}

/* From the ring to a packet */

/* A control transfer goes from its setup stage to its status stage, any other as far as TRBs are chained. */
static bool is_last(const struct xhci_endpoint *endpoint, const struct xhci_trb *trb, bool *status)
{
	*status |= xhci_trb_type(trb) == TRB_STATUS || xhci_trb_type(trb) == TRB_NO_OP;
	return !(trb->control & TRB_CHAIN) && (endpoint->type != ENDPOINT_CONTROL || *status);
}

/* CODE_SUCCESS, or what is wrong with the transfer; 0 when it is not whole yet. */
static unsigned fetch(struct xhci_endpoint *endpoint)
{
	struct xhci_ring ring = endpoint->ring;
	bool status = false;
	struct xhci_trb trb;

	g_array_set_size(endpoint->trbs, 0);
	do {
		if (xhci_ring_fetch(endpoint->xhci, &ring, &trb) != XHCI_FETCH_TRB)
			return 0;
		g_array_append_val(endpoint->trbs, trb);
		if (endpoint->trbs->len > XHCI_CHAIN_MAX)
			return CODE_TRB_ERROR;
	} while (!is_last(endpoint, &trb, &status));
	endpoint->after = ring;
	return CODE_SUCCESS;
}

/* Which TRBs may be where. */
static bool types_fit(const struct xhci_endpoint *endpoint)
{
	bool control = endpoint->type == ENDPOINT_CONTROL;

	for (unsigned i = 0; i < endpoint->trbs->len; i++) {
		unsigned type = xhci_trb_type(trb_at(endpoint, i));
		bool fits = type == TRB_NORMAL || type == TRB_EVENT_DATA ||
			    (control ? type == (i == 0 ? TRB_SETUP : TRB_DATA) ||
						    (i > 0 && type == TRB_STATUS)
				     : type == TRB_ISOCH);

		if (!fits || (control && i == 0 && type != TRB_SETUP))
			return false;
	}
	return true;
}

static bool map_trb(struct xhci_endpoint *endpoint, struct xhci_trb *trb, size_t room)
{
	struct guest_memory *memory = endpoint->xhci->pci.device.machine->memory;
	struct iovec piece = { .iov_len = MIN(trb_bytes(trb), room) };

	if (piece.iov_len == 0)
		return true;
	if (trb->control & TRB_IMMEDIATE) {
		if (trb_bytes(trb) > IMMEDIATE_MAX || endpoint->packet.in)
			return false;
		piece.iov_base = trb->immediate;
	} else {
		piece.iov_base = guest_memory_pointer(memory, trb->parameter, piece.iov_len);
	}
	if (!piece.iov_base)
		return false;
	g_array_append_val(endpoint->pieces, piece);
	endpoint->packet.length += piece.iov_len;
	return true;
}

static bool read_setup(struct xhci_endpoint *endpoint)
{
	const struct xhci_trb *trb = trb_at(endpoint, 0);
	struct usb_setup *setup = &endpoint->packet.setup;

	if (!(trb->control & TRB_IMMEDIATE) || (trb->status & TRB_LENGTH) != USB_SETUP_BYTES)
		return false;
	*setup = (struct usb_setup) {
		.request_type = trb->immediate[0],
		.request = trb->immediate[1],
		.value = trb->immediate[2] | trb->immediate[3] << 8,
		.index = trb->immediate[4] | trb->immediate[5] << 8,
		.length = trb->immediate[6] | trb->immediate[7] << 8,
	};
	endpoint->packet.in = setup->request_type & USB_IN;
	return true;
}

static void packet_complete(struct usb_packet *packet);

static bool make_packet(struct xhci_endpoint *endpoint)
{
	bool control = endpoint->type == ENDPOINT_CONTROL;
	size_t room = SIZE_MAX;

	endpoint->packet = (struct usb_packet) {
		.endpoint = endpoint->number / 2,
		.in = endpoint->number % 2 == 1,
		.complete = packet_complete,
		.owner = endpoint,
	};
	g_array_set_size(endpoint->pieces, 0);
	if (!types_fit(endpoint) || (control && !read_setup(endpoint)))
		return false;
	if (control)
		room = endpoint->packet.setup.length;
	for (unsigned i = 0; i < endpoint->trbs->len; i++) {
		struct xhci_trb *trb = &g_array_index(endpoint->trbs, struct xhci_trb, i);

		if (xhci_trb_type(trb) == TRB_DATA &&
			!(trb->control & TRB_IN) == endpoint->packet.in)
			return false;
		if (!map_trb(endpoint, trb, room - endpoint->packet.length) ||
			endpoint->packet.length > TRANSFER_MAX)
			return false;
	}
	endpoint->packet.pieces = (const struct iovec *)endpoint->pieces->data;
	endpoint->packet.count = endpoint->pieces->len;
	return true;
}

/* The end of a transfer */

static const uint8_t codes[] = {
	[USB_SUCCESS] = CODE_SUCCESS,
	[USB_STALL] = CODE_STALL,
	[USB_BABBLE] = CODE_BABBLE,
	[USB_IO_ERROR] = CODE_TRANSACTION_ERROR,
};

static void finish(struct xhci_endpoint *endpoint, enum usb_status status)
{
	endpoint->active = endpoint->waiting = false;
	endpoint->ring = endpoint->after;
	if (status == USB_SUCCESS) {
		tell_success(endpoint);
		return;
	}
	xhci_endpoint_set_state(endpoint, ENDPOINT_HALTED);
	tell_failure(endpoint, codes[status]);
}

static void packet_complete(struct usb_packet *packet)
{
	struct xhci_endpoint *endpoint = packet->owner;
	struct xhci *xhci = endpoint->xhci;

	finish(endpoint, packet->status);
	xhci_look_at(xhci, endpoint->slot, endpoint->number);
}

static void submit(struct xhci_endpoint *endpoint)
{
	struct usb_device *device = xhci_slot_device(endpoint->xhci, endpoint->slot);
	enum usb_status status = USB_IO_ERROR;

	endpoint->active = true;
	endpoint->waiting = false;
	if (device)
		status = usb_submit(device, &endpoint->packet);
	if (status == USB_NAK)
		endpoint->waiting = true;
	else if (status != USB_ASYNC)
		finish(endpoint, status);
}

/* A transfer that has no data and asks the device nothing. */
static bool is_no_op(const struct xhci_endpoint *endpoint)
{
	return endpoint->trbs->len == 1 && xhci_trb_type(trb_at(endpoint, 0)) == TRB_NO_OP;
}

/* Starts the next transfer of the ring; false when there is none that could be. */
static bool begin(struct xhci_endpoint *endpoint)
{
	unsigned code = fetch(endpoint);

	if (code == 0)
		return false;
	if (code == CODE_SUCCESS && is_no_op(endpoint)) {
		endpoint->packet.moved = 0;
		endpoint->ring = endpoint->after;
		tell_success(endpoint);
		return true;
	}
	if (code != CODE_SUCCESS || !make_packet(endpoint)) {
		tell_error(endpoint, CODE_TRB_ERROR);
		return false;
	}
	submit(endpoint);
	return true;
}

void xhci_run_transfers(struct xhci_endpoint *endpoint)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < XHCI_STEPS && bytes <= TURN_BYTES_MAX; i++) {
		if (!xhci_is_running(endpoint->xhci) || endpoint->state != ENDPOINT_RUNNING)
			return;
		if (endpoint->waiting)
			submit(endpoint);
		else if (endpoint->active || !begin(endpoint))
			return;
		if (endpoint->active)
			return;
		bytes += endpoint->packet.length;
	}
	endpoint->xhci->pending[endpoint->slot] |= UINT32_C(1) << endpoint->number;
}

void xhci_cancel_transfer(struct xhci_endpoint *endpoint, bool tell)
{
	if (!endpoint->active)
		return;
	usb_cancel(&endpoint->packet);
	endpoint->active = endpoint->waiting = false;
	if (tell)
		send_event(endpoint, trb_at(endpoint, 0), CODE_STOPPED,
			trb_bytes(trb_at(endpoint, 0)), false);
}

void xhci_doorbell(struct xhci *xhci, unsigned slot, unsigned number)
{
	struct xhci_endpoint *endpoint = xhci->slots[slot].endpoints[number];

	if (!endpoint)
		return;
	if (endpoint->state == ENDPOINT_STOPPED)
		xhci_endpoint_set_state(endpoint, ENDPOINT_RUNNING);
	xhci_look_at(xhci, slot, number);
}
