/* The UHCI controller: its registers, its schedule with everything that a driver may do wrong there, ports and sleep. */
#include <string.h>

#include "tests/unit/vmm/usb/fake-scsi.h"
#include "tests/unit/vmm/usb/uhci-driver.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/usb/usb-input.h"
#include "vmm/usb/usb-storage.h"

enum {
	LINE = 16,
	CBW = 31,
	QNUM_A = 0x1e,
	USAGE_A = 4,
};

static const struct usb_setup get_device = { 0x80, 6, 0x0100, 0, 18 };
static const struct usb_setup get_string = { 0x80, 6, 0x0303, 0x0409, 255 };
static const struct usb_setup set_lights = { 0x21, 9, 0x0200, 0, 1 };
static const struct usb_setup allow_wakeup = { 0, 3, 1, 0, 0 };
static const struct usb_setup unknown = { 0xa1, 0x42, 0, 0, 8 };

struct fixture {
	struct uhci_driver *driver;
	struct fake_machine *fake;
	struct usb_device *device;
	uint8_t *ram;
};

static void set_up(struct fixture *f, gconstpointer class)
{
	f->driver = uhci_driver_new();
	f->fake = f->driver->fake;
	f->ram = f->fake->ram;
	f->device = class ? uhci_driver_add(f->driver, class) : NULL;
}

static void set_up_open(struct fixture *f, gconstpointer class)
{
	set_up(f, class);
	uhci_driver_start(f->driver);
	uhci_driver_open(f->driver);
}

static void tear_down(struct fixture *f, gconstpointer class)
{
	uhci_driver_free(f->driver);
}

static void key(struct fixture *f, uint8_t qnum, bool down)
{
	f->fake->keyboard->key(f->fake->keyboard_device, qnum, down);
}

static unsigned ask_report(struct fixture *f, uint32_t flags)
{
	uhci_driver_clear(f->driver);
	return uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 8, DRIVER_BUFFER, flags);
}

/* Registers */

static void test_registers(struct fixture *f, gconstpointer class)
{
	struct io_space *ports = &f->fake->machine.ports;
	const struct pci_device *pci = (const struct pci_device *)f->driver->controller;

	g_assert_cmphex(pci->config[0x60], ==, 0x10);
	g_assert_cmphex(config_get16(pci->config + 0xc0), ==, 0x2000);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_COMMAND), ==, 0);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_HALTED);
	g_assert_cmphex(io_space_read(ports, DRIVER_REGISTERS + UHCI_SOF, 1), ==, 0x40);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_PORT_1), ==,
		UHCI_PORT_ALWAYS | UHCI_PORT_CONNECTED | UHCI_PORT_CONNECT_CHANGE);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_PORT_2), ==, UHCI_PORT_ALWAYS);
	/* There is no third port. */
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_PORT_2 + 2) & UHCI_PORT_ALWAYS, ==, 0);

	io_space_write(ports, DRIVER_REGISTERS + UHCI_FRAME_LIST, 4, 0x12345fff);
	g_assert_cmphex(
		io_space_read(ports, DRIVER_REGISTERS + UHCI_FRAME_LIST, 4), ==, 0x12345000);
	io_space_write(ports, DRIVER_REGISTERS + UHCI_SOF, 1, 0xc1);
	g_assert_cmphex(io_space_read(ports, DRIVER_REGISTERS + UHCI_SOF, 1), ==, 0x41);
	uhci_driver_write(f->driver, UHCI_FRAME, 0xffff);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_FRAME), ==, UHCI_FRAME_MASK);
	uhci_driver_write(f->driver, UHCI_INTERRUPTS, 0xffff);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_INTERRUPTS), ==, UHCI_INTERRUPTS_MASK);
	uhci_driver_write(f->driver, UHCI_COMMAND, UHCI_RESET);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_COMMAND), ==, 0);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_FRAME), ==, 0);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_INTERRUPTS), ==, 0);
}

