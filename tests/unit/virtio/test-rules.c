/* Whatever a driver does wrong with a ring, every device asks for a reset, does nothing else, and works after it.
 * Specification: virtio 1.2 sections 2.1.2, 2.6, 2.7 and 2.8; see also REQUIREMENTS.md. */
#include <linux/input-event-codes.h>
#include <string.h>

#include "tests/unit/virtio/fake-network.h"
#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/virtio/virtio-balloon.h"
#include "vmm/virtio/virtio-input.h"
#include "vmm/virtio/virtio-net.h"
#include "vmm/virtio/virtio-rng.h"
#include "vmm/virtio/virtio-serial.h"

enum {
	QUEUE_SIZE = 8,
	FAR_OUTSIDE = 0x7ffffff0,
	WAIT_SECONDS = 30,
};

/* Of the two kinds, which have the same size; what the last two members are is turned around. */
struct descriptor {
	uint64_t address;
	uint32_t length;
	union {
		struct {
			uint16_t flags, next;
		} split;
		struct {
			uint16_t id, flags;
		} packed;
	};
};

/* --- devices, and a request that each takes --- */

static const uint8_t page[] = { 0x10, 0, 0, 0 };
static const uint8_t light[8] = { EV_LED, 0, LED_CAPSL, 0, 1 };
static const uint8_t frame[12 + 60];
static const uint8_t promiscuous[] = { 0, 0, 1 };
static const uint8_t port_closed[8] = { 1, 0, 0, 0, 6 };

static const struct subject {
	const char *name;
	const struct device_class *class;
	unsigned queue;
	const void *bytes; /* readable; NULL: none */
	size_t length;
	size_t answer; /* bytes writable */
} subjects[] = {
	{ "rng", &virtio_rng_class, 0, NULL, 0, 16 },
	{ "balloon-inflate", &virtio_balloon_class, 0, page, sizeof(page), 0 },
	{ "balloon-deflate", &virtio_balloon_class, 1, page, sizeof(page), 0 },
	{ "input-status", &virtio_keyboard_class, 1, light, sizeof(light), 0 },
	{ "serial-transmit", &virtio_serial_class, 1, page, sizeof(page), 0 },
	{ "serial-control", &virtio_serial_class, 3, port_closed, sizeof(port_closed), 0 },
	{ "net-transmit", &virtio_net_class, 1, frame, sizeof(frame), 0 },
	{ "net-control", &virtio_net_class, 2, promiscuous, sizeof(promiscuous), 1 },
};

/* --- mistakes --- */

struct fixture;

struct mistake {
	const char *name;
	uint64_t features;
	/* Spoils the request whose first descriptor @d is. */
	void (*spoil)(struct fixture *f, struct descriptor *d);
	bool split_only;
};

struct test {
	const struct subject *subject;
	const struct mistake *mistake;
	bool packed;
};

struct fixture {
	const struct test *test;
	struct virtio_machine *vm;
	struct fake_network *wire;
	struct device *device;
	struct virtio_driver driver;
	struct driver_queue queue;
};

static void set_flags(struct fixture *f, struct descriptor *d, uint16_t flags)
{
	if (f->test->packed)
		d->packed.flags = flags | DRIVER_AVAILABLE;
	else
		d->split.flags = flags;
}

static void outside(struct fixture *f, struct descriptor *d)
{
	d->address = FAR_OUTSIDE;
}

static void wraps(struct fixture *f, struct descriptor *d)
{
	d->address = UINT64_MAX - 1;
}

static void registers(struct fixture *f, struct descriptor *d)
{
	d->address = f->driver.bar;
}

static void half_outside(struct fixture *f, struct descriptor *d)
{
	d->address = VIRTIO_MACHINE_RAM - 1;
}

static void empty(struct fixture *f, struct descriptor *d)
{
	d->length = 0;
}

static void longest(struct fixture *f, struct descriptor *d)
{
	d->length = UINT32_MAX;
}

static void next_outside(struct fixture *f, struct descriptor *d)
{
	d->split.flags |= DRIVER_NEXT;
	d->split.next = QUEUE_SIZE;
}

