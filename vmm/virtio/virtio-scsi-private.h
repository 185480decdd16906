/* Inside of virtio-scsi: requests, and what the control queue does to them. */
#pragma once

#include "vmm/storage/scsi-bus.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	SCSI_QUEUE_CONTROL,
	SCSI_QUEUE_EVENT,
	SCSI_QUEUE_REQUEST, /* the first one */

	SCSI_LUN_BYTES = 8,
};

/* Section 5.6.6.1 and 5.6.6.2: how a request or a task management function ended. */
enum scsi_response {
	RESPONSE_OK = 0,
	RESPONSE_OVERRUN = 1,
	RESPONSE_ABORTED = 2,
	RESPONSE_BAD_TARGET = 3,
	RESPONSE_RESET = 4,
	RESPONSE_FAILURE = 9,
	RESPONSE_SUCCEEDED = 10,
	RESPONSE_REJECTED = 11,
	RESPONSE_INCORRECT_LUN = 12,
};

struct virtio_scsi {
	struct virtio_device virtio;
	uint32_t queues_option, queue_size, cmd_per_lun, max_sectors;
	bool hotplug, param_change;
	uint32_t sense_size, cdb_size; /* the driver may change them */

	struct scsi_bus bus;
	bool has_bus;
	struct scsi_lun absent; /* for units that are not there, of targets that are */
	unsigned absent_target;
	GQueue requests; /* of struct virtio_scsi_request */
	bool event_missed;
	struct virtqueue_element event;
};

struct virtio_scsi_request {
	struct scsi_request scsi; /* first */
	struct virtio_scsi *adapter;
	unsigned queue;
	struct virtqueue_element element;
	struct iovec *data_in;
	unsigned data_in_count;
	uint64_t tag;
	unsigned target, lun;
	uint64_t room; /* bytes the driver gave for the data */
	bool given, ended;
	uint8_t response;
};

/* From the eight bytes of section 5.6.6.1; false: no single-level unit. */
bool virtio_scsi_parse_lun(const uint8_t *bytes, unsigned *target, unsigned *lun);
/* Ends a request as the response says, without the unit's having done so. */
void virtio_scsi_give_up(struct virtio_scsi_request *request, enum scsi_response response);
/* One request of the control queue. */
int64_t virtio_scsi_control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element);
