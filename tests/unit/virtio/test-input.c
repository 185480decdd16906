/* virtio-input: what each device says of itself, and the events that input becomes. Specification: virtio 1.2 section 5.8. */
#include <linux/input-event-codes.h>
#include <string.h>

#include "display/head.h"
#include "tests/unit/bytes.h"
#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/virtio/virtio-input.h"

enum {
	EVENTS = 0,
	STATUS = 1,
	BUFFERS = 64,
};

struct event {
	uint16_t type, code;
	uint32_t value;
};

struct fixture {
	struct virtio_machine *vm;
	struct display *display;
	struct virtio_driver driver;
	struct driver_queue events, status;
	struct driver_piece buffers[DRIVER_QUEUE_MAX]; /* by name */
};

static void add_buffer(struct fixture *f)
{
	struct driver_piece piece = { .length = sizeof(struct event), .writable = true };
	uint16_t name = driver_queue_add(&f->events, &piece, 1);

	f->buffers[name] = piece;
}

static void start(struct fixture *f, const struct device_class *class,
	const char *const *properties, unsigned buffers)
{
	struct device *device;

	f->vm = virtio_machine_new();
	f->display = f->vm->machine.display;
	device = virtio_machine_add(f->vm, class, NULL, properties, NULL);
	g_assert_nonnull(device);
	f->driver = virtio_driver_bind(f->vm, device);
	g_assert_true(virtio_driver_negotiate(&f->driver, 0));
	virtio_driver_queue(&f->driver, &f->events, EVENTS, 0);
	virtio_driver_queue(&f->driver, &f->status, STATUS, 0);
	for (unsigned i = 0; i < buffers; i++)
		add_buffer(f);
	virtio_driver_ready(&f->driver);
}

/* The next event; its buffer is given to the device again. */
static bool next_event(struct fixture *f, struct event *event)
{
	uint16_t name;
	uint32_t written;

	virtio_machine_settle(f->vm);
	if (!driver_queue_used(&f->events, &name, &written))
		return false;
	g_assert_cmpuint(written, ==, sizeof(*event));
	memcpy(event, driver_piece_bytes(&f->events, &f->buffers[name]), sizeof(*event));
	add_buffer(f);
	driver_queue_kick(&f->events);
	return true;
}

static void expect(struct fixture *f, uint16_t type, uint16_t code, uint32_t value)
{
	struct event event;

	g_assert_true(next_event(f, &event));
	g_assert_cmphex(event.type, ==, type);
	g_assert_cmphex(event.code, ==, code);
	g_assert_cmphex(event.value, ==, value);
}

static void expect_report(struct fixture *f)
{
	expect(f, EV_SYN, SYN_REPORT, 0);
}

static void expect_nothing(struct fixture *f)
{
	struct event event;

	g_assert_false(next_event(f, &event));
}

/* --- what they are: as QEMU's devices answer --- */

