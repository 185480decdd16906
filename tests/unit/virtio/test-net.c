/* virtio-net: frames both ways, merged buffers, the control queue, the cable. Specification: virtio 1.2 section 5.1. */
#include <string.h>

#include "tests/unit/virtio/fake-network.h"
#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/virtio/virtio-net.h"

enum {
	RECEIVE,
	TRANSMIT,
	CONTROL,
	CSUM = 0,
	GUEST_CSUM = 1,
	MAC = 5,
	MRG_RXBUF = 15,
	STATUS = 16,
	CTRL_VQ = 17,
	CTRL_RX = 18,
	CTRL_VLAN = 19,
	CTRL_RX_EXTRA = 20,
	CTRL_MAC_ADDR = 23,
	FRAME = 100, /* bytes */
	OK = 0,
	ERROR = 1,
};

#define BIT(n) (UINT64_C(1) << (n))
#define ORDINARY \
	(BIT(MAC) | BIT(STATUS) | BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_RX_EXTRA) | \
		BIT(CTRL_VLAN) | BIT(CTRL_MAC_ADDR))

struct fixture {
	struct virtio_machine *vm;
	struct device *device;
	struct virtio_driver driver;
	struct fake_network *wire;
	struct driver_queue queues[3];
};

static void set_up(struct fixture *f, gconstpointer packed)
{
	const char *const properties[] = { "netdev", "lan", "packed", packed ? "on" : "off", NULL };

	f->vm = virtio_machine_new();
	f->wire = fake_network_new(f->vm);
	f->device = virtio_machine_add(f->vm, &virtio_net_class, "card", properties, NULL);
	g_assert_nonnull(f->device);
	f->driver = virtio_driver_bind(f->vm, f->device);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	GPtrArray *netdevs = f->vm->machine.netdevs;

	virtio_machine_free(f->vm);
	fake_network_free(f->wire);
	g_ptr_array_unref(netdevs);
}

static void start(struct fixture *f, uint64_t features)
{
	bool packed = virtio_driver_offered(&f->driver) & VIRTIO_FEATURE_PACKED;

	g_assert_true(virtio_driver_negotiate(
		&f->driver, features | (packed ? VIRTIO_FEATURE_PACKED : 0)));
	for (unsigned i = 0; i < G_N_ELEMENTS(f->queues); i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 64);
	virtio_driver_ready(&f->driver);
}

/* A frame of @length bytes to @to; its bytes count up from 12 on. */
static bool receive(struct fixture *f, const uint8_t *to, size_t length)
{
	uint8_t bytes[FAKE_FRAME_MAX];
	bool taken;

	for (size_t i = 0; i < length; i++)
		bytes[i] = i;
	memcpy(bytes, to, MAC_LENGTH);
	taken = fake_network_receive(f->wire, bytes, length);
	virtio_machine_settle(f->vm);
	return taken;
}

/* What the kick set off has been done. */
static void settle(struct fixture *f)
{
	fake_network_settle(f->wire);
	virtio_machine_settle(f->vm);
}

static const uint8_t own[MAC_LENGTH] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t other[MAC_LENGTH] = { 0x02, 0, 0, 0, 0, 1 };
static const uint8_t group[MAC_LENGTH] = { 0x01, 0, 0x5e, 0, 0, 1 };
static const uint8_t everybody[MAC_LENGTH] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void test_config(struct fixture *f, gconstpointer data)
{
	start(f, ORDINARY);
	for (unsigned i = 0; i < MAC_LENGTH; i++)
		g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG + i, 1), ==, own[i]);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG + 6, 2), ==, 1);
	g_mutex_lock(&f->vm->machine.lock);
	netdev_set_link(&f->wire->netdev, false);
	g_mutex_unlock(&f->vm->machine.lock);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG + 6, 2), ==, 0);
}

static void test_send(struct fixture *f, gconstpointer data)
{
	uint8_t frame[NETDEV_HEADER + FRAME] = { 0 };
	struct driver_piece pieces[] = { { frame, NETDEV_HEADER },
		{ frame + NETDEV_HEADER, FRAME } };
	uint32_t written;
	uint16_t name;

	start(f, ORDINARY);
	memset(frame + NETDEV_HEADER, 0xa5, FRAME);
	for (unsigned i = 0; i < 3; i++)
		driver_queue_add(&f->queues[TRANSMIT], pieces, 2);
	driver_queue_kick(&f->queues[TRANSMIT]);
	for (unsigned i = 0; i < 3; i++)
		g_assert_true(driver_queue_wait(&f->queues[TRANSMIT], &name, &written));
	settle(f);
	g_assert_cmpuint(f->wire->frames, ==, 3);
	g_assert_cmpuint(f->wire->sent->len, ==, 3 * sizeof(frame));
	g_assert_cmpmem(f->wire->sent->data, sizeof(frame), frame, sizeof(frame));
}

