/* Keyboards, pointers and storage: what a guest reads when somebody types, and the bulk-only transport, right and wrong. */
#include <string.h>

#include "tests/unit/vmm/usb/fake-scsi.h"
#include "tests/unit/vmm/usb/xhci-driver.h"
#include "vmm/pci/config.h"
#include "vmm/usb/usb-input.h"
#include "vmm/usb/usb-storage.h"

enum {
	IN = 3, /* endpoint 1 in, 2 out, by their numbers in contexts */
	OUT = 4,
	CBW = 31,
	CSW = 13,
	QNUM_A = 0x1e,
	QNUM_SHIFT = 0x2a,
	USAGE_A = 4,
};

struct fixture {
	struct xhci_driver *driver;
	struct usb_device *device;
	uint8_t *ram;
	unsigned slot;
};

static void set_configuration(struct fixture *f, uint16_t value)
{
	struct usb_setup setup = { 0, 9, value, 0, 0 };

	g_assert_cmpuint(xhci_driver_control(f->driver, f->slot, &setup, NULL), ==, CODE_SUCCESS);
}

static void open_device(struct fixture *f, gconstpointer class)
{
	f->driver = xhci_driver_new();
	f->ram = f->driver->fake->ram;
	f->device = xhci_driver_add(f->driver, class);
	xhci_driver_start(f->driver);
	f->slot = xhci_driver_open(f->driver, f->device->speed == USB_SPEED_SUPER ? 1 : 5);
	set_configuration(f, 1);
	g_assert_cmpuint(xhci_driver_configure(f->driver, f->slot, IN, ENDPOINT_INTERRUPT_IN), ==,
		CODE_SUCCESS);
}

static void open_storage(struct fixture *f, gconstpointer class)
{
	open_device(f, class);
	g_assert_cmpuint(xhci_driver_configure(f->driver, f->slot, OUT, ENDPOINT_BULK_OUT), ==,
		CODE_SUCCESS);
}

static void close_device(struct fixture *f, gconstpointer class)
{
	xhci_driver_free(f->driver);
}

/* A transfer of one TRB; returns its completion code, 0 while it waits. */
static unsigned move(struct fixture *f, unsigned endpoint, unsigned length, unsigned *moved)
{
	struct xhci_driver_event event;

	xhci_driver_put(f->driver, f->slot, endpoint, DRIVER_BUFFER, length,
		TRB_NORMAL << TRB_TYPE_SHIFT | TRB_EVENT);
	xhci_driver_ring(f->driver, f->slot, endpoint);
	if (!xhci_driver_event_of(f->driver, TRB_TRANSFER_EVENT, &event))
		return 0;
	if (moved)
		*moved = length - event.residue;
	return event.code;
}

static void expect_report(struct fixture *f, unsigned length, const uint8_t *expected)
{
	unsigned moved;

	g_assert_cmpuint(move(f, IN, length, &moved), ==, CODE_SUCCESS);
	g_assert_cmpmem(f->ram + DRIVER_BUFFER, moved, expected, length);
}

/* Keyboard */

static void key(struct fixture *f, uint8_t qnum, bool down)
{
	struct fake_machine *fake = f->driver->fake;

	fake->keyboard->key(fake->keyboard_device, qnum, down);
}

static void test_keys(struct fixture *f, gconstpointer class)
{
	key(f, QNUM_SHIFT, true);
	key(f, QNUM_A, true);
	key(f, QNUM_A, true); /* repeated by whoever types: nothing new */
	key(f, QNUM_A, false);
	key(f, QNUM_SHIFT, false);
	expect_report(f, 8, (const uint8_t[8]) { 2 });
	expect_report(f, 8, (const uint8_t[8]) { 2, 0, USAGE_A });
	expect_report(f, 8, (const uint8_t[8]) { 2 });
	expect_report(f, 8, (const uint8_t[8]) { 0 });
	g_assert_cmpuint(move(f, IN, 8, NULL), ==, 0);
}

