/* virtio-scsi: requests, task management, events and registers as a hostile driver gives them, with a disk and a CD-ROM. */
#include "vmm/virtio/virtio-scsi.h"

#include <string.h>

#include "base/reader.h"
#include "tests/unit/virtio/virtio-driver.h"
#include "tests/unit/vmm/storage/fake-drive.h"
#include "vmm/pci/config.h"
#include "vmm/storage/scsi-bus.h"

enum step {
	STEP_COMMAND,
	STEP_REQUEST,
	STEP_CONTROL,
	STEP_EVENT,
	STEP_DISK,
	STEP_ERROR,
	STEP_MEDIUM,
	STEP_CONFIG,
	STEP_PAUSE,
	STEP_RESET,
	STEP_QUEUE_RESET,
	STEP_REMOVE,
	STEPS,
};

enum {
	QUEUES = 4, /* control, events, two for requests */
	REQUESTS = 2,
	PIECES = 4,
	HEADER = 19 + 32,
	TASK = 24,
	PIECE_MAX = 4096,
	RESETS_MAX = 8,
};

struct fuzz {
	struct virtio_machine *vm;
	struct fake_drive *drive;
	struct virtio_driver driver;
	struct driver_queue queues[QUEUES];
	struct device *units[2];
	struct reader in;
	unsigned resets;
	uint64_t scratch; /* RAM after the rings: every step's pieces begin there */
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void bring_up(struct fuzz *fuzz)
{
	uint64_t features = 6 | VIRTIO_FEATURE_QUEUE_RESET;

	if (reader_u8(&fuzz->in) & 1)
		features |= VIRTIO_FEATURE_EVENT_INDEX;
	fuzz->vm->next_free = 0x10000;
	virtio_driver_negotiate(&fuzz->driver, features);
	for (unsigned i = 0; i < QUEUES; i++)
		virtio_driver_queue(&fuzz->driver, &fuzz->queues[i], i, 64);
	virtio_driver_ready(&fuzz->driver);
	fuzz->scratch = fuzz->vm->next_free;
}

static void add(struct fuzz *fuzz, unsigned index, struct driver_piece *pieces, unsigned count)
{
	struct driver_queue *queue = &fuzz->queues[index];
	uint32_t written;
	uint16_t name;

	while (driver_queue_used(queue, &name, &written))
		;
	fuzz->vm->next_free = fuzz->scratch;
	if (queue->free_count < count)
		return;
	driver_queue_add(queue, pieces, count);
	driver_queue_kick(queue);
}

/* A sound request around any command. */
static void add_command(struct fuzz *fuzz)
{
	uint8_t flags = reader_u8(&fuzz->in), header[HEADER] = { 1, flags & 3, 0x40, flags >> 6 };
	uint8_t data[256] = { 0 };
	size_t length = reader_le16(&fuzz->in) % PIECE_MAX;
	struct driver_piece pieces[PIECES] = { { header, HEADER, false, 0 } };
	unsigned count = 1;

	header[8] = reader_u8(&fuzz->in) % 4;
	reader_copy(&fuzz->in, header + 19, 16);
	if (flags & 4) {
		reader_copy(&fuzz->in, data, MIN(reader_left(&fuzz->in), (size_t)16));
		pieces[count++] = (struct driver_piece) { data, MAX(length % 256, 1), false, 0 };
	}
	pieces[count++] = (struct driver_piece) { NULL, 108, true, 0 };
	if (flags & 8)
		pieces[count++] = (struct driver_piece) { NULL, MAX(length, 1), true, 0 };
	add(fuzz, REQUESTS + (flags >> 4) % 2, pieces, count);
}

/* Pieces of any length and direction. */
static void add_request(struct fuzz *fuzz, unsigned queue, size_t first)
{
	uint8_t bytes[64] = { 0 };
	struct driver_piece pieces[PIECES];
	unsigned count = 1 + reader_u8(&fuzz->in) % PIECES, readable = reader_u8(&fuzz->in) % 5;

	reader_copy(&fuzz->in, bytes, MIN(reader_left(&fuzz->in), first));
	for (unsigned i = 0; i < count; i++) {
		size_t length = 1 + (i == 0 ? first - 1 : reader_u8(&fuzz->in));

		pieces[i] =
			(struct driver_piece) { i == 0 ? bytes : NULL, length, i >= readable, 0 };
	}
	add(fuzz, queue, pieces, count);
}

static void write_config(struct fuzz *fuzz)
{
	uint8_t offset = reader_u8(&fuzz->in) % 36;

	virtio_driver_write(&fuzz->driver, REG_CONFIG + (offset & 0xfc), 4, reader_le16(&fuzz->in));
}

static void reset_queue(struct fuzz *fuzz, unsigned index)
{
	if (fuzz->resets++ >= RESETS_MAX)
		return;
	virtio_driver_write(&fuzz->driver, REG_QUEUE_SELECT, 2, index);
	virtio_driver_write(&fuzz->driver, REG_QUEUE_RESET, 2, 1);
	fuzz->vm->next_free = fuzz->scratch;
	virtio_driver_queue(&fuzz->driver, &fuzz->queues[index], index, 64);
	fuzz->scratch = fuzz->vm->next_free;
}

static void change_medium(struct fuzz *fuzz)
{
	struct fake_drive *drive = fuzz->drive;

	drive->drive.image = drive->drive.image ? NULL : &drive->image;
	for (unsigned i = 0; i < G_N_ELEMENTS(fuzz->units); i++)
		if (fuzz->units[i])
			scsi_lun_medium_changed(&((struct scsi_device *)fuzz->units[i])->lun);
}

static void with_lock(struct fuzz *fuzz, enum step step)
{
	g_mutex_lock(&fuzz->vm->machine.lock);
	if (step == STEP_DISK)
		fake_drive_run(fuzz->drive, reader_u8(&fuzz->in));
	else
		change_medium(fuzz);
	g_mutex_unlock(&fuzz->vm->machine.lock);
	virtio_machine_settle(fuzz->vm);
}

static void remove_unit(struct fuzz *fuzz, unsigned unit)
{
	if (fuzz->units[unit])
		virtio_machine_remove(fuzz->vm, g_steal_pointer(&fuzz->units[unit]));
}

static void run(struct fuzz *fuzz)
{
	enum step step = reader_u8(&fuzz->in) % STEPS;

	switch (step) {
	case STEP_COMMAND:
		add_command(fuzz);
		break;
	case STEP_REQUEST:
		add_request(fuzz, REQUESTS, HEADER);
		break;
	case STEP_CONTROL:
		add_request(fuzz, 0, TASK);
		break;
	case STEP_EVENT:
		add_request(fuzz, 1, 16);
		break;
	case STEP_DISK:
	case STEP_MEDIUM:
		with_lock(fuzz, step);
		break;
	case STEP_ERROR:
		fuzz->drive->error = -(reader_u8(&fuzz->in) % 40);
		break;
	case STEP_CONFIG:
		write_config(fuzz);
		break;
	case STEP_PAUSE:
		virtio_machine_set_running(fuzz->vm, reader_u8(&fuzz->in) & 1);
		break;
	case STEP_RESET:
		bring_up(fuzz);
		break;
	case STEP_QUEUE_RESET:
		reset_queue(fuzz, reader_u8(&fuzz->in) % QUEUES);
		break;
	default:
		remove_unit(fuzz, reader_u8(&fuzz->in) % 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const adapter[] = { "num_queues", "2", NULL };
	static const char *const disk[] = { "drive", "drive", "scsi-id", "0", NULL };
	static const char *const cdrom[] = { "drive", "drive", "scsi-id", "1", NULL };
	struct fuzz fuzz = { .in = reader_from(bytes, length) };
	struct device *device;

	fuzz.vm = virtio_machine_new();
	fuzz.drive = fake_drive_new();
	device = virtio_machine_add(fuzz.vm, &virtio_scsi_class, "scsi", adapter, NULL);
	fuzz.units[0] = virtio_machine_add(fuzz.vm, &scsi_hd_class, "disk", disk, NULL);
	fuzz.units[1] = virtio_machine_add(fuzz.vm, &scsi_cd_class, "cdrom", cdrom, NULL);
	fuzz.driver = virtio_driver_bind(fuzz.vm, device);
	bring_up(&fuzz);
	while (reader_left(&fuzz.in) > 0 && !fuzz.in.ran_out)
		run(&fuzz);
	g_assert_cmpuint(fuzz.drive->failed_bounds, ==, 0);
	virtio_machine_free(fuzz.vm);
	fake_drive_free(fuzz.drive);
	return 0;
}
