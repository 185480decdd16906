/* usb-storage: a disk behind the bulk-only transport.
 *
 * A command goes: command block wrapper (31 bytes out), data, command status wrapper (13 bytes in). Where the host expects other
 * data than the command has, the rest is filled with zeroes or thrown away and told as residue; where it expects them to go the
 * other way, the status is "phase error". What is no command block wrapper halts both endpoints until the host resets the
 * transport.
 *
 * A disk moves whole blocks. Packets that are none, as at full speed, go through memory of our own.
 *
 * Specification: USB Mass Storage Class Bulk-Only Transport 1.0. Identity and descriptors: QEMU's usb-storage.
 */
#include "vmm/usb/usb-storage.h"

#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/storage/scsi.h"
#include "vmm/usb/usb.h"

enum {
	ENDPOINT_IN = 1,
	ENDPOINT_OUT = 2,

	REQUEST_RESET = 0xff,
	REQUEST_MAX_LUN = 0xfe,

	CBW_BYTES = 31,
	CBW_SIGNATURE = 0x43425355,
	CBW_TAG = 4,
	CBW_LENGTH = 8,
	CBW_FLAGS = 12,
	CBW_LUN = 13,
	CBW_CDB_LENGTH = 14,
	CBW_CDB = 15,
	FLAG_IN = 0x80,

	CSW_BYTES = 13,
	CSW_SIGNATURE = 0x53425355,
	CSW_PASSED = 0,
	CSW_FAILED = 1,
	CSW_PHASE_ERROR = 2,

	PIECES_MAX = 1024,
	BLOCK = 512,
	STAGE = 16384, /* bytes, whole blocks */
};

enum string {
	STRING_MANUFACTURER = 1,
	STRING_PRODUCT,
	STRING_SERIAL,
	STRING_FULL,
	STRING_HIGH,
	STRING_SUPER,
	STRINGS,
};

enum phase {
	PHASE_COMMAND,
	PHASE_DATA,
	PHASE_STATUS,
	PHASE_BROKEN, /* until the transport is reset */
};

struct usb_storage {
	struct usb_device usb;
	char *drive_id;
	bool removable;
	bool has_disk, has_lun;
	struct disk disk;
	struct scsi_lun lun;
	struct scsi_request request;

	enum phase phase;
	bool under_way;     /* the request */
	bool wants_data;    /* and it waits for memory */
	bool in;            /* as the host said */
	uint32_t tag, left; /* left: bytes the host will still move */
	uint32_t residue;
	uint8_t result;
	struct usb_packet *packet; /* the one that is held, NULL: none */
	size_t asked;              /* of the packet, what the data phase has of it */
	size_t before;             /* request.moved when the packet's memory was given to it */
	GArray *pieces;            /* of struct iovec, given to the request */
	bool staged, flushing; /* the request has the stage; and the packet waits for that alone */
	unsigned stage_next,
		stage_end; /* bytes that go to the guest, or came from it, lie between */
	uint8_t stage[STAGE];
};

static const char *const strings[STRINGS] = {
	[STRING_MANUFACTURER] = "QEMU",
	[STRING_PRODUCT] = "QEMU USB HARDDRIVE",
	[STRING_SERIAL] = "1",
	[STRING_FULL] = "Full speed config (usb 1.1)",
	[STRING_HIGH] = "High speed config (usb 2.0)",
	[STRING_SUPER] = "Super speed config (usb 3.0)",
};

#define BULK_ENDPOINTS(name, packet, burst) \
	static const struct usb_endpoint name[] = { \
		{ USB_IN | ENDPOINT_IN, 2, packet, 0, burst }, \
		{ ENDPOINT_OUT, 2, packet, 0, burst }, \
	}
BULK_ENDPOINTS(full_endpoints, 64, 0);
BULK_ENDPOINTS(high_endpoints, 512, 0);
BULK_ENDPOINTS(super_endpoints, 1024, 15);

static const struct usb_interface full_interface = { 8, 6, 0x50, .endpoints = full_endpoints,
	.endpoint_count = 2 };
static const struct usb_interface high_interface = { 8, 6, 0x50, .endpoints = high_endpoints,
	.endpoint_count = 2 };
static const struct usb_interface super_interface = { 8, 6, 0x50, .endpoints = super_endpoints,
	.endpoint_count = 2 };

static const struct usb_speed_description full_speed = { 0x0200, 8, STRING_FULL, 0xc0, 0,
	&full_interface };
