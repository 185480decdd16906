/* The registers of xHCI in BAR 0. Specification: xHCI 1.2 section 5; the extended capabilities: section 7. */
#include "vmm/pci/pci-messages.h"
#include "vmm/usb/xhci.h"

enum {
	SUPPORTED_PROTOCOL = 2,
	PROTOCOL_WORDS = 4,
	NAME_USB = 0x20425355,      /* "USB " */
	SCHEDULING_THRESHOLD = 0xf, /* HCSPARAMS2; the event ring segment table has one entry */
	ADDRESSES_64BIT = 1,
	MFINDEX_MASK = 0x3fff,
	MICROFRAME = 125, /* microseconds */
	PAGES_4K = 1,
};

/* Capabilities: all fixed, but for the number of ports. */
static uint32_t read_capability(const struct xhci *xhci, unsigned offset)
{
	const uint32_t words[] = {
		(uint32_t)XHCI_VERSION << 16 | XHCI_OPERATIONAL,
		xhci->port_count << 24 | XHCI_INTERRUPTERS << 8 | XHCI_SLOTS,
		SCHEDULING_THRESHOLD,
		0,
		XHCI_EXTENDED / 4 << 16 | ADDRESSES_64BIT,
		XHCI_DOORBELLS,
		XHCI_RUNTIME,
		0,
		0x0200u << 16 | PROTOCOL_WORDS << 8 | SUPPORTED_PROTOCOL,
		NAME_USB,
		xhci->usb2_ports << 8 | (xhci->usb3_ports + 1),
		0,
		0x0300u << 16 | SUPPORTED_PROTOCOL,
		NAME_USB,
		xhci->usb3_ports << 8 | 1,
		0,
	};

	return offset / 4 < G_N_ELEMENTS(words) ? words[offset / 4] : 0;
}

/* Operational */

static uint32_t read_operational(const struct xhci *xhci, unsigned offset)
{
	switch (offset) {
	case USBCMD:
		return xhci->command;
	case USBSTS:
		return xhci->status | (xhci->command & USBCMD_RUN ? 0 : USBSTS_HALTED);
	case PAGESIZE:
		return PAGES_4K;
	case DNCTRL:
		return xhci->notifications;
	case CRCR_LOW:
		/* Of the pointer nothing can be read back (section 5.4.5). */
		return xhci->commands_running ? CRCR_RUNNING : 0;
	case DCBAAP_LOW:
		return xhci->contexts;
	case DCBAAP_HIGH:
		return xhci->contexts >> 32;
	case CONFIG:
		return xhci->config;
	default:
		return 0;
	}
}

static void halt(struct xhci *xhci)
{
	for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++)
		for (unsigned i = 1; i <= XHCI_ENDPOINTS; i++)
			if (xhci->slots[slot].endpoints[i])
				xhci_cancel_transfer(xhci->slots[slot].endpoints[i], false);
	xhci->commands_running = false;
}

static void write_command(struct xhci *xhci, uint32_t value)
{
	bool ran = xhci->command & USBCMD_RUN;
	bool interrupted = xhci->command & USBCMD_INTERRUPTS;

	if (value & USBCMD_RESET) {
		xhci_reset(xhci);
		return;
	}
	/* There is nothing to save; a restore says so, and the driver starts over. */
	if (value & USBCMD_SAVE)
		xhci->status &= ~USBSTS_SAVE_ERROR;
	if (value & USBCMD_RESTORE)
		xhci->status |= USBSTS_SAVE_ERROR;
	xhci->command = value & USBCMD_STAYS;
	if (!ran && value & USBCMD_RUN)
		xhci->started = g_get_monotonic_time();
	if (ran && !(value & USBCMD_RUN))
		halt(xhci);
	if (!interrupted && value & USBCMD_INTERRUPTS)
		xhci_interrupts_enabled(xhci);
	xhci_update_interrupts(xhci);
}

/* Stops the command ring, or sets where it starts. */
static void write_ring(struct xhci *xhci, uint32_t high)
{
	uint32_t low = xhci->ring_low;

	if (xhci->commands_running) {
		if (!(low & (CRCR_STOP | CRCR_ABORT)))
			return;
		xhci->commands_running = false;
		xhci_event(xhci, 0, xhci->commands.dequeue,
			CODE_COMMAND_RING_STOPPED << TRB_CODE_SHIFT,
			TRB_COMMAND_EVENT << TRB_TYPE_SHIFT);
		return;
	}
	xhci->commands.dequeue = (uint64_t)high << 32 | (low & ~0x3fu);
	xhci->commands.cycle = low & CRCR_CYCLE;
}