static void loop(struct fixture *f, struct descriptor *d)
{
	for (unsigned i = 0; i < QUEUE_SIZE; i++) {
		d[i] = d[0];
		set_flags(f, &d[i], DRIVER_NEXT);
		if (!f->test->packed)
			d[i].split.next = (i + 1) % QUEUE_SIZE;
	}
}

/* The rest of the request is not there yet: split rings have no such thing. */
static void unfinished(struct fixture *f, struct descriptor *d)
{
	if (!f->test->packed) {
		loop(f, d);
		return;
	}
	set_flags(f, d, DRIVER_NEXT);
	d[1].packed.flags = 0;
}

static uint16_t *available(struct fixture *f, unsigned index)
{
	return (uint16_t *)virtio_machine_ram(f->vm, f->queue.available) + index;
}

static void head_outside(struct fixture *f, struct descriptor *d)
{
	*available(f, 2) = QUEUE_SIZE;
}

static void too_many(struct fixture *f, struct descriptor *d)
{
	*available(f, 1) = QUEUE_SIZE + 1;
}

static void writable_first(struct fixture *f, struct descriptor *d)
{
	d[1] = d[0];
	set_flags(f, &d[0], DRIVER_NEXT | DRIVER_WRITE);
	if (!f->test->packed)
		d[0].split.next = 1;
	set_flags(f, &d[1], 0);
}

/* An indirect table of @length bytes, whose descriptors have these flags and are good otherwise. */
static void make_table(
	struct fixture *f, struct descriptor *d, size_t length, uint16_t inner, uint16_t outer)
{
	uint64_t at = virtio_machine_alloc(f->vm, length + sizeof(*d), 16);
	struct descriptor *table = virtio_machine_ram(f->vm, at);

	for (size_t i = 0; i < length / sizeof(*d) + 1; i++) {
		table[i] = d[0];
		if (f->test->packed)
			table[i].packed.flags = inner;
		else
			table[i].split.flags = inner;
	}
	d->address = at;
	d->length = length;
	set_flags(f, d, DRIVER_INDIRECT | outer);
}

static void table(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, 16, 0, 0);
}

static void table_empty(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, 0, 0, 0);
}

static void table_odd(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, 17, 0, 0);
}

static void table_outside(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, 16, 0, 0);
	d->address = FAR_OUTSIDE;
}

static void table_too_long(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, (size_t)16 * (VIRTQUEUE_MAX_SEGMENTS + 1), 0, 0);
}

static void table_in_table(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, 16, DRIVER_INDIRECT, 0);
}

static void table_and_next(struct fixture *f, struct descriptor *d)
{
	make_table(f, d, 16, 0, DRIVER_NEXT);
}

static const struct mistake mistakes[] = {
	{ "outside", 0, outside },
	{ "half-outside", 0, half_outside },
	{ "wraps", 0, wraps },
	{ "registers", 0, registers },
	{ "empty", 0, empty },
	{ "longest", 0, longest },
	{ "next-outside", 0, next_outside, .split_only = true },
	{ "loop", 0, loop },
	{ "unfinished", 0, unfinished },
	{ "head-outside", 0, head_outside, .split_only = true },
	{ "too-many", 0, too_many, .split_only = true },
	{ "writable-first", 0, writable_first },
	{ "table-not-negotiated", 0, table },
	{ "table-empty", VIRTIO_FEATURE_INDIRECT, table_empty },
	{ "table-odd", VIRTIO_FEATURE_INDIRECT, table_odd },
	{ "table-outside", VIRTIO_FEATURE_INDIRECT, table_outside },
	{ "table-too-long", VIRTIO_FEATURE_INDIRECT, table_too_long },
	{ "table-in-table", VIRTIO_FEATURE_INDIRECT, table_in_table },
	{ "table-and-next", VIRTIO_FEATURE_INDIRECT, table_and_next },
};

/* --- the test --- */

