/* The thread that does a disk's input and output, the drive's error policies, and what is kept to be done again. */
#include "vmm/storage/block-worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/storage/block-engine.h"
#include "vmm/storage/drives.h"

struct block_worker {
	struct drive *drive;
	const struct block_worker_ops *ops;
	void *owner;
	GThread *thread;
	struct block_engine *engine; /* while the thread runs; NULL without a medium */
	int kicks[BLOCK_KICKS_MAX];
	unsigned kick_count;
	int stop;
	unsigned in_flight;
	struct block_request *kept, **kept_end;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct block_worker *block_worker_new(
	struct drive *drive, const struct block_worker_ops *ops, void *owner)
{
	struct block_worker *worker = g_new0(struct block_worker, 1);

	worker->drive = drive;
	worker->ops = ops;
	worker->owner = owner;
	worker->stop = eventfd(0, EFD_CLOEXEC);
	worker->kept_end = &worker->kept;
	drive->worker = worker;
	return worker;
}

void block_worker_free(struct block_worker *worker)
{
	block_worker_stop(worker);
	worker->drive->worker = NULL;
	close(worker->stop);
	g_free(worker);
}

int block_worker_stop_fd(const struct block_worker *worker)
{
	return worker->stop;
}

unsigned block_worker_kicks(const struct block_worker *worker, const int **fds)
{
	*fds = worker->kicks;
	return worker->kick_count;
}

unsigned block_worker_in_flight(const struct block_worker *worker)
{
	return worker->in_flight;
}

bool block_worker_is_started(const struct block_worker *worker)
{
	return worker->thread;
}

void block_worker_kicked(struct block_worker *worker, unsigned kick)
{
	worker->ops->kicked(worker->owner, kick);
}

void block_worker_settled(struct block_worker *worker)
{
	worker->ops->settled(worker->owner);
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

bool block_request_goes_on(struct block_request *request, ssize_t result, int *end)
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

/* What was done of a request that is kept stays done: only the rest begins anew. */
static void begin(struct block_worker *worker, struct block_request *request)
{
	worker->in_flight++;
	if (worker->engine)
		worker->engine->ops->submit(worker->engine, request);
	else
		block_worker_ended(worker, request, -ENOMEDIUM);
}

void block_worker_submit(struct block_worker *worker, struct block_request *request)
{
	request->done = 0;
	request->part = NULL;
	request->next = NULL;
	request->started = now();
	begin(worker, request);
}

void block_worker_ended(struct block_worker *worker, struct block_request *request, int result)
{
	worker->in_flight--;
	if (result < 0 && result != -ENOMEDIUM &&
		drive_keeps_failed(worker->drive, request->operation, &result)) {
		request->next = NULL;
		*worker->kept_end = request;
		worker->kept_end = &request->next;
		return;
	}
	drive_count(worker->drive, request, result, now() - request->started);
	worker->ops->completed(worker->owner, request, result);
}

static void begin_kept(struct block_worker *worker)
{
	struct block_request *request = worker->kept;

	block_worker_forget(worker);
	while (request) {
		struct block_request *next = request->next;

		begin(worker, request);
		request = next;
	}
}

void block_worker_forget(struct block_worker *worker)
{
	worker->kept = NULL;
	worker->kept_end = &worker->kept;
}

/* Without a medium: requests end at once, and no descriptor but these two kinds says anything. */
static void run_without_medium(struct block_worker *worker)
{
	struct pollfd fds[BLOCK_KICKS_MAX + 1] = { { .fd = worker->stop, .events = POLLIN } };
	uint64_t count;

	for (unsigned i = 0; i < worker->kick_count; i++) {
		fds[i + 1] = (struct pollfd) { .fd = worker->kicks[i], .events = POLLIN };
		block_worker_kicked(worker, i);
	}
	for (;;) {
		block_worker_settled(worker);
		if (poll(fds, worker->kick_count + 1, -1) < 0)
			continue;
		if (fds[0].revents && read(worker->stop, &count, sizeof(count)) > 0)
			return;
		for (unsigned i = 0; i < worker->kick_count; i++)
			if (fds[i + 1].revents && read(worker->kicks[i], &count, sizeof(count)) > 0)
				block_worker_kicked(worker, i);
	}
}

static gpointer run(gpointer opaque)
{
	struct block_worker *worker = opaque;

	begin_kept(worker);
	if (worker->engine)
		worker->engine->ops->run(worker->engine);
	else
		run_without_medium(worker);
	return NULL;
}

void block_worker_restart(struct block_worker *worker)
{
	struct block_backend *image = worker->drive->image;

	if (worker->thread)
		return;
	__atomic_store_n(&worker->drive->troubled, 0, __ATOMIC_SEQ_CST);
	worker->engine = image ? image->ops->new_engine(image, worker) : NULL;
	worker->thread = g_thread_new("disk", run, worker);
}

void block_worker_start(struct block_worker *worker, const int *kicks, unsigned count)
{
	worker->kick_count = MIN(count, (unsigned)BLOCK_KICKS_MAX);
	memcpy(worker->kicks, kicks, worker->kick_count * sizeof(worker->kicks[0]));
	block_worker_restart(worker);
}

void block_worker_stop(struct block_worker *worker)
{
	uint64_t one = 1;

	if (!worker->thread)
		return;
	while (write(worker->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	g_thread_join(g_steal_pointer(&worker->thread));
	if (worker->engine)
		worker->engine->ops->free(worker->engine);
	worker->engine = NULL;
}
