/* A raw image through io_uring. */
#include <errno.h>
#include <liburing.h>
#include <unistd.h>

#include "vmm/storage/block-engine.h"
#include "vmm/storage/engine-file.h"

enum {
	RING_ENTRIES = 512, /* requests and wake-ups */
	CHUNK = 1 << 16,    /* bytes of zeroes written at a time */
};

struct engine_ring {
	struct block_engine engine;
	int fd;
	struct io_uring ring;
	bool stopping;
	uint64_t stop_count, kick_counts[BLOCK_KICKS_MAX]; /* what is read from the descriptors */
};

static struct io_uring_sqe *next_entry(struct engine_ring *ring)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(&ring->ring);

	if (!entry) {
		io_uring_submit(&ring->ring);
		entry = io_uring_get_sqe(&ring->ring);
	}
	return entry;
}

static void watch(struct engine_ring *ring, int fd, uint64_t *count)
{
	struct io_uring_sqe *entry = next_entry(ring);

	io_uring_prep_read(entry, fd, count, sizeof(*count), 0);
	io_uring_sqe_set_data(entry, count);
}

static void prepare(struct engine_ring *ring, struct block_request *request)
{
	struct io_uring_sqe *entry = next_entry(ring);
	uint64_t at = request->offset + request->done;
	unsigned count = MIN(request->count, FILE_PIECES_MAX);

	switch (request->operation) {
	case BLOCK_READ:
		io_uring_prep_readv(entry, ring->fd, request->pieces, count, at);
		break;
	case BLOCK_WRITE:
		io_uring_prep_writev2(entry, ring->fd, request->pieces, count, at,
			request->durable ? RWF_DSYNC : 0);
		break;
	case BLOCK_FLUSH:
		io_uring_prep_fsync(entry, ring->fd, IORING_FSYNC_DATASYNC);
		break;
	case BLOCK_DISCARD:
		io_uring_prep_fallocate(
			entry, ring->fd, FILE_PUNCH, request->offset, request->length);
		break;
	case BLOCK_WRITE_ZEROES:
		io_uring_prep_fallocate(
			entry, ring->fd, file_zero_mode(request), request->offset, request->length);
		break;
	}
	io_uring_sqe_set_data(entry, request);
}

static void ring_submit(struct block_engine *engine, struct block_request *request)
{
	prepare((struct engine_ring *)engine, request);
}

int file_write_zeroes(int fd, const struct block_request *request)
{
	static const uint8_t zeroes[CHUNK] __attribute__((aligned(4096)));
	uint64_t done = 0;
	int result = fallocate(fd, file_zero_mode(request), request->offset, request->length) < 0
			     ? -errno
			     : 0;

	if (result == -EOPNOTSUPP) {
		result = 0;
		while (result == 0 && done < request->length) {
			ssize_t written =
				pwrite(fd, zeroes, MIN((uint64_t)CHUNK, request->length - done),
					request->offset + done);

			if (written < 0 && errno != EINTR)
				result = -errno;
			else if (written > 0)
				done += written;
		}
	}
	if (result == 0 && request->durable && fdatasync(fd) < 0)
		result = -errno;
	return result;
}

/* What fallocate() in the ring leaves to do: other ways to write zeroes, and to have them on the disk. */
static int finish_zeroes(struct engine_ring *ring, const struct block_request *request, int result)
{
	if (result == -EOPNOTSUPP)
		return file_write_zeroes(ring->fd, request);
	if (result == 0 && request->durable && fdatasync(ring->fd) < 0)
		return -errno;
	return result;
}

static void part_ended(struct engine_ring *ring, struct block_request *request, int result)
{
	int end;

	if (request->operation == BLOCK_WRITE_ZEROES)
		result = finish_zeroes(ring, request, result);
	if (block_request_goes_on(request, result, &end))
		prepare(ring, request);
	else
		block_worker_ended(ring->engine.worker, request, end);
}

static void handle(struct engine_ring *ring, struct io_uring_cqe *cqe)
{
	uint64_t *data = io_uring_cqe_get_data(cqe);
	int result = cqe->res;
	const int *kicks;

	io_uring_cqe_seen(&ring->ring, cqe);
	if (data == &ring->stop_count) {
		ring->stopping = true;
	} else if (data >= ring->kick_counts && data < ring->kick_counts + BLOCK_KICKS_MAX) {
		if (ring->stopping)
			return;
		block_worker_kicks(ring->engine.worker, &kicks);
		watch(ring, kicks[data - ring->kick_counts], data);
		block_worker_kicked(ring->engine.worker, data - ring->kick_counts);
	} else {
		part_ended(ring, (struct block_request *)data, result);
	}
}

static void ring_run(struct block_engine *engine)
{
	struct engine_ring *ring = (struct engine_ring *)engine;
	struct block_worker *worker = engine->worker;
	const int *kicks;
	unsigned count = block_worker_kicks(worker, &kicks);

	watch(ring, block_worker_stop_fd(worker), &ring->stop_count);
	for (unsigned i = 0; i < count; i++) {
		watch(ring, kicks[i], &ring->kick_counts[i]);
		block_worker_kicked(worker, i);
	}
	block_worker_settled(worker);
	while (!ring->stopping || block_worker_in_flight(worker) > 0) {
		struct io_uring_cqe *cqe;
		unsigned batch = 0;

		io_uring_submit_and_wait(&ring->ring, 1);
		while (batch++ < RING_ENTRIES && io_uring_peek_cqe(&ring->ring, &cqe) == 0)
			handle(ring, cqe);
		block_worker_settled(worker);
	}
}

static void ring_free(struct block_engine *engine)
{
	struct engine_ring *ring = (struct engine_ring *)engine;

	io_uring_queue_exit(&ring->ring);
	g_free(ring);
}

static const struct block_engine_ops ring_ops = {
	.run = ring_run,
	.submit = ring_submit,
	.free = ring_free,
};

struct block_engine *engine_ring_new(struct block_worker *worker, int fd)
{
	struct engine_ring *ring = g_new0(struct engine_ring, 1);
	int result = io_uring_queue_init(RING_ENTRIES, &ring->ring, 0);

	if (result < 0) {
		g_free(ring);
		errno = -result;
		return NULL;
	}
	ring->engine = (struct block_engine) { .ops = &ring_ops, .worker = worker };
	ring->fd = fd;
	return &ring->engine;
}
