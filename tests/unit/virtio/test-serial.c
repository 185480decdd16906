/* virtio-serial: ports that come and go, who has them open, and bytes that are not lost on the way. Specification: virtio 1.2
 * section 5.3. */
#include <string.h>

#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/virtio/virtio-serial.h"

enum {
	RECEIVE = 0, /* queues of the console */
	TRANSMIT = 1,
	CONTROL_RECEIVE = 2,
	CONTROL_TRANSMIT = 3,
	PORT_1_RECEIVE = 4,
	PORT_1_TRANSMIT = 5,

	DEVICE_READY = 0,
	PORT_ADD = 1,
	PORT_REMOVE = 2,
	PORT_READY = 3,
	CONSOLE_PORT = 4,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

#define MULTIPORT (UINT64_C(1) << 1)

struct message {
	uint32_t port;
	uint16_t event, value;
};

struct fixture {
	struct virtio_machine *vm;
	struct device *serial, *console, *port;
	struct virtio_driver driver;
	struct driver_queue queues[6];
	struct driver_piece buffers[6][DRIVER_QUEUE_MAX]; /* by name */
};

static void add_buffer(struct fixture *f, unsigned queue, size_t length)
{
	struct driver_piece piece = { .length = length, .writable = true };
	uint16_t name = driver_queue_add(&f->queues[queue], &piece, 1);

	f->buffers[queue][name] = piece;
	driver_queue_kick(&f->queues[queue]);
}

/* What came in the next buffer; @bytes has room for it. */
static bool next(struct fixture *f, unsigned queue, void *bytes, uint32_t *length)
{
	uint16_t name;

	virtio_machine_settle(f->vm);
	if (!driver_queue_used(&f->queues[queue], &name, length))
		return false;
	memcpy(bytes, driver_piece_bytes(&f->queues[queue], &f->buffers[queue][name]), *length);
	return true;
}

static void send(struct fixture *f, unsigned queue, const void *bytes, size_t length)
{
	struct driver_piece piece = { bytes, length, false };

	driver_queue_add(&f->queues[queue], &piece, 1);
	driver_queue_kick(&f->queues[queue]);
}

static void control(struct fixture *f, uint32_t port, uint16_t event, uint16_t value)
{
	struct message message = { port, event, value };
	uint16_t name;
	uint32_t written;

	send(f, CONTROL_TRANSMIT, &message, sizeof(message));
	g_assert_true(driver_queue_used(&f->queues[CONTROL_TRANSMIT], &name, &written));
	g_assert_cmpuint(written, ==, 0);
}

static void expect(
	struct fixture *f, uint32_t port, uint16_t event, uint16_t value, const char *name)
{
	uint8_t bytes[64];
	struct message message;
	uint32_t length = 0;

	g_assert_true(next(f, CONTROL_RECEIVE, bytes, &length));
	g_assert_cmpuint(length, ==, sizeof(message) + (name ? strlen(name) : 0));
	memcpy(&message, bytes, sizeof(message));
	g_assert_cmpuint(message.port, ==, port);
	g_assert_cmpuint(message.event, ==, event);
	g_assert_cmpuint(message.value, ==, value);
	if (name)
		g_assert_cmpmem(bytes + sizeof(message), strlen(name), name, strlen(name));
	add_buffer(f, CONTROL_RECEIVE, 64);
}

static void expect_nothing(struct fixture *f, unsigned queue)
{
	uint8_t bytes[64];
	uint32_t length;

	g_assert_false(next(f, queue, bytes, &length));
}

static struct device *add_port(struct fixture *f, const struct device_class *class, const char *id,
	const char *const *properties)
{
	g_autoptr(GError) error = NULL;
	struct device *device = virtio_machine_add(f->vm, class, id, properties, &error);

	g_assert_no_error(error);
	return device;
}

static void connect_driver(struct fixture *f, uint64_t features, unsigned queues)
{
	g_assert_true(virtio_driver_negotiate(&f->driver, features));
	for (unsigned i = 0; i < queues; i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 0);
	virtio_driver_ready(&f->driver);
}

static void set_up(struct fixture *f, gconstpointer packed)
{
	static const char *const serial[] = { "packed", "on", NULL };
	static const char *const console[] = { "chardev", "char0", NULL };
	static const char *const port[] = { "chardev", "char1", "name", "org.test.0", NULL };

	f->vm = virtio_machine_new();
	f->serial = virtio_machine_add(f->vm, &virtio_serial_class, "vs", serial, NULL);
	f->console = add_port(f, &virtconsole_class, NULL, console);
	f->port = add_port(f, &virtserialport_class, "p1", port);
	f->driver = virtio_driver_bind(f->vm, f->serial);
	connect_driver(f, MULTIPORT | (packed ? VIRTIO_FEATURE_PACKED : 0), 6);
	for (unsigned i = 0; i < 8; i++)
		add_buffer(f, CONTROL_RECEIVE, 64);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtio_machine_free(f->vm);
}

static void greet(struct fixture *f)
{
	control(f, 0, DEVICE_READY, 1);
	expect(f, 0, PORT_ADD, 1, NULL);
	expect(f, 1, PORT_ADD, 1, NULL);
	control(f, 0, PORT_READY, 1);
	expect(f, 0, CONSOLE_PORT, 1, NULL);
	expect(f, 0, PORT_OPEN, 1, NULL);
	control(f, 1, PORT_READY, 1);
	expect(f, 1, PORT_NAME, 1, "org.test.0");
	expect(f, 1, PORT_OPEN, 1, NULL);
	expect_nothing(f, CONTROL_RECEIVE);
}

static void test_greeting(struct fixture *f, gconstpointer data)
{
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_CONFIG + 4, 4), ==, 31);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUES, 2), ==, 64);
	expect_nothing(f, CONTROL_RECEIVE);
	greet(f);
}