static void test_receive(struct fixture *f, gconstpointer data)
{
	struct driver_piece piece = { .length = NETDEV_HEADER + 1514, .writable = true };
	uint32_t written;
	uint16_t name;
	const uint8_t *bytes;

	start(f, ORDINARY);
	/* Nothing to put it into: it waits. */
	g_assert_true(receive(f, own, FRAME));
	driver_queue_add(&f->queues[RECEIVE], &piece, 1);
	driver_queue_kick(&f->queues[RECEIVE]);
	g_assert_true(driver_queue_wait(&f->queues[RECEIVE], &name, &written));
	g_assert_cmpuint(written, ==, NETDEV_HEADER + FRAME);
	bytes = driver_piece_bytes(&f->queues[RECEIVE], &piece);
	g_assert_cmpuint(bytes[10] | bytes[11] << 8, ==, 1);
	g_assert_cmpmem(bytes + NETDEV_HEADER, MAC_LENGTH, own, MAC_LENGTH);
	g_assert_cmpuint(bytes[NETDEV_HEADER + 50], ==, 50);
}

static void test_merged(struct fixture *f, gconstpointer data)
{
	struct driver_piece pieces[4];
	uint32_t written, expected[] = { 256, 256, 256, NETDEV_HEADER + 900 - 768 };
	uint16_t name;
	const uint8_t *bytes;

	start(f, ORDINARY | BIT(MRG_RXBUF));
	for (unsigned i = 0; i < 4; i++) {
		pieces[i] = (struct driver_piece) { .length = 256, .writable = true };
		driver_queue_add(&f->queues[RECEIVE], &pieces[i], 1);
	}
	driver_queue_kick(&f->queues[RECEIVE]);
	settle(f);
	g_assert_true(receive(f, own, 900));
	for (unsigned i = 0; i < 4; i++) {
		g_assert_true(driver_queue_wait(&f->queues[RECEIVE], &name, &written));
		g_assert_cmpuint(written, ==, expected[i]);
	}
	bytes = driver_piece_bytes(&f->queues[RECEIVE], &pieces[0]);
	g_assert_cmpuint(bytes[10], ==, 4);
	bytes = driver_piece_bytes(&f->queues[RECEIVE], &pieces[3]);
	g_assert_cmpuint(bytes[0], ==, (768 - NETDEV_HEADER) & 0xff);
}

/* Without merging, a frame that does not fit one buffer goes by, and the buffer stays for the next. */
static void test_too_small(struct fixture *f, gconstpointer data)
{
	struct driver_piece piece = { .length = 64, .writable = true };
	uint32_t written;
	uint16_t name;

	start(f, ORDINARY);
	driver_queue_add(&f->queues[RECEIVE], &piece, 1);
	driver_queue_kick(&f->queues[RECEIVE]);
	settle(f);
	g_assert_true(receive(f, own, FRAME));
	g_assert_false(driver_queue_used(&f->queues[RECEIVE], &name, &written));
	g_assert_true(receive(f, own, 32));
	g_assert_true(driver_queue_wait(&f->queues[RECEIVE], &name, &written));
	g_assert_cmpuint(written, ==, NETDEV_HEADER + 32);
}

/* What waits is limited; more is dropped, and the back end told to stop. */
static void test_flood(struct fixture *f, gconstpointer data)
{
	unsigned taken = 0;

	start(f, ORDINARY);
	while (receive(f, own, FRAME) && taken < 2 * NETDEV_WAITING_MAX)
		taken++;
	g_assert_cmpuint(taken, ==, NETDEV_WAITING_MAX);
	virtio_driver_reset(&f->driver);
	g_assert_true(receive(f, own, FRAME));
}

static uint8_t control(
	struct fixture *f, uint8_t class, uint8_t number, const void *bytes, size_t length)
{
	uint8_t header[] = { class, number };
	struct driver_piece pieces[] = { { header, 2 }, { bytes, length },
		{ .length = 1, .writable = true } };
	struct driver_piece bare[] = { pieces[0], pieces[2] };
	const struct driver_piece *answer = length > 0 ? &pieces[2] : &bare[1];

