/* Device slots and their endpoints: commands about contexts. Specification: xHCI 1.2 sections 4.5, 4.6, 4.8 and 6.2. */
#include <string.h>

#include "vmm/pci/config.h"
#include "vmm/usb/xhci.h"

enum {
	INPUT_DROP = 0, /* words of the input control context */
	INPUT_ADD = 1,
	ADD_SLOT = 1 << 0,
	ADD_CONTROL = 1 << 1,
	REQUEST_SET_ADDRESS = 5,
	DEQUEUE_CYCLE = 1 << 0,
};

/* Contexts: copied in as words, and out. */

static bool read_context(
	struct xhci *xhci, uint64_t base, unsigned index, uint32_t words[CONTEXT_WORDS])
{
	uint8_t bytes[CONTEXT_BYTES];

	if (!xhci_read(xhci, base + (uint64_t)index * CONTEXT_BYTES, bytes, sizeof(bytes)))
		return false;
	for (unsigned i = 0; i < CONTEXT_WORDS; i++)
		words[i] = config_get32(bytes + 4 * i);
	return true;
}

static bool write_context(
	struct xhci *xhci, uint64_t base, unsigned index, const uint32_t words[CONTEXT_WORDS])
{
	uint8_t bytes[CONTEXT_BYTES];

	for (unsigned i = 0; i < CONTEXT_WORDS; i++)
		config_set32(bytes + 4 * i, words[i]);
	return xhci_write(xhci, base + (uint64_t)index * CONTEXT_BYTES, bytes, sizeof(bytes));
}

/* An enabled slot, or NULL. */
static struct xhci_slot *find_slot(struct xhci *xhci, unsigned number)
{
	if (number < 1 || number > XHCI_SLOTS || !xhci->slots[number].enabled)
		return NULL;
	return &xhci->slots[number];
}

struct usb_device *xhci_slot_device(struct xhci *xhci, unsigned number)
{
	struct xhci_slot *slot = find_slot(xhci, number);

	return slot && slot->port ? xhci_port_device(xhci, slot->port) : NULL;
}

/* Endpoints */

static void free_endpoint(struct xhci_slot *slot, unsigned number)
{
	struct xhci_endpoint *endpoint = slot->endpoints[number];

	if (!endpoint)
		return;
	xhci_cancel_transfer(endpoint, false);
	g_array_unref(endpoint->trbs);
	g_array_unref(endpoint->pieces);
	g_free(endpoint);
	slot->endpoints[number] = NULL;
}

static void free_endpoints(struct xhci_slot *slot, unsigned first)
{
	for (unsigned i = first; i <= XHCI_ENDPOINTS; i++)
		free_endpoint(slot, i);
}

/* The context's state, and the pointer to where the ring goes on. */
static void write_endpoint(struct xhci_endpoint *endpoint)
{
	struct xhci *xhci = endpoint->xhci;
	uint64_t base = xhci->slots[endpoint->slot].context;
	uint32_t words[CONTEXT_WORDS];

	if (!read_context(xhci, base, endpoint->number, words)) {
		xhci_die(xhci, "a device context is outside of RAM");
		return;
	}
	words[0] = (words[0] & ~ENDPOINT_STATE) | endpoint->state;
	words[2] = (uint32_t)endpoint->ring.dequeue | (endpoint->ring.cycle ? DEQUEUE_CYCLE : 0);
	words[3] = endpoint->ring.dequeue >> 32;
	if (!write_context(xhci, base, endpoint->number, words))
		xhci_die(xhci, "a device context is outside of RAM");
}

void xhci_endpoint_set_state(struct xhci_endpoint *endpoint, enum xhci_endpoint_state state)
{
	if (endpoint->state == state)
		return;
	endpoint->state = state;
	write_endpoint(endpoint);
}

/* Section 4.8.2: types other than control have no use for number 1, and control has none for others here. */
static bool type_fits(unsigned number, unsigned type)
{
	bool in = number % 2 == 1;

	if (number == 1)
		return type == ENDPOINT_CONTROL;
	return in ? type >= ENDPOINT_ISOCH_IN
		  : type >= ENDPOINT_ISOCH_OUT && type <= ENDPOINT_INTERRUPT_OUT;
}