static void test_waiting_report(struct fixture *f, gconstpointer class)
{
	struct xhci_driver_event event;

	g_assert_cmpuint(move(f, IN, 8, NULL), ==, 0);
	key(f, QNUM_A, true);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmpuint(event.code, ==, CODE_SUCCESS);
	g_assert_cmpuint(f->ram[DRIVER_BUFFER + 2], ==, USAGE_A);
}

static void test_rollover(struct fixture *f, gconstpointer class)
{
	for (uint8_t i = 0; i < 7; i++)
		key(f, 2 + i, true);
	for (unsigned i = 0; i < 6; i++)
		g_assert_cmpuint(move(f, IN, 8, NULL), ==, CODE_SUCCESS);
	expect_report(f, 8, (const uint8_t[8]) { 0, 0, 1, 1, 1, 1, 1, 1 });
}

/* However much is typed unread, no key stays down. */
static void test_full_queue(struct fixture *f, gconstpointer class)
{
	for (unsigned i = 0; i < 1000; i++) {
		key(f, 2 + i % 8, true);
		key(f, 2 + i % 8, i % 3 == 0);
	}
	for (unsigned i = 0; i < 8; i++)
		key(f, 2 + i, false);
	while (move(f, IN, 8, NULL) == CODE_SUCCESS)
		continue;
	g_assert_cmpmem(f->ram + DRIVER_BUFFER, 8, (const uint8_t[8]) { 0 }, 8);
}

static void test_lights(struct fixture *f, gconstpointer class)
{
	static const struct usb_setup setup = { 0x21, 9, 0x0200, 0, 1 };

	f->ram[DRIVER_BUFFER] = 1 << 1;
	g_assert_cmpuint(xhci_driver_control(f->driver, f->slot, &setup, NULL), ==, CODE_SUCCESS);
	g_assert_cmphex(f->driver->fake->lights, ==, INPUT_LIGHT_CAPS);
}

static void test_given_back(struct fixture *f, gconstpointer class)
{
	g_assert_nonnull(f->driver->fake->keyboard);
	set_configuration(f, 0);
	g_assert_null(f->driver->fake->keyboard);
}

static void test_unknown_request(struct fixture *f, gconstpointer class)
{
	static const struct usb_setup setup = { 0xa1, 0x42, 0, 0, 8 };
	static const struct usb_setup fine = { 0x80, 8, 0, 0, 1 };

	g_assert_cmpuint(xhci_driver_control(f->driver, f->slot, &setup, NULL), ==, CODE_STALL);
	/* The endpoint is halted until it is reset. */
	g_assert_cmpuint(xhci_driver_control(f->driver, f->slot, &fine, NULL), ==, 0);
}

/* A device that sleeps wakes its port when a key is pressed, if the guest allowed that. */
static void test_remote_wakeup(struct fixture *f, gconstpointer class)
{
	static const struct usb_setup allow = { 0, 3, 1, 0, 0 };
	unsigned port = XHCI_OPERATIONAL + PORTS + 4 * PORT_BYTES;
	struct xhci_driver_event event;

	g_assert_cmpuint(xhci_driver_control(f->driver, f->slot, &allow, NULL), ==, CODE_SUCCESS);
	xhci_driver_write(f->driver, port, PORTSC_POWER | PORTSC_CHANGES);
	xhci_driver_write(
		f->driver, port, PORTSC_POWER | PORTSC_LINK_WRITE | LINK_U3 << PORTSC_LINK_SHIFT);
	key(f, QNUM_A, true);
	g_assert_true(xhci_driver_event_of(f->driver, TRB_PORT_EVENT, &event));
	g_assert_cmphex(event.parameter, ==, 5 << 24);
	g_assert_cmphex((xhci_driver_read(f->driver, port) & PORTSC_LINK) >> PORTSC_LINK_SHIFT, ==,
		LINK_RESUME);
	xhci_driver_write(f->driver, port, PORTSC_POWER | PORTSC_LINK_WRITE);
	expect_report(f, 8, (const uint8_t[8]) { 0, 0, USAGE_A });
}

/* Pointers */

