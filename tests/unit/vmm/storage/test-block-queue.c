/* Requests over a disk that fails when told to: error policies, what is kept, what is given up, media that change. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/vmm/storage/disk.h"
#include "vmm/storage/block-engine.h"

/* A disk in memory. */
struct fake {
	struct block_backend backend;
	int error;      /* atomic; negative errno that requests end with */
	size_t at_most; /* bytes of one part */
	GMutex *hangs;  /* requests wait for it, as for a host that does not answer */
	uint8_t bytes[DISK_BYTES];
};

struct fake_engine {
	struct block_engine engine;
	struct fake *fake;
};

static ssize_t transfer(struct fake *fake, const struct block_request *request)
{
	uint8_t *at = fake->bytes + request->offset + request->done;
	size_t length;

	if (__atomic_load_n(&fake->error, __ATOMIC_SEQ_CST) < 0)
		return fake->error;
	if (request->count == 0)
		return 0;
	length = MIN(request->pieces->iov_len, fake->at_most);
	if (request->operation == BLOCK_READ)
		memcpy(request->pieces->iov_base, at, length);
	else
		memcpy(at, request->pieces->iov_base, length);
	return length;
}

static void fake_submit(struct block_engine *engine, struct block_request *request)
{
	GMutex *hangs = ((struct fake_engine *)engine)->fake->hangs;
	int end;

	if (hangs) {
		g_mutex_lock(hangs);
		g_mutex_unlock(hangs);
	}
	while (block_request_goes_on(
		request, transfer(((struct fake_engine *)engine)->fake, request), &end))
		;
	block_worker_ended(engine->worker, request, end);
}

static void fake_run(struct block_engine *engine)
{
	const int *kicks;
	uint64_t count;

	block_worker_kicks(engine->worker, &kicks);
	for (;;) {
		struct pollfd fds[] = { { block_worker_stop_fd(engine->worker), POLLIN, 0 },
			{ kicks[0], POLLIN, 0 } };

		block_worker_kicked(engine->worker, 0);
		block_worker_settled(engine->worker);
		poll(fds, 2, -1);
		if (fds[0].revents && read(fds[0].fd, &count, 8) == 8)
			return;
		if (fds[1].revents && read(fds[1].fd, &count, 8) != 8)
			g_assert_not_reached();
	}
}

static void fake_free(struct block_engine *engine)
{
	g_free(engine);
}

static const struct block_engine_ops engine_ops = { fake_run, fake_submit, fake_free };

static struct block_engine *fake_engine(struct block_backend *backend, struct block_worker *worker)
{
	struct fake_engine *engine = g_new0(struct fake_engine, 1);

	engine->engine = (struct block_engine) { &engine_ops, worker };
	engine->fake = (struct fake *)backend;
	return &engine->engine;
}

static void fake_close(struct block_backend *backend)
{
	g_free(backend);
}

static const struct block_backend_ops backend_ops = { .close = fake_close,
	.new_engine = fake_engine };

static struct fake *fake_new(void)
{
	struct fake *fake = g_new0(struct fake, 1);

	fake->backend = (struct block_backend) {
		.ops = &backend_ops, .path = (char *)"fake", .format = "raw", .size = DISK_BYTES
	};
	fake->at_most = DISK_BYTES;
	return fake;
}

static void set_running(struct disk *disk, bool running)
{
	g_mutex_lock(&disk->machine.lock);
	block_queue_set_running(disk->queue, running);
	g_mutex_unlock(&disk->machine.lock);
}

static void test_transfer(void)
{
	struct fake *fake = fake_new();
	struct disk *disk = disk_new_with(&fake->backend);
	uint8_t out[4096], in[4096];

	fake->at_most = 700; /* parts of a request, and no whole sectors */
	memset(out, 0x5a, sizeof(out));
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 8192, out, sizeof(out)), ==, 0);
	g_assert_cmpint(disk_do(disk, BLOCK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 8192, in, sizeof(in)), ==, 0);
	g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
	g_assert_cmpuint(disk->drive->statistics.written_bytes, ==, sizeof(out));
	g_assert_cmpuint(disk->drive->statistics.reads, ==, 1);
	g_assert_cmpuint(disk->drive->statistics.flushes, ==, 1);
	g_assert_cmpuint(block_queue_in_flight(disk->queue), ==, 0);
	disk_free(disk);
}

