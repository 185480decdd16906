/* virtio-scsi-pci: SCSI commands from request queues, events to the driver. Specification: virtio 1.2 section 5.6. */
#include "vmm/virtio/virtio-scsi.h"

#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-scsi-private.h"

#define FEATURE_HOTPLUG (UINT64_C(1) << 1)
#define FEATURE_CHANGE  (UINT64_C(1) << 2)

enum {
	CONFIG_QUEUES = 0,
	CONFIG_SEGMENTS = 4,
	CONFIG_SECTORS = 8,
	CONFIG_PER_LUN = 12,
	CONFIG_EVENT_SIZE = 16,
	CONFIG_SENSE_SIZE = 20,
	CONFIG_CDB_SIZE = 24,
	CONFIG_MAX_CHANNEL = 28,
	CONFIG_MAX_TARGET = 30,
	CONFIG_MAX_LUN = 32,
	CONFIG_SIZE = 36,

	TARGETS = 256,
	LUNS = 16384,
	QUEUES_AUTOMATIC_MAX = 64,
	QUEUES_MAX = VIRTIO_QUEUES_MAX - SCSI_QUEUE_REQUEST,

	HEADER_BYTES = 19, /* lun, tag, attributes, priority, reference; the CDB follows */
	HEADER_TAG = 8,
	RESPONSE_BYTES =
		12, /* sense length, residual, qualifier, status, response; the sense follows */
	CDB_SIZE_DEFAULT = 32,
	CDB_SIZE_MAX = 256,
	SENSE_SIZE_DEFAULT = 96,
	SENSE_SIZE_MAX = 4096,

	EVENT_BYTES = 16, /* event, lun, reason */
	EVENT_TRANSPORT_RESET = 1,
	EVENT_PARAMETER_CHANGE = 3,
	RESET_RESCAN = 1,
	RESET_REMOVED = 2,
};

#define EVENT_MISSED     UINT32_C(0x80000000)
#define QUEUES_AUTOMATIC "4294967295"

static const struct property scsi_properties[] = {
	{ "num_queues", PROPERTY_UINT32, offsetof(struct virtio_scsi, queues_option),
		QUEUES_AUTOMATIC, "request queues; 4294967295: one for each processor" },
	{ "virtqueue_size", PROPERTY_UINT32, offsetof(struct virtio_scsi, queue_size), "256",
		"descriptors of a queue, a power of two", .minimum = 8,
		.maximum = VIRTQUEUE_MAX_SIZE },
	{ "max_sectors", PROPERTY_UINT32, offsetof(struct virtio_scsi, max_sectors), "65535",
		"sectors of one request, at most", .minimum = 8 },
	{ "cmd_per_lun", PROPERTY_UINT32, offsetof(struct virtio_scsi, cmd_per_lun), "128",
		"requests for one unit at a time, at most", .minimum = 1 },
	{ "hotplug", PROPERTY_BOOL, offsetof(struct virtio_scsi, hotplug), "on",
		"tell the driver of devices that come and go" },
	{ "param_change", PROPERTY_BOOL, offsetof(struct virtio_scsi, param_change), "on",
		"tell the driver of disks that have another size" },
	VIRTIO_VECTORS_PROPERTY(VIRTIO_VECTORS_DEFAULT),
	VIRTIO_PCI_PROPERTIES,
	{ .type = PROPERTY_END },
};

bool virtio_scsi_parse_lun(const uint8_t *bytes, unsigned *target, unsigned *lun)
{
	*target = bytes[1];
	*lun = (bytes[2] & 0x3f) << 8 | bytes[3];
	return bytes[0] == 1 && (bytes[2] >> 6 == 0 || bytes[2] >> 6 == 1);
}

/* Requests */

static void request_free(struct virtio_scsi_request *request)
{
	g_queue_remove(&request->adapter->requests, request);
	scsi_request_cancel(&request->scsi);
	virtqueue_element_clear(&request->element);
	g_free(request->data_in);
	g_free(request);
}

