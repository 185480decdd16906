/* virtio-blk over a disk that ends its requests when the test says so: pauses, resets and removal while requests are in
 * flight, and what is kept for later after an error. Specification: virtio 1.2 section 5.2. */
#include "vmm/virtio/virtio-blk.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/pci/config.h"
#include "vmm/storage/block-engine.h"
#include "vmm/storage/drives.h"

enum {
	QUEUES = 3,
	DISK_BYTES = 64 * SECTOR,
	HEADER = 16,
	OUT = 1,
	HELD_MAX = 64,
};

/* A disk in memory. While it holds, requests wait for the thread to stop or for release(). */
struct fake {
	struct block_backend backend;
	int error; /* atomic; negative errno that requests end with */
	int hold;  /* atomic */
	int hangs; /* atomic: what is held when the thread is to stop waits for release() all the same */
	int held; /* atomic; how many */
	int wake; /* eventfd: look at what is held */
	uint8_t bytes[DISK_BYTES];
};

struct fake_engine {
	struct block_engine engine;
	struct fake *fake;
	struct block_request *held[HELD_MAX];
};

static int carry_out(struct fake *fake, const struct block_request *request)
{
	uint8_t *at = fake->bytes + request->offset;
	int error = __atomic_load_n(&fake->error, __ATOMIC_SEQ_CST);

	for (unsigned i = 0; error == 0 && i < request->count; i++) {
		const struct iovec *piece = &request->pieces[i];

		if (request->operation == BLOCK_READ)
			memcpy(piece->iov_base, at, piece->iov_len);
		else
			memcpy(at, piece->iov_base, piece->iov_len);
		at += piece->iov_len;
	}
	return error;
}

static void fake_submit(struct block_engine *base, struct block_request *request)
{
	struct fake_engine *engine = (struct fake_engine *)base;
	struct fake *fake = engine->fake;

	if (__atomic_load_n(&fake->hold, __ATOMIC_SEQ_CST)) {
		g_assert_cmpint(fake->held, <, HELD_MAX);
		engine->held[fake->held] = request;
		__atomic_fetch_add(&fake->held, 1, __ATOMIC_SEQ_CST);
	} else {
		block_worker_ended(base->worker, request, carry_out(fake, request));
	}
}

static void end_held(struct fake_engine *engine)
{
	int count = engine->fake->held;

	__atomic_store_n(&engine->fake->held, 0, __ATOMIC_SEQ_CST);
	for (int i = 0; i < count; i++)
		block_worker_ended(engine->engine.worker, engine->held[i],
			carry_out(engine->fake, engine->held[i]));
	block_worker_settled(engine->engine.worker);
}

static void fake_run(struct block_engine *base)
{
	struct fake_engine *engine = (struct fake_engine *)base;
	const int *kicks;
	unsigned count = block_worker_kicks(base->worker, &kicks);
	struct pollfd fds[QUEUES + 2] = { { block_worker_stop_fd(base->worker), POLLIN, 0 },
		{ engine->fake->wake, POLLIN, 0 } };
	uint64_t value;

	g_assert_cmpuint(count, ==, QUEUES);
	for (unsigned i = 0; i < count; i++) {
		fds[i + 2] = (struct pollfd) { kicks[i], POLLIN, 0 };
		block_worker_kicked(base->worker, i);
	}
	block_worker_settled(base->worker);
	for (;;) {
		poll(fds, G_N_ELEMENTS(fds), -1);
		if (fds[0].revents && read(fds[0].fd, &value, 8) == 8)
			break;
		if (fds[1].revents && read(fds[1].fd, &value, 8) == 8)
			end_held(engine);
		for (unsigned i = 0; i < count; i++)
			if (fds[i + 2].revents && read(fds[i + 2].fd, &value, 8) == 8)
				block_worker_kicked(base->worker, i);
		block_worker_settled(base->worker);
	}
	if (__atomic_load_n(&engine->fake->hangs, __ATOMIC_SEQ_CST))
		g_assert_cmpint(read(engine->fake->wake, &value, 8), ==, 8);
	end_held(engine);
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
	close(((struct fake *)backend)->wake);
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
	fake->wake = eventfd(0, EFD_CLOEXEC);
	return fake;
}

struct fixture {
	struct virtio_machine *vm;
	struct fake *fake;
	struct device *device;
	struct virtio_driver driver;
	struct driver_queue queues[QUEUES];
};

static void bring_up(struct fixture *f)
{
	g_assert_true(virtio_driver_negotiate(&f->driver, VIRTIO_FEATURE_QUEUE_RESET));
	for (unsigned i = 0; i < QUEUES; i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 0);
	virtio_driver_ready(&f->driver);
}