static void test_tablet(struct fixture *f, gconstpointer class)
{
	struct fake_machine *fake = f->driver->fake;

	g_assert_true(fake->pointer->absolute);
	fake->pointer->position(fake->pointer_device, 0, 0, 800, 600);
	fake->pointer->position(fake->pointer_device, 799, 599, 800, 600);
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_RIGHT, true);
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_WHEEL_UP, true);
	expect_report(f, 6, (const uint8_t[6]) { 0, 0xff, 0x7f, 0xff, 0x7f, 0 });
	expect_report(f, 6, (const uint8_t[6]) { 2, 0xff, 0x7f, 0xff, 0x7f, 1 });
	g_assert_cmpuint(move(f, IN, 6, NULL), ==, 0);
}

static void test_mouse(struct fixture *f, gconstpointer class)
{
	struct fake_machine *fake = f->driver->fake;

	fake->pointer->motion(fake->pointer_device, 200, -5);
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_LEFT, true);
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_WHEEL_DOWN, true);
	expect_report(f, 4, (const uint8_t[4]) { 0, 127, 0xfb, 0 });
	expect_report(f, 4, (const uint8_t[4]) { 0, 73, 0, 0 });
	expect_report(f, 4, (const uint8_t[4]) { 1, 0, 0, 0xff });
	g_assert_cmpuint(move(f, IN, 4, NULL), ==, 0);
}

/* Storage */

static unsigned send_command(struct fixture *f, uint32_t length, uint8_t flags)
{
	uint8_t *cbw = f->ram + DRIVER_BUFFER;

	memset(cbw, 0, CBW);
	config_set32(cbw, 0x43425355);
	config_set32(cbw + 4, 0x1234);
	config_set32(cbw + 8, length);
	cbw[12] = flags;
	cbw[14] = 6;
	return move(f, OUT, CBW, NULL);
}

static void expect_status(struct fixture *f, uint32_t residue, uint8_t status)
{
	uint8_t csw[CSW] = { 'U', 'S', 'B', 'S', 0x34, 0x12, 0, 0 };
	unsigned moved;

	config_set32(csw + 8, residue);
	csw[12] = status;
	g_assert_cmpuint(move(f, IN, CSW, &moved), ==, CODE_SUCCESS);
	g_assert_cmpmem(f->ram + DRIVER_BUFFER, moved, csw, CSW);
}

/* What the host expects and what the command does: the thirteen cases of section 6.7 and their answers. */
static const struct transport_case {
	const char *name;
	uint32_t expected;
	uint8_t flags;
	enum scsi_direction direction;
	uint64_t length;
	uint8_t scsi_status;
	uint32_t residue;
	uint8_t status;
} transport_cases[] = {
	{ "/storage/none-none", 0, 0, SCSI_NO_DATA, 0, 0, 0, 0 },
	{ "/storage/none-none-failed", 0, 0, SCSI_NO_DATA, 0, SCSI_CHECK_CONDITION, 0, 1 },
	{ "/storage/none-in", 0, 0, SCSI_TO_GUEST, 512, 0, 0, 2 },
	{ "/storage/none-out", 0, 0, SCSI_FROM_GUEST, 512, 0, 0, 2 },
	{ "/storage/in-none", 512, 0x80, SCSI_NO_DATA, 0, SCSI_CHECK_CONDITION, 512, 1 },
	{ "/storage/in-less", 512, 0x80, SCSI_TO_GUEST, 36, 0, 476, 0 },
	{ "/storage/in-same", 512, 0x80, SCSI_TO_GUEST, 512, 0, 0, 0 },
	{ "/storage/in-more", 512, 0x80, SCSI_TO_GUEST, 1024, 0, 0, 2 },
	{ "/storage/in-out", 512, 0x80, SCSI_FROM_GUEST, 512, 0, 512, 2 },
	{ "/storage/out-none", 512, 0, SCSI_NO_DATA, 0, SCSI_CHECK_CONDITION, 512, 1 },
	{ "/storage/out-in", 512, 0, SCSI_TO_GUEST, 512, 0, 512, 2 },
	{ "/storage/out-less", 512, 0, SCSI_FROM_GUEST, 24, 0, 488, 0 },
	{ "/storage/out-same", 512, 0, SCSI_FROM_GUEST, 512, 0, 0, 0 },
	{ "/storage/out-more", 512, 0, SCSI_FROM_GUEST, 1024, 0, 0, 2 },
};

