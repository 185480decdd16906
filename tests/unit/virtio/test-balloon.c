/* virtio-balloon: pages given back, statistics asked for, free pages reported. Specification: virtio 1.2 section 5.5. */
#include <string.h>

#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/virtio/virtio-balloon.h"

enum {
	INFLATE = 0,
	DEFLATE = 1,
	STATISTICS = 2,
	REPORTING = 3,

	CONFIG_PAGES = REG_CONFIG,
	CONFIG_ACTUAL = REG_CONFIG + 4,
	CONFIG_POISON = REG_CONFIG + 12,

	FAR = 6 << 20, /* RAM that no ring uses */
	PAGE = 4096,
};

#define STATS         (UINT64_C(1) << 1)
#define POISON        (UINT64_C(1) << 4)
#define FREE_REPORTED (UINT64_C(1) << 5)

struct statistic {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

struct fixture {
	struct virtio_machine *vm;
	struct device *device;
	struct virtio_driver driver;
	struct driver_queue queues[4];
};

static void connect_driver(struct fixture *f, uint64_t features)
{
	g_assert_true(virtio_driver_negotiate(&f->driver, features));
	for (unsigned i = 0; i < 4; i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 16);
	virtio_driver_ready(&f->driver);
}

static void set_up(struct fixture *f, gconstpointer packed)
{
	static const char *const properties[] = { "packed", "on", "free-page-reporting", "on",
		"deflate-on-oom", "on", NULL };

	f->vm = virtio_machine_new();
	f->device = virtio_machine_add(f->vm, &virtio_balloon_class, "b", properties, NULL);
	f->driver = virtio_driver_bind(f->vm, f->device);
	connect_driver(f, STATS | POISON | FREE_REPORTED | (packed ? VIRTIO_FEATURE_PACKED : 0));
	memset(f->vm->ram + FAR, 0xa5, VIRTIO_MACHINE_RAM - FAR);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtio_machine_free(f->vm);
}

static void give(struct fixture *f, unsigned queue, const uint32_t *pages, unsigned count)
{
	struct driver_piece piece = { pages, count * sizeof(*pages), false };

	g_assert_cmpuint(driver_queue_do(&f->queues[queue], &piece, 1), ==, 0);
}

static bool is_gone(struct fixture *f, uint32_t page)
{
	const uint8_t *bytes = f->vm->ram + (size_t)page * PAGE;

	g_assert_true(bytes[0] == bytes[PAGE - 1]);
	return bytes[0] == 0;
}

static void test_features(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(virtio_driver_offered(&f->driver) & 0xff, ==, 0x36);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUES, 2), ==, 4);
	/* No MSI-X, as in QEMU's. */
	g_assert_cmphex(f->driver.device->vectors, ==, 0);
}

/* Up, down, scattered, and pages that there are not. */
static void test_inflate(struct fixture *f, gconstpointer data)
{
	uint32_t first = FAR / PAGE;
	uint32_t pages[] = { first, first + 1, first + 9, first + 8, first + 7, first + 20,
		UINT32_MAX, VIRTIO_MACHINE_RAM / PAGE, first + 30 };

	give(f, INFLATE, pages, G_N_ELEMENTS(pages));
	for (uint32_t page = first; page < first + 40; page++) {
		bool given = false;

		for (size_t i = 0; i < G_N_ELEMENTS(pages); i++)
			given |= pages[i] == page;
		g_assert_cmpint(is_gone(f, page), ==, given);
	}
	give(f, DEFLATE, pages, G_N_ELEMENTS(pages));
	give(f, INFLATE, pages, 0 + 1);
	g_assert_false(virtio_driver_needs_reset(&f->driver));
}

/* The user's wish is a change of the configuration; what the driver answers is an event, once a second. */
static void test_target(struct fixture *f, gconstpointer data)
{
	uint8_t generation = virtio_driver_read(&f->driver, REG_GENERATION, 1);

	g_mutex_lock(&f->vm->machine.lock);
	g_assert_cmpuint(virtio_balloon_actual(f->device), ==, VIRTIO_MACHINE_RAM);
	virtio_balloon_set_target(f->device, 6 << 20);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_settle(f->vm);
	g_assert_cmpuint(virtio_driver_read(&f->driver, CONFIG_PAGES, 4), ==, 512);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_GENERATION, 1), !=, generation);
	g_assert_true(f->vm->level);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_INTERRUPT, 1), ==, 2);
	virtio_driver_write(&f->driver, CONFIG_ACTUAL, 4, 512);
	g_assert_cmpstr(f->vm->events->str, ==, "BALLOON_CHANGE {\"actual\":6291456}\n");
	for (uint32_t i = 0; i < 100; i++)
		virtio_driver_write(&f->driver, CONFIG_ACTUAL, 4, i);
	g_assert_cmpuint(f->vm->events->len, <, 60);
	/* More than there is. */
	virtio_driver_write(&f->driver, CONFIG_ACTUAL, 4, UINT32_MAX);
	g_mutex_lock(&f->vm->machine.lock);
	g_assert_cmpuint(virtio_balloon_actual(f->device), ==, 0);
	virtio_balloon_set_target(f->device, UINT64_MAX);
	g_mutex_unlock(&f->vm->machine.lock);
	g_assert_cmpuint(virtio_driver_read(&f->driver, CONFIG_PAGES, 4), ==, 0);
}

