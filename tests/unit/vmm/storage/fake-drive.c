/* A drive in memory whose requests end when the test says so. */
#include "tests/unit/vmm/storage/fake-drive.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"

struct block_queue {
	block_done_func done;
	void *device;
	GQueue requests;
};

static struct fake_drive *the_drive;
static GPtrArray *queues;

struct fake_drive *fake_drive_new(void)
{
	struct fake_drive *fake = g_new0(struct fake_drive, 1);

	the_drive = fake;
	queues = g_ptr_array_new();
	fake->image.size = FAKE_DRIVE_BYTES;
	fake->image.discard = true;
	fake->drive.id = (char *)"drive";
	fake->drive.image = &fake->image;
	return fake;
}

void fake_drive_free(struct fake_drive *fake)
{
	g_ptr_array_unref(queues);
	g_free(fake);
	the_drive = NULL;
}

struct drive *drives_take(struct drives *drives, const char *id, struct device *owner,
	const struct drive_ops *ops, void *data, GError **error)
{
	the_drive->drive.owner = owner;
	the_drive->drive.ops = ops;
	the_drive->drive.data = data;
	return &the_drive->drive;
}

void drive_release(struct drive *drive)
{
	drive->owner = NULL;
}

struct block_queue *block_queue_new(
	struct machine *machine, struct drive *drive, block_done_func done, void *device)
{
	struct block_queue *queue = g_new0(struct block_queue, 1);

	queue->done = done;
	queue->device = device;
	g_ptr_array_add(queues, queue);
	return queue;
}

void block_queue_free(struct block_queue *queue)
{
	g_ptr_array_remove(queues, queue);
	g_queue_clear(&queue->requests);
	g_free(queue);
}

void block_queue_submit(struct block_queue *queue, struct block_request *request)
{
	g_queue_push_tail(&queue->requests, request);
}

void block_queue_cancel(struct block_queue *queue, struct block_request *request)
{
	g_queue_remove(&queue->requests, request);
}

void block_queue_cancel_all(struct block_queue *queue)
{
	g_queue_clear(&queue->requests);
}

unsigned block_queue_in_flight(const struct block_queue *queue)
{
	return queue->requests.length;
}

void block_queue_set_running(struct block_queue *queue, bool running)
{
}

static void copy(struct fake_drive *fake, const struct block_request *request)
{
	uint64_t offset = request->offset, length = 0;

	for (unsigned i = 0; i < request->count; i++)
		length += request->pieces[i].iov_len;
	if (length != request->length) {
		fake->failed_bounds++;
		return;
	}
	for (unsigned i = 0; i < request->count; i++) {
		const struct iovec *piece = &request->pieces[i];

		if (request->operation == BLOCK_READ)
			memcpy(piece->iov_base, fake->bytes + offset, piece->iov_len);
		else
			memcpy(fake->bytes + offset, piece->iov_base, piece->iov_len);
		offset += piece->iov_len;
	}
}

static int carry_out(struct fake_drive *fake, const struct block_request *request)
{
	if (!fake->drive.image)
		return -ENOMEDIUM;
	if (fake->error)
		return fake->error;
	if (request->operation == BLOCK_FLUSH) {
		fake->flushes++;
		return 0;
	}
	if (!checked_range(request->offset, request->length, fake->image.size) ||
		request->offset % SECTOR || request->length % SECTOR || request->length == 0) {
		fake->failed_bounds++;
		return -EIO;
	}
	if (request->operation == BLOCK_DISCARD) {
		fake->discards++;
		memset(fake->bytes + request->offset, 0, request->length);
		return 0;
	}
	fake->durable += request->durable;
	copy(fake, request);
	return 0;
}

unsigned fake_drive_run(struct fake_drive *fake, unsigned limit)
{
	unsigned done = 0;

	for (guint i = 0; i < queues->len && done < limit; i++) {
		struct block_queue *queue = queues->pdata[i];
		struct block_request *request = g_queue_pop_head(&queue->requests);

		if (!request)
			continue;
		queue->done(queue->device, request, carry_out(fake, request));
		done++;
		i = (guint)-1; /* from the start: the queues may have changed */
	}
	return done;
}
