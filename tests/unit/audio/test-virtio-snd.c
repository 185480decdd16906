/* virtio-snd through its queues: what it says that it has, streams and their lives, buffers that come back in real time, and
 * what drivers must not do. Specification: virtio 1.2 section 5.14. */
#include <string.h>

#include "tests/unit/audio/listener.h"
#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/audio/virtio-snd.h"
#include "vmm/machine/guest-clock.h"
#include "vmm/pci/config.h"

enum {
	CONTROL,
	EVENTS,
	TX,
	RX,
	QUEUES,

	OK = 0x8000,
	BAD = 0x8001,
	NOT_SUPPORTED = 0x8002,

	JACK_INFO = 1,
	PCM_INFO = 0x100,
	SET_PARAMETERS,
	PREPARE,
	RELEASE,
	START,
	STOP,
	CHMAP_INFO = 0x200,

	S16 = 5,
	RATE_48000 = 7,
	PERIOD = 1920, /* bytes: 10 ms */
};

struct fixture {
	struct virtio_machine *vm;
	struct device *device;
	struct virtio_driver driver;
	struct driver_queue queues[QUEUES];
};

static void set_up(struct fixture *f, gconstpointer packed)
{
	const char *const properties[] = { "packed", packed ? "on" : "off", "jacks", "2", "chmaps",
		"2", NULL };
	g_autoptr(GError) error = NULL;

	f->vm = virtio_machine_new();
	f->device = virtio_machine_add(f->vm, &virtio_snd_class, NULL, properties, &error);
	g_assert_no_error(error);
	f->driver = virtio_driver_bind(f->vm, f->device);
	g_assert_true(virtio_driver_negotiate(&f->driver, packed ? VIRTIO_FEATURE_PACKED : 0));
	for (unsigned i = 0; i < QUEUES; i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 0);
	virtio_driver_ready(&f->driver);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtio_machine_free(f->vm);
}

/* A control request of up to six words; the answer's status. */
static uint32_t control(struct fixture *f, const uint32_t *words, unsigned count, uint8_t *answer,
	size_t room, uint32_t *written)
{
	struct driver_piece pieces[2] = {
		{ words, count * 4, false },
		{ NULL, 4 + room, true },
	};
	uint32_t got = driver_queue_do(&f->queues[CONTROL], pieces, 2);
	const uint8_t *bytes = driver_piece_bytes(&f->queues[CONTROL], &pieces[1]);

	if (written)
		*written = got;
	if (answer)
		memcpy(answer, bytes + 4, room);
	return config_get32(bytes);
}

static uint32_t list(struct fixture *f, uint32_t code, uint32_t first, uint32_t count,
	uint32_t size, uint8_t *answer, size_t room)
{
	uint32_t words[] = { code, first, count, size };

	return control(f, words, 4, answer, room, NULL);
}

static uint32_t order(struct fixture *f, uint32_t code, uint32_t stream)
{
	uint32_t words[] = { code, stream };

	return control(f, words, 2, NULL, 0, NULL);
}

static uint32_t set_parameters(struct fixture *f, uint32_t stream, uint32_t buffer, uint32_t period,
	uint32_t features, uint8_t channels, uint8_t format, uint8_t rate)
{
	uint32_t words[] = { SET_PARAMETERS, stream, buffer, period, features,
		channels | format << 8 | rate << 16 };

	return control(f, words, 6, NULL, 0, NULL);
}

