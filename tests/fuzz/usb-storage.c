/* The bulk-only transport: any packets in any order, over a logical unit that does any of what one may. */
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/usb/fake-scsi.h"
#include "tests/unit/vmm/usb/xhci-driver.h"
#include "vmm/usb/usb-storage.h"

enum {
	PACKETS = 4,
	PACKET_BYTES = 1024,
	CBW = 31,
};

struct slot {
	struct usb_packet packet;
	struct iovec piece;
	uint8_t data[PACKET_BYTES];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void ignore(struct usb_packet *packet)
{
}

static void submit(struct usb_device *device, struct slot *slot, struct reader *in)
{
	uint8_t kind = reader_u8(in);
	struct usb_packet *packet = &slot->packet;

	if (packet->device)
		return;
	slot->piece = (struct iovec) { slot->data, reader_u16(in) % PACKET_BYTES };
	*packet = (struct usb_packet) {
		.endpoint = kind % 3,
		.in = kind & 4,
		.pieces = &slot->piece,
		.count = 1,
		.complete = ignore,
	};
	if (packet->endpoint == 0) {
		packet->setup.request_type = reader_u8(in);
		packet->setup.request = reader_u8(in);
		packet->setup.value = reader_u16(in);
		packet->setup.index = reader_u16(in);
		packet->setup.length = slot->piece.iov_len;
		packet->in = packet->setup.request_type & USB_IN;
	} else if (!packet->in && kind & 8) {
		memcpy(slot->data, "USBC", 4);
		for (unsigned i = 4; i < CBW; i++)
			slot->data[i] = i > 9 && i < 14 && i != 12 ? 0 : reader_u8(in);
		slot->piece.iov_len = CBW;
	}
	packet->length = slot->piece.iov_len;
	usb_submit(device, packet);
}

static void set_unit(struct reader *in)
{
	uint8_t how = reader_u8(in);

	if (fake_scsi.request)
		return;
	fake_scsi.direction = how % 3;
	fake_scsi.later = how & 4;
	fake_scsi.block = how & 16 ? 512 : 0;
	fake_scsi.status = how & 8 ? SCSI_CHECK_CONDITION : SCSI_GOOD;
	fake_scsi.length = 1 + reader_u16(in) % sizeof(fake_scsi.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct xhci_driver *driver = xhci_driver_new();
	struct usb_device *device = xhci_driver_add(driver, &usb_storage_class);
	struct slot *slots = g_new0(struct slot, PACKETS);

	device->configuration = 1;
	while (reader_left(&in) > 0 && !in.ran_out) {
		struct slot *slot = &slots[reader_u8(&in) % PACKETS];

		switch (reader_u8(&in) % 5) {
		case 0:
		case 1:
			submit(device, slot, &in);
			break;
		case 2:
			usb_cancel(&slot->packet);
			break;
		case 3:
			set_unit(&in);
			break;
		case 4:
			fake_scsi_finish();
			break;
		}
	}
	for (unsigned i = 0; i < PACKETS; i++)
		usb_cancel(&slots[i].packet);
	xhci_driver_free(driver);
	g_free(slots);
	return 0;
}