/* From an input context to a running endpoint and its output context. */
static unsigned add_endpoint(struct xhci *xhci, unsigned number, unsigned endpoint_number,
	uint64_t input, uint64_t output)
{
	struct xhci_slot *slot = &xhci->slots[number];
	struct xhci_endpoint *endpoint;
	uint32_t words[CONTEXT_WORDS];
	unsigned type;

	if (!read_context(xhci, input, endpoint_number + 1, words))
		return CODE_PARAMETER_ERROR;
	type = words[1] >> ENDPOINT_TYPE_SHIFT & 7;
	if (!type_fits(endpoint_number, type) || words[0] >> ENDPOINT_STREAMS_SHIFT & 0x1f)
		return CODE_PARAMETER_ERROR;
	words[0] = (words[0] & ~ENDPOINT_STATE) | ENDPOINT_RUNNING;
	if (!write_context(xhci, output, endpoint_number, words))
		return CODE_PARAMETER_ERROR;

	free_endpoint(slot, endpoint_number);
	endpoint = g_new0(struct xhci_endpoint, 1);
	endpoint->xhci = xhci;
	endpoint->slot = number;
	endpoint->number = endpoint_number;
	endpoint->type = type;
	endpoint->state = ENDPOINT_RUNNING;
	endpoint->ring.dequeue = ((uint64_t)words[3] << 32 | words[2]) & ~UINT64_C(0xf);
	endpoint->ring.cycle = words[2] & DEQUEUE_CYCLE;
	endpoint->trbs = g_array_new(FALSE, FALSE, sizeof(struct xhci_trb));
	endpoint->pieces = g_array_new(FALSE, FALSE, sizeof(struct iovec));
	slot->endpoints[endpoint_number] = endpoint;
	return CODE_SUCCESS;
}

static void drop_endpoint(struct xhci *xhci, unsigned number, unsigned endpoint_number)
{
	struct xhci_slot *slot = &xhci->slots[number];
	uint32_t words[CONTEXT_WORDS] = { 0 };

	free_endpoint(slot, endpoint_number);
	if (read_context(xhci, slot->context, endpoint_number, words)) {
		words[0] &= ~ENDPOINT_STATE;
		write_context(xhci, slot->context, endpoint_number, words);
	}
}

static struct xhci_endpoint *find_endpoint(
	struct xhci *xhci, unsigned number, unsigned endpoint, unsigned *code)
{
	struct xhci_slot *slot = find_slot(xhci, number);

	*code = CODE_SLOT_NOT_ENABLED;
	if (!slot)
		return NULL;
	*code = CODE_TRB_ERROR;
	if (endpoint < 1 || endpoint > XHCI_ENDPOINTS)
		return NULL;
	*code = CODE_ENDPOINT_NOT_ENABLED;
	return slot->endpoints[endpoint];
}

unsigned xhci_endpoint_reset(struct xhci *xhci, unsigned slot, unsigned number)
{
	unsigned code;
	struct xhci_endpoint *endpoint = find_endpoint(xhci, slot, number, &code);

	if (!endpoint)
		return code;
	if (endpoint->state != ENDPOINT_HALTED)
		return CODE_CONTEXT_STATE;
	xhci_endpoint_set_state(endpoint, ENDPOINT_STOPPED);
	return CODE_SUCCESS;
}

unsigned xhci_endpoint_stop(struct xhci *xhci, unsigned slot, unsigned number)
{
	unsigned code;
	struct xhci_endpoint *endpoint = find_endpoint(xhci, slot, number, &code);

	if (!endpoint)
		return code;
	if (endpoint->state != ENDPOINT_RUNNING)
		return CODE_CONTEXT_STATE;
	xhci_cancel_transfer(endpoint, true);
	xhci_endpoint_set_state(endpoint, ENDPOINT_STOPPED);
	return CODE_SUCCESS;
}

unsigned xhci_endpoint_set_dequeue(
	struct xhci *xhci, unsigned slot, unsigned number, uint64_t dequeue)
{
	unsigned code;
	struct xhci_endpoint *endpoint = find_endpoint(xhci, slot, number, &code);

	if (!endpoint)
		return code;
	if (endpoint->state != ENDPOINT_STOPPED && endpoint->state != ENDPOINT_ERROR)
		return CODE_CONTEXT_STATE;
	endpoint->ring.dequeue = dequeue & ~UINT64_C(0xf);
	endpoint->ring.cycle = dequeue & DEQUEUE_CYCLE;
	endpoint->state = ENDPOINT_STOPPED;
	write_endpoint(endpoint);
	return CODE_SUCCESS;
}

/* Slots */

unsigned xhci_slot_enable(struct xhci *xhci, unsigned *number)
{
	*number = 0;
	for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
		if (xhci->slots[i].enabled)
			continue;
		xhci->slots[i] = (struct xhci_slot) { .enabled = true };
		*number = i;
		return CODE_SUCCESS;
	}
	return CODE_NO_SLOTS;
}

static void forget_slot(struct xhci *xhci, unsigned number)
{
	free_endpoints(&xhci->slots[number], 1);
	xhci->slots[number] = (struct xhci_slot) { .enabled = false };
	xhci->pending[number] = 0;
}