static void test_lists(struct fixture *f, gconstpointer data)
{
	uint8_t info[64];

	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_CONFIG, 4), ==, 2);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_CONFIG + 4, 4), ==, 2);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_CONFIG + 8, 4), ==, 2);
	g_assert_cmphex(list(f, PCM_INFO, 0, 2, 32, info, 64), ==, OK);
	g_assert_cmphex(config_get64(info + 8), ==, 0xe0078);
	g_assert_cmphex(config_get64(info + 16), ==, 0x3fff);
	g_assert_cmpuint(info[24], ==, 0); /* plays */
	g_assert_cmpuint(info[25], ==, 1);
	g_assert_cmpuint(info[26], ==, 2);
	g_assert_cmpuint(info[32 + 24], ==, 1); /* captures */
	g_assert_cmphex(list(f, JACK_INFO, 1, 1, 24, info, 24), ==, OK);
	g_assert_cmphex(config_get32(info + 8), ==, 0x00805020);
	g_assert_cmpuint(info[16], ==, 1);
	g_assert_cmphex(list(f, CHMAP_INFO, 0, 1, 24, info, 24), ==, OK);
	g_assert_cmpuint(info[5], ==, 2);
	g_assert_cmpuint(info[6], ==, 3);
	g_assert_cmpuint(info[7], ==, 4);
	/* More than there is, more than there is room for, other sizes. */
	g_assert_cmphex(list(f, PCM_INFO, 1, 2, 32, info, 64), ==, BAD);
	g_assert_cmphex(list(f, PCM_INFO, 1, UINT32_MAX, 32, info, 64), ==, BAD);
	g_assert_cmphex(list(f, PCM_INFO, 0, 2, 32, info, 32), ==, BAD);
	g_assert_cmphex(list(f, PCM_INFO, 0, 1, 24, info, 64), ==, BAD);
	g_assert_cmphex(list(f, 0x300, 0, 1, 24, info, 64), ==, NOT_SUPPORTED);
}

static const struct {
	uint32_t stream, buffer, period, features;
	uint8_t channels, format, rate;
	uint32_t status;
} parameters[] = {
	{ 0, 4 * PERIOD, PERIOD, 0, 2, S16, RATE_48000, OK },
	{ 0, 64, 32, 0, 1, 19, 13, OK },
	{ 1, 4 * PERIOD, PERIOD, 0, 1, 3, 0, OK },
	{ 2, 4 * PERIOD, PERIOD, 0, 2, S16, RATE_48000, BAD },
	{ 0, 4 * PERIOD, PERIOD, 1, 2, S16, RATE_48000, NOT_SUPPORTED },
	{ 0, 4 * PERIOD, PERIOD, 0, 3, S16, RATE_48000, NOT_SUPPORTED },
	{ 0, 4 * PERIOD, PERIOD, 0, 0, S16, RATE_48000, NOT_SUPPORTED },
	{ 0, 4 * PERIOD, PERIOD, 0, 2, 0, RATE_48000, NOT_SUPPORTED },
	{ 0, 4 * PERIOD, PERIOD, 0, 2, 255, RATE_48000, NOT_SUPPORTED },
	{ 0, 4 * PERIOD, PERIOD, 0, 2, S16, 14, NOT_SUPPORTED },
	{ 0, 4 * PERIOD, 0, 0, 2, S16, RATE_48000, BAD },
	{ 0, PERIOD, 2 * PERIOD, 0, 2, S16, RATE_48000, BAD },
	{ 0, 4 * PERIOD + 4, PERIOD, 0, 2, S16, RATE_48000, BAD },
	{ 0, 6, 3, 0, 2, S16, RATE_48000, BAD },
	{ 0, 0xfffffff0, 16, 0, 2, S16, RATE_48000, BAD },
};

static void test_parameters(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
		uint32_t status = set_parameters(f, parameters[i].stream, parameters[i].buffer,
			parameters[i].period, parameters[i].features, parameters[i].channels,
			parameters[i].format, parameters[i].rate);

		if (status != parameters[i].status)
			g_error("parameters %zu: 0x%x", i, status);
	}
}