static void test_transport(struct fixture *f, const struct transport_case *c)
{
	bool in = c->flags & 0x80;
	size_t real = in == (c->direction == SCSI_TO_GUEST) ? MIN(c->length, c->expected) : 0;
	uint8_t expected[512] = { 0 };
	unsigned moved;

	memset(fake_scsi.bytes, 0x5a, sizeof(fake_scsi.bytes));
	fake_scsi.direction = c->direction;
	fake_scsi.length = c->length;
	fake_scsi.status = c->scsi_status;
	g_assert_cmpuint(send_command(f, c->expected, c->flags), ==, CODE_SUCCESS);
	if (c->expected > 0) {
		memset(f->ram + DRIVER_BUFFER, 0xa5, 512);
		g_assert_cmpuint(move(f, in ? IN : OUT, 512, &moved), ==, CODE_SUCCESS);
		g_assert_cmpuint(moved, ==, c->expected);
	}
	if (in && c->expected > 0) {
		memset(expected, 0x5a, c->direction == SCSI_TO_GUEST ? real : 0);
		g_assert_cmpmem(f->ram + DRIVER_BUFFER, 512, expected, 512);
	} else if (c->direction == SCSI_FROM_GUEST && real > 0) {
		memset(expected, 0xa5, 512);
		g_assert_cmpmem(fake_scsi.bytes, real, expected, real);
	}
	expect_status(f, c->residue, c->status);
}

static void run_transport(gconstpointer data)
{
	struct fixture f;

	open_storage(&f, &usb_storage_class);
	test_transport(&f, data);
	/* And it goes on. */
	test_transport(&f, &transport_cases[0]);
	close_device(&f, NULL);
}

/* A disk moves whole blocks, whatever the packets are. */
static void test_packets(struct fixture *f, enum scsi_direction direction, unsigned packet)
{
	bool in = direction == SCSI_TO_GUEST;
	uint8_t bytes[3072];

	memset(fake_scsi.bytes, 0, sizeof(fake_scsi.bytes));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7 + i / 256;
	if (in)
		memcpy(fake_scsi.bytes, bytes, sizeof(bytes));
	fake_scsi.direction = direction;
	fake_scsi.length = sizeof(bytes);
	fake_scsi.block = 512;
	g_assert_cmpuint(send_command(f, sizeof(bytes), in ? 0x80 : 0), ==, CODE_SUCCESS);
	for (unsigned at = 0; at < sizeof(bytes); at += packet) {
		unsigned part = MIN(packet, sizeof(bytes) - at);
		uint8_t *buffer = f->ram + DRIVER_BUFFER;

		if (!in)
			memcpy(buffer, bytes + at, part);
		g_assert_cmpuint(move(f, in ? IN : OUT, part, NULL), ==, CODE_SUCCESS);
		if (in)
			g_assert_cmpmem(buffer, part, bytes + at, part);
	}
	expect_status(f, 0, 0);
	g_assert_cmpmem(fake_scsi.bytes, sizeof(bytes), bytes, sizeof(bytes));
}

static void test_small_packets(struct fixture *f, gconstpointer class)
{
	static const unsigned sizes[] = { 64, 100, 500, 1536, 3071 };

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		test_packets(f, SCSI_TO_GUEST, sizes[i]);
		test_packets(f, SCSI_FROM_GUEST, sizes[i]);
	}
}

static void test_late_end(struct fixture *f, gconstpointer class)
{
	struct xhci_driver_event event;

	fake_scsi.later = true;
	g_assert_cmpuint(send_command(f, 0, 0), ==, CODE_SUCCESS);
	g_assert_cmpuint(move(f, IN, CSW, NULL), ==, 0);
	fake_scsi_finish();
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmpuint(event.code, ==, CODE_SUCCESS);
	g_assert_cmpuint(event.residue, ==, 0);
}