static void push(struct virtio_scsi_request *request)
{
	struct virtio_scsi *adapter = request->adapter;
	const struct scsi_request *scsi = &request->scsi;
	const struct virtqueue_element *element = &request->element;
	unsigned sense = MIN(scsi->sense_length, adapter->sense_size);
	uint8_t bytes[RESPONSE_BYTES] = { 0 };
	uint64_t moved = request->response == RESPONSE_OK ? scsi->moved : 0;
	uint32_t written = RESPONSE_BYTES + adapter->sense_size;

	config_set32(bytes, sense);
	config_set32(bytes + 4, MIN(request->room - moved, UINT32_MAX));
	bytes[10] = scsi->status;
	bytes[11] = request->response;
	iovec_write(element->writable, element->writable_count, 0, bytes, sizeof(bytes));
	if (sense > 0)
		iovec_write(element->writable, element->writable_count, RESPONSE_BYTES, scsi->sense,
			sense);
	if (scsi->direction == SCSI_TO_GUEST)
		written += moved;
	virtqueue_push(&adapter->virtio.queues[request->queue], element, written);
	virtio_interrupt(&adapter->virtio, request->queue);
	request_free(request);
}

/* While the machine pauses the queue is not touched: what has ended waits for it to go on. */
static void finish(struct virtio_scsi_request *request)
{
	request->ended = true;
	if (virtio_queue_is_ready(&request->adapter->virtio, request->queue))
		push(request);
}

void virtio_scsi_give_up(struct virtio_scsi_request *request, enum scsi_response response)
{
	scsi_request_cancel(&request->scsi);
	request->scsi.sense_length = 0;
	request->response = response;
	finish(request);
}

static void scsi_data(struct scsi_request *scsi)
{
	struct virtio_scsi_request *request = (struct virtio_scsi_request *)scsi;

	/* All memory is given at once, so a second call means that it was too little. */
	if (request->given) {
		scsi_request_end_data(scsi);
		return;
	}
	request->given = true;
	if (scsi->direction == SCSI_TO_GUEST)
		scsi_request_transfer(scsi, request->data_in, request->data_in_count);
	else
		scsi_request_transfer(
			scsi, request->element.readable, request->element.readable_count);
}

static void scsi_done(struct scsi_request *scsi)
{
	struct virtio_scsi_request *request = (struct virtio_scsi_request *)scsi;

	/* Section 5.6.6.1: the command wanted to move more than there was room for. */
	if (scsi->status == SCSI_GOOD && scsi->length > request->room)
		request->response = RESPONSE_OVERRUN;
	finish(request);
}

static const struct scsi_request_ops request_ops = {
	.data = scsi_data,
	.done = scsi_done,
};

static void submit(struct virtio_scsi_request *request)
{
	struct virtio_scsi *adapter = request->adapter;
	struct scsi_device *device = scsi_bus_device(&adapter->bus, request->target, request->lun);
	uint16_t luns[1];

	if (device) {
		scsi_request_submit(&device->lun, &request->scsi);
	} else if (scsi_bus_list(&adapter->bus, request->target, luns, 1) > 0) {
		adapter->absent_target = request->target;
		scsi_request_submit(&adapter->absent, &request->scsi);
	} else {
		request->response = RESPONSE_BAD_TARGET;
		finish(request);
	}
}

/* Takes the header off the front of what the device reads, and the room for the response off what it writes. */
static struct virtio_scsi_request *parse(
	struct virtio_scsi *adapter, unsigned queue, struct virtqueue_element *element)
{
	size_t header = HEADER_BYTES + adapter->cdb_size;
	size_t response = RESPONSE_BYTES + adapter->sense_size;
	uint8_t bytes[HEADER_BYTES + CDB_SIZE_MAX];
	struct virtio_scsi_request *request;