static gint64 statistic(struct fixture *f, const char *name)
{
	g_autoptr(JsonObject) answer = NULL;

	g_mutex_lock(&f->vm->machine.lock);
	answer = virtio_balloon_statistics(f->device);
	g_mutex_unlock(&f->vm->machine.lock);
	return json_object_get_int_member(json_object_get_object_member(answer, "stats"), name);
}

/* The driver's request comes back when the next numbers are wanted. */
static void test_statistics(struct fixture *f, gconstpointer data)
{
	struct statistic values[] = { { 4, 1 << 20 }, { 5, 8 << 20 }, { 77, 1 } };
	struct driver_piece piece = { values, sizeof(values), false };
	struct driver_queue *queue = &f->queues[STATISTICS];
	uint16_t name;
	uint32_t written;

	g_assert_cmpint(statistic(f, "stat-free-memory"), ==, -1);
	driver_queue_add(queue, &piece, 1);
	driver_queue_kick(queue);
	g_assert_false(driver_queue_used(queue, &name, &written));
	g_assert_cmpint(statistic(f, "stat-free-memory"), ==, 1 << 20);
	g_assert_cmpint(statistic(f, "stat-total-memory"), ==, 8 << 20);
	g_assert_cmpint(statistic(f, "stat-swap-in"), ==, -1);
	g_mutex_lock(&f->vm->machine.lock);
	virtio_balloon_set_interval(f->device, 1);
	g_mutex_unlock(&f->vm->machine.lock);
	g_assert_true(driver_queue_used(queue, &name, &written));
	g_assert_cmpuint(written, ==, 0);
	values[0].value = 2 << 20;
	driver_queue_add(queue, &piece, 1);
	driver_queue_kick(queue);
	g_assert_cmpint(statistic(f, "stat-free-memory"), ==, 2 << 20);
	g_assert_true(driver_queue_wait(queue, &name, &written));
	/* A second one at a time comes back at once. */
	driver_queue_add(queue, &piece, 1);
	driver_queue_add(queue, &piece, 1);
	driver_queue_kick(queue);
	g_assert_true(driver_queue_used(queue, &name, &written));
	g_assert_false(virtio_driver_needs_reset(&f->driver));
}

/* A reset while the device has the request: it is the driver's again, and nothing comes back. */
static void test_reset(struct fixture *f, gconstpointer packed)
{
	struct statistic value = { 4, 1 };
	struct driver_piece piece = { &value, sizeof(value), false };
	uint16_t name;
	uint32_t written;

	driver_queue_add(&f->queues[STATISTICS], &piece, 1);
	driver_queue_kick(&f->queues[STATISTICS]);
	virtio_driver_reset(&f->driver);
	connect_driver(f, STATS | (packed ? VIRTIO_FEATURE_PACKED : 0));
	g_mutex_lock(&f->vm->machine.lock);
	virtio_balloon_set_interval(f->device, 5);
	g_mutex_unlock(&f->vm->machine.lock);
	g_assert_false(driver_queue_used(&f->queues[STATISTICS], &name, &written));
}

static void report(struct fixture *f, uint32_t poison, bool gone)
{
	struct driver_piece pieces[2] = {
		{ .length = 3 * PAGE, .writable = true },
		{ .length = 2 * PAGE, .writable = true },
	};

	virtio_driver_write(&f->driver, CONFIG_POISON, 4, poison);
	f->vm->next_free = (f->vm->next_free + PAGE - 1) / PAGE * PAGE;
	driver_queue_add(&f->queues[REPORTING], pieces, 2);
	memset(f->vm->ram + pieces[0].address, 0x5a, 5 * PAGE);
	driver_queue_kick(&f->queues[REPORTING]);
	for (unsigned i = 0; i < 5; i++)
		g_assert_cmpint(is_gone(f, pieces[0].address / PAGE + i), ==, gone);
}

static void test_reporting(struct fixture *f, gconstpointer data)
{
	report(f, 0, true);
	/* Pages would come back as zeroes, and not as the guest left them. */
	report(f, 0xaa, false);
}

static void test_one_only(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(virtio_machine_add(f->vm, &virtio_balloon_class, "c", NULL, &error));
	g_assert_nonnull(strstr(error->message, "cannot have two"));
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f, gconstpointer data);
} tests[] = {
	{ "features", test_features },
	{ "inflate", test_inflate },
	{ "target", test_target },
	{ "statistics", test_statistics },
	{ "reset", test_reset },
	{ "reporting", test_reporting },
	{ "one-only", test_one_only },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(tests); i++) {
		g_autofree char *name = g_strdup_printf(
			"/balloon/%s/%s", i % 2 ? "packed" : "split", tests[i / 2].name);

		g_test_add(
			name, struct fixture, (void *)(i % 2), set_up, tests[i / 2].run, tear_down);
	}
	return g_test_run();
}
