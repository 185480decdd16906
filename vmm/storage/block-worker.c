/* The thread that does a disk's input and output, the drive's error policies, and what is kept to be done again. */
#include "vmm/storage/block-worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/storage/block-engine.h"
#include "vmm/storage/drives.h"
#include "vmm/storage/image-format.h"

enum {
	COMPLAINTS_MAX = 16
};

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
	unsigned complaints;
	struct block_request *kept, **kept_end;

	bool stop_asked;
	GMutex lock; /* for what follows */
	GCond changed;
	bool ended;    /* the thread, all but its last words */
	bool announce; /* its end is for stopped() */
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
	g_mutex_init(&worker->lock);
	g_cond_init(&worker->changed);
	drive->worker = worker;
	return worker;
}

void block_worker_free(struct block_worker *worker)
{
	block_worker_stop(worker);
	block_worker_forget(worker);
	worker->drive->worker = NULL;
	close(worker->stop);
	g_mutex_clear(&worker->lock);
	g_cond_clear(&worker->changed);
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

void block_request_give_up(struct block_request *request)
{
	__atomic_store_n(&request->given_up, 1, __ATOMIC_SEQ_CST);
}

static bool is_given_up(struct block_request *request)
{
	return __atomic_load_n(&request->given_up, __ATOMIC_SEQ_CST);
}

/* What was done of a request that is kept stays done: only the rest begins anew. */
static void begin(struct block_worker *worker, struct block_request *request)
{
	worker->in_flight++;
	if (is_given_up(request))
		block_worker_ended(worker, request, -ECANCELED);
	else if (worker->engine)
		worker->engine->ops->submit(worker->engine, request);
	else
		block_worker_ended(worker, request, -ENOMEDIUM);
}

/* See image-format.h: the bytes that are checked are those that are written, whatever the guest does meanwhile. */
static bool guard(struct block_request *request)
{
	struct iovec *pieces;
	uint8_t *head;
	size_t length = 0;

	if (request->operation != BLOCK_WRITE || request->offset >= IMAGE_HEAD ||
		request->count == 0 || request->length < IMAGE_HEAD)
		return true;
	/* The copied bytes, the pieces that are left, and the copy as the first of them. */
	request->guard = g_malloc(IMAGE_HEAD + (request->count + 1) * sizeof(*pieces));
	pieces = request->guard;
	head = (uint8_t *)(pieces + request->count + 1);
	while (length < IMAGE_HEAD && request->count > 0) {
		size_t part = MIN(request->pieces->iov_len, IMAGE_HEAD - length);

		memcpy(head + length, request->pieces->iov_base, part);
		length += part;
		request->pieces->iov_base = (uint8_t *)request->pieces->iov_base + part;
		request->pieces->iov_len -= part;
		if (request->pieces->iov_len == 0) {
			request->pieces++;
			request->count--;
		}
	}
	pieces[0] = (struct iovec) { .iov_base = head, .iov_len = length };
	memcpy(pieces + 1, request->pieces, request->count * sizeof(*pieces));
	request->pieces = pieces;
	request->count++;
	return strcmp(image_format_guess(head, length), "raw") == 0;
}

void block_worker_submit(struct block_worker *worker, struct block_request *request)
{
	const struct block_backend *image = worker->drive->image;

	request->done = 0;
	request->guard = NULL;
	request->next = NULL;
	request->started = now();
	if (image && image->write_through)
		request->durable = true;
	if (image && image->guarded && !guard(request)) {
		log_limited(&worker->complaints, COMPLAINTS_MAX,
			"disk image %s: the guest wrote what would make it look like another "
			"format at the next start, and gets an error; format=raw allows it",
			image->path);
		worker->in_flight++;
		block_worker_ended(worker, request, -EPERM);
		return;
	}
	begin(worker, request);
}

void block_worker_keep(struct block_worker *worker, struct block_request *request)
{
	worker->in_flight--;
	request->next = NULL;
	*worker->kept_end = request;
	worker->kept_end = &request->next;
}

void block_worker_ended(struct block_worker *worker, struct block_request *request, int result)
{
	if (result < 0 && result != -ENOMEDIUM && result != -EPERM && !is_given_up(request) &&
		drive_keeps_failed(worker->drive, request->operation, &result)) {
		block_worker_keep(worker, request);
		return;
	}
	worker->in_flight--;
	g_clear_pointer(&request->guard, g_free);
	drive_count(worker->drive, request, result, now() - request->started);
	worker->ops->completed(worker->owner, request, result);
}

/* Empties the list. */
static struct block_request *take_kept(struct block_worker *worker)
{
	struct block_request *first = worker->kept;

	worker->kept = NULL;
	worker->kept_end = &worker->kept;
	return first;
}

static void begin_kept(struct block_worker *worker)
{
	struct block_request *request = take_kept(worker);

	while (request) {
		struct block_request *next = request->next;

		begin(worker, request);
		request = next;
	}
}

void block_worker_end_given_up(struct block_worker *worker)
{
	struct block_request *request = take_kept(worker);

	while (request) {
		struct block_request *next = request->next;

		worker->in_flight++;
		if (is_given_up(request))
			block_worker_ended(worker, request, -ECANCELED);
		else
			block_worker_keep(worker, request);
		request = next;
	}
}

void block_worker_forget(struct block_worker *worker)
{
	for (struct block_request *request = take_kept(worker); request; request = request->next)
		g_clear_pointer(&request->guard, g_free);
}

struct block_request *block_worker_forget_some(struct block_worker *worker,
	bool (*match)(const struct block_request *request, void *data), void *data)
{
	struct block_request *request = take_kept(worker);
	struct block_request *forgotten = NULL;

	while (request) {
		struct block_request *next = request->next;

		if (match(request, data)) {
			g_clear_pointer(&request->guard, g_free);
			request->next = forgotten;
			forgotten = request;
		} else {
			request->next = NULL;
			*worker->kept_end = request;
			worker->kept_end = &request->next;
		}
		request = next;
	}
	return forgotten;
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
	bool announce;

	begin_kept(worker);
	if (worker->engine)
		worker->engine->ops->run(worker->engine);
	else
		run_without_medium(worker);
	g_mutex_lock(&worker->lock);
	worker->ended = true;
	announce = worker->announce;
	g_cond_broadcast(&worker->changed);
	g_mutex_unlock(&worker->lock);
	if (announce)
		worker->ops->stopped(worker->owner);
	return NULL;
}

void block_worker_restart(struct block_worker *worker)
{
	struct block_backend *image = worker->drive->image;

	if (worker->thread)
		return;
	__atomic_store_n(&worker->drive->troubled, 0, __ATOMIC_SEQ_CST);
	worker->engine = image ? image->ops->new_engine(image, worker) : NULL;
	worker->stop_asked = worker->ended = worker->announce = false;
	worker->thread = g_thread_new("disk", run, worker);
}

void block_worker_start(struct block_worker *worker, const int *kicks, unsigned count)
{
	worker->kick_count = MIN(count, (unsigned)BLOCK_KICKS_MAX);
	memcpy(worker->kicks, kicks, worker->kick_count * sizeof(worker->kicks[0]));
	block_worker_restart(worker);
}

static void ask_to_stop(struct block_worker *worker)
{
	uint64_t one = 1;

	if (worker->stop_asked)
		return;
	worker->stop_asked = true;
	while (write(worker->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

bool block_worker_stop_within(struct block_worker *worker, unsigned milliseconds)
{
	int64_t deadline = g_get_monotonic_time() + (int64_t)milliseconds * 1000;
	bool ended;

	if (!worker->thread)
		return true;
	ask_to_stop(worker);
	g_mutex_lock(&worker->lock);
	while (!worker->ended && g_cond_wait_until(&worker->changed, &worker->lock, deadline))
		;
	ended = worker->ended;
	worker->announce = !ended;
	g_mutex_unlock(&worker->lock);
	if (ended)
		block_worker_stop(worker);
	return ended;
}

void block_worker_stop(struct block_worker *worker)
{
	if (!worker->thread)
		return;
	ask_to_stop(worker);
	g_thread_join(g_steal_pointer(&worker->thread));
	if (worker->engine)
		worker->engine->ops->free(worker->engine);
	worker->engine = NULL;
}