static const struct {
	const char *name;
	const struct device_class *class;
	uint8_t select, subselect;
	const char *bytes; /* NULL: nothing */
} answers[] = {
	{ "/input/keyboard/name", &virtio_keyboard_class, 0x01, 0,
		"51454d552056697274696f204b6579626f61726400" },
	{ "/input/keyboard/numbers", &virtio_keyboard_class, 0x03, 0, "0600270601000100" },
	{ "/input/keyboard/keys", &virtio_keyboard_class, 0x11, EV_KEY,
		"feffffffffffffffffffcf7bffffbefeffdf00f8783000000000000004" },
	{ "/input/keyboard/lights", &virtio_keyboard_class, 0x11, EV_LED, "07" },
	{ "/input/keyboard/repeat", &virtio_keyboard_class, 0x11, EV_REP, "00" },
	{ "/input/keyboard/no-axes", &virtio_keyboard_class, 0x12, ABS_X, NULL },
	{ "/input/keyboard/no-motions", &virtio_keyboard_class, 0x11, EV_REL, NULL },
	{ "/input/keyboard/nothing", &virtio_keyboard_class, 0x00, 0, NULL },
	{ "/input/keyboard/unknown", &virtio_keyboard_class, 0xff, 0xff, NULL },
	{ "/input/keyboard/name-of-what", &virtio_keyboard_class, 0x01, 1, NULL },
	{ "/input/keyboard/serial", &virtio_keyboard_class, 0x02, 0, "6b37" },
	{ "/input/mouse/name", &virtio_mouse_class, 0x01, 0,
		"51454d552056697274696f204d6f75736500" },
	{ "/input/mouse/numbers", &virtio_mouse_class, 0x03, 0, "0600270602000200" },
	{ "/input/mouse/motions", &virtio_mouse_class, 0x11, EV_REL, "0301" },
	{ "/input/mouse/buttons", &virtio_mouse_class, 0x11, EV_KEY,
		"00000000000000000000000000000000000000000000000000000000000000000000"
		"1f0000000000000003" },
	{ "/input/tablet/name", &virtio_tablet_class, 0x01, 0,
		"51454d552056697274696f205461626c657400" },
	{ "/input/tablet/numbers", &virtio_tablet_class, 0x03, 0, "0600270603000200" },
	{ "/input/tablet/wheel", &virtio_tablet_class, 0x11, EV_REL, "0001" },
	{ "/input/tablet/positions", &virtio_tablet_class, 0x11, EV_ABS, "03" },
	{ "/input/tablet/x", &virtio_tablet_class, 0x12, ABS_X,
		"00000000ff7f0000000000000000000000000000" },
	{ "/input/tablet/y", &virtio_tablet_class, 0x12, ABS_Y,
		"00000000ff7f0000000000000000000000000000" },
	{ "/input/tablet/no-z", &virtio_tablet_class, 0x12, ABS_Z, NULL },
	{ "/input/multitouch/name", &virtio_multitouch_class, 0x01, 0,
		"51454d552056697274696f204d756c7469546f75636800" },
	{ "/input/multitouch/numbers", &virtio_multitouch_class, 0x03, 0, "0600270603000100" },
	{ "/input/multitouch/direct", &virtio_multitouch_class, 0x10, 0, "02" },
	{ "/input/multitouch/positions", &virtio_multitouch_class, 0x11, EV_ABS,
		"0000000000806002" },
	{ "/input/multitouch/slot", &virtio_multitouch_class, 0x12, ABS_MT_SLOT,
		"000000000a000000000000000000000000000000" },
};

static void check_answer(gconstpointer data)
{
	static const char *const properties[] = { "serial", "k7", NULL };
	const typeof(answers[0]) *c = data;
	g_autoptr(GBytes) bytes = c->bytes ? bytes_from_hex(c->bytes) : NULL;
	size_t length = bytes ? g_bytes_get_size(bytes) : 0;
	struct fixture f = { 0 };

	start(&f, c->class, properties, 0);
	virtio_driver_write(&f.driver, REG_CONFIG, 1, c->select);
	virtio_driver_write(&f.driver, REG_CONFIG + 1, 1, c->subselect);
	g_assert_cmphex(virtio_driver_read(&f.driver, REG_CONFIG, 1), ==, c->select);
	g_assert_cmpuint(virtio_driver_read(&f.driver, REG_CONFIG + 2, 1), ==, length);
	for (size_t i = 0; i < length; i++)
		g_assert_cmphex(virtio_driver_read(&f.driver, REG_CONFIG + 8 + i, 1), ==,
			((const uint8_t *)g_bytes_get_data(bytes, NULL))[i]);
	virtio_machine_free(f.vm);
}

/* --- events --- */

static void test_keys(void)
{
	struct fixture f = { 0 };

	start(&f, &virtio_keyboard_class, NULL, BUFFERS);
	display_key(f.display, 0x1e, true);
	expect(&f, EV_KEY, KEY_A, 1);
	expect_report(&f);
	display_key(f.display, 0x1e, false);
	expect(&f, EV_KEY, KEY_A, 0);
	expect_report(&f);
	display_key(f.display, 0x9d, true);
	expect(&f, EV_KEY, KEY_RIGHTCTRL, 1);
	expect_report(&f);
	/* No key of this keyboard. */
	display_key(f.display, 0xff, true);
	expect_nothing(&f);
	virtio_machine_free(f.vm);
}

static void test_lights(void)
{
	static const struct {
		struct event event;
		uint32_t lights;
	} steps[] = {
		{ { EV_LED, LED_CAPSL, 1 }, INPUT_LIGHT_CAPS },
		{ { EV_LED, LED_NUML, 1 }, INPUT_LIGHT_CAPS | INPUT_LIGHT_NUM },
		{ { EV_LED, LED_CAPSL, 0 }, INPUT_LIGHT_NUM },
		{ { EV_LED, 77, 1 }, INPUT_LIGHT_NUM },
		{ { EV_SND, 0, 1 }, INPUT_LIGHT_NUM },
	};
	struct fixture f = { 0 };

	start(&f, &virtio_keyboard_class, NULL, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		struct driver_piece piece = { &steps[i].event, sizeof(struct event), false };

		g_assert_cmpuint(driver_queue_do(&f.status, &piece, 1), ==, 0);
		g_assert_cmphex(display_lights(f.display), ==, steps[i].lights);
	}
	virtio_driver_reset(&f.driver);
	g_assert_cmphex(display_lights(f.display), ==, 0);
	virtio_machine_free(f.vm);
}