static const struct usb_speed_description high_speed = { 0x0200, 64, STRING_HIGH, 0xc0, 0,
	&high_interface };
static const struct usb_speed_description super_speed = { 0x0300, 9, STRING_SUPER, 0xc0, 0,
	&super_interface };

static const struct usb_description description = {
	.vendor = 0x46f4,
	.product = 0x0001,
	.manufacturer_string = STRING_MANUFACTURER,
	.product_string = STRING_PRODUCT,
	.serial_string = STRING_SERIAL,
	.strings = strings,
	.string_count = STRINGS,
	.speeds = {
		[USB_SPEED_FULL] = &full_speed,
		[USB_SPEED_HIGH] = &high_speed,
		[USB_SPEED_SUPER] = &super_speed,
	},
};

/* The data phase */

static void complete(struct usb_storage *storage, enum usb_status status)
{
	struct usb_packet *packet = storage->packet;

	storage->packet = NULL;
	usb_packet_complete(packet, status);
}

static void give_up(struct usb_storage *storage)
{
	if (storage->under_way)
		scsi_request_cancel(&storage->request);
	storage->under_way = storage->wants_data = false;
	storage->staged = storage->flushing = false;
	storage->stage_next = storage->stage_end = 0;
}

/* Memory of the packet behind what it moved, as far as the data phase has it. */
static void collect_pieces(struct usb_storage *storage)
{
	const struct usb_packet *packet = storage->packet;
	size_t skip = packet->moved, room = storage->asked - packet->moved;

	g_array_set_size(storage->pieces, 0);
	for (unsigned i = 0; i < packet->count && room > 0; i++) {
		struct iovec piece = packet->pieces[i];

		if (skip >= piece.iov_len) {
			skip -= piece.iov_len;
			continue;
		}
		piece.iov_base = (char *)piece.iov_base + skip;
		piece.iov_len = MIN(piece.iov_len - skip, room);
		room -= piece.iov_len;
		skip = 0;
		g_array_append_val(storage->pieces, piece);
	}
}

static void send_status(struct usb_storage *storage)
{
	uint8_t bytes[CSW_BYTES];

	config_set32(bytes, CSW_SIGNATURE);
	config_set32(bytes + 4, storage->tag);
	config_set32(bytes + 8, storage->residue);
	bytes[12] = storage->result;
	usb_packet_send(storage->packet, bytes, sizeof(bytes));
	storage->phase = PHASE_COMMAND;
	complete(storage, USB_SUCCESS);
}

/* data() or done() goes on, perhaps before this returns. */
static void give_memory(struct usb_storage *storage, const struct iovec *pieces, unsigned count)
{
	storage->wants_data = false;
	storage->before = storage->request.moved;
	scsi_request_transfer(&storage->request, pieces, count);
}

static void give_packet(struct usb_storage *storage)
{
	collect_pieces(storage);
	give_memory(storage, (const struct iovec *)storage->pieces->data, storage->pieces->len);
}

static void give_stage(struct usb_storage *storage, size_t length)
{
	struct iovec piece = { storage->stage, length };

	g_array_set_size(storage->pieces, 0);
	g_array_append_val(storage->pieces, piece);
	storage->staged = true;
	give_memory(storage, (const struct iovec *)storage->pieces->data, 1);
}

/* Each returns true when the packet waits. */

static bool step_in(struct usb_storage *storage)
{
	struct usb_packet *packet = storage->packet;
	size_t room = storage->asked - packet->moved;

	if (room > 0 && storage->stage_next < storage->stage_end) {
		storage->stage_next += usb_packet_send(packet, storage->stage + storage->stage_next,
			MIN(room, storage->stage_end - storage->stage_next));
		room = storage->asked - packet->moved;
	}
	if (room == 0 || !storage->under_way)
		return false;
	if (!storage->wants_data)
		return true;
	if (room % BLOCK == 0)
		give_packet(storage);
	else
		give_stage(storage, MIN(STAGE, storage->left - packet->moved));
	return true;
}

static bool step_out(struct usb_storage *storage)
{
	struct usb_packet *packet = storage->packet;
	size_t room = storage->asked - packet->moved;

	if (!storage->under_way)
		return false;
	if (!storage->wants_data)
		return room > 0 || storage->flushing;
	storage->flushing = false;
	if (room == 0)
		return false;
	if (storage->stage_end == 0 && room % BLOCK == 0) {
		give_packet(storage);
		return true;
	}
	storage->stage_end += usb_packet_receive(
		packet, storage->stage + storage->stage_end, MIN(room, STAGE - storage->stage_end));
	if (storage->stage_end < STAGE && packet->moved < storage->left)
		return false;
	storage->flushing = true;
	give_stage(storage, storage->stage_end);
	return true;
}