/* A driver without buffers misses nothing. */
static void test_late_buffers(struct fixture *f, gconstpointer data)
{
	virtio_driver_reset(&f->driver);
	connect_driver(f, MULTIPORT | (data ? VIRTIO_FEATURE_PACKED : 0), 6);
	control(f, 0, DEVICE_READY, 1);
	control(f, 1, PORT_READY, 1);
	expect_nothing(f, CONTROL_RECEIVE);
	add_buffer(f, CONTROL_RECEIVE, 64);
	expect(f, 0, PORT_ADD, 1, NULL);
	expect(f, 1, PORT_ADD, 1, NULL);
	expect(f, 1, PORT_NAME, 1, "org.test.0");
	expect(f, 1, PORT_OPEN, 1, NULL);
}

/* The other side comes and goes; so does the guest, which is an event. */
static void test_open(struct fixture *f, gconstpointer data)
{
	greet(f);
	fake_chardev_open(&f->vm->chardevs[1], false);
	expect(f, 1, PORT_OPEN, 0, NULL);
	fake_chardev_open(&f->vm->chardevs[1], true);
	expect(f, 1, PORT_OPEN, 1, NULL);
	control(f, 1, PORT_OPEN, 1);
	g_assert_cmpstr(f->vm->events->str, ==, "VSERPORT_CHANGE {\"open\":true,\"id\":\"p1\"}\n");
	/* As often as it likes: told once a second. */
	for (unsigned i = 0; i < 100; i++)
		control(f, 1, PORT_OPEN, i % 2);
	g_assert_cmpuint(f->vm->events->len, <, 60);
}

static void test_hotplug(struct fixture *f, gconstpointer data)
{
	static const char *const properties[] = { "chardev", "char2", "nr", "5", NULL };
	struct device *added;

	greet(f);
	added = add_port(f, &virtserialport_class, "p5", properties);
	expect(f, 5, PORT_ADD, 1, NULL);
	virtio_machine_remove(f->vm, added);
	expect(f, 5, PORT_REMOVE, 1, NULL);
	added = add_port(f, &virtserialport_class, "p5", properties);
	expect(f, 5, PORT_ADD, 1, NULL);
}

static const struct {
	const char *name, *class, *value, *error;
} refusals[] = {
	{ "nr", "virtserialport", "0", "that port is kept for a virtconsole" },
	{ "nr", "virtserialport", "1", "nr=1 is taken" },
	{ "nr", "virtserialport", "31", "nr= has to be below max_ports=31" },
	{ "nr", "virtconsole", "0", "nr=0 is taken" },
	{ "name", "virtserialport", "org.test.0", "name=org.test.0 is taken" },
	{ "chardev", "virtserialport", "char0", "in use by another device" },
	{ "chardev", "virtserialport", "nobody", "there is no chardev 'nobody'" },
};

static void test_refusals(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *const properties[] = { refusals[i].name, refusals[i].value, NULL };
		g_autoptr(GError) error = NULL;

		g_assert_null(virtio_machine_add(f->vm,
			strcmp(refusals[i].class, "virtconsole") == 0 ? &virtconsole_class
								      : &virtserialport_class,
			NULL, properties, &error));
		g_assert_nonnull(strstr(error->message, refusals[i].error));
	}
	expect_nothing(f, CONTROL_RECEIVE);
}

