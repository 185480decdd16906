/* virtio-scsi: commands, task management, events, drivers that break the rules, pauses, resets, and what goes while it works.
 * Specification: virtio 1.2 section 5.6. */
#include "vmm/virtio/virtio-scsi.h"

#include <string.h>

#include "tests/unit/virtio/virtio-driver.h"
#include "tests/unit/vmm/storage/fake-drive.h"
#include "vmm/bus.h"
#include "vmm/pci/config.h"
#include "vmm/storage/scsi-bus.h"

enum {
	CONTROL,
	EVENTS,
	REQUESTS,
	QUEUES = REQUESTS + 2,

	HEADER = 19 + 32,
	RESPONSE = 12 + 96,
	TARGET = 3,

	OK = 0,
	OVERRUN = 1,
	ABORTED = 2,
	BAD_TARGET = 3,
	RESET = 4,
	SUCCEEDED = 10,
	REJECTED = 11,
	INCORRECT_LUN = 12,
};

#define FEATURES ((UINT64_C(1) << 1) | (UINT64_C(1) << 2)) /* HOTPLUG, CHANGE */

struct fixture {
	struct virtio_machine *vm;
	struct fake_drive *drive;
	struct device *adapter, *disk;
	struct virtio_driver driver;
	struct driver_queue queues[QUEUES];
};

/* A request; @pieces: header, data to the device, response, data from it. */
struct request {
	uint8_t header[HEADER];
	struct driver_piece pieces[4];
	unsigned count, response;
};

/* As a driver that has taken note of the unit attention after a reset. */
static void bring_up(struct fixture *f)
{
	g_assert_true(virtio_driver_negotiate(&f->driver, FEATURES | VIRTIO_FEATURE_QUEUE_RESET));
	((struct scsi_device *)f->disk)->lun.attention = (struct scsi_sense) { 0 };
	for (unsigned i = 0; i < QUEUES; i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 0);
	virtio_driver_ready(&f->driver);
}

static void add_disk(struct fixture *f)
{
	static const char *const properties[] = { "drive", "drive", "scsi-id", "3", NULL };

	f->disk = virtio_machine_add(f->vm, &scsi_hd_class, "disk", properties, NULL);
	g_assert_nonnull(f->disk);
	((struct scsi_device *)f->disk)->lun.attention = (struct scsi_sense) { 0 };
}

static void start(struct fixture *f)
{
	static const char *const properties[] = { "num_queues", "2", NULL };

	*f = (struct fixture) { .vm = virtio_machine_new(), .drive = fake_drive_new() };
	f->adapter = virtio_machine_add(f->vm, &virtio_scsi_class, "scsi", properties, NULL);
	g_assert_nonnull(f->adapter);
	add_disk(f);
	f->driver = virtio_driver_bind(f->vm, f->adapter);
	bring_up(f);
}

static void end(struct fixture *f)
{
	g_assert_cmpuint(f->drive->failed_bounds, ==, 0);
	virtio_machine_free(f->vm);
	fake_drive_free(f->drive);
}

static void run_drive(struct fixture *f)
{
	g_mutex_lock(&f->vm->machine.lock);
	fake_drive_run(f->drive, 1000);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_settle(f->vm);
}

static void set_lun(uint8_t *bytes, unsigned target, unsigned lun)
{
	memset(bytes, 0, 8);
	bytes[0] = 1;
	bytes[1] = target;
	bytes[2] = 0x40 | lun >> 8;
	bytes[3] = lun;
}

static void prepare(
	struct request *request, unsigned target, unsigned lun, uint32_t tag, const uint8_t cdb[10])
{
	*request = (struct request) { 0 };
	set_lun(request->header, target, lun);
	config_set32(request->header + 8, tag);
	memcpy(request->header + 19, cdb, 10);
}

