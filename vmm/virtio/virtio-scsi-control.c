/* The control queue of virtio-scsi: task management, and asynchronous notifications, of which there are none. Specification:
 * virtio 1.2 section 5.6.6.2; SAM-5 section 7.
 */
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-scsi-private.h"

enum {
	TYPE_TASK_MANAGEMENT = 0,
	TYPE_QUERY_EVENTS = 1,
	TYPE_SUBSCRIBE_EVENTS = 2,
	TYPE_BYTES = 4,

	TASK_BYTES = 24, /* type, subtype, lun, tag */
	TASK_LUN = 8,
	TASK_TAG = 16,
	EVENTS_BYTES = 16,   /* type, lun, events */
	EVENTS_RESPONSE = 5, /* events, response */
};

enum task_function {
	ABORT_TASK = 0,
	ABORT_TASK_SET = 1,
	CLEAR_ACA = 2,
	CLEAR_TASK_SET = 3,
	NEXUS_RESET = 4,
	UNIT_RESET = 5,
	QUERY_TASK = 6,
	QUERY_TASK_SET = 7,
};

struct task {
	unsigned target, lun;
	uint64_t tag;
	bool whole_target, any_tag;
};

static bool is_meant(const struct virtio_scsi_request *request, const struct task *task)
{
	return !request->ended && request->target == task->target &&
	       (task->whole_target || request->lun == task->lun) &&
	       (task->any_tag || request->tag == task->tag);
}

static struct virtio_scsi_request *find(const struct virtio_scsi *adapter, const struct task *task)
{
	for (GList *at = adapter->requests.head; at; at = at->next)
		if (is_meant(at->data, task))
			return at->data;
	return NULL;
}

static void give_up_all(
	struct virtio_scsi *adapter, const struct task *task, enum scsi_response response)
{
	struct virtio_scsi_request *request;

	/* Units give up all of their requests at once, where one by one the rest would begin anew each time. */
	for (guint i = 0; task->any_tag && i < adapter->bus.bus.children->len; i++) {
		struct scsi_device *device = adapter->bus.bus.children->pdata[i];

		if (device->has_lun && device->target == task->target &&
			(task->whole_target || device->unit == task->lun))
			scsi_lun_finish(&device->lun);
	}
	while ((request = find(adapter, task)))
		virtio_scsi_give_up(request, response);
}

static void reset_units(struct virtio_scsi *adapter, const struct task *task)
{
	give_up_all(adapter, task, RESPONSE_RESET);
	for (guint i = 0; i < adapter->bus.bus.children->len; i++) {
		struct scsi_device *device = adapter->bus.bus.children->pdata[i];

		if (device->has_lun && device->target == task->target &&
			(task->whole_target || device->unit == task->lun))
			scsi_lun_reset(&device->lun);
	}
}

static enum scsi_response manage(struct virtio_scsi *adapter, uint32_t function, struct task task)
{
	uint16_t luns[1];

	if (scsi_bus_list(&adapter->bus, task.target, luns, 1) == 0)
		return RESPONSE_BAD_TARGET;
	task.whole_target = function == NEXUS_RESET;
	task.any_tag = function != ABORT_TASK && function != QUERY_TASK;
	if (!task.whole_target && !scsi_bus_device(&adapter->bus, task.target, task.lun))
		return RESPONSE_INCORRECT_LUN;
	switch (function) {
	case ABORT_TASK:
	case ABORT_TASK_SET:
	case CLEAR_TASK_SET:
		give_up_all(adapter, &task, RESPONSE_ABORTED);
		return RESPONSE_OK;
	case NEXUS_RESET:
	case UNIT_RESET:
		reset_units(adapter, &task);
		return RESPONSE_OK;
	case QUERY_TASK:
	case QUERY_TASK_SET:
		return find(adapter, &task) ? RESPONSE_SUCCEEDED : RESPONSE_OK;
	default:
		return RESPONSE_REJECTED;
	}
}

static int64_t too_short(struct virtio_device *virtio)
{
	virtio_break(virtio, "a control request that is too short");
	return VIRTIO_STOP;
}

static int64_t do_task(struct virtio_device *virtio, const struct virtqueue_element *element)
{
	uint8_t bytes[TASK_BYTES], response;
	struct task task = { 0 };

	if (iovec_read(element->readable, element->readable_count, 0, bytes, sizeof(bytes)) !=
			sizeof(bytes) ||
		iovec_length(element->writable, element->writable_count) < sizeof(response))
		return too_short(virtio);
	task.tag = config_get64(bytes + TASK_TAG);
	if (virtio_scsi_parse_lun(bytes + TASK_LUN, &task.target, &task.lun))
		response = manage(
			(struct virtio_scsi *)virtio, config_get32(bytes + TYPE_BYTES), task);
	else
		response = RESPONSE_BAD_TARGET;
	return iovec_write(
		element->writable, element->writable_count, 0, &response, sizeof(response));
}

static int64_t do_events(struct virtio_device *virtio, const struct virtqueue_element *element)
{
	uint8_t none[EVENTS_RESPONSE] = { [EVENTS_RESPONSE - 1] = RESPONSE_OK };

	if (iovec_length(element->readable, element->readable_count) < EVENTS_BYTES ||
		iovec_length(element->writable, element->writable_count) < sizeof(none))
		return too_short(virtio);
	return iovec_write(element->writable, element->writable_count, 0, none, sizeof(none));
}

int64_t virtio_scsi_control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	uint8_t type[TYPE_BYTES];

	if (iovec_read(element->readable, element->readable_count, 0, type, sizeof(type)) !=
		sizeof(type))
		return too_short(virtio);
	switch (config_get32(type)) {
	case TYPE_TASK_MANAGEMENT:
		return do_task(virtio, element);
	case TYPE_QUERY_EVENTS:
	case TYPE_SUBSCRIBE_EVENTS:
		return do_events(virtio, element);
	default:
		/* Nothing is known of what the driver wants: it sees that nothing was written. */
		return 0;
	}
}
