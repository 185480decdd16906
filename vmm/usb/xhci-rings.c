/* Rings that the guest fills: TRBs one after the other, and links to where it goes on. Specification: xHCI 1.2 section 4.9. */
#include <string.h>

#include "vmm/pci/config.h"
#include "vmm/usb/xhci.h"

static bool read_trb(struct xhci *xhci, uint64_t address, struct xhci_trb *trb)
{
	uint8_t bytes[TRB_BYTES];

	if (!xhci_read(xhci, address, bytes, sizeof(bytes)))
		return false;
	trb->parameter = config_get64(bytes);
	trb->status = config_get32(bytes + 8);
	trb->control = config_get32(bytes + 12);
	trb->address = address;
	memcpy(trb->immediate, bytes, sizeof(trb->immediate));
	return true;
}

enum xhci_fetch xhci_ring_fetch(struct xhci *xhci, struct xhci_ring *ring, struct xhci_trb *trb)
{
	for (unsigned links = 0; links <= XHCI_LINKS_MAX; links++) {
		if (!read_trb(xhci, ring->dequeue, trb)) {
			xhci_die(xhci, "a ring is outside of RAM");
			return XHCI_FETCH_FAILED;
		}
		if ((trb->control & TRB_CYCLE) != ring->cycle)
			return XHCI_FETCH_NONE;
		if (xhci_trb_type(trb) != TRB_LINK) {
			ring->dequeue += TRB_BYTES;
			return XHCI_FETCH_TRB;
		}
		ring->dequeue = trb->parameter & ~UINT64_C(0xf);
		if (trb->control & TRB_TOGGLE)
			ring->cycle = !ring->cycle;
	}
	xhci_die(xhci, "a ring has nothing but links");
	return XHCI_FETCH_FAILED;
}