static void test_frames_pass(struct fixture *f, gconstpointer class)
{
	uint16_t frame;

	uhci_driver_start(f->driver);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, 0);
	uhci_driver_pass(f->driver, 3 * UHCI_QUIET);
	/* While it runs, the number is its own. */
	frame = uhci_driver_read(f->driver, UHCI_FRAME);
	uhci_driver_write(f->driver, UHCI_FRAME, frame ^ 0x400);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_FRAME) & 0x400, ==, frame & 0x400);
	f->driver->controller->class->set_running(f->driver->controller, false);
	frame = uhci_driver_read(f->driver, UHCI_FRAME);
	g_assert_cmpint(
		g_source_get_ready_time(((struct uhci *)f->driver->controller)->timer), ==, -1);
	g_assert_cmpuint(uhci_driver_read(f->driver, UHCI_FRAME), ==, frame);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, 0);
	f->driver->controller->class->set_running(f->driver->controller, true);
	uhci_driver_pass(f->driver, 2);
	uhci_driver_write(f->driver, UHCI_COMMAND, 0);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_HALTED);
	g_assert_cmpint(
		g_source_get_ready_time(((struct uhci *)f->driver->controller)->timer), ==, -1);
}

/* Transfers */

static void test_descriptors(struct fixture *f, gconstpointer class)
{
	g_assert_cmphex(uhci_driver_control(f->driver, &get_device) & TD_STALLED, ==, 0);
	g_assert_cmphex(f->ram[DRIVER_BUFFER + 1], ==, 1);
	g_assert_cmphex(config_get16(f->ram + DRIVER_BUFFER + 8), ==, 0x0627);
	g_assert_cmpuint(uhci_driver_moved(f->driver, 3), ==, 2);
	/* In one packet of 255 bytes, as nobody checks what fits: less than was asked for. */
	uhci_driver_clear(f->driver);
	memcpy(f->ram + DRIVER_SETUP, &get_string, sizeof(get_string));
	uhci_driver_put(f->driver, PID_SETUP, f->driver->address, 0, 8, DRIVER_SETUP, 0);
	uhci_driver_put(f->driver, PID_IN, f->driver->address, 0, 255, DRIVER_BUFFER, 0);
	uhci_driver_put(f->driver, PID_OUT, f->driver->address, 0, 0, 0, 0);
	g_assert_cmphex(uhci_driver_run(f->driver) & TD_STALLED, ==, 0);
	g_assert_cmpuint(uhci_driver_moved(f->driver, 1), ==, 2 + 2 * strlen("QEMU USB Tablet"));
}

static void test_data_out(struct fixture *f, gconstpointer class)
{
	f->ram[DRIVER_BUFFER] = 1 << 1;
	g_assert_cmphex(uhci_driver_control(f->driver, &set_lights) & TD_STALLED, ==, 0);
	g_assert_cmphex(f->fake->lights, ==, INPUT_LIGHT_CAPS);
}

/* A request that is refused: the data or status stage says so; the next one begins anew. */
static void test_stall(struct fixture *f, gconstpointer class)
{
	g_assert_cmphex(uhci_driver_control(f->driver, &unknown) & (TD_STALLED | TD_ACTIVE), ==,
		TD_STALLED);
	g_assert_cmphex(uhci_driver_status(f->driver, 0) & TD_STALLED, ==, 0);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_ERROR);
	g_assert_true(f->fake->levels[LINE]);
	uhci_driver_write(f->driver, UHCI_STATUS, UHCI_ERROR);
	g_assert_false(f->fake->levels[LINE]);
	test_descriptors(f, class);
}

