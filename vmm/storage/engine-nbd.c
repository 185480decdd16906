/* An NBD connection's input and output, on the disk's thread.
 *
 * A request goes to the server in parts of at most PART_MAX bytes, one after the other; many requests are on their way at a
 * time. Bytes go through memory of our own: what is written stays as it was sent until it is flushed (write-log.h), and what
 * arrives late arrives in no guest's memory.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/storage/nbd-image.h"

enum {
	PART_MAX = 512 << 10, /* bytes */
	DEATHS_MAX = 3,       /* a request that was on its way when so many servers died fails */
	RETRY_AFTER = 1000,   /* milliseconds between two tries to connect */
	COMPLAINTS_MAX = 16,
};

struct part {
	struct block_request *request; /* NULL: a flush of our own */
	uint8_t *bytes;
	uint64_t length;
	uint64_t mark;   /* FLUSH: what of the log it covers */
	unsigned deaths; /* of servers, while the request waited for an answer */
	bool sent;
};

struct engine_nbd {
	struct block_engine engine;
	struct nbd_image *image;
	GHashTable *sent; /* cookie to part */
	GQueue waiting;   /* of struct part: to be sent when the log has room, or after the loss */
	bool flushing;    /* a flush of our own is on its way */
	bool stopping;
	int64_t stop_deadline;
	unsigned complaints;
};

static void part_free(struct part *part)
{
	g_free(part->bytes);
	g_free(part);
}

static bool is_write(const struct block_request *request)
{
	return request->operation == BLOCK_WRITE || request->operation == BLOCK_WRITE_ZEROES;
}

static bool has_no_pieces(const struct block_request *request)
{
	return request->operation == BLOCK_WRITE_ZEROES || request->operation == BLOCK_DISCARD;
}

static void copy(struct part *part, bool to_guest)
{
	const struct block_request *request = part->request;
	uint64_t done = 0;

	for (unsigned i = 0; i < request->count && done < part->length; i++) {
		uint64_t length = MIN(request->pieces[i].iov_len, part->length - done);

		if (to_guest)
			memcpy(request->pieces[i].iov_base, part->bytes + done, length);
		else
			memcpy(part->bytes + done, request->pieces[i].iov_base, length);
		done += length;
	}
}

static int64_t send_zeroes(struct engine_nbd *engine, struct part *part, uint32_t flags)
{
	struct nbd_handle *nbd = engine->image->connection;
	const struct block_request *request = part->request;

	if (nbd_can_zero(nbd) == 1) {
		part->length = MIN(request->length - request->done, (uint64_t)UINT32_MAX & ~4095);
		return nbd_aio_zero(nbd, part->length, request->offset + request->done,
			NBD_NULL_COMPLETION,
			flags | (request->unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE));
	}
	part->length = MIN(request->length - request->done, (uint64_t)PART_MAX);
	part->bytes = g_malloc0(part->length);
	return nbd_aio_pwrite(nbd, part->bytes, part->length, request->offset + request->done,
		NBD_NULL_COMPLETION, flags);
}

static int64_t send_request(struct engine_nbd *engine, struct part *part)
{
	struct nbd_handle *nbd = engine->image->connection;
	const struct block_request *request = part->request;
	uint64_t at = request ? request->offset + request->done : 0;
	uint32_t flags =
		request && request->durable && nbd_can_fua(nbd) == 1 ? LIBNBD_CMD_FLAG_FUA : 0;

	g_clear_pointer(&part->bytes, g_free);
	switch (request ? request->operation : BLOCK_FLUSH) {
	case BLOCK_READ:
		part->length = MIN(request->length - request->done, (uint64_t)PART_MAX);
		part->bytes = g_malloc(part->length);
		return nbd_aio_pread(nbd, part->bytes, part->length, at, NBD_NULL_COMPLETION, 0);
	case BLOCK_WRITE:
		part->length = MIN(request->length - request->done, (uint64_t)PART_MAX);
		part->bytes = g_malloc(part->length);
		copy(part, false);
		return nbd_aio_pwrite(
			nbd, part->bytes, part->length, at, NBD_NULL_COMPLETION, flags);
	case BLOCK_WRITE_ZEROES:
		return send_zeroes(engine, part, flags);
	case BLOCK_DISCARD:
		part->length = MIN(request->length - request->done, (uint64_t)UINT32_MAX & ~4095);
		return nbd_aio_trim(nbd, part->length, at, NBD_NULL_COMPLETION, 0);
	case BLOCK_FLUSH:
		part->length = 0;
		part->mark = write_log_mark(&engine->image->log);
		return nbd_aio_flush(nbd, NBD_NULL_COMPLETION, 0);
	}
	return -1;
}

