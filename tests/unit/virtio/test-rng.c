/* virtio-rng: where random numbers come from, and how many of them. Specification: virtio 1.2 section 5.4. */
#include <string.h>

#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/virtio/virtio-rng.h"

struct fixture {
	struct virtio_machine *vm;
	struct virtio_driver driver;
	struct driver_queue queue;
};

static void start(struct fixture *f, const char *const *properties)
{
	struct device *device;

	f->vm = virtio_machine_new();
	f->vm->random_left = SIZE_MAX;
	device = virtio_machine_add(f->vm, &virtio_rng_class, NULL, properties, NULL);
	g_assert_nonnull(device);
	f->driver = virtio_driver_bind(f->vm, device);
	g_assert_true(virtio_driver_negotiate(&f->driver, 0));
	virtio_driver_queue(&f->driver, &f->queue, 0, 0);
	virtio_driver_ready(&f->driver);
}

static uint32_t ask(struct fixture *f, size_t length, struct driver_piece *piece)
{
	*piece = (struct driver_piece) { .length = length, .writable = true };
	return driver_queue_do(&f->queue, piece, 1);
}

static void test_kernel(void)
{
	struct fixture f;
	struct driver_piece piece;
	uint8_t zeroes[64] = { 0 };

	start(&f, NULL);
	g_assert_cmpuint(ask(&f, sizeof(zeroes), &piece), ==, sizeof(zeroes));
	g_assert_cmpint(
		memcmp(driver_piece_bytes(&f.queue, &piece), zeroes, sizeof(zeroes)), !=, 0);
	/* More than fits into one answer. */
	g_assert_cmpuint(ask(&f, 100000, &piece), ==, 16384);
	virtio_machine_free(f.vm);
}

static void test_object(void)
{
	static const char *const properties[] = { "rng", "rng0", NULL };
	struct fixture f;
	struct driver_piece piece;

	start(&f, properties);
	g_assert_cmpuint(ask(&f, 20, &piece), ==, 20);
	for (unsigned i = 0; i < 20; i++)
		g_assert_cmphex(
			((const uint8_t *)driver_piece_bytes(&f.queue, &piece))[i], ==, 0x5a);
	virtio_machine_remove(f.vm, &f.driver.device->pci.device);
	g_assert_cmpuint(f.vm->released, ==, 1);
	virtio_machine_free(f.vm);
}

static void test_no_object(void)
{
	static const char *const properties[] = { "rng", "nobody", NULL };
	struct virtio_machine *vm = virtio_machine_new();
	g_autoptr(GError) error = NULL;

	g_assert_null(virtio_machine_add(vm, &virtio_rng_class, NULL, properties, &error));
	g_assert_nonnull(strstr(error->message, "there is no object 'nobody'"));
	virtio_machine_free(vm);
}

/* What is asked for beyond the limit comes when the next period begins. */
static void test_limit(void)
{
	static const char *const properties[] = { "max-bytes", "10", "period", "50", NULL };
	struct fixture f;
	struct driver_piece piece;
	gint64 begin = g_get_monotonic_time();

	start(&f, properties);
	g_assert_cmpuint(ask(&f, 64, &piece), ==, 10);
	g_assert_cmpuint(ask(&f, 4, &piece), ==, 4);
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, 50000);
	virtio_machine_free(f.vm);
}

/* A request without room for an answer is answered with nothing. */
static void test_readable(void)
{
	struct fixture f;
	struct driver_piece piece = { "abc", 3, false };

	start(&f, NULL);
	g_assert_cmpuint(driver_queue_do(&f.queue, &piece, 1), ==, 0);
	g_assert_false(virtio_driver_needs_reset(&f.driver));
	virtio_machine_free(f.vm);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rng/kernel", test_kernel);
	g_test_add_func("/rng/object", test_object);
	g_test_add_func("/rng/no-object", test_no_object);
	g_test_add_func("/rng/limit", test_limit);
	g_test_add_func("/rng/readable", test_readable);
	return g_test_run();
}