/* The request as it stands, with data in one direction or none. */
static uint16_t add(struct fixture *f, unsigned queue, struct request *request, const void *out,
	size_t out_length, size_t in_length)
{
	struct driver_piece *piece = request->pieces;

	*piece++ = (struct driver_piece) { request->header, HEADER, false, 0 };
	if (out_length > 0)
		*piece++ = (struct driver_piece) { out, out_length, false, 0 };
	request->response = piece - request->pieces;
	*piece++ = (struct driver_piece) { NULL, RESPONSE, true, 0 };
	if (in_length > 0)
		*piece++ = (struct driver_piece) { NULL, in_length, true, 0 };
	request->count = piece - request->pieces;
	return driver_queue_add(&f->queues[queue], request->pieces, request->count);
}

static const uint8_t *bytes_of(
	const struct fixture *f, const struct request *request, unsigned piece)
{
	return driver_piece_bytes(&f->queues[REQUESTS], &request->pieces[piece]);
}

static const uint8_t *response(const struct fixture *f, const struct request *request)
{
	return bytes_of(f, request, request->response);
}

/* Kicks, lets the disk work, and expects that one request and no other has ended. */
static uint32_t finish(struct fixture *f, unsigned queue)
{
	uint16_t name;
	uint32_t written;

	driver_queue_kick(&f->queues[queue]);
	run_drive(f);
	g_assert_true(driver_queue_used(&f->queues[queue], &name, &written));
	g_assert_false(driver_queue_used(&f->queues[queue], &name, &written));
	return written;
}

static const uint8_t inquiry[10] = { 0x12, 0, 0, 0, 36 };
static const uint8_t write_sector_2[10] = { 0x2a, 0, 0, 0, 0, 2, 0, 0, 1 };
static const uint8_t read_sector_2[10] = { 0x28, 0, 0, 0, 0, 2, 0, 0, 1 };

static void test_commands(void)
{
	struct fixture f;
	struct request request;
	uint8_t sector[512];

	start(&f);
	prepare(&request, TARGET, 0, 1, inquiry);
	add(&f, REQUESTS, &request, NULL, 0, 64);
	g_assert_cmpuint(finish(&f, REQUESTS), ==, RESPONSE + 36);
	g_assert_cmpuint(response(&f, &request)[11], ==, OK);
	g_assert_cmpuint(config_get32(response(&f, &request) + 4), ==, 64 - 36);
	g_assert_cmpmem(bytes_of(&f, &request, 2) + 8, 4, "QEMU", 4);

	memset(sector, 0x5a, sizeof(sector));
	prepare(&request, TARGET, 0, 2, write_sector_2);
	add(&f, REQUESTS + 1, &request, sector, sizeof(sector), 0);
	g_assert_cmpuint(finish(&f, REQUESTS + 1), ==, RESPONSE);
	g_assert_cmpuint(response(&f, &request)[10], ==, 0);
	g_assert_cmpmem(f.drive->bytes + 1024, 512, sector, sizeof(sector));

	prepare(&request, TARGET, 0, 3, read_sector_2);
	add(&f, REQUESTS, &request, NULL, 0, 512);
	g_assert_cmpuint(finish(&f, REQUESTS), ==, RESPONSE + 512);
	g_assert_cmpmem(bytes_of(&f, &request, 2), 512, sector, sizeof(sector));
	end(&f);
}