/* A transfer that stops short of its end is an error, not a success. */
static void test_short(void)
{
	struct fake *fake = fake_new();
	struct disk *disk = disk_new_with(&fake->backend);
	uint8_t in[4096];

	fake->at_most = 0;
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, in, sizeof(in)), ==, -EIO);
	g_assert_cmpuint(disk->drive->statistics.failed_reads, ==, 1);
	g_assert_cmpstr(disk_events->str, ==, "read:report ");
	disk_free(disk);
}

static const struct {
	enum block_operation operation;
	enum drive_error_policy policy;
	int error;
	bool stops;
	int result;
	const char *events;
} policies[] = {
	{ BLOCK_READ, DRIVE_ERROR_REPORT, -EIO, false, -EIO, "read:report " },
	{ BLOCK_READ, DRIVE_ERROR_IGNORE, -EIO, false, 0, "read:ignore " },
	{ BLOCK_READ, DRIVE_ERROR_STOP, -EIO, true, 0, "read:stop " },
	{ BLOCK_READ, DRIVE_ERROR_ENOSPC, -EIO, false, -EIO, "read:report " },
	{ BLOCK_WRITE, DRIVE_ERROR_REPORT, -ENOSPC, false, -ENOSPC, "write:report " },
	{ BLOCK_WRITE, DRIVE_ERROR_ENOSPC, -ENOSPC, true, 0, "write:stop " },
	{ BLOCK_WRITE, DRIVE_ERROR_ENOSPC, -EIO, false, -EIO, "write:report " },
	{ BLOCK_WRITE, DRIVE_ERROR_STOP, -EIO, true, 0, "write:stop " },
	{ BLOCK_FLUSH, DRIVE_ERROR_STOP, -EIO, true, 0, "write:stop " },
	{ BLOCK_FLUSH, DRIVE_ERROR_REPORT, -EIO, false, -EIO, "write:report " },
};

static void test_policies(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
		struct fake *fake = fake_new();
		struct disk *disk = disk_new_with(&fake->backend);
		uint8_t bytes[512] = { 1, 2, 3 };
		bool transfers = policies[i].operation != BLOCK_FLUSH;
		struct block_request request;
		struct iovec piece;

		disk->drive->on_read_error = disk->drive->on_write_error = policies[i].policy;
		__atomic_store_n(&fake->error, policies[i].error, __ATOMIC_SEQ_CST);
		disk_submit(disk, &request, &piece, policies[i].operation, 0,
			transfers ? bytes : NULL, transfers ? sizeof(bytes) : 0);
		disk_wait(disk, 1);
		g_assert_cmpuint(disk_stops, ==, policies[i].stops);
		g_assert_cmpuint(disk->ended, ==, !policies[i].stops);
		g_assert_cmpstr(disk_events->str, ==, policies[i].events);
		if (policies[i].stops) {
			/* The machine stops, somebody mends the disk, the machine goes on. */
			set_running(disk, false);
			g_assert_cmpuint(disk->ended, ==, 0);
			__atomic_store_n(&fake->error, 0, __ATOMIC_SEQ_CST);
			disk_stops = 0;
			set_running(disk, true);
			disk_wait(disk, 1);
		}
		g_assert_cmpint(disk->result, ==, policies[i].result);
		g_assert_cmpuint(disk->ended, ==, 1);
		if (policies[i].operation == BLOCK_WRITE && policies[i].stops)
			g_assert_cmpmem(fake->bytes, sizeof(bytes), bytes, sizeof(bytes));
		disk_free(disk);
	}
}

