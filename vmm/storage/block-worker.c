/* The thread that does a disk's input and output. */
#include "vmm/storage/block-worker.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

enum {
	RING_ENTRIES = 512, /* requests and two wake-ups */
	PIECES_MAX = 256,
};

struct block_worker {
	struct block_backend *backend;
	const struct block_worker_ops *ops;
	void *owner;
	GThread *thread;
	struct io_uring ring;
	bool has_ring;
	int kick, stop;
	uint64_t kick_count, stop_count; /* what is read from the two */
	unsigned in_flight;
};

struct block_worker *block_worker_new(
	struct block_backend *backend, const struct block_worker_ops *ops, void *owner)
{
	struct block_worker *worker = g_new0(struct block_worker, 1);

	worker->backend = backend;
	worker->ops = ops;
	worker->owner = owner;
	worker->stop = eventfd(0, EFD_CLOEXEC);
	return worker;
}

void block_worker_free(struct block_worker *worker)
{
	block_worker_stop(worker);
	close(worker->stop);
	g_free(worker);
}

static struct io_uring_sqe *next_entry(struct block_worker *worker)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(&worker->ring);

	if (!entry) {
		io_uring_submit(&worker->ring);
		entry = io_uring_get_sqe(&worker->ring);
	}
	return entry;
}

static void watch(struct block_worker *worker, int fd, uint64_t *count)
{
	struct io_uring_sqe *entry = next_entry(worker);

	io_uring_prep_read(entry, fd, count, sizeof(*count), 0);
	io_uring_sqe_set_data(entry, count);
}

static void prepare(struct block_worker *worker, struct block_request *request)
{
	struct io_uring_sqe *entry = next_entry(worker);
	int fd = worker->backend->fd;
	uint64_t at = request->offset + request->done;
	unsigned count = MIN(request->count, PIECES_MAX);

	switch (request->operation) {
	case BLOCK_READ:
		io_uring_prep_readv(entry, fd, request->pieces, count, at);
		break;
	case BLOCK_WRITE:
		io_uring_prep_writev2(
			entry, fd, request->pieces, count, at, request->durable ? RWF_DSYNC : 0);
		break;
	case BLOCK_FLUSH:
		io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
		break;
	case BLOCK_DISCARD:
		io_uring_prep_fallocate(entry, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			request->offset, request->length);
		break;
	}
	io_uring_sqe_set_data(entry, request);
}

static ssize_t perform(struct block_worker *worker, struct block_request *request)
{
	int fd = worker->backend->fd;
	uint64_t at = request->offset + request->done;
	unsigned count = MIN(request->count, PIECES_MAX);
	ssize_t result = 0;

	switch (request->operation) {
	case BLOCK_READ:
		result = preadv(fd, request->pieces, count, at);
		break;
	case BLOCK_WRITE:
		result = pwritev2(fd, request->pieces, count, at, request->durable ? RWF_DSYNC : 0);
		break;
	case BLOCK_FLUSH:
		result = fdatasync(fd);
		break;
	case BLOCK_DISCARD:
		result = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, request->offset,
			request->length);
		break;
	}
	return result < 0 ? -errno : result;
}

/* Takes what was transferred off the front of the pieces. */
static void advance(struct block_request *request, size_t length)
{
	request->done += length;
	while (request->count > 0 && length >= request->pieces[0].iov_len) {
		length -= request->pieces[0].iov_len;
		request->pieces++;
		request->count--;
	}
	if (request->count > 0) {
		request->pieces[0].iov_base = (uint8_t *)request->pieces[0].iov_base + length;
		request->pieces[0].iov_len -= length;
	}
}

/* Whether the request goes on after @result; otherwise *@end is what it ended with. */
static bool goes_on(struct block_request *request, ssize_t result, int *end)
{
	bool transfers = request->operation == BLOCK_READ || request->operation == BLOCK_WRITE;

	if (result == -EINTR || result == -EAGAIN)
		return true;
	if (result < 0) {
		/* Discarding is a hint; a file system that cannot do it loses nothing. */
		*end = request->operation == BLOCK_DISCARD && result == -EOPNOTSUPP ? 0
										    : (int)result;
		return false;
	}
	if (!transfers) {
		*end = 0;
		return false;
	}
	advance(request, result);
	*end = request->done == request->length ? 0 : -EIO;
	/* Nothing more to be had before the end: somebody cut the file short. */
	return request->done < request->length && result > 0;
}

void block_worker_submit(struct block_worker *worker, struct block_request *request)
{
	int end;

	request->done = 0;
	if (worker->has_ring) {
		worker->in_flight++;
		prepare(worker, request);
		return;
	}
	while (goes_on(request, perform(worker, request), &end))
		;
	worker->ops->completed(worker->owner, request, end);
}

static void handle(struct block_worker *worker, struct io_uring_cqe *cqe, bool *stopping)
{
	void *data = io_uring_cqe_get_data(cqe);
	int result = cqe->res;
	int end;

	io_uring_cqe_seen(&worker->ring, cqe);
	if (data == &worker->stop_count) {
		*stopping = true;
	} else if (data == &worker->kick_count) {
		if (*stopping)
			return;
		watch(worker, worker->kick, &worker->kick_count);
		worker->ops->kicked(worker->owner);
	} else if (goes_on(data, result, &end)) {
		prepare(worker, data);
	} else {
		worker->in_flight--;
		worker->ops->completed(worker->owner, data, end);
	}
}

static void run_ring(struct block_worker *worker)
{
	bool stopping = false;

	watch(worker, worker->stop, &worker->stop_count);
	watch(worker, worker->kick, &worker->kick_count);
	worker->ops->kicked(worker->owner);
	worker->ops->settled(worker->owner);
	while (!stopping || worker->in_flight > 0) {
		struct io_uring_cqe *cqe;
		unsigned batch = 0;

		io_uring_submit_and_wait(&worker->ring, 1);
		while (batch++ < RING_ENTRIES && io_uring_peek_cqe(&worker->ring, &cqe) == 0)
			handle(worker, cqe, &stopping);
		worker->ops->settled(worker->owner);
	}
}

static void run_plain(struct block_worker *worker)
{
	struct pollfd fds[] = {
		{ .fd = worker->kick, .events = POLLIN },
		{ .fd = worker->stop, .events = POLLIN },
	};

	for (;;) {
		worker->ops->kicked(worker->owner);
		worker->ops->settled(worker->owner);
		while (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
			;
		if (fds[1].revents && read(worker->stop, &worker->stop_count, sizeof(uint64_t)) > 0)
			return;
		if (read(worker->kick, &worker->kick_count, sizeof(uint64_t)) < 0)
			continue; /* somebody else took the count: look anyway */
	}
}

static gpointer run(gpointer opaque)
{
	struct block_worker *worker = opaque;

	if (worker->has_ring)
		run_ring(worker);
	else
		run_plain(worker);
	return NULL;
}

void block_worker_start(struct block_worker *worker, int kick)
{
	int result;

	if (worker->thread)
		return;
	worker->kick = kick;
	result = io_uring_queue_init(RING_ENTRIES, &worker->ring, 0);
	worker->has_ring = result == 0;
	if (!worker->has_ring)
		log_info("disk image %s: no io_uring here (%s), one request at a time instead",
			worker->backend->path, g_strerror(-result));
	worker->thread = g_thread_new("disk", run, worker);
}

void block_worker_stop(struct block_worker *worker)
{
	uint64_t one = 1;

	if (!worker->thread)
		return;
	while (write(worker->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	g_thread_join(g_steal_pointer(&worker->thread));
	if (worker->has_ring)
		io_uring_queue_exit(&worker->ring);
}