/* What is no command for a unit, and what a unit refuses. */
static void test_answers(void)
{
	static const uint8_t unknown[10] = { 0xff };
	struct fixture f;
	struct request request;

	start(&f);
	prepare(&request, TARGET + 1, 0, 1, inquiry);
	add(&f, REQUESTS, &request, NULL, 0, 64);
	finish(&f, REQUESTS);
	g_assert_cmpuint(response(&f, &request)[11], ==, BAD_TARGET);

	prepare(&request, TARGET, 0, 1, inquiry);
	request.header[0] = 2; /* no single-level unit */
	add(&f, REQUESTS, &request, NULL, 0, 64);
	finish(&f, REQUESTS);
	g_assert_cmpuint(response(&f, &request)[11], ==, BAD_TARGET);

	prepare(&request, TARGET, 5, 1, inquiry);
	add(&f, REQUESTS, &request, NULL, 0, 64);
	finish(&f, REQUESTS);
	g_assert_cmpuint(response(&f, &request)[11], ==, OK);
	g_assert_cmphex(bytes_of(&f, &request, 2)[0], ==, 0x7f);

	prepare(&request, TARGET, 0, 1, unknown);
	add(&f, REQUESTS, &request, NULL, 0, 0);
	finish(&f, REQUESTS);
	g_assert_cmpuint(response(&f, &request)[10], ==, 2);
	g_assert_cmpuint(config_get32(response(&f, &request)), ==, 18);
	g_assert_cmphex(response(&f, &request)[12 + 2], ==, 5);
	g_assert_cmphex(response(&f, &request)[12 + 12], ==, 0x20);

	prepare(&request, TARGET, 0, 1, read_sector_2);
	add(&f, REQUESTS, &request, NULL, 0, 256);
	finish(&f, REQUESTS);
	g_assert_cmpuint(response(&f, &request)[11], ==, OVERRUN);
	end(&f);
}

static unsigned manage(
	struct fixture *f, unsigned function, unsigned target, unsigned lun, uint32_t tag)
{
	uint8_t bytes[24] = { 0 };
	struct driver_piece pieces[2] = { { bytes, sizeof(bytes), false, 0 },
		{ NULL, 1, true, 0 } };

	config_set32(bytes + 4, function);
	set_lun(bytes + 8, target, lun);
	config_set32(bytes + 16, tag);
	g_assert_cmpuint(driver_queue_do(&f->queues[CONTROL], pieces, 2), ==, 1);
	return *(const uint8_t *)driver_piece_bytes(&f->queues[CONTROL], &pieces[1]);
}

/* A read that the disk has yet to do. */
static void begin_read(struct fixture *f, unsigned queue, struct request *request, uint32_t tag)
{
	prepare(request, TARGET, 0, tag, read_sector_2);
	add(f, queue, request, NULL, 0, 512);
	driver_queue_kick(&f->queues[queue]);
}

static bool has_ended(struct fixture *f, unsigned queue)
{
	uint16_t name;
	uint32_t written;

	return driver_queue_used(&f->queues[queue], &name, &written);
}

static void test_tasks(void)
{
	static const struct {
		unsigned function, target, lun;
		uint32_t tag;
		unsigned answer;
		int ends; /* the response of the requests that it ends; -1: none */
	} cases[] = {
		{ 6, TARGET, 0, 7, SUCCEEDED, -1 }, /* QUERY TASK */
		{ 6, TARGET, 0, 8, OK, -1 },
		{ 7, TARGET, 0, 0, SUCCEEDED, -1 }, /* QUERY TASK SET */
		{ 0, TARGET, 0, 8, OK, -1 },        /* ABORT TASK, of another tag */
		{ 0, TARGET, 1, 7, INCORRECT_LUN, -1 }, { 0, TARGET + 1, 0, 7, BAD_TARGET, -1 },
		{ 99, TARGET, 0, 7, REJECTED, -1 }, { 0, TARGET, 0, 7, OK, ABORTED },
		{ 1, TARGET, 0, 0, OK, ABORTED }, /* ABORT TASK SET */
		{ 3, TARGET, 0, 0, OK, ABORTED }, /* CLEAR TASK SET */
		{ 4, TARGET, 9, 0, OK, RESET },   /* NEXUS RESET: whatever the unit */
		{ 5, TARGET, 0, 0, OK, RESET },   /* LOGICAL UNIT RESET */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct fixture f;
		struct request request;

		start(&f);
		begin_read(&f, REQUESTS, &request, 7);
		g_assert_cmpuint(
			manage(&f, cases[i].function, cases[i].target, cases[i].lun, cases[i].tag),
			==, cases[i].answer);
		g_assert_cmpint(has_ended(&f, REQUESTS), ==, cases[i].ends >= 0);
		if (cases[i].ends >= 0) {
			g_assert_cmpuint(response(&f, &request)[11], ==, cases[i].ends);
		} else {
			run_drive(&f);
			g_assert_true(has_ended(&f, REQUESTS));
			g_assert_cmpuint(response(&f, &request)[11], ==, OK);
		}
		end(&f);
	}
}