static void test_life(struct fixture *f, gconstpointer data)
{
	uint32_t short_request[] = { START };
	uint32_t written;

	g_assert_cmphex(order(f, PREPARE, 0), ==, BAD);
	g_assert_cmphex(order(f, START, 0), ==, BAD);
	g_assert_cmphex(order(f, RELEASE, 0), ==, BAD);
	g_assert_cmphex(set_parameters(f, 0, PERIOD, PERIOD, 0, 2, S16, RATE_48000), ==, OK);
	g_assert_cmphex(order(f, START, 0), ==, BAD);
	g_assert_cmphex(order(f, PREPARE, 0), ==, OK);
	g_assert_cmphex(order(f, START, 0), ==, OK);
	g_assert_cmphex(order(f, PREPARE, 0), ==, BAD);
	g_assert_cmphex(order(f, RELEASE, 0), ==, BAD);
	g_assert_cmphex(order(f, STOP, 0), ==, OK);
	g_assert_cmphex(order(f, STOP, 0), ==, BAD);
	g_assert_cmphex(order(f, START, 0), ==, OK);
	g_assert_cmphex(order(f, STOP, 0), ==, OK);
	g_assert_cmphex(order(f, RELEASE, 0), ==, OK);
	g_assert_cmphex(order(f, PREPARE, 0), ==, OK);
	g_assert_cmphex(order(f, PREPARE, 77), ==, BAD);
	g_assert_cmphex(control(f, short_request, 1, NULL, 0, &written), ==, BAD);
	g_assert_cmpuint(written, ==, 4);
}

static struct audio *audio_of(struct fixture *f)
{
	return display_audio(f->vm->machine.display);
}

static void make_ready(struct fixture *f, uint32_t stream)
{
	g_assert_cmphex(
		set_parameters(f, stream, 4 * PERIOD, PERIOD, 0, 2, S16, RATE_48000), ==, OK);
	g_assert_cmphex(order(f, PREPARE, stream), ==, OK);
}

/* A period of @value for a stream, with room for the status. */
static void send(struct fixture *f, uint32_t stream, uint8_t value, size_t length,
	struct driver_piece *status)
{
	g_autofree uint8_t *samples = g_malloc(length + 1);
	struct driver_piece pieces[3] = {
		{ &stream, sizeof(stream), false },
		{ samples, length, false },
		{ NULL, 8, true },
	};

	memset(samples, value, length);
	driver_queue_add(&f->queues[TX], pieces, 3);
	driver_queue_kick(&f->queues[TX]);
	*status = pieces[2];
}

static uint32_t status_of(struct fixture *f, const struct driver_piece *piece)
{
	return config_get32(driver_piece_bytes(&f->queues[TX], piece));
}

static void test_playback(struct fixture *f, gconstpointer data)
{
	struct listener heard = { audio_of(f), g_byte_array_new() };
	struct audio_consumer *consumer =
		audio_add_consumer(heard.audio, AUDIO_PLAYBACK, &listener_ops, &heard);
	struct driver_piece status[6];
	gint64 began, took;
	uint32_t written;
	uint16_t name;

	make_ready(f, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(status); i++)
		send(f, 0, i + 1, PERIOD, &status[i]);
	g_assert_false(driver_queue_used(&f->queues[TX], &name, &written));
	began = g_get_monotonic_time();
	g_assert_cmphex(order(f, START, 0), ==, OK);
	for (unsigned i = 0; i < G_N_ELEMENTS(status); i++) {
		g_assert_true(driver_queue_wait(&f->queues[TX], &name, &written));
		g_assert_cmpuint(written, ==, 8);
		g_assert_cmphex(status_of(f, &status[i]), ==, OK);
	}
	took = g_get_monotonic_time() - began;
	g_assert_cmpint(took, >=, 55000); /* 60 ms of samples */
	virtio_machine_settle(f->vm);
	g_assert_cmpuint(heard.bytes->len, ==, 6 * PERIOD);
	for (unsigned i = 0; i < 6 * PERIOD; i++)
		g_assert_cmpuint(heard.bytes->data[i], ==, i / PERIOD + 1);
	/* What is not played any more comes back when the stream is released. */
	g_assert_cmphex(order(f, STOP, 0), ==, OK);
	send(f, 0, 9, PERIOD, &status[0]);
	g_assert_false(driver_queue_used(&f->queues[TX], &name, &written));
	g_assert_cmphex(order(f, RELEASE, 0), ==, OK);
	g_assert_true(driver_queue_used(&f->queues[TX], &name, &written));
	g_assert_cmpuint(heard.bytes->len, ==, 6 * PERIOD);
	audio_remove_consumer(consumer);
	g_byte_array_unref(heard.bytes);
}