	g_assert_cmpuint(driver_queue_do(&f->queues[CONTROL], length > 0 ? pieces : bare,
				 length > 0 ? 3 : 2),
		==, 1);
	return *(uint8_t *)driver_piece_bytes(&f->queues[CONTROL], answer);
}

static const struct {
	uint8_t class, number;
	const char *bytes;
	size_t length;
	uint8_t answer;
} commands[] = {
	{ 0, 0, "\0", 1, OK },
	{ 0, 1, "\1", 1, OK },
	{ 0, 5, "\1", 1, OK },
	{ 0, 0, "\2", 1, ERROR },
	{ 0, 0, "", 0, ERROR },
	{ 0, 6, "\1", 1, ERROR },
	{ 1, 0, "\0\0\0\0\0\0\0\0", 8, OK },
	{ 1, 0, "\1\0\0\0\2\0\0\0\0\1\0\0\0\0", 14, OK },
	{ 1, 0, "\1\0\0\0\2\0\0\0\0", 9, ERROR },
	{ 1, 0, "\377\377\377\377\0\0\0\0", 8, ERROR },
	{ 1, 0, "\0\0\0\0\0\0\0\0\0", 9, ERROR },
	{ 1, 1, "\2\0\0\0\0\7", 6, OK },
	{ 1, 1, "\2\0", 2, ERROR },
	{ 2, 0, "\5\0", 2, OK },
	{ 2, 0, "\0\20", 2, ERROR },
	{ 2, 1, "\5\0", 2, OK },
	{ 4, 0, "\1\0", 2, ERROR },
	{ 5, 0, "\0\0\0\0\0\0\0\0", 8, ERROR }, /* not negotiated */
	{ 255, 255, "", 0, ERROR },
};

static void test_control(struct fixture *f, gconstpointer data)
{
	start(f, ORDINARY);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_test_message("%zu", i);
		g_assert_cmpuint(control(f, commands[i].class, commands[i].number,
					 commands[i].bytes, commands[i].length),
			==, commands[i].answer);
	}
	g_assert_nonnull(strstr(f->vm->events->str,
		"NIC_RX_FILTER_CHANGED {\"name\":\"card\",\"path\":\"/machine/peripheral/card/"
		"virtio-backend\"}"));
	g_assert_false(virtio_driver_needs_reset(&f->driver));
	/* Section 5.1.6.5.2.1: the address that the driver set is the card's until a reset. */
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG, 4), ==, 0x00000002);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG + 4, 2), ==, 0x0700);
	virtio_driver_reset(&f->driver);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_CONFIG, 4), ==, 0x12005452);
}

static bool comes_in(struct fixture *f, const uint8_t *to)
{
	struct driver_piece piece = { .length = 1526, .writable = true };
	uint32_t written;
	uint16_t name;
	bool came;

	driver_queue_add(&f->queues[RECEIVE], &piece, 1);
	driver_queue_kick(&f->queues[RECEIVE]);
	settle(f);
	receive(f, to, FRAME);
	came = driver_queue_used(&f->queues[RECEIVE], &name, &written);
	if (!came) {
		/* The buffer is used up by one that always comes. */
		receive(f, own, FRAME);
		g_assert_true(driver_queue_wait(&f->queues[RECEIVE], &name, &written));
	}
	return came;
}

static void test_filter(struct fixture *f, gconstpointer data)
{
	start(f, ORDINARY);
	g_assert_true(comes_in(f, other)); /* until the driver says otherwise */
	g_assert_cmpuint(control(f, 0, 0, "\0", 1), ==, OK);
	g_assert_false(comes_in(f, other));
	g_assert_false(comes_in(f, group));
	g_assert_true(comes_in(f, everybody));
	g_assert_cmpuint(control(f, 0, 1, "\1", 1), ==, OK);
	g_assert_true(comes_in(f, group));
	g_assert_cmpuint(control(f, 1, 0, "\1\0\0\0\2\0\0\0\0\1\0\0\0\0", 14), ==, OK);
	g_assert_true(comes_in(f, other));
	g_assert_cmpuint(control(f, 0, 5, "\1", 1), ==, OK);
	g_assert_false(comes_in(f, everybody));
	virtio_driver_reset(&f->driver);
	start(f, ORDINARY);
	g_assert_true(comes_in(f, everybody));
}