	if (iovec_read(element->readable, element->readable_count, 0, bytes, header) != header ||
		iovec_length(element->writable, element->writable_count) < response)
		return NULL;
	request = g_new0(struct virtio_scsi_request, 1);
	request->adapter = adapter;
	request->queue = queue;
	request->element = *element;
	*element = (struct virtqueue_element) { 0 };
	element = &request->element;
	element->readable_count = iovec_skip(element->readable, element->readable_count, header);
	request->data_in =
		g_memdup2(element->writable, sizeof(struct iovec) * element->writable_count);
	request->data_in_count = iovec_skip(request->data_in, element->writable_count, response);
	request->room = iovec_length(request->data_in, request->data_in_count);
	if (request->room == 0)
		request->room = iovec_length(element->readable, element->readable_count);
	request->tag = config_get64(bytes + HEADER_TAG);
	if (!virtio_scsi_parse_lun(bytes, &request->target, &request->lun))
		request->target = TARGETS; /* nobody's */
	memcpy(request->scsi.cdb, bytes + HEADER_BYTES, MIN(adapter->cdb_size, SCSI_CDB_BYTES));
	request->scsi.ops = &request_ops;
	return request;
}

static int64_t do_request(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_scsi *adapter = (struct virtio_scsi *)virtio;
	struct virtio_scsi_request *request = parse(adapter, queue, element);

	if (!request) {
		virtio_break(virtio, "a SCSI request without header or response");
		return VIRTIO_STOP;
	}
	g_queue_push_tail(&adapter->requests, request);
	submit(request);
	return VIRTIO_KEEP;
}

static void requests_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, do_request);
}

static void control_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, virtio_scsi_control);
}

/* Events (section 5.6.6.3) */

static void tell_event(struct virtio_scsi *adapter, uint32_t event,
	const struct scsi_device *device, uint32_t reason)
{
	struct virtio_device *virtio = &adapter->virtio;
	struct virtqueue_element *element = &adapter->event;
	uint8_t bytes[EVENT_BYTES] = { 0 };
	size_t written;

	if (!virtio_take(virtio, SCSI_QUEUE_EVENT, element)) {
		adapter->event_missed = true;
		return;
	}
	config_set32(bytes, event | (adapter->event_missed ? EVENT_MISSED : 0));
	adapter->event_missed = false;
	if (device) {
		bytes[4] = 1;
		bytes[5] = device->target;
		bytes[6] = device->unit < 256 ? 0 : device->unit >> 8 | 0x40;
		bytes[7] = device->unit;
		config_set32(bytes + 12, reason);
	}
	written = iovec_write(element->writable, element->writable_count, 0, bytes, sizeof(bytes));
	virtqueue_push(&virtio->queues[SCSI_QUEUE_EVENT], element, written);
	virtio_interrupt(virtio, SCSI_QUEUE_EVENT);
}

/* The driver has given new buffers: it hears now that it missed something. */
static void events_kicked(struct virtio_device *virtio, unsigned queue)
{
	struct virtio_scsi *adapter = (struct virtio_scsi *)virtio;

	if (adapter->event_missed)
		tell_event(adapter, 0, NULL, 0);
}

static void attention(struct scsi_bus *bus, struct scsi_device *device, struct scsi_sense sense)
{
	struct virtio_scsi *adapter = bus->adapter;

	if (device->lun.config.kind == SCSI_DISK &&
		virtio_has_feature(&adapter->virtio, FEATURE_CHANGE))
		tell_event(
			adapter, EVENT_PARAMETER_CHANGE, device, sense.code | sense.qualifier << 8);
}

static void plugged(struct scsi_bus *bus, struct scsi_device *device)
{
	struct virtio_scsi *adapter = bus->adapter;

	if (virtio_has_feature(&adapter->virtio, FEATURE_HOTPLUG))
		tell_event(adapter, EVENT_TRANSPORT_RESET, device, RESET_RESCAN);
}