static void start(struct fixture *f)
{
	static const char *const properties[] = { "drive", "disk0", "num-queues", "3", "werror",
		"stop", NULL };
	struct block_config config = { .id = "disk0" };

	*f = (struct fixture) { .vm = virtio_machine_new(), .fake = fake_new() };
	f->vm->machine.drives = drives_new();
	g_assert_true(drives_add(f->vm->machine.drives, &config, NULL));
	drive_set_image(drives_find(f->vm->machine.drives, "disk0"), &f->fake->backend);
	f->device = virtio_machine_add(f->vm, &virtio_blk_class, "disk", properties, NULL);
	g_assert_nonnull(f->device);
	f->driver = virtio_driver_bind(f->vm, f->device);
	bring_up(f);
}

static void end(struct fixture *f)
{
	struct drives *drives = f->vm->machine.drives;

	virtio_machine_free(f->vm);
	drives_free(drives);
}

static void hold(struct fixture *f, bool on)
{
	__atomic_store_n(&f->fake->hold, on, __ATOMIC_SEQ_CST);
}

static void release(struct fixture *f)
{
	uint64_t one = 1;

	hold(f, false);
	g_assert_cmpint(write(f->fake->wake, &one, 8), ==, 8);
}

static void fail_with(struct fixture *f, int error)
{
	__atomic_store_n(&f->fake->error, error, __ATOMIC_SEQ_CST);
}

/* A write of a sector full of @byte. */
static void begin_write(struct fixture *f, unsigned queue, unsigned sector, uint8_t byte)
{
	uint8_t header[HEADER] = { OUT }, bytes[SECTOR];
	struct driver_piece pieces[3] = { { header, HEADER, false, 0 }, { bytes, SECTOR, false, 0 },
		{ NULL, 1, true, 0 } };

	config_set32(header + 8, sector);
	memset(bytes, byte, sizeof(bytes));
	driver_queue_add(&f->queues[queue], pieces, 3);
	driver_queue_kick(&f->queues[queue]);
}

static void wait_held(struct fixture *f, int count)
{
	while (__atomic_load_n(&f->fake->held, __ATOMIC_SEQ_CST) != count)
		g_usleep(100);
}

/* Until the machine was asked to stop for so many requests. */
static void wait_errors(struct fixture *f, unsigned count)
{
	unsigned found;

	do {
		found = 0;
		g_main_context_iteration(NULL, FALSE);
		for (const char *at = f->vm->events->str; (at = strstr(at, "BLOCK_IO_ERROR")); at++)
			found++;
	} while (found < count);
}

static unsigned ended(struct fixture *f, unsigned queue)
{
	unsigned count = 0;
	uint16_t name;
	uint32_t written;

	while (driver_queue_used(&f->queues[queue], &name, &written)) {
		g_assert_cmpuint(written, ==, 1);
		count++;
	}
	return count;
}

static void wait_ended(struct fixture *f, unsigned queue)
{
	uint16_t name;
	uint32_t written;

	g_assert_true(driver_queue_wait(&f->queues[queue], &name, &written));
}

static void reset_queue(struct fixture *f, unsigned queue)
{
	virtio_driver_write(&f->driver, REG_QUEUE_SELECT, 2, queue);
	virtio_driver_write(&f->driver, REG_QUEUE_RESET, 2, 1);
}

/* Nothing is in flight once the machine pauses; what had begun has ended. */
static void test_pause(void)
{
	struct fixture f;

	start(&f);
	hold(&f, true);
	for (unsigned i = 0; i < QUEUES; i++)
		begin_write(&f, i, i, 0x10 + i);
	wait_held(&f, QUEUES);
	virtio_machine_set_running(f.vm, false);
	for (unsigned i = 0; i < QUEUES; i++) {
		g_assert_cmpuint(ended(&f, i), ==, 1);
		g_assert_cmphex(f.fake->bytes[i * SECTOR], ==, 0x10 + i);
	}
	begin_write(&f, 0, 9, 0x99);
	virtio_machine_settle(f.vm);
	g_assert_cmpuint(ended(&f, 0), ==, 0);
	hold(&f, false);
	virtio_machine_set_running(f.vm, true);
	wait_ended(&f, 0);
	g_assert_cmphex(f.fake->bytes[9 * SECTOR], ==, 0x99);
	end(&f);
}

/* A queue that is reset loses its own requests; those of others are done again. */
static void test_queue_reset(void)
{
	struct fixture f;

	start(&f);
	fail_with(&f, -EIO);
	for (unsigned i = 0; i < QUEUES; i++)
		begin_write(&f, i, i, 0x10 + i);
	begin_write(&f, 1, 5, 0x15);
	wait_errors(&f, 1);
	virtio_machine_set_running(f.vm, false);
	for (unsigned i = 0; i < QUEUES; i++)
		g_assert_cmpuint(ended(&f, i), ==, 0);
	hold(&f, true);
	fail_with(&f, 0);
	virtio_machine_set_running(f.vm, true);
	wait_held(&f, QUEUES + 1);
	fail_with(&f, -EIO);
	reset_queue(&f, 1); /* all are kept once more, and those of this queue forgotten */
	fail_with(&f, 0);
	release(&f);
	wait_ended(&f, 0);
	wait_ended(&f, 2);
	g_assert_cmpuint(ended(&f, 1), ==, 0);
	g_assert_cmphex(f.fake->bytes[0], ==, 0x10);
	g_assert_cmphex(f.fake->bytes[1 * SECTOR], ==, 0);
	g_assert_cmphex(f.fake->bytes[2 * SECTOR], ==, 0x12);
	g_assert_cmphex(f.fake->bytes[5 * SECTOR], ==, 0);
	end(&f);
}