/* What no driver does: tokens of endpoint 0 that are no control transfer. */
static void test_wrong_stages(struct fixture *f, gconstpointer class)
{
	static const struct {
		uint8_t pid, length;
		uint8_t setup[8];
	} cases[] = {
		{ PID_IN, 8, { 0 } },                               /* nothing before it */
		{ PID_OUT, 8, { 0 } },                              /* the same */
		{ PID_OUT, 4, { 0x21, 9, 0, 2, 0, 0, 1, 0 } },      /* more data than announced */
		{ PID_IN, 0, { 0x21, 9, 0, 2, 0, 0, 1, 0 } },       /* its status before its data */
		{ PID_OUT, 0, { 0, 9, 1, 0, 0, 0, 0, 0 } },         /* the wrong way */
		{ PID_IN, 8, { 0x80, 6, 0, 0x77, 0, 0, 8, 0 } },    /* no such descriptor */
		{ PID_IN, 8, { 0xa1, 1, 0, 2, 0, 0, 0xff, 0xff } }, /* no such report, 64 KiB */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uhci_driver_clear(f->driver);
		memcpy(f->ram + DRIVER_SETUP, cases[i].setup, 8);
		if (i >= 2)
			uhci_driver_put(
				f->driver, PID_SETUP, f->driver->address, 0, 8, DRIVER_SETUP, 0);
		uhci_driver_put(f->driver, cases[i].pid, f->driver->address, 0, cases[i].length,
			DRIVER_BUFFER, 0);
		g_assert_cmphex(uhci_driver_run(f->driver) & TD_STALLED, ==, TD_STALLED);
	}
	/* A setup of another length. */
	uhci_driver_clear(f->driver);
	uhci_driver_put(f->driver, PID_SETUP, f->driver->address, 0, 7, DRIVER_SETUP, 0);
	g_assert_cmphex(uhci_driver_run(f->driver) & TD_STALLED, ==, TD_STALLED);
	test_descriptors(f, class);
}

static void test_report(struct fixture *f, gconstpointer class)
{
	unsigned report = ask_report(f, TD_ON_COMPLETE);

	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 2);
	g_assert_cmphex(uhci_driver_status(f->driver, report) & (TD_ACTIVE | TD_NAK), ==,
		TD_ACTIVE | TD_NAK);
	g_assert_false(f->fake->levels[LINE]);
	uhci_driver_pass(f->driver, 2 * UHCI_QUIET);
	key(f, QNUM_A, true);
	uhci_driver_run(f->driver);
	g_assert_cmpuint(uhci_driver_moved(f->driver, report), ==, 8);
	g_assert_cmphex(uhci_driver_status(f->driver, report) & (TD_ACTIVE | TD_NAK), ==, 0);
	g_assert_cmpuint(f->ram[DRIVER_BUFFER + 2], ==, USAGE_A);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_INTERRUPT);
	g_assert_true(f->fake->levels[LINE]);
	uhci_driver_write(f->driver, UHCI_INTERRUPTS, 0);
	g_assert_false(f->fake->levels[LINE]);
	uhci_driver_write(f->driver, UHCI_INTERRUPTS, UHCI_ON_COMPLETE);
	g_assert_true(f->fake->levels[LINE]);
	uhci_driver_write(f->driver, UHCI_STATUS, UHCI_INTERRUPT);
	g_assert_false(f->fake->levels[LINE]);
	/* The queue is empty now: what came after the last descriptor. */
	g_assert_cmphex(config_get32(f->ram + DRIVER_QUEUE + 4), ==, LINK_END);
}

/* Data that end early stop their queue where the driver wants that, and go on where it does not. */
static void test_short(struct fixture *f, gconstpointer class)
{
	key(f, QNUM_A, true);
	key(f, QNUM_A, false);
	uhci_driver_clear(f->driver);
	uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 16, DRIVER_BUFFER, TD_ON_SHORT);
	uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 16, DRIVER_BUFFER, 0);
	uhci_driver_write(f->driver, UHCI_INTERRUPTS, UHCI_ON_SHORT);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 4);
	g_assert_cmphex(uhci_driver_status(f->driver, 0) & TD_ACTIVE, ==, 0);
	g_assert_cmphex(uhci_driver_status(f->driver, 1) & TD_ACTIVE, ==, TD_ACTIVE);
	g_assert_true(f->fake->levels[LINE]);
	g_assert_cmphex(config_get32(f->ram + DRIVER_QUEUE + 4), ==, DRIVER_DESCRIPTORS);
	config_set32(f->ram + DRIVER_QUEUE + 4, DRIVER_DESCRIPTORS + 0x20);
	uhci_driver_pass(f->driver, 2);
	g_assert_cmphex(uhci_driver_status(f->driver, 1) & TD_ACTIVE, ==, 0);
}