static void unplugged(struct scsi_bus *bus, struct scsi_device *device)
{
	struct virtio_scsi *adapter = bus->adapter;

	scsi_lun_finish(&device->lun);
	for (GList *at = adapter->requests.head, *next; at; at = next) {
		struct virtio_scsi_request *request = at->data;

		next = at->next;
		if (!request->ended && request->target == device->target &&
			request->lun == device->unit)
			virtio_scsi_give_up(request, RESPONSE_BAD_TARGET);
	}
	if (virtio_has_feature(&adapter->virtio, FEATURE_HOTPLUG))
		tell_event(adapter, EVENT_TRANSPORT_RESET, device, RESET_REMOVED);
}

static const struct scsi_bus_ops bus_ops = {
	.attention = attention,
	.plugged = plugged,
	.unplugged = unplugged,
};

static unsigned list_units(void *owner, uint16_t *luns, unsigned max)
{
	struct virtio_scsi *adapter = owner;

	return scsi_bus_list(&adapter->bus, adapter->absent_target, luns, max);
}

/* Transport */

static unsigned request_queues(const struct virtio_scsi *adapter)
{
	return adapter->virtio.queue_count - SCSI_QUEUE_REQUEST;
}

static void get_config(struct virtio_device *virtio, uint8_t *config)
{
	const struct virtio_scsi *adapter = (const struct virtio_scsi *)virtio;

	config_set32(config + CONFIG_QUEUES, request_queues(adapter));
	config_set32(config + CONFIG_SEGMENTS, adapter->queue_size - 2);
	config_set32(config + CONFIG_SECTORS, adapter->max_sectors);
	config_set32(config + CONFIG_PER_LUN, adapter->cmd_per_lun);
	config_set32(config + CONFIG_EVENT_SIZE, EVENT_BYTES);
	config_set32(config + CONFIG_SENSE_SIZE, adapter->sense_size);
	config_set32(config + CONFIG_CDB_SIZE, adapter->cdb_size);
	config_set16(config + CONFIG_MAX_TARGET, TARGETS - 1);
	config_set32(config + CONFIG_MAX_LUN, LUNS - 1);
}

static void set_config(
	struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size)
{
	struct virtio_scsi *adapter = (struct virtio_scsi *)virtio;
	uint32_t value;

	if (size != 4)
		return;
	value = config_get32(bytes);
	if (offset == CONFIG_SENSE_SIZE && value <= SENSE_SIZE_MAX)
		adapter->sense_size = value;
	else if (offset == CONFIG_CDB_SIZE && value > 0 && value <= CDB_SIZE_MAX)
		adapter->cdb_size = value;
	else
		virtio_break(virtio, "a size of CDBs or sense that is not possible");
}

static void start(struct virtio_device *virtio)
{
	struct virtio_scsi *adapter = (struct virtio_scsi *)virtio;

	for (GList *at = adapter->requests.head, *next; at; at = next) {
		struct virtio_scsi_request *request = at->data;

		next = at->next;
		if (request->ended && virtio_queue_is_ready(virtio, request->queue))
			push(request);
	}
}

/* Requests stay with their units, which pause by themselves. */
static void stop(struct virtio_device *virtio)
{
}

static void forget_requests(struct virtio_scsi *adapter, unsigned queue, bool all)
{
	for (GList *at = adapter->requests.head, *next; at; at = next) {
		struct virtio_scsi_request *request = at->data;

		next = at->next;
		if (all || request->queue == queue)
			request_free(request);
	}
}

static void queue_reset(struct virtio_device *virtio, unsigned queue)
{
	forget_requests((struct virtio_scsi *)virtio, queue, false);
}