static void test_mouse(void)
{
	struct fixture f = { 0 };

	start(&f, &virtio_mouse_class, NULL, BUFFERS);
	g_assert_false(display_pointer_is_absolute(f.display));
	display_pointer_motion(f.display, 3, -4);
	expect(&f, EV_REL, REL_X, 3);
	expect(&f, EV_REL, REL_Y, (uint32_t)-4);
	expect_report(&f);
	display_pointer_motion(f.display, 0, 0);
	display_pointer_button(f.display, INPUT_BUTTON_RIGHT, true);
	expect(&f, EV_KEY, BTN_RIGHT, 1);
	expect_report(&f);
	display_pointer_button(f.display, INPUT_BUTTON_WHEEL_DOWN, true);
	display_pointer_button(f.display, INPUT_BUTTON_WHEEL_DOWN, false);
	expect(&f, EV_REL, REL_WHEEL, (uint32_t)-1);
	expect_report(&f);
	expect_nothing(&f);
	virtio_machine_free(f.vm);
}

struct picture {
	struct video_memory *memory;
	struct head *head;
};

static struct picture show_picture(struct fixture *f, uint32_t width, uint32_t height)
{
	static const struct head_ops ops = { 0 };
	struct head_config config = { .label = "test", .ops = &ops };
	struct scanout scanout = {
		.width = width,
		.height = height,
		.stride = 4 * width,
		.format = PIXMAN_x8r8g8b8,
	};
	struct picture picture = { .memory = video_memory_new("test", 4 << 20, NULL) };

	g_mutex_lock(&f->vm->machine.lock);
	picture.head = head_new(f->display, &config);
	head_set_scanout(picture.head, picture.memory, &scanout);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_settle(f->vm);
	return picture;
}

static void hide_picture(struct fixture *f, struct picture *picture)
{
	g_mutex_lock(&f->vm->machine.lock);
	head_free(picture->head);
	g_mutex_unlock(&f->vm->machine.lock);
	video_memory_unref(picture->memory);
}

/* The picture's corners are the axes' ends. A tablet wins over a mouse that came after it, and goes with its driver. */
static void test_tablet(void)
{
	static const struct pointer_ops mouse = { 0 };
	struct fixture f = { 0 };
	struct picture picture;

	start(&f, &virtio_tablet_class, NULL, BUFFERS);
	picture = show_picture(&f, 1024, 768);
	display_pointer_position(f.display, picture.head, 1023, 767);
	expect(&f, EV_ABS, ABS_X, 0x7fff);
	expect(&f, EV_ABS, ABS_Y, 0x7fff);
	expect_report(&f);
	display_pointer_position(f.display, picture.head, 0, 5000);
	expect(&f, EV_ABS, ABS_X, 0);
	expect(&f, EV_ABS, ABS_Y, 0x7fff);
	expect_report(&f);

	g_assert_true(display_pointer_is_absolute(f.display));
	display_set_pointer(f.display, &mouse, &f);
	g_assert_true(display_pointer_is_absolute(f.display));
	virtio_driver_reset(&f.driver);
	g_assert_false(display_pointer_is_absolute(f.display));
	display_set_pointer(f.display, NULL, &f);
	hide_picture(&f, &picture);
	virtio_machine_free(f.vm);
}