unsigned xhci_slot_disable(struct xhci *xhci, unsigned number)
{
	if (!find_slot(xhci, number))
		return CODE_SLOT_NOT_ENABLED;
	forget_slot(xhci, number);
	return CODE_SUCCESS;
}

void xhci_slots_reset(struct xhci *xhci)
{
	for (unsigned i = 1; i <= XHCI_SLOTS; i++)
		forget_slot(xhci, i);
}

static bool read_output(struct xhci *xhci, unsigned number, uint64_t *output)
{
	uint8_t bytes[8];

	if (!xhci_read(xhci, xhci->contexts + 8 * number, bytes, sizeof(bytes)))
		return false;
	*output = config_get64(bytes) & ~UINT64_C(0x3f);
	return true;
}

static bool port_is_addressed(const struct xhci *xhci, unsigned port, unsigned except)
{
	for (unsigned i = 1; i <= XHCI_SLOTS; i++)
		if (i != except && xhci->slots[i].enabled && xhci->slots[i].port == port)
			return true;
	return false;
}

/* The controller, not the driver, sends SET_ADDRESS (section 4.6.5). The address is the slot's number. */
static bool send_address(struct usb_device *device, unsigned address)
{
	struct usb_packet packet = {
		.setup = { .request = REQUEST_SET_ADDRESS, .value = address },
	};

	return usb_submit(device, &packet) == USB_SUCCESS;
}

unsigned xhci_slot_address(struct xhci *xhci, unsigned number, uint64_t input, bool block_request)
{
	struct xhci_slot *slot = find_slot(xhci, number);
	uint32_t control[CONTEXT_WORDS], words[CONTEXT_WORDS];
	struct usb_device *device;
	uint64_t output;
	unsigned port, code;

	input &= ~UINT64_C(0xf);
	if (!slot)
		return CODE_SLOT_NOT_ENABLED;
	if (!read_output(xhci, number, &output) || !read_context(xhci, input, 0, control) ||
		!read_context(xhci, input, 1, words))
		return CODE_PARAMETER_ERROR;
	if (control[INPUT_DROP] != 0 || control[INPUT_ADD] != (ADD_SLOT | ADD_CONTROL))
		return CODE_TRB_ERROR;
	port = words[1] >> SLOT_PORT_SHIFT & 0xff;
	device = xhci_port_device(xhci, port);
	if (words[0] & SLOT_ROUTE || port < 1 || port > xhci->port_count ||
		port_is_addressed(xhci, port, number))
		return CODE_TRB_ERROR;
	if (!device || (!block_request && !send_address(device, number)))
		return CODE_TRANSACTION_ERROR;

	free_endpoints(slot, 1);
	slot->context = output;
	slot->port = port;
	slot->interrupter = words[2] >> SLOT_INTERRUPTER_SHIFT;
	slot->addressed = true;
	words[3] = block_request ? (uint32_t)SLOT_STATE_DEFAULT << SLOT_STATE_SHIFT
				 : (uint32_t)SLOT_STATE_ADDRESSED << SLOT_STATE_SHIFT | number;
	code = add_endpoint(xhci, number, 1, input, output);
	if (code == CODE_SUCCESS && !write_context(xhci, output, 0, words))
		code = CODE_PARAMETER_ERROR;
	return code;
}

/* Sets the slot's state, and how many contexts follow. */
static unsigned write_slot_state(
	struct xhci *xhci, struct xhci_slot *slot, unsigned state, unsigned entries)
{
	uint32_t words[CONTEXT_WORDS];

	if (!read_context(xhci, slot->context, 0, words))
		return CODE_PARAMETER_ERROR;
	words[0] = (words[0] & ~(0x1fu << SLOT_ENTRIES_SHIFT)) | entries << SLOT_ENTRIES_SHIFT;
	words[3] = (words[3] & 0xff) | state << SLOT_STATE_SHIFT;
	return write_context(xhci, slot->context, 0, words) ? CODE_SUCCESS : CODE_PARAMETER_ERROR;
}

static unsigned slot_state(struct xhci *xhci, const struct xhci_slot *slot)
{
	uint32_t words[CONTEXT_WORDS];

	return read_context(xhci, slot->context, 0, words) ? words[3] >> SLOT_STATE_SHIFT : 0;
}