static void flush_log(struct engine_nbd *engine);

/* The request's end; the part is gone. */
static void end(struct engine_nbd *engine, struct part *part, int result)
{
	struct block_request *request = part->request;

	if (!request)
		engine->flushing = false;
	part_free(part);
	if (request)
		block_worker_ended(engine->engine.worker, request, result);
}

/* After an answer: the rest of the request, or its end. */
static void go_on(struct engine_nbd *engine, struct part *part, ssize_t result)
{
	struct block_request *request = part->request;
	int why = (int)result;
	bool more = false;

	if (request && has_no_pieces(request) && result >= 0) {
		request->done += result;
		more = request->done < request->length;
		why = 0;
	} else if (request) {
		more = block_request_goes_on(request, result, &why);
	}
	if (more)
		g_queue_push_tail(&engine->waiting, part);
	else
		end(engine, part, why);
}

static void answered(struct engine_nbd *engine, struct part *part, int error)
{
	struct write_log *log = &engine->image->log;
	struct block_request *request = part->request;

	if (error != 0) {
		go_on(engine, part, -error);
		return;
	}
	if (!request || request->operation == BLOCK_FLUSH)
		write_log_flushed(log, part->mark);
	else if (request->operation == BLOCK_READ)
		copy(part, true);
	else if (is_write(request))
		write_log_add(log, request->offset + request->done, part->length,
			g_steal_pointer(&part->bytes), request->unmap);
	/* What the server cannot flush it has to keep by itself. */
	if (!engine->image->can_flush)
		write_log_clear(log);
	go_on(engine, part, part->length);
}

/* False when the connection is lost. */
static bool send_part(struct engine_nbd *engine, struct part *part)
{
	struct nbd_image *image = engine->image;
	int64_t cookie;

	if (!part->request || part->request->operation == BLOCK_FLUSH) {
		if (!engine->image->can_flush) {
			end(engine, part, 0);
			return true;
		}
	} else if (part->request->operation == BLOCK_DISCARD && !image->can_trim) {
		end(engine, part, 0);
		return true;
	}
	cookie = send_request(engine, part);
	if (cookie >= 0) {
		part->sent = true;
		g_hash_table_insert(engine->sent, g_memdup2(&cookie, sizeof(cookie)), part);
		return true;
	}
	if (nbd_aio_is_ready(image->connection) == 1 ||
		nbd_aio_is_processing(image->connection) == 1) {
		int error = nbd_get_errno();

		end(engine, part, error > 0 ? -error : -EIO);
		return true;
	}
	g_queue_push_head(&engine->waiting, part);
	return false;
}

/* Before the last one was lost: all that had no answer. */
static void take_back(struct engine_nbd *engine)
{
	GHashTableIter iterator;
	gpointer value;

	g_hash_table_iter_init(&iterator, engine->sent);
	while (g_hash_table_iter_next(&iterator, NULL, &value)) {
		struct part *part = value;

		part->deaths++;
		g_queue_push_head(&engine->waiting, part);
	}
	g_hash_table_remove_all(engine->sent);
}

static void fail_waiting(struct engine_nbd *engine, bool all)
{
	GQueue parts = engine->waiting;

	g_queue_init(&engine->waiting);
	while (parts.length > 0) {
		struct part *part = g_queue_pop_head(&parts);

		if (all || part->deaths >= DEATHS_MAX)
			end(engine, part, -EIO);
		else
			g_queue_push_tail(&engine->waiting, part);
	}
}

