/* Event rings, and the interrupts that tell of them. Each event ring has one segment, as HCSPARAMS2 says.
 *
 * Specification: xHCI 1.2 sections 4.9.4 (event rings), 4.17 (interrupters), 5.5.2 (registers).
 */
#include "base/log.h"
#include "vmm/pci/config.h"
#include "vmm/usb/xhci.h"

enum {
	SEGMENT_MIN = 16, /* TRBs, section 6.5 */
	SEGMENT_MAX = 4096,
	SEGMENT_BYTES = 16,           /* of an entry of the table */
	MODERATION_INTERVAL = 0xffff, /* in 250 ns */
	MODERATION_PER_MICROSECOND = 4,
	MODERATION_LEAST = 1000, /* microseconds: less than that no timer of ours waits for */
	DEFAULT_MODERATION = 4000,
};

/* Interrupts */

static bool wants_interrupt(const struct xhci *xhci, const struct xhci_interrupter *interrupter)
{
	return interrupter->management & IMAN_PENDING && interrupter->management & IMAN_ENABLED &&
	       xhci->command & USBCMD_INTERRUPTS;
}

/* The pin speaks for the first interrupter only (section 4.17). */
static void update_pin(struct xhci *xhci)
{
	pci_device_set_interrupt(&xhci->pci, wants_interrupt(xhci, &xhci->interrupters[0]) &&
						     !pci_device_uses_messages(&xhci->pci));
}

/* Microseconds until the next interrupt may be sent, 0: now. */
static int64_t moderated(const struct xhci_interrupter *interrupter, int64_t now)
{
	int64_t interval =
		(interrupter->moderation & MODERATION_INTERVAL) / MODERATION_PER_MICROSECOND;

	if (interval < MODERATION_LEAST || now - interrupter->sent >= interval)
		return 0;
	return interval - (now - interrupter->sent);
}

/* Sending a message takes the pending bit away (section 4.17.5). */
static void send(struct xhci *xhci, struct xhci_interrupter *interrupter)
{
	int64_t now = g_get_monotonic_time(), wait = moderated(interrupter, now);

	if (!wants_interrupt(xhci, interrupter) || !pci_device_uses_messages(&xhci->pci))
		return;
	interrupter->held_back = wait > 0;
	if (wait > 0) {
		int64_t ready = g_source_get_ready_time(xhci->work);

		if (ready < 0 || ready > now + wait)
			g_source_set_ready_time(xhci->work, now + wait);
		return;
	}
	interrupter->sent = now;
	if (pci_device_signal(&xhci->pci, interrupter - xhci->interrupters))
		interrupter->management &= ~IMAN_PENDING;
}

void xhci_update_interrupts(struct xhci *xhci)
{
	for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
		if (xhci->interrupters[i].held_back)
			send(xhci, &xhci->interrupters[i]);
	update_pin(xhci);
}

/* Messages of what happened while interrupts were off. */
void xhci_interrupts_enabled(struct xhci *xhci)
{
	for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
		send(xhci, &xhci->interrupters[i]);
}

static void raise_interrupt(struct xhci *xhci, struct xhci_interrupter *interrupter)
{
	bool was_busy = interrupter->busy;

	interrupter->busy = true;
	interrupter->management |= IMAN_PENDING;
	xhci->status |= USBSTS_INTERRUPT;
	if (!was_busy)
		send(xhci, interrupter);
	update_pin(xhci);
}

/* Events */

/* The cycle bit, which makes the event the guest's, comes last. */
static bool write_event(struct xhci *xhci, struct xhci_interrupter *interrupter, uint64_t parameter,
	uint32_t status, uint32_t control)
{
	uint64_t at = interrupter->start + (uint64_t)interrupter->next * TRB_BYTES;
	uint8_t bytes[TRB_BYTES];

	config_set32(bytes, parameter);
	config_set32(bytes + 4, parameter >> 32);
	config_set32(bytes + 8, status);
	config_set32(bytes + 12, control | (interrupter->cycle ? TRB_CYCLE : 0));
	if (!xhci_write(xhci, at, bytes, 12))
		return false;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (!xhci_write(xhci, at + 12, bytes + 12, 4))
		return false;
	if (++interrupter->next == interrupter->size) {
		interrupter->next = 0;
		interrupter->cycle = !interrupter->cycle;
	}
	return true;
}

/* Events that fit between what was written and what the guest has read: one place stays empty. */
static bool free_places(const struct xhci_interrupter *interrupter, uint32_t *places)
{
	uint64_t at = interrupter->dequeue - interrupter->start;

	if (interrupter->dequeue < interrupter->start ||
		at >= (uint64_t)interrupter->size * TRB_BYTES)
		return false;
	*places = (at / TRB_BYTES + interrupter->size - interrupter->next - 1) % interrupter->size;
	return true;
}

void xhci_event(
	struct xhci *xhci, unsigned number, uint64_t parameter, uint32_t status, uint32_t control)
{
	struct xhci_interrupter *interrupter;
	uint32_t places;