static void test_no_answer(struct fixture *f, gconstpointer class)
{
	uhci_driver_clear(f->driver);
	uhci_driver_put(f->driver, PID_IN, 77, 1, 8, DRIVER_BUFFER, 0);
	g_assert_cmphex(uhci_driver_run(f->driver) & (TD_TIMEOUT | TD_STALLED | TD_RETRIES), ==,
		TD_TIMEOUT | TD_STALLED);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_ERROR);
	/* An endpoint that the device does not have. */
	uhci_driver_clear(f->driver);
	uhci_driver_put(f->driver, PID_OUT, f->driver->address, 9, 8, DRIVER_BUFFER, 0);
	g_assert_cmphex(uhci_driver_run(f->driver) & TD_STALLED, ==, TD_STALLED);
	/* Without a limit of retries it goes on. */
	uhci_driver_clear(f->driver);
	uhci_driver_put(f->driver, PID_IN, 77, 1, 8, DRIVER_BUFFER, 0);
	config_set32(f->ram + DRIVER_DESCRIPTORS + 4, TD_ACTIVE);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 4);
	g_assert_cmphex(uhci_driver_status(f->driver, 0), ==, TD_ACTIVE | TD_TIMEOUT);
}

/* The end of a frame, as drivers ask for it. */
static void test_inactive(struct fixture *f, gconstpointer class)
{
	ask_report(f, 0);
	config_set32(f->ram + DRIVER_DESCRIPTORS + 4, TD_ON_COMPLETE);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 2);
	g_assert_true(f->fake->levels[LINE]);
	g_assert_cmphex(uhci_driver_status(f->driver, 0), ==, TD_ON_COMPLETE);
}

/* The schedule */

/* One after the other within a frame, or one in each, as the link says. */
static void test_depth(struct fixture *f, gconstpointer class)
{
	uint16_t before;

	for (unsigned i = 0; i < 4; i++)
		key(f, QNUM_A, i % 2 == 0);
	uhci_driver_clear(f->driver);
	for (unsigned i = 0; i < 4; i++)
		uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 8, DRIVER_BUFFER, 0);
	for (unsigned i = 0; i < 3; i++)
		config_set32(f->ram + DRIVER_DESCRIPTORS + 0x20 * i,
			DRIVER_DESCRIPTORS + 0x20 * (i + 1));
	before = uhci_driver_read(f->driver, UHCI_FRAME);
	uhci_driver_run(f->driver);
	g_assert_cmpuint(
		(uhci_driver_read(f->driver, UHCI_FRAME) - before) & UHCI_FRAME_MASK, >=, 4);
}

/* A queue that leads back to itself has the rest of the frame, and the frame ends all the same. */
static void test_ring(struct fixture *f, gconstpointer class)
{
	uint8_t *queue = f->ram + DRIVER_QUEUE;

	config_set32(queue, DRIVER_QUEUE | LINK_QUEUE);
	uhci_driver_pass(f->driver, 2);
	ask_report(f, 0);
	config_set32(queue, DRIVER_QUEUE | LINK_QUEUE);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 2);
	/* Descriptors in a ring, which no frame ever gets to the end of. */
	config_set32(f->ram + DRIVER_FRAMES, DRIVER_DESCRIPTORS);
	for (unsigned i = 0; i < UHCI_FRAMES; i++)
		config_set32(f->ram + DRIVER_FRAMES + 4 * i, DRIVER_DESCRIPTORS);
	config_set32(f->ram + DRIVER_DESCRIPTORS, DRIVER_DESCRIPTORS);
	uhci_driver_pass(f->driver, 2);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS) & UHCI_HALTED, ==, 0);
}

static const struct fatal_case {
	const char *name;
	unsigned at; /* in the guest's memory */
	uint32_t value;
	uint16_t error;
} fatal_cases[] = {
	{ "/dead/token", DRIVER_DESCRIPTORS + 8, 0x12, UHCI_PROCESS_ERROR },
	{ "/dead/length", DRIVER_DESCRIPTORS + 8, 0x500u << 21 | PID_IN, UHCI_PROCESS_ERROR },
	{ "/dead/buffer", DRIVER_DESCRIPTORS + 12, 0xf0000000, UHCI_SYSTEM_ERROR },
	{ "/dead/descriptor", DRIVER_QUEUE + 4, 0xf0000000, UHCI_SYSTEM_ERROR },
	{ "/dead/queue", DRIVER_QUEUE, 0xf0000002, UHCI_SYSTEM_ERROR },
};