static void expect_event(struct fixture *f, const struct driver_piece *piece, uint32_t event,
	unsigned target, uint32_t reason)
{
	const uint8_t *bytes = driver_piece_bytes(&f->queues[EVENTS], piece);

	g_assert_true(has_ended(f, EVENTS));
	g_assert_cmphex(config_get32(bytes), ==, event);
	g_assert_cmphex(bytes[5], ==, target);
	g_assert_cmphex(config_get32(bytes + 12), ==, reason);
}

static void give_event(struct fixture *f, struct driver_piece *piece)
{
	*piece = (struct driver_piece) { NULL, 16, true, 0 };
	driver_queue_add(&f->queues[EVENTS], piece, 1);
	driver_queue_kick(&f->queues[EVENTS]);
}

static void test_events(void)
{
	struct fixture f;
	struct driver_piece piece;

	start(&f);
	give_event(&f, &piece);
	virtio_machine_remove(f.vm, f.disk);
	expect_event(&f, &piece, 1, TARGET, 2); /* TRANSPORT_RESET, REMOVED */

	give_event(&f, &piece);
	add_disk(&f);
	g_mutex_lock(&f.vm->machine.lock);
	f.disk->bus->ops->plugged(f.disk->bus, f.disk);
	g_mutex_unlock(&f.vm->machine.lock);
	expect_event(&f, &piece, 1, TARGET, 1); /* RESCAN */

	give_event(&f, &piece);
	g_mutex_lock(&f.vm->machine.lock);
	scsi_lun_medium_changed(&((struct scsi_device *)f.disk)->lun);
	g_mutex_unlock(&f.vm->machine.lock);
	expect_event(&f, &piece, 3, TARGET, 0x2a | 9 << 8); /* PARAM_CHANGE: another size */

	/* Nowhere to put it: the next buffer says that something was missed. */
	virtio_machine_remove(f.vm, f.disk);
	g_assert_false(has_ended(&f, EVENTS));
	give_event(&f, &piece);
	expect_event(&f, &piece, 0x80000000, 0, 0);
	end(&f);
}