/* What was kept is forgotten when the device is reset. */
static void test_cancel(void)
{
	struct fake *fake = fake_new();
	struct disk *disk = disk_new_with(&fake->backend);
	uint8_t bytes[512] = { 1 };
	struct block_request request;
	struct iovec piece;

	disk->drive->on_write_error = DRIVE_ERROR_STOP;
	__atomic_store_n(&fake->error, -EIO, __ATOMIC_SEQ_CST);
	disk_submit(disk, &request, &piece, BLOCK_WRITE, 0, bytes, sizeof(bytes));
	disk_wait(disk, 1);
	set_running(disk, false);
	g_mutex_lock(&disk->machine.lock);
	g_assert_cmpuint(block_queue_in_flight(disk->queue), ==, 1);
	block_queue_cancel_all(disk->queue);
	g_assert_cmpuint(block_queue_in_flight(disk->queue), ==, 0);
	g_mutex_unlock(&disk->machine.lock);
	__atomic_store_n(&fake->error, 0, __ATOMIC_SEQ_CST);
	disk_stops = 0;
	set_running(disk, true);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, bytes, sizeof(bytes)), ==, 0);
	g_assert_cmpuint(disk->ended, ==, 1);
	g_assert_cmpuint(bytes[0], ==, 0);
	disk_free(disk);
}

/* A host that does not answer keeps nobody waiting, gets no word in afterwards, and nothing overtakes what it still does. */
static void test_cancel_hanging(void)
{
	struct fake *fake = fake_new();
	struct disk *disk = disk_new_with(&fake->backend);
	uint8_t written[512], read[512] = { 0 }, after[512];
	struct block_request write_request, read_request, later, again;
	struct iovec pieces[4];
	GMutex hangs;

	g_mutex_init(&hangs);
	g_mutex_lock(&hangs);
	fake->hangs = &hangs;
	memset(fake->bytes, 0x11, sizeof(fake->bytes));
	memset(written, 0x22, sizeof(written));
	disk_submit(disk, &write_request, &pieces[0], BLOCK_WRITE, 0, written, sizeof(written));
	/* What was given to the queue is written, whatever comes of the memory. */
	memset(written, 0x33, sizeof(written));
	disk_submit(disk, &read_request, &pieces[1], BLOCK_READ, 4096, read, sizeof(read));
	g_mutex_lock(&disk->machine.lock);
	block_queue_cancel(disk->queue, &read_request);
	block_queue_cancel(disk->queue, &read_request);
	g_assert_cmpuint(block_queue_in_flight(disk->queue), ==, 1);
	block_queue_cancel_all(disk->queue);
	g_assert_cmpuint(block_queue_in_flight(disk->queue), ==, 0);
	g_mutex_unlock(&disk->machine.lock);
	memset(&read_request, 0xff, sizeof(read_request));
	memset(&write_request, 0xff, sizeof(write_request));

	memset(after, 0x44, sizeof(after));
	disk_submit(disk, &later, &pieces[2], BLOCK_WRITE, 0, after, sizeof(after));
	disk_submit(disk, &again, &pieces[3], BLOCK_READ, 0, written, sizeof(written));
	g_mutex_lock(&disk->machine.lock);
	block_queue_cancel(disk->queue, &again);
	g_mutex_unlock(&disk->machine.lock);
	g_mutex_unlock(&hangs);
	disk_wait(disk, 1);
	g_assert_cmpint(disk->result, ==, 0);
	g_assert_cmpuint(disk->ended, ==, 1);
	g_assert_cmpmem(fake->bytes, sizeof(after), after, sizeof(after));
	g_assert_cmpuint(read[0], ==, 0);
	g_assert_cmpuint(written[0], ==, 0x33);
	disk_free(disk);
	g_mutex_clear(&hangs);
}

/* What failed, and was given up before the machine stopped, is not done when it goes on; nor does it keep what comes later
 * waiting when the machine is not stopped after all. */