/* The driver breaks a rule: it has to reset the device, which does nothing until then. */
static void test_broken(struct fixture *f, gconstpointer data)
{
	struct driver_piece small = { "x", 1 }, wrong = { .length = 64, .writable = true };
	struct driver_piece header_only = { "\0\0", 2 };

	start(f, ORDINARY);
	driver_queue_add(&f->queues[TRANSMIT], &small, 1);
	driver_queue_kick(&f->queues[TRANSMIT]);
	settle(f);
	g_assert_true(virtio_driver_needs_reset(&f->driver));
	virtio_driver_reset(&f->driver);
	start(f, ORDINARY);
	g_assert_false(virtio_driver_needs_reset(&f->driver));
	driver_queue_add(&f->queues[TRANSMIT], &wrong, 1);
	driver_queue_kick(&f->queues[TRANSMIT]);
	settle(f);
	g_assert_true(virtio_driver_needs_reset(&f->driver));
	virtio_driver_reset(&f->driver);
	start(f, ORDINARY);
	driver_queue_add(&f->queues[CONTROL], &header_only, 1);
	driver_queue_kick(&f->queues[CONTROL]);
	settle(f);
	g_assert_true(virtio_driver_needs_reset(&f->driver));
	g_assert_cmpuint(f->wire->frames, ==, 0);
}

static void test_offloads(struct fixture *f, gconstpointer data)
{
	start(f, ORDINARY | BIT(GUEST_CSUM) | BIT(2) | BIT(7));
	settle(f);
	g_assert_true(f->wire->offloads.checksum && f->wire->offloads.tso4);
	g_assert_false(f->wire->offloads.tso6);
	g_assert_cmpuint(control(f, 5, 0, "\2\0\0\0\0\0\0\0", 8), ==, OK);
	g_assert_false(f->wire->offloads.tso4);
	g_assert_cmpuint(control(f, 5, 0, "\0\1\0\0\0\0\0\0", 8), ==, ERROR);
	virtio_driver_reset(&f->driver);
	g_assert_false(f->wire->offloads.checksum);
}

static void test_pause(struct fixture *f, gconstpointer data)
{
	struct driver_piece piece = { .length = 1526, .writable = true };
	uint32_t written;
	uint16_t name;

	start(f, ORDINARY);
	driver_queue_add(&f->queues[RECEIVE], &piece, 1);
	driver_queue_kick(&f->queues[RECEIVE]);
	settle(f);
	virtio_machine_set_running(f->vm, false);
	g_assert_true(receive(f, own, FRAME));
	g_assert_false(driver_queue_used(&f->queues[RECEIVE], &name, &written));
	virtio_machine_set_running(f->vm, true);
	g_assert_true(driver_queue_wait(&f->queues[RECEIVE], &name, &written));
}

static const struct {
	const char *name, *value, *error;
} refusals[] = {
	{ "mac", "01:00:00:00:00:00", "mac=01:00:00:00:00:00 is not accepted" },
	{ "mac", "52:54:00:12:34", "is not accepted" },
	{ "mac", "52:54:00:12:34:56x", "is not accepted" },
	{ "host_mtu", "67", "host_mtu=67 is not accepted" },
	{ "rx_queue_size", "300", "powers of two" },
	{ "netdev", "wan", "netdev=wan: there is no such network" },
};

static void test_refusals(struct fixture *f, gconstpointer data)
{
	static const char *const taken[] = { "netdev", "lan", NULL };
	g_autoptr(GError) used = NULL;

	g_assert_null(virtio_machine_add(f->vm, &virtio_net_class, NULL, taken, &used));
	g_assert_nonnull(strstr(used->message, "netdev=lan is used by another device"));
	virtio_machine_remove(f->vm, f->device);
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *const properties[] = { "netdev", "lan", refusals[i].name,
			refusals[i].value, NULL };
		g_autoptr(GError) error = NULL;

		g_assert_null(
			virtio_machine_add(f->vm, &virtio_net_class, NULL, properties, &error));
		g_assert_nonnull(strstr(error->message, refusals[i].error));
	}
}

#define ADD(name, func) \
	g_test_add("/net/split/" name, struct fixture, NULL, set_up, func, tear_down); \
	g_test_add("/net/packed/" name, struct fixture, "packed", set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("config", test_config);
	ADD("send", test_send);
	ADD("receive", test_receive);
	ADD("merged", test_merged);
	ADD("too-small", test_too_small);
	ADD("flood", test_flood);
	ADD("control", test_control);
	ADD("filter", test_filter);
	ADD("broken", test_broken);
	ADD("offloads", test_offloads);
	ADD("pause", test_pause);
	ADD("refusals", test_refusals);
	return g_test_run();
}
