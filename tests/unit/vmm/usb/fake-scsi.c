#include "tests/unit/vmm/usb/fake-scsi.h"

#include <string.h>

#include "vmm/storage/drives.h"

struct fake_scsi fake_scsi;
static struct block_backend the_image;
static struct drive the_drive = { .image = &the_image };

bool disk_init(struct disk *disk, const char *drive_id, struct device *owner,
	const struct drive_ops *ops, void *data, GError **error)
{
	disk->drive = &the_drive;
	return true;
}

void disk_finish(struct disk *disk)
{
}

void disk_set_running(struct disk *disk, bool running)
{
}

void scsi_lun_init(struct scsi_lun *lun, const struct scsi_config *config, struct disk *disk)
{
	memset(&fake_scsi, 0, sizeof(fake_scsi));
}

void scsi_lun_finish(struct scsi_lun *lun)
{
	fake_scsi.request = NULL;
}

void scsi_lun_reset(struct scsi_lun *lun)
{
	fake_scsi.request = NULL;
}

const struct drive_ops scsi_disk_drive_ops;

static void end(struct scsi_request *request)
{
	fake_scsi.request = NULL;
	request->status = fake_scsi.status;
	request->ops->done(request);
}

static void go_on(struct scsi_request *request)
{
	if (fake_scsi.later)
		return;
	if (request->moved < request->length)
		request->ops->data(request);
	else
		end(request);
}

void fake_scsi_finish(void)
{
	fake_scsi.later = false;
	if (fake_scsi.request)
		go_on(fake_scsi.request);
}

void scsi_request_submit(struct scsi_lun *lun, struct scsi_request *request)
{
	g_assert_null(fake_scsi.request);
	fake_scsi.request = request;
	request->direction = fake_scsi.direction;
	request->length = fake_scsi.direction == SCSI_NO_DATA ? 0 : fake_scsi.length;
	request->moved = 0;
	go_on(request);
}

void scsi_request_transfer(struct scsi_request *request, const struct iovec *pieces, unsigned count)
{
	g_assert_true(fake_scsi.request == request);
	if (fake_scsi.block > 0 && count > 0 && pieces[0].iov_len % fake_scsi.block != 0) {
		end(request);
		return;
	}
	for (unsigned i = 0; i < count && request->moved < request->length; i++) {
		size_t part = MIN(pieces[i].iov_len, request->length - request->moved);
		uint8_t *at = fake_scsi.bytes + request->moved;

		g_assert_cmpuint(request->moved + part, <=, sizeof(fake_scsi.bytes));
		if (request->direction == SCSI_TO_GUEST)
			memcpy(pieces[i].iov_base, at, part);
		else
			memcpy(at, pieces[i].iov_base, part);
		request->moved += part;
	}
	go_on(request);
}

void scsi_request_end_data(struct scsi_request *request)
{
	end(request);
}

void scsi_request_cancel(struct scsi_request *request)
{
	fake_scsi.cancelled += fake_scsi.request == request;
	fake_scsi.request = NULL;
}