static void cancel_kept(bool stops)
{
	struct fake *fake = fake_new();
	struct disk *disk = disk_new_with(&fake->backend);
	uint8_t bytes[512] = { 1 };
	struct block_request request, later;
	struct iovec pieces[2];

	disk->drive->on_write_error = DRIVE_ERROR_STOP;
	__atomic_store_n(&fake->error, -EIO, __ATOMIC_SEQ_CST);
	disk_submit(disk, &request, &pieces[0], BLOCK_WRITE, 0, bytes, sizeof(bytes));
	disk_wait(disk, 1);
	g_mutex_lock(&disk->machine.lock);
	block_queue_cancel(disk->queue, &request);
	g_mutex_unlock(&disk->machine.lock);
	if (stops) {
		disk_submit(disk, &later, &pieces[1], BLOCK_READ, 0, bytes, sizeof(bytes));
		set_running(disk, false);
	}
	__atomic_store_n(&fake->error, 0, __ATOMIC_SEQ_CST);
	disk_stops = 0;
	if (stops)
		set_running(disk, true);
	else
		disk_submit(disk, &later, &pieces[1], BLOCK_READ, 0, bytes, sizeof(bytes));
	disk_wait(disk, 1);
	g_assert_cmpint(disk->result, ==, 0);
	g_assert_cmpuint(disk->ended, ==, 1);
	g_assert_cmpuint(bytes[0], ==, 0);
	g_assert_cmpuint(fake->bytes[0], ==, 0);
	disk_free(disk);
}

static void test_cancel_kept(void)
{
	cancel_kept(true);
	cancel_kept(false);
}

static void test_no_medium(void)
{
	struct disk *disk = disk_new_with(NULL);
	uint8_t bytes[512];

	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, bytes, sizeof(bytes)), ==, -ENOMEDIUM);
	g_mutex_lock(&disk->machine.lock);
	drive_set_image(disk->drive, &fake_new()->backend);
	g_mutex_unlock(&disk->machine.lock);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, bytes, sizeof(bytes)), ==, 0);
	g_assert_cmpstr(disk_events->str, ==, "");
	disk_free(disk);
}

static void test_raw(void)
{
	struct block_config config = { .discard = true };
	struct disk *disk = disk_new("raw", &config);
	uint8_t out[65536], in[65536], zeroes[65536] = { 0 };

	memset(out, 0x77, sizeof(out));
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 65536, out, sizeof(out)), ==, 0);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 65536, in, sizeof(in)), ==, 0);
	g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE_ZEROES, 65536, NULL, 4096), ==, 0);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 65536, in, sizeof(in)), ==, 0);
	g_assert_cmpmem(in, 4096, zeroes, 4096);
	g_assert_cmpmem(in + 4096, sizeof(in) - 4096, out, sizeof(out) - 4096);
	g_assert_cmpint(disk_do(disk, BLOCK_DISCARD, 65536, NULL, 65536), ==, 0);
	g_assert_cmpint(disk_do(disk, BLOCK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_true(disk->drive->image->ops->resize(disk->drive->image, 2 * DISK_BYTES, NULL));
	g_assert_cmpint(
		disk_do(disk, BLOCK_WRITE, 2 * DISK_BYTES - 65536, out, sizeof(out)), ==, 0);
	disk_free(disk);
}

/* A raw image that was only taken for one does not become another format's. */
static void test_guard(void)
{
	struct disk *disk = disk_new(NULL, NULL);
	uint8_t bytes[4096] = "QFI\xfb\0\0\0\3", in[4096];

	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 0, bytes, sizeof(bytes)), ==, -EPERM);
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 4096, bytes, sizeof(bytes)), ==, 0);
	memset(bytes, 0xeb, sizeof(bytes));
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 0, bytes, sizeof(bytes)), ==, 0);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, in, sizeof(in)), ==, 0);
	g_assert_cmpmem(in, sizeof(in), bytes, sizeof(bytes));
	disk_free(disk);

	disk = disk_new("raw", NULL);
	memcpy(bytes, "QFI\xfb", 4);
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 0, bytes, sizeof(bytes)), ==, 0);
	disk_free(disk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/block-queue/transfer", test_transfer);
	g_test_add_func("/block-queue/short", test_short);
	g_test_add_func("/block-queue/policies", test_policies);
	g_test_add_func("/block-queue/cancel", test_cancel);
	g_test_add_func("/block-queue/cancel-hanging", test_cancel_hanging);
	g_test_add_func("/block-queue/cancel-kept", test_cancel_kept);
	g_test_add_func("/block-queue/no-medium", test_no_medium);
	g_test_add_func("/block-queue/raw", test_raw);
	g_test_add_func("/block-queue/guard", test_guard);
	return g_test_run();
}