static void check_fatal(gconstpointer data)
{
	const struct fatal_case *c = data;
	struct fixture f;

	set_up_open(&f, &usb_keyboard_class);
	key(&f, QNUM_A, true);
	ask_report(&f, 0);
	uhci_driver_go(f.driver);
	config_set32(f.ram + c->at, c->value);
	while (!(uhci_driver_read(f.driver, UHCI_STATUS) & UHCI_HALTED))
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmphex(uhci_driver_read(f.driver, UHCI_STATUS), ==, UHCI_HALTED | c->error);
	g_assert_cmphex(uhci_driver_read(f.driver, UHCI_COMMAND), ==, 0);
	g_assert_true(f.fake->levels[LINE]);
	/* A reset brings it back. */
	uhci_driver_write(f.driver, UHCI_COMMAND, UHCI_RESET);
	g_assert_false(f.fake->levels[LINE]);
	uhci_driver_start(f.driver);
	uhci_driver_open(f.driver);
	tear_down(&f, NULL);
}

static void test_not_a_master(struct fixture *f, gconstpointer class)
{
	pci_device_config_write(
		(struct pci_device *)f->driver->controller, PCI_COMMAND, 2, PCI_COMMAND_PORTS);
	while (!(uhci_driver_read(f->driver, UHCI_STATUS) & UHCI_HALTED))
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmphex(
		uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_HALTED | UHCI_SYSTEM_ERROR);
}

/* Ports */

static void test_port(struct fixture *f, gconstpointer class)
{
	struct uhci_driver *driver = f->driver;

	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_CONNECT_CHANGE);
	g_assert_cmphex(
		uhci_driver_read(driver, UHCI_PORT_1), ==, UHCI_PORT_ALWAYS | UHCI_PORT_CONNECTED);
	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_RESET | UHCI_PORT_ENABLED);
	g_assert_cmphex(uhci_driver_read(driver, UHCI_PORT_1), ==,
		UHCI_PORT_ALWAYS | UHCI_PORT_CONNECTED | UHCI_PORT_RESET);
	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_ENABLED);
	g_assert_cmphex(uhci_driver_read(driver, UHCI_PORT_1), ==,
		UHCI_PORT_ALWAYS | UHCI_PORT_CONNECTED | UHCI_PORT_ENABLED);
	/* One without a device cannot be enabled. */
	uhci_driver_write(driver, UHCI_PORT_2, UHCI_PORT_ENABLED | UHCI_PORT_SUSPENDED);
	g_assert_cmphex(uhci_driver_read(driver, UHCI_PORT_2), ==, UHCI_PORT_ALWAYS);

	g_ptr_array_remove(f->fake->machine.devices, f->device);
	device_free(&f->device->device);
	g_assert_cmphex(uhci_driver_read(driver, UHCI_PORT_1), ==,
		UHCI_PORT_ALWAYS | UHCI_PORT_CONNECT_CHANGE | UHCI_PORT_ENABLE_CHANGE);
	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_CHANGES);
	g_assert_cmphex(uhci_driver_read(driver, UHCI_PORT_1), ==, UHCI_PORT_ALWAYS);
}

static void test_global_reset(struct fixture *f, gconstpointer class)
{
	uhci_driver_write(f->driver, UHCI_COMMAND, UHCI_GLOBAL_RESET);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_COMMAND), ==, UHCI_GLOBAL_RESET);
	g_assert_cmpuint(f->device->address, ==, 0);
	uhci_driver_write(f->driver, UHCI_COMMAND, 0);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_PORT_1), ==,
		UHCI_PORT_ALWAYS | UHCI_PORT_CONNECTED | UHCI_PORT_CONNECT_CHANGE);
}

/* A key wakes a port that sleeps; while it does, the device does not answer. */
static void test_port_sleeps(struct fixture *f, gconstpointer class)
{
	unsigned report;

	uhci_driver_control(f->driver, &allow_wakeup);
	uhci_driver_write(f->driver, UHCI_STATUS, 0x1f);
	uhci_driver_write(f->driver, UHCI_PORT_1, UHCI_PORT_ENABLED | UHCI_PORT_SUSPENDED);
	report = ask_report(f, 0);
	g_assert_cmphex(uhci_driver_run(f->driver) & TD_TIMEOUT, ==, TD_TIMEOUT);
	uhci_driver_write(f->driver, UHCI_STATUS, 0x1f);
	key(f, QNUM_A, true);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_RESUME_DETECTED);
	g_assert_true(f->fake->levels[LINE]);
	g_assert_cmphex(
		uhci_driver_read(f->driver, UHCI_PORT_1) & UHCI_PORT_RESUME, ==, UHCI_PORT_RESUME);
	uhci_driver_write(f->driver, UHCI_PORT_1, UHCI_PORT_ENABLED);
	report = ask_report(f, 0);
	uhci_driver_run(f->driver);
	g_assert_cmpuint(uhci_driver_moved(f->driver, report), ==, 8);
}