static void test_capture(struct fixture *f, gconstpointer data)
{
	struct listener heard = { .audio = audio_of(f) };
	struct audio_consumer *consumer =
		audio_add_consumer(heard.audio, AUDIO_CAPTURE, &listener_ops, &heard);
	uint32_t stream = 1, written;
	uint16_t name;
	bool spoken = false;

	make_ready(f, 1);
	g_assert_cmphex(order(f, START, 1), ==, OK);
	for (unsigned i = 0; i < 20; i++) {
		struct driver_piece pieces[3] = {
			{ &stream, sizeof(stream), false },
			{ NULL, PERIOD, true },
			{ NULL, 8, true },
		};

		driver_queue_add(&f->queues[RX], pieces, 3);
		driver_queue_kick(&f->queues[RX]);
		g_assert_true(driver_queue_wait(&f->queues[RX], &name, &written));
		g_assert_cmpuint(written, ==, PERIOD + 8);
		g_assert_cmphex(
			config_get32(driver_piece_bytes(&f->queues[RX], &pieces[2])), ==, OK);
		spoken |=
			*(uint8_t *)driver_piece_bytes(&f->queues[RX], &pieces[1]) == LISTENER_SAYS;
	}
	g_assert_true(spoken);
	audio_remove_consumer(consumer);
}

/* Refused at once, and nothing else happens. */
static void test_bad_buffers(struct fixture *f, gconstpointer data)
{
	static const struct {
		uint32_t stream;
		size_t length;
	} cases[] = { { 1, PERIOD }, { 7, PERIOD }, { 0, PERIOD + 1 }, { 0, 0 }, { 0, 3 } };
	struct driver_piece status, header = { .length = 2 };
	uint32_t written;
	uint16_t name;

	send(f, 0, 1, PERIOD, &status); /* not prepared */
	g_assert_true(driver_queue_used(&f->queues[TX], &name, &written));
	g_assert_cmphex(status_of(f, &status), ==, BAD);
	make_ready(f, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (cases[i].length == 0)
			continue;
		send(f, cases[i].stream, 1, cases[i].length, &status);
		g_assert_true(driver_queue_used(&f->queues[TX], &name, &written));
		g_assert_cmpuint(written, ==, 8);
		g_assert_cmphex(status_of(f, &status), ==, BAD);
	}
	/* Neither a whole header nor room for an answer. */
	g_assert_cmpuint(driver_queue_do(&f->queues[TX], &header, 1), ==, 0);
	g_assert_cmpuint(driver_queue_do(&f->queues[CONTROL], &header, 1), ==, 0);
	g_assert_false(virtio_driver_needs_reset(&f->driver));
}

/* While the machine is paused no buffer comes back; after a reset none does. */
static void test_pause(struct fixture *f, gconstpointer data)
{
	struct driver_piece status;
	uint32_t written;
	uint16_t name;

	make_ready(f, 0);
	send(f, 0, 1, PERIOD, &status);
	g_assert_cmphex(order(f, START, 0), ==, OK);
	g_mutex_lock(&f->vm->machine.lock);
	guest_clock_set_running(&f->vm->machine.clock, false);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_set_running(f->vm, false);
	g_usleep(30000);
	virtio_machine_settle(f->vm);
	g_assert_false(driver_queue_used(&f->queues[TX], &name, &written));
	g_mutex_lock(&f->vm->machine.lock);
	guest_clock_set_running(&f->vm->machine.clock, true);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_set_running(f->vm, true);
	g_assert_true(driver_queue_wait(&f->queues[TX], &name, &written));
	send(f, 0, 1, PERIOD, &status);
	virtio_driver_reset(&f->driver);
	g_usleep(20000);
	virtio_machine_settle(f->vm);
	g_assert_false(driver_queue_used(&f->queues[TX], &name, &written));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define TEST(name, data, function) \
	g_test_add("/virtio-snd/" name, struct fixture, data, set_up, function, tear_down)
	TEST("lists", NULL, test_lists);
	TEST("parameters", NULL, test_parameters);
	TEST("life", NULL, test_life);
	TEST("playback", NULL, test_playback);
	TEST("playback/packed", "packed", test_playback);
	TEST("capture", NULL, test_capture);
	TEST("bad-buffers", NULL, test_bad_buffers);
	TEST("pause", NULL, test_pause);
	return g_test_run();
}