/* Bytes of the guest wait in its queue while the character device has no room. */
static void test_transmit(struct fixture *f, gconstpointer data)
{
	struct fake_chardev *chardev = &f->vm->chardevs[1];
	uint16_t name;
	uint32_t written;

	greet(f);
	send(f, PORT_1_TRANSMIT, "hello ", 6);
	g_assert_cmpstr(chardev->output->str, ==, "hello ");
	g_assert_true(driver_queue_used(&f->queues[PORT_1_TRANSMIT], &name, &written));
	chardev->room = 3;
	send(f, PORT_1_TRANSMIT, "world and all", 13);
	send(f, PORT_1_TRANSMIT, "!", 1);
	g_assert_cmpstr(chardev->output->str, ==, "hello wor");
	g_assert_false(driver_queue_used(&f->queues[PORT_1_TRANSMIT], &name, &written));
	for (unsigned i = 0; i < 6; i++) {
		fake_chardev_drain(chardev, 2);
		virtio_machine_settle(f->vm);
	}
	g_assert_cmpstr(chardev->output->str, ==, "hello world and all!");
	g_assert_true(driver_queue_used(&f->queues[PORT_1_TRANSMIT], &name, &written));
	g_assert_true(driver_queue_used(&f->queues[PORT_1_TRANSMIT], &name, &written));
}

/* Bytes of the host wait with it until the guest has opened the port and gives buffers. */
static void test_receive(struct fixture *f, gconstpointer data)
{
	struct fake_chardev *chardev = &f->vm->chardevs[1];
	char bytes[64];
	uint32_t length = 0;

	greet(f);
	add_buffer(f, PORT_1_RECEIVE, 4);
	g_assert_cmpuint(fake_chardev_send(chardev, "early", 5), ==, 0);
	control(f, 1, PORT_OPEN, 1);
	g_assert_cmpuint(fake_chardev_send(chardev, "123456789", 9), ==, 9);
	g_assert_true(next(f, PORT_1_RECEIVE, bytes, &length));
	g_assert_cmpmem(bytes, length, "1234", 4);
	g_assert_cmpuint(fake_chardev_send(chardev, "x", 1), ==, 0);
	add_buffer(f, PORT_1_RECEIVE, 4);
	add_buffer(f, PORT_1_RECEIVE, 4);
	g_assert_true(next(f, PORT_1_RECEIVE, bytes, &length));
	g_assert_cmpmem(bytes, length, "5678", 4);
	g_assert_true(next(f, PORT_1_RECEIVE, bytes, &length));
	g_assert_cmpmem(bytes, length, "9", 1);
	g_assert_cmpuint(fake_chardev_send(chardev, "x", 1), ==, 0);
	add_buffer(f, PORT_1_RECEIVE, 4);
	g_assert_cmpuint(fake_chardev_send(chardev, "x", 1), ==, 1);
}

/* A driver of one port: no messages, and the console just works. */
static void test_one_port(struct fixture *f, gconstpointer data)
{
	struct fake_chardev *chardev = &f->vm->chardevs[0];
	char bytes[64];
	uint32_t length = 0;

	virtio_driver_reset(&f->driver);
	connect_driver(f, data ? VIRTIO_FEATURE_PACKED : 0, 2);
	send(f, TRANSMIT, "boot", 4);
	g_assert_cmpstr(chardev->output->str, ==, "boot");
	add_buffer(f, RECEIVE, 16);
	g_assert_cmpuint(fake_chardev_send(chardev, "ls\n", 3), ==, 3);
	g_assert_true(next(f, RECEIVE, bytes, &length));
	g_assert_cmpmem(bytes, length, "ls\n", 3);
}

static void test_emergency(struct fixture *f, gconstpointer data)
{
	virtio_driver_reset(&f->driver);
	virtio_driver_write(&f->driver, REG_CONFIG + 8, 4, '!');
	g_assert_cmpstr(f->vm->chardevs[0].output->str, ==, "!");
}

/* Messages that make no sense, of ports that there are not: nothing happens. */
static void test_nonsense(struct fixture *f, gconstpointer data)
{
	uint16_t name;
	uint32_t written;

	greet(f);
	for (uint16_t event = 0; event < 20; event++) {
		if (event != DEVICE_READY)
			control(f, UINT32_MAX, event, 1);
		control(f, 30, event == DEVICE_READY ? 19 : event, 0xffff);
	}
	send(f, CONTROL_TRANSMIT, "abc", 3);
	g_assert_true(driver_queue_used(&f->queues[CONTROL_TRANSMIT], &name, &written));
	expect_nothing(f, CONTROL_RECEIVE);
	g_assert_false(virtio_driver_needs_reset(&f->driver));
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f, gconstpointer data);
} tests[] = {
	{ "greeting", test_greeting },
	{ "late-buffers", test_late_buffers },
	{ "open", test_open },
	{ "hotplug", test_hotplug },
	{ "refusals", test_refusals },
	{ "transmit", test_transmit },
	{ "receive", test_receive },
	{ "one-port", test_one_port },
	{ "emergency", test_emergency },
	{ "nonsense", test_nonsense },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(tests); i++) {
		g_autofree char *name = g_strdup_printf(
			"/serial/%s/%s", i % 2 ? "packed" : "split", tests[i / 2].name);

		g_test_add(
			name, struct fixture, (void *)(i % 2), set_up, tests[i / 2].run, tear_down);
	}
	return g_test_run();
}