static void test_all_sleeps(struct fixture *f, gconstpointer class)
{
	uhci_driver_write(f->driver, UHCI_COMMAND, UHCI_SUSPEND);
	uhci_driver_write(f->driver, UHCI_INTERRUPTS, UHCI_ON_RESUME);
	key(f, QNUM_A, true);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_STATUS) & UHCI_RESUME_DETECTED, ==, 0);
	uhci_driver_add(f->driver, &usb_mouse_class);
	g_assert_cmphex(
		uhci_driver_read(f->driver, UHCI_STATUS), ==, UHCI_HALTED | UHCI_RESUME_DETECTED);
	g_assert_cmphex(uhci_driver_read(f->driver, UHCI_COMMAND), ==, UHCI_SUSPEND | UHCI_RESUME);
	g_assert_true(f->fake->levels[LINE]);
}

/* Storage: devices that take their time */

static void put_command(struct fixture *f, uint32_t length, uint8_t flags)
{
	uint8_t *cbw = f->ram + DRIVER_BUFFER;

	memset(cbw, 0, CBW);
	config_set32(cbw, 0x43425355);
	config_set32(cbw + 8, length);
	cbw[12] = flags;
	cbw[14] = 6;
	uhci_driver_clear(f->driver);
	uhci_driver_put(f->driver, PID_OUT, f->driver->address, 2, CBW, DRIVER_BUFFER, 0);
	uhci_driver_run(f->driver);
	uhci_driver_clear(f->driver);
}

/* A frame has time for so many bytes; the rest comes in the next one. */
static void test_bandwidth(struct fixture *f, gconstpointer class)
{
	struct uhci *uhci = (struct uhci *)f->driver->controller;
	unsigned done = 0;

	fake_scsi.direction = SCSI_TO_GUEST;
	fake_scsi.length = 4096;
	put_command(f, 4096, 0x80);
	uhci_driver_write(f->driver, UHCI_COMMAND, 0);
	for (unsigned i = 0; i < 4; i++)
		uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 600, DRIVER_BUFFER, 0);
	uhci_driver_go(f->driver);
	uhci_driver_write(f->driver, UHCI_COMMAND, UHCI_RUN);
	uhci->next_frame = g_get_monotonic_time();
	uhci_run_frames(uhci);
	for (unsigned i = 0; i < 4; i++)
		done += !(uhci_driver_status(f->driver, i) & TD_ACTIVE);
	g_assert_cmpuint(done, >=, 2);
	g_assert_cmpuint(done, <=, 2 * uhci_driver_read(f->driver, UHCI_FRAME));
}

/* A sector in packets of 64 bytes, of a disk that moves whole blocks. */
static void test_blocks(struct fixture *f, gconstpointer class)
{
	fake_scsi.block = 512;
	fake_scsi.direction = SCSI_TO_GUEST;
	fake_scsi.length = 1024;
	for (unsigned i = 0; i < 1024; i++)
		fake_scsi.bytes[i] = i * 7;
	put_command(f, 1024, 0x80);
	for (unsigned i = 0; i < 1024; i += 64)
		uhci_driver_put(
			f->driver, PID_IN, f->driver->address, 1, 64, DRIVER_BUFFER + 0x100 + i, 0);
	uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 13, DRIVER_BUFFER, 0);
	uhci_driver_run(f->driver);
	g_assert_cmpmem(f->ram + DRIVER_BUFFER + 0x100, 1024, fake_scsi.bytes, 1024);
	g_assert_cmphex(config_get32(f->ram + DRIVER_BUFFER), ==, 0x53425355);
	g_assert_cmphex(config_get32(f->ram + DRIVER_BUFFER + 8), ==, 0);
}