static void tell_back(struct engine_nbd *engine)
{
	const struct nbd_image *image = engine->image;

	if (image->uri)
		log_limited(&engine->complaints, COMPLAINTS_MAX,
			"disk image %s: the connection to its server broke and is back; nothing "
			"that was written is lost",
			image->backend.path);
	else
		log_limited(&engine->complaints, COMPLAINTS_MAX,
			"disk image %s: its helper %s died and was started again; nothing that was "
			"written is lost",
			image->backend.path, image->arguments[0]);
}

static void tell_lost(struct engine_nbd *engine, const char *why)
{
	const struct nbd_image *image = engine->image;

	if (image->uri)
		log_limited(&engine->complaints, COMPLAINTS_MAX,
			"disk image %s: the connection to its server broke (%s); requests fail "
			"until it is back",
			image->backend.path, why);
	else
		log_limited(&engine->complaints, COMPLAINTS_MAX,
			"disk image %s: its helper %s died and cannot be started again (%s); "
			"requests fail until it can",
			image->backend.path, image->arguments[0], why);
}

/* Connects again when there is something to send; what cannot be sent fails, and the drive's policy decides. */
static void reconnect(struct engine_nbd *engine)
{
	struct nbd_image *image = engine->image;
	g_autoptr(GError) error = NULL;
	bool too_soon =
		image->failures > 0 && g_get_monotonic_time() - image->tried < RETRY_AFTER * 1000;

	if (too_soon) {
		fail_waiting(engine, true);
		return;
	}
	if (nbd_image_connect(image, &error)) {
		tell_back(engine);
		image->failures = 0;
		return;
	}
	image->failures++;
	tell_lost(engine, error->message);
	fail_waiting(engine, true);
}

static void connection_lost(struct engine_nbd *engine)
{
	nbd_image_drop(engine->image);
	take_back(engine);
	fail_waiting(engine, false);
}

static bool has_room(const struct engine_nbd *engine, const struct part *part)
{
	if (g_hash_table_size(engine->sent) >= BLOCK_REQUESTS_MAX)
		return !part->request;
	return !part->request || !is_write(part->request) ||
	       !write_log_is_full(&engine->image->log);
}

/* Sends what may be sent, in order as far as the log has room. */
static void send_waiting(struct engine_nbd *engine)
{
	guint left = engine->waiting.length;

	while (engine->waiting.length > 0 && left-- > 0) {
		struct part *part;

		if (!engine->image->connection) {
			reconnect(engine);
			if (!engine->image->connection)
				return;
			left = engine->waiting.length;
			continue;
		}
		part = g_queue_pop_head(&engine->waiting);
		if (!has_room(engine, part))
			g_queue_push_tail(&engine->waiting, part);
		else if (!send_part(engine, part))
			connection_lost(engine);
	}
	flush_log(engine);
}

/* The log is bounded: what fills it is flushed without being asked. */
static void flush_log(struct engine_nbd *engine)
{
	struct part *part;

	if (engine->flushing || !engine->image->connection ||
		!write_log_wants_flush(&engine->image->log))
		return;
	engine->flushing = true;
	part = g_new0(struct part, 1);
	if (!send_part(engine, part))
		connection_lost(engine);
}

static void nbd_submit(struct block_engine *opaque, struct block_request *request)
{
	struct engine_nbd *engine = (struct engine_nbd *)opaque;
	struct part *part = g_new0(struct part, 1);

	part->request = request;
	g_queue_push_tail(&engine->waiting, part);
}

static void take_answers(struct engine_nbd *engine)
{
	struct nbd_handle *nbd = engine->image->connection;
	int64_t cookie;

	while ((cookie = nbd_aio_peek_command_completed(nbd)) > 0) {
		int result = nbd_aio_command_completed(nbd, cookie);
		int error = result < 0 ? nbd_get_errno() : 0;
		struct part *part = g_hash_table_lookup(engine->sent, &cookie);

		/* Commands that had no answer when the connection broke end as well: they are sent anew. */
		if (result < 0 && nbd_image_is_lost(nbd))
			continue;
		g_hash_table_remove(engine->sent, &cookie);
		if (part)
			answered(engine, part, result < 0 && error == 0 ? EIO : error);
	}
	if (nbd_image_is_lost(nbd))
		connection_lost(engine);
}