static void test_broken(void)
{
	static const struct {
		unsigned queue;
		size_t out, in; /* bytes of a request */
	} cases[] = {
		{ REQUESTS, HEADER - 1, RESPONSE },
		{ REQUESTS, HEADER, RESPONSE - 1 },
		{ REQUESTS, HEADER, 0 },
		{ CONTROL, 3, 1 },
		{ CONTROL, 23, 1 },
		{ CONTROL, 24, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct driver_piece pieces[2] = { { NULL, cases[i].out, false, 0 },
			{ NULL, cases[i].in, true, 0 } };
		struct fixture f;

		start(&f);
		driver_queue_add(&f.queues[cases[i].queue], pieces, cases[i].in > 0 ? 2 : 1);
		driver_queue_kick(&f.queues[cases[i].queue]);
		g_assert_true(virtio_driver_needs_reset(&f.driver));
		bring_up(&f);
		g_assert_false(virtio_driver_needs_reset(&f.driver));
		end(&f);
	}
}

/* Sizes of the sense and of CDBs that the driver may set, and those that it may not. */
static void test_sizes(void)
{
	static const struct {
		unsigned offset;
		uint32_t value;
		bool possible;
	} cases[] = {
		{ 20, 18, true },
		{ 20, 0, true },
		{ 20, 4097, false },
		{ 24, 16, true },
		{ 24, 0, false },
		{ 24, 257, false },
		{ 0, 1, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct fixture f;

		start(&f);
		virtio_driver_write(&f.driver, REG_CONFIG + cases[i].offset, 4, cases[i].value);
		g_assert_cmpint(virtio_driver_needs_reset(&f.driver), ==, !cases[i].possible);
		if (cases[i].possible)
			g_assert_cmpuint(
				virtio_driver_read(&f.driver, REG_CONFIG + cases[i].offset, 4), ==,
				cases[i].value);
		end(&f);
	}
}

/* What ends while the machine pauses is told when it goes on. */
static void test_pause(void)
{
	struct fixture f;
	struct request request, later;

	start(&f);
	begin_read(&f, REQUESTS, &request, 1);
	virtio_machine_set_running(f.vm, false);
	run_drive(&f);
	begin_read(&f, REQUESTS, &later, 2);
	g_assert_false(has_ended(&f, REQUESTS));
	virtio_machine_set_running(f.vm, true);
	virtio_machine_settle(f.vm);
	g_assert_true(has_ended(&f, REQUESTS));
	g_assert_cmpuint(response(&f, &request)[11], ==, OK);
	run_drive(&f);
	g_assert_true(has_ended(&f, REQUESTS));
	end(&f);
}

/* A unit that goes, and a function that ends its commands, while the machine pauses or after a queue was reset. */
static void test_ended_twice(void)
{
	struct fixture f;
	struct request request;

	start(&f);
	begin_read(&f, REQUESTS, &request, 1);
	virtio_machine_set_running(f.vm, false);
	run_drive(&f);
	virtio_machine_remove(f.vm, f.disk);
	virtio_machine_set_running(f.vm, true);
	g_assert_true(has_ended(&f, REQUESTS));
	g_assert_false(has_ended(&f, REQUESTS));
	end(&f);
}

static void test_reset(void)
{
	struct fixture f;
	struct request request;

	start(&f);
	begin_read(&f, REQUESTS, &request, 1);
	begin_read(&f, REQUESTS + 1, &request, 2);
	virtio_driver_reset(&f.driver);
	run_drive(&f);
	g_assert_false(has_ended(&f, REQUESTS));
	bring_up(&f);
	prepare(&request, TARGET, 0, 1, read_sector_2);
	add(&f, REQUESTS, &request, NULL, 0, 512);
	g_assert_cmpuint(finish(&f, REQUESTS), ==, RESPONSE + 512);
	end(&f);
}

/* Resetting a queue gives up its own requests only. */
static void test_queue_reset(void)
{
	struct fixture f;
	struct request first, second;

	start(&f);
	begin_read(&f, REQUESTS, &first, 1);
	begin_read(&f, REQUESTS + 1, &second, 2);
	virtio_driver_write(&f.driver, REG_QUEUE_SELECT, 2, REQUESTS);
	virtio_driver_write(&f.driver, REG_QUEUE_RESET, 2, 1);
	run_drive(&f);
	g_assert_false(has_ended(&f, REQUESTS));
	g_assert_true(has_ended(&f, REQUESTS + 1));
	g_assert_cmpuint(response(&f, &second)[11], ==, OK);
	end(&f);
}

static void test_unplug(void)
{
	struct fixture f;
	struct request request;

	start(&f);
	begin_read(&f, REQUESTS, &request, 1);
	virtio_machine_remove(f.vm, f.disk);
	g_assert_true(has_ended(&f, REQUESTS));
	g_assert_cmpuint(response(&f, &request)[11], ==, BAD_TARGET);
	add_disk(&f);
	begin_read(&f, REQUESTS, &request, 2);
	virtio_machine_remove(f.vm, f.disk);
	virtio_machine_remove(f.vm, f.adapter);
	end(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/scsi/commands", test_commands);
	g_test_add_func("/scsi/answers", test_answers);
	g_test_add_func("/scsi/tasks", test_tasks);
	g_test_add_func("/scsi/events", test_events);
	g_test_add_func("/scsi/broken", test_broken);
	g_test_add_func("/scsi/sizes", test_sizes);
	g_test_add_func("/scsi/pause", test_pause);
	g_test_add_func("/scsi/ended-twice", test_ended_twice);
	g_test_add_func("/scsi/reset", test_reset);
	g_test_add_func("/scsi/queue-reset", test_queue_reset);
	g_test_add_func("/scsi/unplug", test_unplug);
	return g_test_run();
}