static void test_later(struct fixture *f, gconstpointer class)
{
	unsigned status;

	fake_scsi.later = true;
	put_command(f, 0, 0);
	status = uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 13, DRIVER_BUFFER, 0);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 3 * UHCI_FORGOTTEN);
	g_assert_cmphex(uhci_driver_status(f->driver, status) & TD_ACTIVE, ==, TD_ACTIVE);
	fake_scsi_finish();
	uhci_driver_run(f->driver);
	g_assert_cmpuint(uhci_driver_moved(f->driver, status), ==, 13);
}

/* The driver takes a descriptor out of the schedule: after a while nobody waits for it any more. */
static void test_taken_out(struct fixture *f, gconstpointer class)
{
	fake_scsi.later = true;
	put_command(f, 0, 0);
	uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 13, DRIVER_BUFFER, 0);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 2);
	uhci_driver_clear(f->driver);
	uhci_driver_pass(f->driver, 2);
	g_assert_cmpuint(fake_scsi.cancelled, ==, 0);
	uhci_driver_pass(f->driver, UHCI_FORGOTTEN + 1);
	g_assert_cmpuint(fake_scsi.cancelled, ==, 1);
}

static void test_unplugged(struct fixture *f, gconstpointer class)
{
	fake_scsi.later = true;
	put_command(f, 0, 0);
	uhci_driver_put(f->driver, PID_IN, f->driver->address, 1, 13, DRIVER_BUFFER, 0);
	uhci_driver_go(f->driver);
	uhci_driver_pass(f->driver, 2);
	g_ptr_array_remove(f->fake->machine.devices, f->device);
	device_free(&f->device->device);
	g_assert_cmpuint(fake_scsi.cancelled, ==, 1);
	g_assert_cmphex(uhci_driver_run(f->driver) & TD_TIMEOUT, ==, TD_TIMEOUT);
}

#define ADD(name, class, open, test) g_test_add(name, struct fixture, class, open, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/registers", &usb_keyboard_class, set_up, test_registers);
	ADD("/frames", NULL, set_up, test_frames_pass);
	ADD("/transfers/descriptors", &usb_tablet_class, set_up_open, test_descriptors);
	ADD("/transfers/data-out", &usb_keyboard_class, set_up_open, test_data_out);
	ADD("/transfers/stall", &usb_tablet_class, set_up_open, test_stall);
	ADD("/transfers/wrong-stages", &usb_tablet_class, set_up_open, test_wrong_stages);
	ADD("/transfers/report", &usb_keyboard_class, set_up_open, test_report);
	ADD("/transfers/short", &usb_keyboard_class, set_up_open, test_short);
	ADD("/transfers/no-answer", &usb_keyboard_class, set_up_open, test_no_answer);
	ADD("/transfers/inactive", &usb_keyboard_class, set_up_open, test_inactive);
	ADD("/schedule/depth", &usb_keyboard_class, set_up_open, test_depth);
	ADD("/schedule/ring", &usb_keyboard_class, set_up_open, test_ring);
	ADD("/schedule/bandwidth", &usb_storage_class, set_up_open, test_bandwidth);
	for (size_t i = 0; i < G_N_ELEMENTS(fatal_cases); i++)
		g_test_add_data_func(fatal_cases[i].name, &fatal_cases[i], check_fatal);
	ADD("/dead/not-a-master", &usb_keyboard_class, set_up_open, test_not_a_master);
	ADD("/port", &usb_keyboard_class, set_up, test_port);
	ADD("/reset", &usb_keyboard_class, set_up_open, test_global_reset);
	ADD("/sleep/port", &usb_keyboard_class, set_up_open, test_port_sleeps);
	ADD("/sleep/all", &usb_keyboard_class, set_up_open, test_all_sleeps);
	ADD("/storage/blocks", &usb_storage_class, set_up_open, test_blocks);
	ADD("/storage/later", &usb_storage_class, set_up_open, test_later);
	ADD("/storage/taken-out", &usb_storage_class, set_up_open, test_taken_out);
	ADD("/storage/unplugged", &usb_storage_class, set_up_open, test_unplugged);
	return g_test_run();
}
