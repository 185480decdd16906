/* A raw image without io_uring: the disk's thread does one request after the other. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vmm/storage/block-engine.h"
#include "vmm/storage/engine-file.h"

struct engine_plain {
	struct block_engine engine;
	int fd;
};

static ssize_t perform(const struct engine_plain *plain, struct block_request *request)
{
	uint64_t at = request->offset + request->done;
	unsigned count = MIN(request->count, FILE_PIECES_MAX);
	ssize_t result = 0;

	switch (request->operation) {
	case BLOCK_READ:
		result = preadv(plain->fd, request->pieces, count, at);
		break;
	case BLOCK_WRITE:
		result = pwritev2(
			plain->fd, request->pieces, count, at, request->durable ? RWF_DSYNC : 0);
		break;
	case BLOCK_FLUSH:
		result = fdatasync(plain->fd);
		break;
	case BLOCK_DISCARD:
		result = fallocate(plain->fd, FILE_PUNCH, request->offset, request->length);
		break;
	case BLOCK_WRITE_ZEROES:
		return file_write_zeroes(plain->fd, request);
	}
	return result < 0 ? -errno : result;
}

static void plain_submit(struct block_engine *engine, struct block_request *request)
{
	struct engine_plain *plain = (struct engine_plain *)engine;
	int end;

	while (block_request_goes_on(request, perform(plain, request), &end))
		;
	block_worker_ended(engine->worker, request, end);
}

static void plain_run(struct block_engine *engine)
{
	struct block_worker *worker = engine->worker;
	struct pollfd fds[BLOCK_KICKS_MAX + 1] = {
		{ .fd = block_worker_stop_fd(worker), .events = POLLIN },
	};
	const int *kicks;
	unsigned kick_count = block_worker_kicks(worker, &kicks);
	uint64_t count;

	for (unsigned i = 0; i < kick_count; i++) {
		fds[i + 1] = (struct pollfd) { .fd = kicks[i], .events = POLLIN };
		block_worker_kicked(worker, i);
	}
	for (;;) {
		block_worker_settled(worker);
		if (poll(fds, kick_count + 1, -1) < 0)
			continue;
		if (fds[0].revents && read(fds[0].fd, &count, sizeof(count)) > 0)
			return;
		for (unsigned i = 0; i < kick_count; i++)
			if (fds[i + 1].revents && read(kicks[i], &count, sizeof(count)) > 0)
				block_worker_kicked(worker, i);
	}
}

static void plain_free(struct block_engine *engine)
{
	g_free(engine);
}

static const struct block_engine_ops plain_ops = {
	.run = plain_run,
	.submit = plain_submit,
	.free = plain_free,
};

struct block_engine *engine_plain_new(struct block_worker *worker, int fd)
{
	struct engine_plain *plain = g_new0(struct engine_plain, 1);

	plain->engine = (struct block_engine) { .ops = &plain_ops, .worker = worker };
	plain->fd = fd;
	return &plain->engine;
}