/* A device that is reset forgets what was kept, and begins anew. */
static void test_reset(void)
{
	struct fixture f;

	start(&f);
	fail_with(&f, -ENOSPC);
	begin_write(&f, 0, 0, 0x10);
	begin_write(&f, 2, 2, 0x12);
	wait_errors(&f, 1);
	virtio_driver_reset(&f.driver);
	fail_with(&f, 0);
	bring_up(&f);
	begin_write(&f, 1, 1, 0x11);
	wait_ended(&f, 1);
	g_assert_cmpuint(ended(&f, 0) + ended(&f, 2), ==, 0);
	g_assert_cmphex(f.fake->bytes[0], ==, 0);
	g_assert_cmphex(f.fake->bytes[SECTOR], ==, 0x11);

	hold(&f, true);
	begin_write(&f, 0, 7, 0x17);
	wait_held(&f, 1);
	virtio_driver_reset(&f.driver); /* waits until the memory is not used any more */
	g_assert_cmpint(f.fake->held, ==, 0);
	end(&f);
}

/* A host that does not answer keeps the processor that resets the device waiting for a moment only. The driver sees when the
 * reset is done, and what it writes until then goes nowhere. */
static void test_reset_hanging(void)
{
	struct fixture f;

	start(&f);
	hold(&f, true);
	__atomic_store_n(&f.fake->hangs, 1, __ATOMIC_SEQ_CST);
	begin_write(&f, 0, 3, 0x13);
	wait_held(&f, 1);
	virtio_driver_reset(&f.driver);
	g_assert_cmphex(virtio_driver_status(&f.driver), ==, 0xf);
	virtio_driver_reset(&f.driver);
	virtio_driver_write(&f.driver, REG_STATUS, 1, VIRTIO_STATUS_ACKNOWLEDGE);
	g_assert_cmphex(virtio_driver_status(&f.driver), ==, 0xf);
	__atomic_store_n(&f.fake->hangs, 0, __ATOMIC_SEQ_CST);
	release(&f);
	while (virtio_driver_status(&f.driver) != 0)
		g_main_context_iteration(NULL, TRUE);
	bring_up(&f);
	begin_write(&f, 1, 4, 0x14);
	wait_ended(&f, 1);
	g_assert_cmphex(f.fake->bytes[3 * SECTOR], ==, 0x13);
	g_assert_cmphex(f.fake->bytes[4 * SECTOR], ==, 0x14);

	/* Paused, and removed, in the midst of it. */
	for (unsigned removed = 0; removed < 2; removed++) {
		hold(&f, true);
		__atomic_store_n(&f.fake->hangs, 1, __ATOMIC_SEQ_CST);
		begin_write(&f, 2, 5, 0x15);
		wait_held(&f, 1);
		virtio_driver_reset(&f.driver);
		g_assert_cmphex(virtio_driver_status(&f.driver), ==, 0xf);
		__atomic_store_n(&f.fake->hangs, 0, __ATOMIC_SEQ_CST);
		release(&f);
		if (removed) {
			virtio_machine_remove(f.vm, f.device);
			break;
		}
		virtio_set_running((struct virtio_device *)f.device, false);
		while (virtio_driver_status(&f.driver) != 0)
			g_main_context_iteration(NULL, TRUE);
		virtio_set_running((struct virtio_device *)f.device, true);
		bring_up(&f);
	}
	end(&f);
}

static void test_removal(void)
{
	struct fixture f;

	start(&f);
	hold(&f, true);
	begin_write(&f, 0, 0, 0x10);
	begin_write(&f, 1, 1, 0x11);
	wait_held(&f, 2);
	virtio_machine_remove(f.vm, f.device);
	g_assert_cmphex(f.fake->bytes[SECTOR], ==, 0x11);
	g_assert_null(drives_find(f.vm->machine.drives, "disk0")->owner);
	end(&f);

	start(&f);
	fail_with(&f, -EIO);
	begin_write(&f, 0, 0, 0x10);
	wait_errors(&f, 1);
	virtio_machine_remove(f.vm, f.device);
	end(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/blk/pause", test_pause);
	g_test_add_func("/blk/queue-reset", test_queue_reset);
	g_test_add_func("/blk/reset", test_reset);
	g_test_add_func("/blk/reset-hanging", test_reset_hanging);
	g_test_add_func("/blk/removal", test_removal);
	return g_test_run();
}