unsigned xhci_slot_configure(struct xhci *xhci, unsigned number, uint64_t input, bool deconfigure)
{
	struct xhci_slot *slot = find_slot(xhci, number);
	uint32_t control[CONTEXT_WORDS], words[CONTEXT_WORDS];
	unsigned code = CODE_SUCCESS;

	input &= ~UINT64_C(0xf);
	if (!slot)
		return CODE_SLOT_NOT_ENABLED;
	if (!slot->addressed || slot_state(xhci, slot) < SLOT_STATE_ADDRESSED)
		return CODE_CONTEXT_STATE;
	if (deconfigure) {
		for (unsigned i = 2; i <= XHCI_ENDPOINTS; i++)
			if (slot->endpoints[i])
				drop_endpoint(xhci, number, i);
		return write_slot_state(xhci, slot, SLOT_STATE_ADDRESSED, 1);
	}
	if (!read_context(xhci, input, 0, control) || !read_context(xhci, input, 1, words))
		return CODE_PARAMETER_ERROR;
	if (control[INPUT_DROP] & (ADD_SLOT | ADD_CONTROL) || control[INPUT_ADD] & ADD_CONTROL ||
		!(control[INPUT_ADD] & ADD_SLOT))
		return CODE_TRB_ERROR;
	for (unsigned i = 2; i <= XHCI_ENDPOINTS && code == CODE_SUCCESS; i++) {
		if (control[INPUT_DROP] >> i & 1)
			drop_endpoint(xhci, number, i);
		if (control[INPUT_ADD] >> i & 1)
			code = add_endpoint(xhci, number, i, input, slot->context);
	}
	if (code != CODE_SUCCESS)
		return code;
	return write_slot_state(xhci, slot, SLOT_STATE_CONFIGURED, words[0] >> SLOT_ENTRIES_SHIFT);
}

/* Takes over the exit latency and the interrupter of the slot, and the packet size of endpoint 0 (section 4.6.7). */
unsigned xhci_slot_evaluate(struct xhci *xhci, unsigned number, uint64_t input)
{
	struct xhci_slot *slot = find_slot(xhci, number);
	uint32_t control[CONTEXT_WORDS], from[CONTEXT_WORDS], to[CONTEXT_WORDS];

	input &= ~UINT64_C(0xf);
	if (!slot)
		return CODE_SLOT_NOT_ENABLED;
	if (!slot->addressed)
		return CODE_CONTEXT_STATE;
	if (!read_context(xhci, input, 0, control))
		return CODE_PARAMETER_ERROR;
	if (control[INPUT_DROP] != 0 || control[INPUT_ADD] & ~(uint32_t)(ADD_SLOT | ADD_CONTROL))
		return CODE_TRB_ERROR;
	if (control[INPUT_ADD] & ADD_SLOT) {
		if (!read_context(xhci, input, 1, from) ||
			!read_context(xhci, slot->context, 0, to))
			return CODE_PARAMETER_ERROR;
		to[1] = (to[1] & ~SLOT_LATENCY) | (from[1] & SLOT_LATENCY);
		to[2] = (to[2] & ~(0x3ffu << SLOT_INTERRUPTER_SHIFT)) |
			(from[2] & 0x3ffu << SLOT_INTERRUPTER_SHIFT);
		slot->interrupter = to[2] >> SLOT_INTERRUPTER_SHIFT;
		if (!write_context(xhci, slot->context, 0, to))
			return CODE_PARAMETER_ERROR;
	}
	if (control[INPUT_ADD] & ADD_CONTROL) {
		if (!read_context(xhci, input, 2, from) ||
			!read_context(xhci, slot->context, 1, to))
			return CODE_PARAMETER_ERROR;
		to[1] = (to[1] & 0xffff) | (from[1] & 0xffffu << ENDPOINT_PACKET_SHIFT);
		if (!write_context(xhci, slot->context, 1, to))
			return CODE_PARAMETER_ERROR;
	}
	return CODE_SUCCESS;
}

/* After the driver reset the port: back to the default state, with endpoint 0 alone (section 4.6.11). */
unsigned xhci_slot_reset(struct xhci *xhci, unsigned number)
{
	struct xhci_slot *slot = find_slot(xhci, number);
	uint32_t words[CONTEXT_WORDS];

	if (!slot)
		return CODE_SLOT_NOT_ENABLED;
	if (!slot->addressed || slot_state(xhci, slot) < SLOT_STATE_ADDRESSED)
		return CODE_CONTEXT_STATE;
	for (unsigned i = 2; i <= XHCI_ENDPOINTS; i++)
		if (slot->endpoints[i])
			drop_endpoint(xhci, number, i);
	if (!read_context(xhci, slot->context, 0, words))
		return CODE_PARAMETER_ERROR;
	words[0] = (words[0] & ~(0x1fu << SLOT_ENTRIES_SHIFT)) | 1u << SLOT_ENTRIES_SHIFT;
	words[3] = (uint32_t)SLOT_STATE_DEFAULT << SLOT_STATE_SHIFT;
	return write_context(xhci, slot->context, 0, words) ? CODE_SUCCESS : CODE_PARAMETER_ERROR;
}