static void write_operational(struct xhci *xhci, unsigned offset, uint32_t value)
{
	switch (offset) {
	case USBCMD:
		write_command(xhci, value);
		break;
	case USBSTS:
		xhci->status &= ~(value & USBSTS_CLEARED_BY_ONE);
		break;
	case DNCTRL:
		xhci->notifications = value & 0xffff;
		break;
	case CRCR_LOW:
		xhci->ring_low = value;
		break;
	case CRCR_HIGH:
		write_ring(xhci, value);
		break;
	case DCBAAP_LOW:
		xhci->contexts = (xhci->contexts & ~(uint64_t)UINT32_MAX) | (value & ~0x3fu);
		break;
	case DCBAAP_HIGH:
		xhci->contexts = (xhci->contexts & UINT32_MAX) | (uint64_t)value << 32;
		break;
	case CONFIG:
		xhci->config = value & 0xff;
		break;
	}
}

/* Runtime */

static uint32_t read_runtime(const struct xhci *xhci, unsigned offset)
{
	unsigned number = (offset - INTERRUPTERS) / INTERRUPTER_BYTES;

	if (offset == MFINDEX && xhci->command & USBCMD_RUN)
		return (g_get_monotonic_time() - xhci->started) / MICROFRAME & MFINDEX_MASK;
	if (offset < INTERRUPTERS || number >= XHCI_INTERRUPTERS)
		return 0;
	return xhci_interrupter_read(&xhci->interrupters[number], offset % INTERRUPTER_BYTES);
}

static void write_runtime(struct xhci *xhci, unsigned offset, uint32_t value)
{
	unsigned number = (offset - INTERRUPTERS) / INTERRUPTER_BYTES;

	if (offset >= INTERRUPTERS && number < XHCI_INTERRUPTERS)
		xhci_interrupter_write(xhci, number, offset % INTERRUPTER_BYTES, value);
}

/* Doorbell 0 is the commands'; the others name an endpoint of their slot (section 5.6). */
static void write_doorbell(struct xhci *xhci, unsigned number, uint32_t value)
{
	unsigned endpoint = value & 0xff;

	if (!(xhci->command & USBCMD_RUN) || number > XHCI_SLOTS)
		return;
	if (number == 0) {
		xhci->commands_running = xhci->commands_pending = true;
		xhci_work(xhci);
	} else if (endpoint >= 1 && endpoint <= XHCI_ENDPOINTS) {
		xhci_doorbell(xhci, number, endpoint);
	}
}

/* The whole BAR. Registers are four bytes wide; a smaller access reads a part, and writes of one vanish. */

static uint32_t read_word(struct xhci *xhci, unsigned offset)
{
	unsigned port;

	if (offset < XHCI_OPERATIONAL)
		return read_capability(xhci, offset);
	if (offset < XHCI_OPERATIONAL + PORTS)
		return read_operational(xhci, offset - XHCI_OPERATIONAL);
	port = (offset - XHCI_OPERATIONAL - PORTS) / PORT_BYTES;
	if (port < xhci->port_count)
		return xhci_port_read(xhci, port, offset % PORT_BYTES);
	if (offset >= XHCI_RUNTIME && offset < XHCI_DOORBELLS)
		return read_runtime(xhci, offset - XHCI_RUNTIME);
	return 0;
}

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	struct xhci *xhci = opaque;
	unsigned shift = offset % 4 * 8;

	if (offset >= XHCI_MSIX_TABLE)
		return pci_device_read_msix(&xhci->pci, offset - XHCI_MSIX_TABLE, size);
	return read_word(xhci, offset & ~UINT64_C(3)) >> shift & (UINT32_MAX >> (32 - 8 * size));
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct xhci *xhci = opaque;
	unsigned port;

	if (offset >= XHCI_MSIX_TABLE) {
		pci_device_write_msix(&xhci->pci, offset - XHCI_MSIX_TABLE, size, value);
		return;
	}
	if (size != 4 || offset % 4 != 0 || offset < XHCI_OPERATIONAL)
		return;
	if (offset < XHCI_OPERATIONAL + PORTS) {
		write_operational(xhci, offset - XHCI_OPERATIONAL, value);
		return;
	}
	port = (offset - XHCI_OPERATIONAL - PORTS) / PORT_BYTES;
	if (port < xhci->port_count)
		xhci_port_write(xhci, port, offset % PORT_BYTES, value);
	else if (offset >= XHCI_DOORBELLS)
		write_doorbell(xhci, (offset - XHCI_DOORBELLS) / 4, value);
	else if (offset >= XHCI_RUNTIME)
		write_runtime(xhci, offset - XHCI_RUNTIME, value);
}

const struct io_ops xhci_register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 4,
};