static void reset(struct virtio_device *virtio)
{
	struct virtio_scsi *adapter = (struct virtio_scsi *)virtio;

	/* First the units: each gives up all of its requests at once, where one by one the rest would begin anew each time. */
	for (guint i = 0; i < adapter->bus.bus.children->len; i++) {
		struct scsi_device *device = adapter->bus.bus.children->pdata[i];

		if (device->has_lun)
			scsi_lun_reset(&device->lun);
	}
	forget_requests(adapter, 0, true);
	adapter->sense_size = SENSE_SIZE_DEFAULT;
	adapter->cdb_size = CDB_SIZE_DEFAULT;
	adapter->event_missed = false;
}

static const struct virtio_ops scsi_ops = {
	.config_size = CONFIG_SIZE,
	.get_config = get_config,
	.set_config = set_config,
	.start = start,
	.stop = stop,
	.queue_reset = queue_reset,
	.reset = reset,
};

/* Life */

static bool check_options(const struct virtio_scsi *adapter, unsigned queues, GError **error)
{
	if (adapter->queue_size & (adapter->queue_size - 1))
		return fail(error, VITRINE_ERROR_INPUT, "virtqueue_size=%u is no power of two",
			adapter->queue_size);
	return (queues >= 1 && queues <= QUEUES_MAX) ||
	       fail(error, VITRINE_ERROR_INPUT, "num_queues=%u is not possible; 1 to %d are",
		       queues, QUEUES_MAX);
}

static bool scsi_realize(struct device *device, GError **error)
{
	static const struct scsi_bus_limits limits = { TARGETS, LUNS };
	struct virtio_scsi *adapter = (struct virtio_scsi *)device;
	struct virtio_device *virtio = &adapter->virtio;
	struct scsi_config absent = { .kind = SCSI_ABSENT, .list = list_units, .owner = adapter };
	g_autofree char *name = bus_make_name(device, "scsi", 0);
	unsigned queues = adapter->queues_option;

	if (queues == UINT32_MAX)
		queues = CLAMP(device->machine->config->cpus, 1, QUEUES_AUTOMATIC_MAX);
	if (!check_options(adapter, queues, error))
		return false;
	virtio->ops = &scsi_ops;
	virtio->features = (adapter->hotplug ? FEATURE_HOTPLUG : 0) |
			   (adapter->param_change ? FEATURE_CHANGE : 0);
	virtio->queue_count = SCSI_QUEUE_REQUEST + queues;
	adapter->sense_size = SENSE_SIZE_DEFAULT;
	adapter->cdb_size = CDB_SIZE_DEFAULT;
	g_queue_init(&adapter->requests);
	scsi_lun_init(&adapter->absent, &absent, NULL);
	scsi_bus_init(&adapter->bus, name, device, &limits, &bus_ops);
	adapter->has_bus = true;
	if (!virtio_pci_realize(virtio, error))
		return false;
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		virtio_set_queue_size(virtio, i, adapter->queue_size);
		virtio_add_main_queue(virtio, i,
			i == SCSI_QUEUE_CONTROL ? control_kicked
			: i == SCSI_QUEUE_EVENT ? events_kicked
						: requests_kicked);
	}
	return true;
}

static void scsi_unrealize(struct device *device)
{
	struct virtio_scsi *adapter = (struct virtio_scsi *)device;

	if (!adapter->has_bus)
		return;
	virtio_pci_unrealize(&adapter->virtio);
	forget_requests(adapter, 0, true);
	virtqueue_element_clear(&adapter->event);
	scsi_bus_finish(&adapter->bus);
	adapter->has_bus = false;
}

static const struct pci_identity scsi_identity = {
	.vendor = 0x1af4,
	.device = 0x1048,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x010000,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_scsi_class = {
	.name = "virtio-scsi-pci",
	.description = "SCSI host bus adapter",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_scsi),
	.pci = &scsi_identity,
	.properties = scsi_properties,
	.realize = scsi_realize,
	.reset = virtio_device_reset,
	.unrealize = scsi_unrealize,
	.set_running = virtio_device_set_running,
};