/* Does what can be done with the packet that is held. */
static void step(struct usb_storage *storage)
{
	struct usb_packet *packet = storage->packet;

	if (!packet)
		return;
	if (storage->phase == PHASE_STATUS) {
		if (!storage->under_way)
			send_status(storage);
		return;
	}
	if (storage->in ? step_in(storage) : step_out(storage))
		return;
	usb_packet_skip(packet, storage->asked - packet->moved);
	storage->left -= storage->asked;
	if (storage->left == 0)
		storage->phase = PHASE_STATUS;
	complete(storage, USB_SUCCESS);
}

/* What the request moved since it was given memory is the packet's, or the stage's. */
static void note_moved(struct usb_storage *storage)
{
	size_t moved = storage->request.moved - storage->before;

	storage->before = storage->request.moved;
	storage->residue -= moved;
	if (storage->staged) {
		storage->staged = false;
		storage->stage_next = 0;
		storage->stage_end = storage->in ? moved : 0;
	} else if (storage->packet && storage->phase == PHASE_DATA) {
		storage->packet->moved += moved;
	}
}

static void request_data(struct scsi_request *request)
{
	struct usb_storage *storage = request->owner;
	bool in = request->direction == SCSI_TO_GUEST;

	note_moved(storage);
	storage->wants_data = true;
	if (storage->residue > 0 && in == storage->in) {
		step(storage);
		return;
	}
	if (storage->residue == 0 && in == storage->in && request->moved > 0) {
		storage->wants_data = false;
		scsi_request_end_data(request);
		storage->result = CSW_PHASE_ERROR;
		return;
	}
	/* Data that the host does not expect, or not this way (section 6.7). */
	give_up(storage);
	storage->result = CSW_PHASE_ERROR;
	step(storage);
}

static void request_done(struct scsi_request *request)
{
	struct usb_storage *storage = request->owner;

	note_moved(storage);
	storage->under_way = storage->wants_data = false;
	storage->result = request->status == SCSI_GOOD ? CSW_PASSED : CSW_FAILED;
	step(storage);
}

static const struct scsi_request_ops request_ops = {
	.data = request_data,
	.done = request_done,
};

/* Packets */

static enum usb_status broken(struct usb_storage *storage)
{
	storage->phase = PHASE_BROKEN;
	usb_device_halt(&storage->usb, USB_IN | ENDPOINT_IN);
	usb_device_halt(&storage->usb, ENDPOINT_OUT);
	return USB_STALL;
}

static enum usb_status take_command(struct usb_storage *storage, struct usb_packet *packet)
{
	uint8_t cbw[CBW_BYTES];

	if (packet->length != CBW_BYTES ||
		usb_packet_receive(packet, cbw, sizeof(cbw)) != CBW_BYTES ||
		config_get32(cbw) != CBW_SIGNATURE || cbw[CBW_LUN] != 0 ||
		cbw[CBW_CDB_LENGTH] < 1 || cbw[CBW_CDB_LENGTH] > SCSI_CDB_BYTES)
		return broken(storage);
	storage->tag = config_get32(cbw + CBW_TAG);
	storage->left = storage->residue = config_get32(cbw + CBW_LENGTH);
	storage->in = cbw[CBW_FLAGS] & FLAG_IN;
	storage->phase = storage->left > 0 ? PHASE_DATA : PHASE_STATUS;
	storage->result = CSW_PASSED;
	storage->before = 0;
	storage->wants_data = storage->staged = storage->flushing = false;
	storage->stage_next = storage->stage_end = 0;
	storage->request = (struct scsi_request) { .ops = &request_ops, .owner = storage };
	memcpy(storage->request.cdb, cbw + CBW_CDB, cbw[CBW_CDB_LENGTH]);
	storage->under_way = true;
	scsi_request_submit(&storage->lun, &storage->request);
	return USB_SUCCESS;
}

static enum usb_status storage_transfer(struct usb_device *device, struct usb_packet *packet)
{
	struct usb_storage *storage = (struct usb_storage *)device;