static void set_up(struct fixture *f, gconstpointer data)
{
	static const char *const with_network[] = { "netdev", "lan", "packed", "on", NULL };
	const struct device_class *class;

	f->test = data;
	class = f->test->subject->class;
	f->vm = virtio_machine_new();
	if (class == &virtio_net_class)
		f->wire = fake_network_new(f->vm);
	f->device = virtio_machine_add(f->vm, class, "d",
		class == &virtio_net_class ? with_network : with_network + 2, NULL);
	g_assert_nonnull(f->device);
	f->driver = virtio_driver_bind(f->vm, f->device);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	GPtrArray *netdevs = f->vm->machine.netdevs;

	virtio_machine_free(f->vm);
	if (!f->wire)
		return;
	fake_network_free(f->wire);
	g_ptr_array_unref(netdevs);
}

/* All that follows from what was done has happened. */
static void settle(struct fixture *f)
{
	virtio_machine_settle(f->vm);
	if (f->wire)
		fake_network_settle(f->wire);
	virtio_machine_settle(f->vm);
}

/* A balloon, as ever, has INTx alone. */
static bool has_messages(const struct fixture *f)
{
	return f->driver.device->vectors > 0;
}

static void start(struct fixture *f)
{
	uint64_t features = virtio_driver_offered(&f->driver);

	features &= ~(VIRTIO_FEATURE_PACKED | VIRTIO_FEATURE_INDIRECT | VIRTIO_FEATURE_EVENT_INDEX);
	features |= f->test->mistake->features | (f->test->packed ? VIRTIO_FEATURE_PACKED : 0);
	g_assert_true(virtio_driver_negotiate(&f->driver, features));
	virtio_driver_queue(&f->driver, &f->queue, f->test->subject->queue, QUEUE_SIZE);
	if (has_messages(f))
		virtio_driver_use_msix(&f->driver);
	virtio_driver_ready(&f->driver);
	settle(f);
}

static unsigned good_request(const struct subject *subject, struct driver_piece *pieces)
{
	unsigned count = 0;

	if (subject->bytes)
		pieces[count++] = (struct driver_piece) { subject->bytes, subject->length, false };
	if (subject->answer > 0)
		pieces[count++] = (struct driver_piece) { NULL, subject->answer, true };
	return count;
}

static void check_mistake(struct fixture *f, gconstpointer data)
{
	gint64 end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;
	struct driver_piece pieces[2];
	unsigned count = good_request(f->test->subject, pieces), messages;
	uint32_t written;
	uint16_t name;

	start(f);
	messages = fake_kvm.messages;
	driver_queue_add(&f->queue, pieces, count);
	f->test->mistake->spoil(f, virtio_machine_ram(f->vm, f->queue.descriptors));
	driver_queue_kick(&f->queue);
	while (!virtio_driver_needs_reset(&f->driver)) {
		g_assert_cmpint(g_get_monotonic_time(), <, end);
		settle(f);
	}
	settle(f);
	/* One interrupt, about the configuration, which the status tells of with messages as well (sections 2.1.2, 4.1.4.5.1). */
	g_assert_cmpuint(fake_kvm.messages, ==, messages + has_messages(f));
	g_assert_cmpint(f->vm->level, !=, has_messages(f));
	g_assert_true(!has_messages(f) || fake_kvm.message_data == 0);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_INTERRUPT, 1), ==, 2);
	g_assert_false(driver_queue_used(&f->queue, &name, &written));

	driver_queue_kick(&f->queue);
	settle(f);
	g_assert_cmpuint(fake_kvm.messages, ==, messages + has_messages(f));
	g_assert_false(f->vm->level);
	g_assert_false(driver_queue_used(&f->queue, &name, &written));

	start(f);
	g_assert_false(virtio_driver_needs_reset(&f->driver));
	g_assert_cmpuint(driver_queue_do(&f->queue, pieces, count), ==, f->test->subject->answer);
}