/* Type B of the kernel's multi-touch protocol. */
static void test_touch(void)
{
	struct fixture f = { 0 };
	struct picture picture;

	start(&f, &virtio_multitouch_class, NULL, BUFFERS);
	picture = show_picture(&f, 101, 101);
	g_assert_cmpuint(display_touch_slots(f.display), ==, 10);
	g_assert_true(display_touch(f.display, picture.head, INPUT_TOUCH_BEGIN, 3, 100, 0));
	expect(&f, EV_ABS, ABS_MT_SLOT, 3);
	expect(&f, EV_ABS, ABS_MT_TRACKING_ID, 3);
	expect(&f, EV_ABS, ABS_MT_POSITION_X, 0x7fff);
	expect(&f, EV_ABS, ABS_MT_POSITION_Y, 0);
	expect(&f, EV_KEY, BTN_TOUCH, 1);
	expect_report(&f);
	g_assert_true(display_touch(f.display, picture.head, INPUT_TOUCH_BEGIN, 0, 0, 0));
	for (unsigned i = 0; i < 4; i++)
		g_assert_true(next_event(&f, &(struct event) { 0 }));
	expect_report(&f);
	g_assert_true(display_touch(f.display, picture.head, INPUT_TOUCH_END, 3, 0, 0));
	expect(&f, EV_ABS, ABS_MT_SLOT, 3);
	expect(&f, EV_ABS, ABS_MT_TRACKING_ID, UINT32_MAX);
	expect_report(&f);
	g_assert_true(display_touch(f.display, picture.head, INPUT_TOUCH_CANCEL, 0, 0, 0));
	expect(&f, EV_ABS, ABS_MT_SLOT, 0);
	expect(&f, EV_ABS, ABS_MT_TRACKING_ID, UINT32_MAX);
	expect(&f, EV_KEY, BTN_TOUCH, 0);
	expect_report(&f);
	/* It has ended already; there is no such slot. */
	display_touch(f.display, picture.head, INPUT_TOUCH_END, 0, 0, 0);
	g_assert_false(display_touch(f.display, picture.head, INPUT_TOUCH_BEGIN, 10, 0, 0));
	expect_nothing(&f);
	hide_picture(&f, &picture);
	virtio_machine_free(f.vm);
}

/* --- a driver that is slow, and one that stops --- */

/* What does not fit is forgotten, but no key stays pressed: when there are buffers again, keys are told as they are. */
static void test_overflow(void)
{
	struct fixture f = { 0 };
	struct event event;
	bool down[KEY_CNT] = { false };
	unsigned events = 0;

	start(&f, &virtio_keyboard_class, NULL, 2);
	display_key(f.display, 0x1e, true);
	for (unsigned i = 0; i < 1000; i++)
		display_key(f.display, 0x1f, i % 2 == 0);
	display_key(f.display, 0x1e, false);
	display_key(f.display, 0x20, true);
	g_assert_false(virtio_driver_needs_reset(&f.driver));
	while (next_event(&f, &event)) {
		if (event.type == EV_KEY)
			down[event.code] = event.value;
		events++;
	}
	g_assert_cmpuint(events, <, 600);
	g_assert_false(down[KEY_A]);
	g_assert_false(down[KEY_S]);
	g_assert_true(down[KEY_D]);
	virtio_machine_free(f.vm);
}

/* A report for which there are too few buffers waits as a whole. */
static void test_whole_reports(void)
{
	struct fixture f = { 0 };
	uint16_t name;
	uint32_t written;

	start(&f, &virtio_mouse_class, NULL, 2);
	display_pointer_motion(f.display, 1, 1);
	g_assert_false(driver_queue_used(&f.events, &name, &written));
	add_buffer(&f);
	driver_queue_kick(&f.events);
	expect(&f, EV_REL, REL_X, 1);
	expect(&f, EV_REL, REL_Y, 1);
	expect_report(&f);
	virtio_machine_free(f.vm);
}

static void test_small_buffers(void)
{
	struct fixture f = { 0 };
	struct driver_piece small = { .length = 3, .writable = true };
	uint16_t name;
	uint32_t written;

	start(&f, &virtio_keyboard_class, NULL, 0);
	driver_queue_add(&f.events, &small, 1);
	driver_queue_add(&f.events, &small, 1);
	display_key(f.display, 0x1e, true);
	g_assert_true(driver_queue_used(&f.events, &name, &written));
	g_assert_cmpuint(written, ==, 3);
	virtio_machine_free(f.vm);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++)
		g_test_add_data_func(answers[i].name, &answers[i], check_answer);
	g_test_add_func("/input/keys", test_keys);
	g_test_add_func("/input/lights", test_lights);
	g_test_add_func("/input/mouse", test_mouse);
	g_test_add_func("/input/tablet", test_tablet);
	g_test_add_func("/input/touch", test_touch);
	g_test_add_func("/input/overflow", test_overflow);
	g_test_add_func("/input/whole-reports", test_whole_reports);
	g_test_add_func("/input/small-buffers", test_small_buffers);
	return g_test_run();
}
