/* The command ring. Specification: xHCI 1.2 sections 4.6 and 6.4.3. */
#include "vmm/usb/xhci.h"

/* What a command says about itself, and what it answers with. */
struct command {
	struct xhci *xhci;
	const struct xhci_trb *trb;
	unsigned slot, endpoint;
};

static unsigned no_op(struct command *command)
{
	return CODE_SUCCESS;
}

static unsigned enable_slot(struct command *command)
{
	return xhci_slot_enable(command->xhci, &command->slot);
}

static unsigned disable_slot(struct command *command)
{
	return xhci_slot_disable(command->xhci, command->slot);
}

static unsigned address_device(struct command *command)
{
	return xhci_slot_address(command->xhci, command->slot, command->trb->parameter,
		command->trb->control & TRB_BLOCK_ADDRESS);
}

static unsigned configure_endpoint(struct command *command)
{
	return xhci_slot_configure(command->xhci, command->slot, command->trb->parameter,
		command->trb->control & TRB_DECONFIGURE);
}

static unsigned evaluate_context(struct command *command)
{
	return xhci_slot_evaluate(command->xhci, command->slot, command->trb->parameter);
}

static unsigned reset_endpoint(struct command *command)
{
	return xhci_endpoint_reset(command->xhci, command->slot, command->endpoint);
}

static unsigned stop_endpoint(struct command *command)
{
	return xhci_endpoint_stop(command->xhci, command->slot, command->endpoint);
}

static unsigned set_dequeue(struct command *command)
{
	return xhci_endpoint_set_dequeue(
		command->xhci, command->slot, command->endpoint, command->trb->parameter);
}

static unsigned reset_device(struct command *command)
{
	return xhci_slot_reset(command->xhci, command->slot);
}

/* One byte for each port, percent of its bandwidth that is free; the first is not used (section 6.2.6). */
static unsigned get_bandwidth(struct command *command)
{
	enum {
		FREE = 80
	};
	struct xhci *xhci = command->xhci;
	uint8_t free[XHCI_PORTS_MAX + 1] = { 0 };

	for (unsigned i = 1; i <= xhci->port_count; i++)
		free[i] = FREE;
	if (!xhci_write(xhci, command->trb->parameter & ~UINT64_C(0xf), free, xhci->port_count + 1))
		return CODE_TRB_ERROR;
	return CODE_SUCCESS;
}

/* Commands for features that the capability registers do not offer (virtual functions, bandwidth negotiation, latency
 * tolerance) are TRB errors, as all others that are not here. */
static const struct {
	uint8_t type;
	unsigned (*run)(struct command *command);
} commands[] = {
	{ TRB_ENABLE_SLOT, enable_slot },
	{ TRB_DISABLE_SLOT, disable_slot },
	{ TRB_ADDRESS_DEVICE, address_device },
	{ TRB_CONFIGURE_ENDPOINT, configure_endpoint },
	{ TRB_EVALUATE_CONTEXT, evaluate_context },
	{ TRB_RESET_ENDPOINT, reset_endpoint },
	{ TRB_STOP_ENDPOINT, stop_endpoint },
	{ TRB_SET_DEQUEUE, set_dequeue },
	{ TRB_RESET_DEVICE, reset_device },
	{ TRB_GET_BANDWIDTH, get_bandwidth },
	{ TRB_NO_OP_COMMAND, no_op },
};

static void run(struct xhci *xhci, const struct xhci_trb *trb)
{
	struct command command = {
		.xhci = xhci,
		.trb = trb,
		.slot = trb->control >> TRB_SLOT_SHIFT,
		.endpoint = trb->control >> TRB_ENDPOINT_SHIFT & 0x1f,
	};
	unsigned code = CODE_TRB_ERROR;

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (commands[i].type == xhci_trb_type(trb))
			code = commands[i].run(&command);
	xhci_event(xhci, 0, trb->address, code << TRB_CODE_SHIFT,
		TRB_COMMAND_EVENT << TRB_TYPE_SHIFT | command.slot << TRB_SLOT_SHIFT);
}

void xhci_run_commands(struct xhci *xhci)
{
	struct xhci_trb trb;

	for (unsigned i = 0; i < XHCI_STEPS; i++) {
		if (!xhci_is_running(xhci) || !xhci->commands_running ||
			xhci_ring_fetch(xhci, &xhci->commands, &trb) != XHCI_FETCH_TRB)
			return;
		run(xhci, &trb);
	}
	xhci->commands_pending = true;
}