/* Sections 2.4.1 and 4.1.4.3.1: after a reset everything is as at power-on. */
static void check_reset(struct fixture *f, gconstpointer data)
{
	struct driver_piece pieces[2];
	unsigned count = good_request(f->test->subject, pieces);
	uint64_t offered = virtio_driver_offered(&f->driver);

	start(f);
	driver_queue_do(&f->queue, pieces, count);
	virtio_driver_reset(&f->driver);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 0);
	g_assert_cmphex(virtio_driver_offered(&f->driver), ==, offered);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_INTERRUPT, 1), ==, 0);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG_VECTOR, 2), ==, 0xffff);
	for (unsigned word = 0; word < 2; word++) {
		virtio_driver_write(&f->driver, REG_DRIVER_FEATURE_SELECT, 4, word);
		g_assert_cmphex(virtio_driver_read(&f->driver, REG_DRIVER_FEATURE, 4), ==, 0);
	}
	for (unsigned i = 0; i < virtio_driver_read(&f->driver, REG_QUEUES, 2); i++) {
		virtio_driver_write(&f->driver, REG_QUEUE_SELECT, 2, i);
		g_assert_cmphex(virtio_driver_read(&f->driver, REG_QUEUE_ENABLE, 2), ==, 0);
		g_assert_cmphex(virtio_driver_read(&f->driver, REG_QUEUE_RESET, 2), ==, 0);
		g_assert_cmphex(virtio_driver_read(&f->driver, REG_QUEUE_VECTOR, 2), ==, 0xffff);
		g_assert_cmphex(virtio_driver_read(&f->driver, REG_QUEUE_SIZE, 2), >=, QUEUE_SIZE);
		for (unsigned at = REG_QUEUE_DESCRIPTORS; at < REG_QUEUE_DEVICE + 8; at += 4)
			g_assert_cmphex(virtio_driver_read(&f->driver, at, 4), ==, 0);
	}
	/* Nothing is looked at any more. */
	driver_queue_add(&f->queue, pieces, count);
	driver_queue_kick(&f->queue);
	settle(f);
	g_assert_false(driver_queue_used(&f->queue, &(uint16_t) { 0 }, &(uint32_t) { 0 }));
	start(f);
	driver_queue_do(&f->queue, pieces, count);
}

/* Section 3.1.1: before DRIVER_OK nothing is taken, and without FEATURES_OK there is no DRIVER_OK. */
static void check_order(struct fixture *f, gconstpointer data)
{
	struct driver_piece pieces[2];
	unsigned count = good_request(f->test->subject, pieces);
	uint32_t written;
	uint16_t name;

	g_assert_true(
		virtio_driver_negotiate(&f->driver, f->test->packed ? VIRTIO_FEATURE_PACKED : 0));
	virtio_driver_queue(&f->driver, &f->queue, f->test->subject->queue, QUEUE_SIZE);
	if (f->test->subject->class != &virtio_net_class || f->test->subject->queue != 2) {
		driver_queue_add(&f->queue, pieces, count);
		driver_queue_kick(&f->queue);
		settle(f);
		g_assert_false(driver_queue_used(&f->queue, &name, &written));
		virtio_driver_ready(&f->driver);
		driver_queue_kick(&f->queue);
		g_assert_true(driver_queue_wait(&f->queue, &name, &written));
	}
	virtio_driver_reset(&f->driver);
	virtio_driver_write(&f->driver, REG_STATUS, 1, 1 | 2 | VIRTIO_STATUS_DRIVER_OK);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 1 | 2);
	g_assert_false(f->driver.device->running);
}

static void add(const char *kind, const struct subject *subject, const struct mistake *mistake,
	bool packed, void (*check)(struct fixture *f, gconstpointer data))
{
	static struct test all[2 * G_N_ELEMENTS(subjects) * (G_N_ELEMENTS(mistakes) + 2)];
	static unsigned count;
	struct test *test = &all[count++];
	g_autofree char *path = g_strdup_printf(
		"/rules/%s/%s/%s", subject->name, packed ? "packed" : "split", kind);

	*test = (struct test) { subject, mistake, packed };
	g_test_add(path, struct fixture, test, set_up, check, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(subjects); i++) {
		const struct subject *subject = &subjects[i / 2];
		bool packed = i % 2;

		add("reset", subject, &mistakes[0], packed, check_reset);
		add("order", subject, &mistakes[0], packed, check_order);
		for (size_t m = 0; m < G_N_ELEMENTS(mistakes); m++)
			if (!packed || !mistakes[m].split_only)
				add(mistakes[m].name, subject, &mistakes[m], packed, check_mistake);
	}
	return g_test_run();
}
