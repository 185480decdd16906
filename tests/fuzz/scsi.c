/* SCSI commands of any bytes, through small and large buffers, to a disk and a CD-ROM. */
#include "vmm/storage/scsi.h"

#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/storage/fake-drive.h"

enum {
	BUFFER = 8192,
	ROUNDS_MAX = 64,
};

struct transport {
	struct scsi_request request;
	struct reader *in;
	struct iovec pieces[2];
	uint8_t buffer[BUFFER];
	unsigned size, rounds;
	bool done;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void data(struct scsi_request *request)
{
	struct transport *transport = request->owner;

	if (transport->rounds++ == ROUNDS_MAX || transport->size == 0) {
		scsi_request_end_data(request);
		return;
	}
	if (request->direction == SCSI_FROM_GUEST)
		reader_copy(transport->in, transport->buffer,
			MIN(reader_left(transport->in), transport->size));
	transport->pieces[0] = (struct iovec) { transport->buffer, transport->size / 2 };
	transport->pieces[1] = (struct iovec) { transport->buffer + transport->size / 2,
		transport->size - transport->size / 2 };
	scsi_request_transfer(request, transport->pieces, 2);
}

static void done(struct scsi_request *request)
{
	((struct transport *)request->owner)->done = true;
}

static const struct scsi_request_ops ops = { data, done };
static const struct drive_ops no_ops = { .is_cdrom = false };

static void run(struct scsi_lun *lun, struct fake_drive *drive, struct reader *in)
{
	struct transport *transport = g_new0(struct transport, 1);
	uint8_t flags = reader_u8(in);

	transport->in = in;
	transport->size = reader_le16(in) % (BUFFER + 1);
	transport->request.ops = &ops;
	transport->request.owner = transport;
	reader_copy(in, transport->request.cdb, SCSI_CDB_BYTES);
	drive->error = flags & 0x20 ? -5 : 0;
	if (flags & 0x10)
		drive->drive.image = drive->drive.image ? NULL : &drive->image;
	scsi_request_submit(lun, &transport->request);
	fake_drive_run(drive, flags & 0x80 ? 1 : 100000);
	if (!transport->done)
		scsi_request_cancel(&transport->request);
	g_free(transport);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct fake_machine *fake = fake_machine_new();
	struct fake_drive *drive = fake_drive_new();
	struct device device = { .machine = &fake->machine };
	struct scsi_config config = { .kind = reader_u8(&in) & 1 ? SCSI_CDROM : SCSI_DISK,
		.serial = "S1",
		.keeps_sense = true };
	struct disk disk = { 0 };
	struct scsi_lun lun;

	g_assert_true(disk_init(&disk, "drive", &device, &no_ops, NULL, NULL));
	scsi_lun_init(&lun, &config, &disk);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(&lun, drive, &in);
	g_assert_cmpuint(drive->failed_bounds, ==, 0);
	scsi_lun_finish(&lun);
	disk_finish(&disk);
	fake_drive_free(drive);
	fake_machine_free(fake);
	return 0;
}
