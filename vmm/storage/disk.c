/* The drive behind a disk controller's command: jobs cut into steps for the block queue. */
#include "vmm/storage/disk.h"

#include <errno.h>
#include <json-glib/json-glib.h>

#include "vmm/device.h"
#include "vmm/machine/machine.h"

static bool moves_data(const struct disk_job *job)
{
	return job->operation == BLOCK_READ || job->operation == BLOCK_WRITE;
}

/* The next pieces, as many as one request takes, together whole sectors. */
static void make_step(struct disk_job *job)
{
	uint64_t left = MIN(job->length - job->finished, DISK_STEP_BYTES), length = 0;
	size_t offset = job->piece_offset;
	unsigned count = 0;

	for (unsigned i = job->next_piece;
		i < job->count && count < DISK_STEP_PIECES && length < left; i++, offset = 0) {
		size_t bytes = MIN(job->pieces[i].iov_len - offset, left - length);

		if (bytes == 0)
			continue;
		job->step[count++] =
			(struct iovec) { (uint8_t *)job->pieces[i].iov_base + offset, bytes };
		length += bytes;
	}
	/* What hangs over the last whole sector is for the next step. */
	for (size_t excess = length % SECTOR; excess > 0;) {
		struct iovec *last = &job->step[count - 1];
		size_t bytes = MIN(excess, last->iov_len);

		last->iov_len -= bytes;
		excess -= bytes;
		if (last->iov_len == 0)
			count--;
	}
	job->step_length = length - length % SECTOR;
	job->request.pieces = job->step;
	job->request.count = count;
}

static void skip_step(struct disk_job *job)
{
	uint64_t left = job->step_length;

	job->finished += job->step_length;
	while (left > 0 && job->next_piece < job->count) {
		size_t rest = job->pieces[job->next_piece].iov_len - job->piece_offset;
		size_t bytes = MIN(rest, left);

		left -= bytes;
		job->piece_offset += bytes;
		if (bytes == rest) {
			job->next_piece++;
			job->piece_offset = 0;
		}
	}
}

static void submit_step(struct disk *disk, struct disk_job *job)
{
	job->request = (struct block_request) {
		.operation = job->operation,
		.offset = job->offset + job->finished,
		.durable = job->durable,
	};
	if (moves_data(job))
		make_step(job);
	else
		job->step_length = job->length;
	job->request.length = job->step_length;
	block_queue_submit(disk->queue, &job->request);
}

/* Bytes of the host's memory that a job takes while it is under way. */
static uint64_t weight(const struct disk_job *job)
{
	return moves_data(job) ? MIN(job->length, (uint64_t)DISK_STEP_BYTES) : 0;
}

static bool has_room(const struct disk *disk, const struct disk_job *job)
{
	return disk->in_flight.length == 0 ||
	       (disk->in_flight.length < BLOCK_REQUESTS_MAX &&
		       disk->bytes_in_flight + weight(job) <= DISK_BYTES_IN_FLIGHT);
}

static void begin(struct disk *disk, struct disk_job *job)
{
	job->in_flight = true;
	disk->bytes_in_flight += weight(job);
	g_queue_push_tail(&disk->in_flight, job);
	if (moves_data(job))
		job->step = g_new(struct iovec, MIN(job->count, DISK_STEP_PIECES) + 1);
	submit_step(disk, job);
}

static void forget(struct disk *disk, struct disk_job *job)
{
	g_queue_remove(job->in_flight ? &disk->in_flight : &disk->waiting, job);
	if (job->in_flight)
		disk->bytes_in_flight -= weight(job);
	job->in_flight = false;
	job->waiting = false;
	g_clear_pointer(&job->step, g_free);
}

static void begin_waiting(struct disk *disk)
{
	while (disk->waiting.length > 0 && has_room(disk, disk->waiting.head->data)) {
		struct disk_job *job = g_queue_pop_head(&disk->waiting);

		job->waiting = false;
		begin(disk, job);
	}
}

static void step_done(void *device, struct block_request *request, int result)
{
	struct disk *disk = device;
	struct disk_job *job = (struct disk_job *)request;

	if (result == 0 && moves_data(job)) {
		skip_step(job);
		/* Pieces too small to make a sector of: only a controller's mistake, not the guest's. */
		if (job->step_length == 0)
			result = -EINVAL;
		else if (job->finished < job->length) {
			submit_step(disk, job);
			return;
		}
	}
	forget(disk, job);
	begin_waiting(disk);
	job->done(job, result);
}

bool disk_init(struct disk *disk, const char *drive_id, struct device *owner,
	const struct drive_ops *ops, void *data, GError **error)
{
	*disk = (struct disk) { .machine = owner->machine };
	g_queue_init(&disk->in_flight);
	g_queue_init(&disk->waiting);
	disk->drive = drives_take(owner->machine->drives, drive_id, owner, ops, data, error);
	if (!disk->drive)
		return false;
	disk->queue = block_queue_new(owner->machine, disk->drive, step_done, disk);
	return true;
}

void disk_finish(struct disk *disk)
{
	if (!disk->drive)
		return;
	disk_cancel_all(disk);
	g_clear_pointer(&disk->queue, block_queue_free);
	drive_release(g_steal_pointer(&disk->drive));
}

void disk_start(struct disk *disk, struct disk_job *job)
{
	job->finished = 0;
	job->next_piece = 0;
	job->piece_offset = 0;
	if (disk->waiting.length == 0 && has_room(disk, job)) {
		begin(disk, job);
		return;
	}
	job->waiting = true;
	g_queue_push_tail(&disk->waiting, job);
}

void disk_cancel(struct disk *disk, struct disk_job *job)
{
	if (!job->in_flight && !job->waiting)
		return;
	if (job->in_flight)
		block_queue_cancel(disk->queue, &job->request);
	forget(disk, job);
	begin_waiting(disk);
}

void disk_cancel_all(struct disk *disk)
{
	if (!disk->queue)
		return;
	block_queue_cancel_all(disk->queue);
	while (disk->in_flight.length > 0)
		forget(disk, disk->in_flight.head->data);
	while (disk->waiting.length > 0)
		forget(disk, disk->waiting.head->data);
}

void disk_set_running(struct disk *disk, bool running)
{
	if (disk->queue)
		block_queue_set_running(disk->queue, running);
}

void disk_tell_tray(const struct disk *disk, bool open)
{
	const struct device *owner = disk->drive->owner;
	JsonObject *data = json_object_new();

	json_object_set_string_member(data, "device", disk->drive->id);
	json_object_set_string_member(data, "id", owner->id ? owner->id : "");
	json_object_set_boolean_member(data, "tray-open", open);
	machine_emit(disk->machine, "DEVICE_TRAY_MOVED", data);
}