/* What is no command halts the transport until all of reset recovery was done (section 5.3.4). */
static void test_recovery(struct fixture *f, gconstpointer class)
{
	static const struct usb_setup reset = { 0x21, 0xff, 0, 0, 0 };
	static const struct usb_setup clear_in = { 2, 1, 0, 0x81, 0 };
	static const struct usb_setup clear_out = { 2, 1, 0, 2, 0 };
	uint32_t slot = f->slot << TRB_SLOT_SHIFT;
	uint64_t at;

	memset(f->ram + DRIVER_BUFFER, 0, CBW);
	g_assert_cmpuint(move(f, OUT, CBW, NULL), ==, CODE_STALL);
	g_assert_cmpuint(xhci_driver_control(f->driver, f->slot, &reset, NULL), ==, CODE_SUCCESS);
	g_assert_cmpuint(
		xhci_driver_control(f->driver, f->slot, &clear_in, NULL), ==, CODE_SUCCESS);
	g_assert_cmpuint(
		xhci_driver_control(f->driver, f->slot, &clear_out, NULL), ==, CODE_SUCCESS);
	g_assert_cmpuint(
		xhci_driver_command(f->driver, 0,
			TRB_RESET_ENDPOINT << TRB_TYPE_SHIFT | OUT << TRB_ENDPOINT_SHIFT | slot,
			NULL),
		==, CODE_SUCCESS);
	at = DRIVER_RINGS + (f->slot - 1) * 0x8000 + OUT * 0x400 +
	     f->driver->next[f->slot][OUT] * TRB_BYTES;
	g_assert_cmpuint(
		xhci_driver_command(f->driver, at | 1,
			TRB_SET_DEQUEUE << TRB_TYPE_SHIFT | OUT << TRB_ENDPOINT_SHIFT | slot, NULL),
		==, CODE_SUCCESS);
	test_transport(f, &transport_cases[6]);
}

static void test_unplugged(struct fixture *f, gconstpointer class)
{
	struct xhci_driver_event event;
	struct device *device = &f->device->device;

	fake_scsi.later = true;
	g_assert_cmpuint(send_command(f, 0, 0), ==, CODE_SUCCESS);
	g_assert_cmpuint(move(f, IN, CSW, NULL), ==, 0);
	g_ptr_array_remove(f->driver->fake->machine.devices, device);
	device_free(device);
	g_assert_cmpuint(fake_scsi.cancelled, ==, 1);
	g_assert_true(xhci_driver_event_of(f->driver, TRB_PORT_EVENT, &event));
	g_assert_cmpuint(move(f, OUT, CBW, NULL), ==, CODE_TRANSACTION_ERROR);
}

#define ADD(name, class, open, test) \
	g_test_add(name, struct fixture, &class, open, test, close_device)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/keyboard/keys", usb_keyboard_class, open_device, test_keys);
	ADD("/keyboard/waiting", usb_keyboard_class, open_device, test_waiting_report);
	ADD("/keyboard/rollover", usb_keyboard_class, open_device, test_rollover);
	ADD("/keyboard/full-queue", usb_keyboard_class, open_device, test_full_queue);
	ADD("/keyboard/lights", usb_keyboard_class, open_device, test_lights);
	ADD("/keyboard/given-back", usb_keyboard_class, open_device, test_given_back);
	ADD("/keyboard/unknown-request", usb_keyboard_class, open_device, test_unknown_request);
	ADD("/keyboard/remote-wakeup", usb_keyboard_class, open_device, test_remote_wakeup);
	ADD("/tablet", usb_tablet_class, open_device, test_tablet);
	ADD("/mouse", usb_mouse_class, open_device, test_mouse);
	for (size_t i = 0; i < G_N_ELEMENTS(transport_cases); i++)
		g_test_add_data_func(transport_cases[i].name, &transport_cases[i], run_transport);
	ADD("/storage/small-packets", usb_storage_class, open_storage, test_small_packets);
	ADD("/storage/late-end", usb_storage_class, open_storage, test_late_end);
	ADD("/storage/recovery", usb_storage_class, open_storage, test_recovery);
	ADD("/storage/unplugged", usb_storage_class, open_storage, test_unplugged);
	return g_test_run();
}