	if (storage->packet)
		return broken(storage);
	if (storage->phase == PHASE_COMMAND && !packet->in)
		return take_command(storage, packet);
	if (storage->phase == PHASE_DATA && packet->in == storage->in)
		storage->asked = MIN(packet->length, storage->left);
	else if (storage->phase != PHASE_STATUS || !packet->in || packet->length < CSW_BYTES)
		return broken(storage);
	storage->packet = packet;
	step(storage);
	return USB_ASYNC;
}

static void storage_cancel(struct usb_device *device, struct usb_packet *packet)
{
	struct usb_storage *storage = (struct usb_storage *)device;

	if (storage->packet != packet)
		return;
	storage->packet = NULL;
	give_up(storage);
}

static void reset_transport(struct usb_storage *storage)
{
	give_up(storage);
	storage->phase = PHASE_COMMAND;
	storage->left = storage->residue = 0;
	if (storage->packet)
		complete(storage, USB_STALL);
}

static enum usb_status storage_control(struct usb_device *device, struct usb_packet *packet)
{
	static const uint8_t max_lun;
	struct usb_storage *storage = (struct usb_storage *)device;

	switch (USB_REQUEST(packet->setup.request_type, packet->setup.request)) {
	case USB_REQUEST(USB_TYPE_CLASS | USB_TO_INTERFACE, REQUEST_RESET):
		reset_transport(storage);
		return USB_SUCCESS;
	case USB_REQUEST(USB_IN | USB_TYPE_CLASS | USB_TO_INTERFACE, REQUEST_MAX_LUN):
		usb_packet_send(packet, &max_lun, 1);
		return USB_SUCCESS;
	default:
		return USB_STALL;
	}
}

static void storage_bus_reset(struct usb_device *device)
{
	reset_transport((struct usb_storage *)device);
}

static const struct usb_device_ops device_ops = {
	.description = &description,
	.control = storage_control,
	.transfer = storage_transfer,
	.cancel = storage_cancel,
	.reset = storage_bus_reset,
};

/* Life */

static bool storage_realize(struct device *device, GError **error)
{
	struct usb_storage *storage = (struct usb_storage *)device;
	struct scsi_config config = {
		.kind = SCSI_DISK,
		.serial = storage->usb.serial,
		.removable = storage->removable,
		.keeps_sense = true,
		.owner = storage,
	};

	if (!storage->drive_id)
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=ID is missing: it names a -drive ...,if=none,id=ID or a -blockdev");
	if (!disk_init(&storage->disk, storage->drive_id, device, &scsi_disk_drive_ops,
		    &storage->lun, error))
		return false;
	storage->has_disk = true;
	if (!storage->removable && !disk_has_medium(&storage->disk))
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=%s has no medium, and a disk needs one; file= names it",
			storage->drive_id);
	scsi_lun_init(&storage->lun, &config, &storage->disk);
	storage->has_lun = true;
	storage->pieces = g_array_new(FALSE, FALSE, sizeof(struct iovec));
	return usb_device_connect(&storage->usb, &device_ops, error);
}

static void storage_reset(struct device *device)
{
	struct usb_storage *storage = (struct usb_storage *)device;

	reset_transport(storage);
	scsi_lun_reset(&storage->lun);
}

static void storage_unrealize(struct device *device)
{
	struct usb_storage *storage = (struct usb_storage *)device;

	usb_device_disconnect(&storage->usb);
	if (storage->has_lun)
		scsi_lun_finish(&storage->lun);
	if (storage->has_disk)
		disk_finish(&storage->disk);
	storage->has_lun = storage->has_disk = false;
	g_clear_pointer(&storage->pieces, g_array_unref);
}

static void storage_set_running(struct device *device, bool running)
{
	disk_set_running(&((struct usb_storage *)device)->disk, running);
}

static const struct property storage_properties[] = {
	{ "drive", PROPERTY_STRING, offsetof(struct usb_storage, drive_id), NULL,
		"id of the -drive or -blockdev that holds the contents" },
	{ "removable", PROPERTY_BOOL, offsetof(struct usb_storage, removable), "off",
		"the guest takes it for a medium that can be removed" },
	{ .type = PROPERTY_END },
};

const struct device_class usb_storage_class = {
	.name = "usb-storage",
	.description = "disk on USB",
	.bus = BUS_USB,
	.user_creatable = true,
	.size = sizeof(struct usb_storage),
	.boot_suffix = "channel@0/disk@0,0",
	.properties = storage_properties,
	.realize = storage_realize,
	.reset = storage_reset,
	.unrealize = storage_unrealize,
	.set_running = storage_set_running,
};