/* The machine stops and the server does not answer: what waits is done when it goes on. */
static void give_up(struct engine_nbd *engine)
{
	log_warning("disk image %s: its server has not answered for %d seconds and is given up",
		engine->image->backend.path, NBD_PATIENCE / 1000);
	nbd_image_drop(engine->image);
	take_back(engine);
	while (engine->waiting.length > 0) {
		struct part *part = g_queue_pop_head(&engine->waiting);

		if (part->request)
			block_worker_keep(engine->engine.worker, part->request);
		part_free(part);
	}
	engine->flushing = false;
}

static int poll_timeout(const struct engine_nbd *engine)
{
	if (!engine->stopping)
		return -1;
	return MAX((engine->stop_deadline - g_get_monotonic_time()) / 1000, 0);
}

static void wait_for_something(struct engine_nbd *engine)
{
	struct block_worker *worker = engine->engine.worker;
	struct nbd_handle *nbd = engine->image->connection;
	unsigned direction = nbd ? nbd_aio_get_direction(nbd) : 0;
	struct pollfd fds[BLOCK_KICKS_MAX + 2] = {
		{ .fd = nbd ? nbd_aio_get_fd(nbd) : -1,
			.events = (direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
				  (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0) },
		{ .fd = block_worker_stop_fd(worker), .events = POLLIN },
	};
	const int *kicks;
	unsigned count = engine->stopping ? 0 : block_worker_kicks(worker, &kicks);
	uint64_t number;

	for (unsigned i = 0; i < count; i++)
		fds[i + 2] = (struct pollfd) { .fd = kicks[i], .events = POLLIN };
	if (poll(fds, count + 2, poll_timeout(engine)) < 0)
		return;
	if (fds[1].revents && read(fds[1].fd, &number, sizeof(number)) > 0) {
		engine->stopping = true;
		engine->stop_deadline = g_get_monotonic_time() + NBD_PATIENCE * 1000;
	}
	if (nbd && fds[0].revents)
		nbd_image_move(nbd, fds[0].revents);
	for (unsigned i = 0; i < count; i++)
		if (fds[i + 2].revents && read(fds[i + 2].fd, &number, sizeof(number)) > 0)
			block_worker_kicked(worker, i);
}

static void nbd_run(struct block_engine *opaque)
{
	struct engine_nbd *engine = (struct engine_nbd *)opaque;
	struct block_worker *worker = engine->engine.worker;
	const int *kicks;
	unsigned count = block_worker_kicks(worker, &kicks);

	for (unsigned i = 0; i < count; i++)
		block_worker_kicked(worker, i);
	for (;;) {
		send_waiting(engine);
		block_worker_settled(worker);
		if (engine->stopping && block_worker_in_flight(worker) == 0)
			return;
		if (engine->stopping && g_get_monotonic_time() >= engine->stop_deadline) {
			give_up(engine);
			return;
		}
		wait_for_something(engine);
		if (engine->image->connection)
			take_answers(engine);
	}
}

static void nbd_free(struct block_engine *opaque)
{
	struct engine_nbd *engine = (struct engine_nbd *)opaque;

	/* A flush of our own may still be on its way: its answer finds nobody, and the log stays as it is. */
	take_back(engine);
	while (engine->waiting.length > 0)
		part_free(g_queue_pop_head(&engine->waiting));
	g_hash_table_unref(engine->sent);
	g_free(engine);
}

static const struct block_engine_ops nbd_engine_ops = {
	.run = nbd_run,
	.submit = nbd_submit,
	.free = nbd_free,
};

struct block_engine *engine_nbd_new(struct nbd_image *image, struct block_worker *worker)
{
	struct engine_nbd *engine = g_new0(struct engine_nbd, 1);

	engine->engine = (struct block_engine) { .ops = &nbd_engine_ops, .worker = worker };
	engine->image = image;
	engine->sent = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_queue_init(&engine->waiting);
	return &engine->engine;
}