	if (number >= XHCI_INTERRUPTERS || xhci->status & USBSTS_CONTROLLER_ERROR)
		return;
	interrupter = &xhci->interrupters[number];
	if (interrupter->start == 0)
		return;
	if (!free_places(interrupter, &places)) {
		xhci_die(xhci, "an event ring's dequeue pointer is outside of its segment");
		return;
	}
	if (places == 0) {
		log_limited(&xhci->pci.complaints, XHCI_COMPLAINTS_MAX,
			"%s: the guest let an event ring overflow", xhci->pci.device.class->name);
		return;
	}
	/* The last place tells that there was no more (section 4.9.4). */
	if (places == 1) {
		parameter = 0;
		status = CODE_EVENT_RING_FULL << TRB_CODE_SHIFT;
		control = TRB_CONTROLLER_EVENT << TRB_TYPE_SHIFT;
	}
	if (!write_event(xhci, interrupter, parameter, status, control)) {
		xhci_die(xhci, "an event ring is outside of RAM");
		return;
	}
	raise_interrupt(xhci, interrupter);
}

/* Registers */

void xhci_interrupter_reset(struct xhci_interrupter *interrupter)
{
	*interrupter = (struct xhci_interrupter) { .moderation = DEFAULT_MODERATION };
}

/* The table is read when its address is written; its length has been set then (section 5.5.2.3.2). */
static void read_table(struct xhci *xhci, struct xhci_interrupter *interrupter)
{
	uint8_t segment[SEGMENT_BYTES];

	interrupter->start = 0;
	if (interrupter->table_size == 0 || interrupter->table == 0)
		return;
	if (interrupter->table_size != 1) {
		xhci_die(xhci, "an event ring has more segments than one");
		return;
	}
	if (!xhci_read(xhci, interrupter->table, segment, sizeof(segment))) {
		xhci_die(xhci, "an event ring's table is outside of RAM");
		return;
	}
	interrupter->size = config_get32(segment + 8) & 0xffff;
	if (interrupter->size < SEGMENT_MIN || interrupter->size > SEGMENT_MAX) {
		xhci_die(xhci, "an event ring's segment has a forbidden size");
		return;
	}
	interrupter->start = config_get64(segment) & ~UINT64_C(0x3f);
	interrupter->next = 0;
	interrupter->cycle = true;
}

/* The guest has read up to here. What came meanwhile is told again. */
static void write_dequeue(struct xhci *xhci, struct xhci_interrupter *interrupter, uint32_t value)
{
	uint32_t places;

	interrupter->dequeue = (interrupter->dequeue & ~UINT64_C(0xffffffff)) | (value & ~0xfu);
	if (!(value & ERDP_BUSY))
		return;
	interrupter->busy = false;
	if (interrupter->start != 0 && free_places(interrupter, &places) &&
		places + 1 != interrupter->size)
		raise_interrupt(xhci, interrupter);
}

static void set_half(uint64_t *value, bool high, uint32_t half)
{
	*value = high ? (*value & UINT32_MAX) | (uint64_t)half << 32
		      : (*value & ~(uint64_t)UINT32_MAX) | half;
}

uint32_t xhci_interrupter_read(const struct xhci_interrupter *interrupter, unsigned offset)
{
	switch (offset) {
	case IMAN:
		return interrupter->management;
	case IMOD:
		return interrupter->moderation;
	case ERSTSZ:
		return interrupter->table_size;
	case ERSTBA_LOW:
		return interrupter->table;
	case ERSTBA_HIGH:
		return interrupter->table >> 32;
	case ERDP_LOW:
		return interrupter->dequeue | (interrupter->busy ? ERDP_BUSY : 0);
	case ERDP_HIGH:
		return interrupter->dequeue >> 32;
	default:
		return 0;
	}
}

void xhci_interrupter_write(struct xhci *xhci, unsigned number, unsigned offset, uint32_t value)
{
	struct xhci_interrupter *interrupter = &xhci->interrupters[number];

	switch (offset) {
	case IMAN:
		interrupter->management &= ~(value & IMAN_PENDING) & ~IMAN_ENABLED;
		interrupter->management |= value & IMAN_ENABLED;
		send(xhci, interrupter);
		update_pin(xhci);
		break;
	case IMOD:
		interrupter->moderation = value;
		break;
	case ERSTSZ:
		interrupter->table_size = value & 0xffff;
		break;
	case ERSTBA_LOW:
		set_half(&interrupter->table, false, value & ~0x3fu);
		break;
	case ERSTBA_HIGH:
		set_half(&interrupter->table, true, value);
		read_table(xhci, interrupter);
		break;
	case ERDP_LOW:
		write_dequeue(xhci, interrupter, value);
		break;
	case ERDP_HIGH:
		set_half(&interrupter->dequeue, true, value);
		break;
	}
}
