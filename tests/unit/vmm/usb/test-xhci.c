/* The host controller: registers as QEMU's, each command, each way of asking for events, and what a wrong guest gets. */
#include <string.h>

#include "tests/unit/vmm/fake-kvm.h"
#include "tests/unit/vmm/usb/xhci-driver.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/pci/pci.h"
#include "vmm/usb/usb-input.h"

enum {
	COMMAND = XHCI_OPERATIONAL + USBCMD,
	STATUS = XHCI_OPERATIONAL + USBSTS,
	PORT_5 = XHCI_OPERATIONAL + PORTS + 4 * PORT_BYTES,
	NOWHERE = 0x40000000,
	AT_MSIX = 0x90,
	RING_1 = DRIVER_RINGS + 0x400, /* of slot 1, endpoint 0 */
};

#define TYPE(type) ((uint32_t)(type) << TRB_TYPE_SHIFT)
#define SLOT(slot) ((uint32_t)(slot) << TRB_SLOT_SHIFT)

/* Read from QEMU 7.2's qemu-xhci. */
static const struct register_case {
	unsigned offset;
	uint32_t value;
} registers[] = {
	{ 0x00, 0x01000040 }, { 0x04, 0x08001040 }, { 0x08, 0x0000000f }, { 0x0c, 0 },
	{ 0x10, 0x00080001 }, /* there: 0x00087001, with streams, which no device of ours has */
	{ 0x14, 0x00002000 }, { 0x18, 0x00001000 }, { 0x20, 0x02000402 }, { 0x24, 0x20425355 },
	{ 0x28, 0x00000405 }, { 0x30, 0x03000002 }, { 0x34, 0x20425355 }, { 0x38, 0x00000401 },
	{ 0x40, 0 }, { 0x44, USBSTS_HALTED }, { 0x48, 1 },
	{ 0x440, 0x000002a0 }, /* a port without a device */
};

static void test_registers(void)
{
	struct xhci_driver *driver = xhci_driver_new();

	for (size_t i = 0; i < G_N_ELEMENTS(registers); i++)
		g_assert_cmphex(
			xhci_driver_read(driver, registers[i].offset), ==, registers[i].value);
	xhci_driver_free(driver);
}

struct fixture {
	struct xhci_driver *driver;
	uint8_t *ram;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->driver = xhci_driver_new();
	f->ram = f->driver->fake->ram;
	xhci_driver_add(f->driver, &usb_keyboard_class);
	xhci_driver_start(f->driver);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	xhci_driver_free(f->driver);
}

static unsigned run(struct fixture *f, uint64_t parameter, uint32_t control)
{
	return xhci_driver_command(f->driver, parameter, control, NULL);
}

static void expect_dead(struct fixture *f)
{
	g_assert_true(xhci_driver_read(f->driver, STATUS) & USBSTS_CONTROLLER_ERROR);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, 0);
	/* A reset makes it as new. */
	xhci_driver_write(f->driver, COMMAND, USBCMD_RESET);
	g_assert_false(xhci_driver_read(f->driver, STATUS) & USBSTS_CONTROLLER_ERROR);
	xhci_driver_start(f->driver);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, CODE_SUCCESS);
}

static void test_port(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(xhci_driver_read(f->driver, PORT_5), ==, 0x00020ee1);
	xhci_driver_write(f->driver, PORT_5, PORTSC_POWER | PORTSC_RESET);
	g_assert_cmphex(xhci_driver_read(f->driver, PORT_5), ==, 0x00220e03);
	xhci_driver_write(f->driver, PORT_5, PORTSC_POWER | PORTSC_CHANGES);
	g_assert_cmphex(xhci_driver_read(f->driver, PORT_5), ==, 0x00000e03);
	xhci_driver_write(f->driver, PORT_5, PORTSC_POWER | PORTSC_ENABLED);
	g_assert_false(xhci_driver_read(f->driver, PORT_5) & PORTSC_ENABLED);
}

static void test_commands_without_a_slot(struct fixture *f, gconstpointer data)
{
	static const struct {
		uint8_t type;
		unsigned code;
	} cases[] = {
		{ TRB_NO_OP_COMMAND, CODE_SUCCESS },
		{ TRB_DISABLE_SLOT, CODE_SLOT_NOT_ENABLED },
		{ TRB_ADDRESS_DEVICE, CODE_SLOT_NOT_ENABLED },
		{ TRB_CONFIGURE_ENDPOINT, CODE_SLOT_NOT_ENABLED },
		{ TRB_EVALUATE_CONTEXT, CODE_SLOT_NOT_ENABLED },
		{ TRB_RESET_ENDPOINT, CODE_SLOT_NOT_ENABLED },
		{ TRB_STOP_ENDPOINT, CODE_SLOT_NOT_ENABLED },
		{ TRB_SET_DEQUEUE, CODE_SLOT_NOT_ENABLED },
		{ TRB_RESET_DEVICE, CODE_SLOT_NOT_ENABLED },
		{ TRB_FORCE_EVENT, CODE_TRB_ERROR },
		{ TRB_NEGOTIATE_BANDWIDTH, CODE_TRB_ERROR },
		{ TRB_SET_LATENCY, CODE_TRB_ERROR },
		{ TRB_FORCE_HEADER, CODE_TRB_ERROR },
		{ TRB_NORMAL, CODE_TRB_ERROR },
		{ 63, CODE_TRB_ERROR },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpuint(run(f, 0, TYPE(cases[i].type) | SLOT(1)), ==, cases[i].code);
		g_assert_cmpuint(run(f, 0, TYPE(cases[i].type) | SLOT(255)), ==, cases[i].code);
	}
	g_assert_cmpuint(run(f, DRIVER_BUFFER, TYPE(TRB_GET_BANDWIDTH)), ==, CODE_SUCCESS);
	g_assert_cmpuint(run(f, NOWHERE, TYPE(TRB_GET_BANDWIDTH)), ==, CODE_TRB_ERROR);
}

static void test_slots_run_out(struct fixture *f, gconstpointer data)
{
	unsigned slot;

	for (unsigned i = 1; i <= 64; i++) {
		g_assert_cmpuint(xhci_driver_command(f->driver, 0, TYPE(TRB_ENABLE_SLOT), &slot),
			==, CODE_SUCCESS);
		g_assert_cmpuint(slot, ==, i);
	}
	g_assert_cmpuint(run(f, 0, TYPE(TRB_ENABLE_SLOT)), ==, CODE_NO_SLOTS);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_DISABLE_SLOT) | SLOT(7)), ==, CODE_SUCCESS);
	g_assert_cmpuint(
		xhci_driver_command(f->driver, 0, TYPE(TRB_ENABLE_SLOT), &slot), ==, CODE_SUCCESS);
	g_assert_cmpuint(slot, ==, 7);
}

static void test_address(struct fixture *f, gconstpointer data)
{
	unsigned slot = xhci_driver_open(f->driver, 5), other;
	const uint8_t *output = f->ram + DRIVER_OUTPUT + 0x400 * slot;
	uint32_t address = TYPE(TRB_ADDRESS_DEVICE);

	g_assert_cmphex(
		config_get32(output + 12), ==, SLOT_STATE_ADDRESSED << SLOT_STATE_SHIFT | slot);
	g_assert_cmpuint(config_get32(output + 32) & ENDPOINT_STATE, ==, 1);
	/* The port has its slot; ports without a device, and no ports at all. */
	g_assert_cmpuint(
		xhci_driver_command(f->driver, 0, TYPE(TRB_ENABLE_SLOT), &other), ==, CODE_SUCCESS);
	config_set32(f->ram + DRIVER_CONTEXTS + 8 * other, DRIVER_OUTPUT + 0x400 * other);
	g_assert_cmpuint(run(f, DRIVER_INPUT, address | SLOT(other)), ==, CODE_TRB_ERROR);
	config_set32(f->ram + DRIVER_INPUT + 36, 6 << SLOT_PORT_SHIFT);
	g_assert_cmpuint(run(f, DRIVER_INPUT, address | SLOT(other)), ==, CODE_TRANSACTION_ERROR);
	config_set32(f->ram + DRIVER_INPUT + 36, 200 << SLOT_PORT_SHIFT);
	g_assert_cmpuint(run(f, DRIVER_INPUT, address | SLOT(other)), ==, CODE_TRB_ERROR);
	g_assert_cmpuint(run(f, NOWHERE, address | SLOT(other)), ==, CODE_PARAMETER_ERROR);
}

static void test_endpoints(struct fixture *f, gconstpointer data)
{
	unsigned slot = xhci_driver_open(f->driver, 5);
	uint32_t third = 3 << TRB_ENDPOINT_SHIFT | SLOT(slot);
	struct xhci_driver_event event;

	g_assert_cmpuint(run(f, 0, TYPE(TRB_STOP_ENDPOINT) | third), ==, CODE_ENDPOINT_NOT_ENABLED);
	g_assert_cmpuint(xhci_driver_configure(f->driver, slot, 3, ENDPOINT_INTERRUPT_OUT), ==,
		CODE_PARAMETER_ERROR);
	g_assert_cmpuint(
		xhci_driver_configure(f->driver, slot, 3, ENDPOINT_INTERRUPT_IN), ==, CODE_SUCCESS);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_RESET_ENDPOINT) | third), ==, CODE_CONTEXT_STATE);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_SET_DEQUEUE) | third), ==, CODE_CONTEXT_STATE);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_STOP_ENDPOINT) | third), ==, CODE_SUCCESS);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_STOP_ENDPOINT) | third), ==, CODE_CONTEXT_STATE);
	g_assert_cmpuint(
		run(f, DRIVER_BUFFER | 1, TYPE(TRB_SET_DEQUEUE) | third), ==, CODE_SUCCESS);
	g_assert_cmphex(config_get32(f->ram + DRIVER_OUTPUT + 0x400 * slot + 3 * 32 + 8), ==,
		DRIVER_BUFFER | 1);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_CONFIGURE_ENDPOINT) | TRB_DECONFIGURE | SLOT(slot)), ==,
		CODE_SUCCESS);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_STOP_ENDPOINT) | third), ==, CODE_ENDPOINT_NOT_ENABLED);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_RESET_DEVICE) | SLOT(slot)), ==, CODE_SUCCESS);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_RESET_DEVICE) | SLOT(slot)), ==, CODE_CONTEXT_STATE);
	g_assert_false(xhci_driver_event(f->driver, &event));
}

/* A transfer that waits is told when its endpoint stops, and starts again with a doorbell. */
static void test_stop_and_go(struct fixture *f, gconstpointer data)
{
	static const struct usb_setup configure = { 0, 9, 1, 0, 0 };
	struct fake_machine *fake = f->driver->fake;
	unsigned slot = xhci_driver_open(f->driver, 5);
	struct xhci_driver_event event;
	uint64_t at;

	xhci_driver_control(f->driver, slot, &configure, NULL);
	xhci_driver_configure(f->driver, slot, 3, ENDPOINT_INTERRUPT_IN);
	at = xhci_driver_put(f->driver, slot, 3, DRIVER_BUFFER, 8, TYPE(TRB_NORMAL) | TRB_EVENT);
	xhci_driver_ring(f->driver, slot, 3);
	/* The stopped event comes before the command's own. */
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	config_set32(f->ram + DRIVER_COMMANDS + f->driver->next_command * TRB_BYTES + 12,
		TYPE(TRB_STOP_ENDPOINT) | 3 << TRB_ENDPOINT_SHIFT | SLOT(slot) | TRB_CYCLE);
	f->driver->next_command++;
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	g_assert_true(xhci_driver_event_of(f->driver, TRB_TRANSFER_EVENT, &event));
	g_assert_cmpuint(event.code, ==, CODE_STOPPED);
	g_assert_cmphex(event.parameter, ==, at);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmpuint(event.type, ==, TRB_COMMAND_EVENT);
	fake->keyboard->key(fake->keyboard_device, 0x1e, true);
	g_assert_false(xhci_driver_event(f->driver, &event));
	xhci_driver_ring(f->driver, slot, 3);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmphex(event.parameter, ==, at);
	g_assert_cmpuint(event.code, ==, CODE_SUCCESS);
}

/* A data stage of three TRBs through a link, short in the second; and event data. */
static void test_chain(struct fixture *f, gconstpointer data)
{
	unsigned slot = xhci_driver_open(f->driver, 5);
	struct xhci_driver_event event;
	uint64_t second, setup = 0x0012000001000680; /* device descriptor, 18 bytes */

	for (unsigned i = 0; i < DRIVER_RING_SIZE - 5; i++)
		xhci_driver_put(f->driver, slot, 1, 0, 0, TYPE(TRB_NO_OP));
	xhci_driver_ring(f->driver, slot, 1);
	xhci_driver_put(f->driver, slot, 1, setup | UINT64_C(0xff) << 48, 8,
		TYPE(TRB_SETUP) | TRB_IMMEDIATE);
	xhci_driver_put(f->driver, slot, 1, DRIVER_BUFFER, 10, TYPE(TRB_DATA) | TRB_IN | TRB_CHAIN);
	second = xhci_driver_put(f->driver, slot, 1, DRIVER_BUFFER + 0x100, 10,
		TYPE(TRB_NORMAL) | TRB_CHAIN | TRB_EVENT_ON_SHORT);
	xhci_driver_put(
		f->driver, slot, 1, DRIVER_BUFFER + 0x200, 10, TYPE(TRB_NORMAL) | TRB_CHAIN);
	xhci_driver_put(
		f->driver, slot, 1, 0x1122334455667788, 0, TYPE(TRB_EVENT_DATA) | TRB_EVENT);
	xhci_driver_put(f->driver, slot, 1, 0, 0, TYPE(TRB_STATUS) | TRB_EVENT);
	xhci_driver_ring(f->driver, slot, 1);

	g_assert_true(xhci_driver_event_of(f->driver, TRB_TRANSFER_EVENT, &event));
	g_assert_cmphex(event.parameter, ==, second);
	g_assert_cmpuint(event.code, ==, CODE_SHORT_PACKET);
	g_assert_cmpuint(event.residue, ==, 2);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_true(event.event_data);
	g_assert_cmphex(event.parameter, ==, 0x1122334455667788);
	g_assert_cmpuint(event.residue, ==, 18);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmpuint(event.code, ==, CODE_SUCCESS);
	g_assert_cmpuint(f->ram[DRIVER_BUFFER], ==, 18);
	g_assert_cmpuint(f->ram[DRIVER_BUFFER + 0x107], ==, 1);
}

/* Rung before the status stage is there: nothing happens until it is. */
static void test_half_a_transfer(struct fixture *f, gconstpointer data)
{
	unsigned slot = xhci_driver_open(f->driver, 5);
	struct xhci_driver_event event;

	xhci_driver_put(f->driver, slot, 1, 0x00010900, 8, TYPE(TRB_SETUP) | TRB_IMMEDIATE);
	xhci_driver_ring(f->driver, slot, 1);
	g_assert_false(xhci_driver_event(f->driver, &event));
	xhci_driver_put(f->driver, slot, 1, 0, 0, TYPE(TRB_STATUS) | TRB_IN | TRB_EVENT);
	xhci_driver_ring(f->driver, slot, 1);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmpuint(event.code, ==, CODE_SUCCESS);
}

static const struct wrong_case {
	const char *name;
	uint64_t parameter;
	uint32_t status, control;
} wrong_cases[] = {
	{ "/wrong/no-setup", 0, 8, TYPE(TRB_NORMAL) },
	{ "/wrong/setup-not-immediate", DRIVER_BUFFER, 8, TYPE(TRB_SETUP) },
	{ "/wrong/setup-too-long", 0, 9, TYPE(TRB_SETUP) | TRB_IMMEDIATE },
	{ "/wrong/command", 0, 0, TYPE(TRB_ENABLE_SLOT) },
};

/* The endpoint errs and stays so until its dequeue pointer is set; the controller goes on. */
static void check_wrong(gconstpointer data)
{
	const struct wrong_case *c = data;
	struct fixture f;
	struct xhci_driver_event event;
	unsigned slot;

	set_up(&f, NULL);
	slot = xhci_driver_open(f.driver, 5);
	xhci_driver_put(f.driver, slot, 1, c->parameter, c->status, c->control);
	xhci_driver_put(f.driver, slot, 1, 0, 0, TYPE(TRB_STATUS) | TRB_EVENT);
	xhci_driver_ring(f.driver, slot, 1);
	g_assert_true(xhci_driver_event_of(f.driver, TRB_TRANSFER_EVENT, &event));
	g_assert_cmpuint(event.code, ==, CODE_TRB_ERROR);
	g_assert_cmpuint(
		config_get32(f.ram + DRIVER_OUTPUT + 0x400 * slot + 32) & ENDPOINT_STATE, ==, 4);
	g_assert_cmpuint(run(&f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, CODE_SUCCESS);
	g_assert_cmpuint(
		run(&f, RING_1 | 1, TYPE(TRB_SET_DEQUEUE) | 1 << TRB_ENDPOINT_SHIFT | SLOT(slot)),
		==, CODE_SUCCESS);
	tear_down(&f, NULL);
}

static void test_data_outside_of_memory(struct fixture *f, gconstpointer data)
{
	unsigned slot = xhci_driver_open(f->driver, 5);
	struct xhci_driver_event event;

	xhci_driver_put(f->driver, slot, 1, 0x0012000001000680, 8, TYPE(TRB_SETUP) | TRB_IMMEDIATE);
	xhci_driver_put(f->driver, slot, 1, NOWHERE, 18, TYPE(TRB_DATA) | TRB_IN);
	xhci_driver_put(f->driver, slot, 1, 0, 0, TYPE(TRB_STATUS) | TRB_EVENT);
	xhci_driver_ring(f->driver, slot, 1);
	g_assert_true(xhci_driver_event_of(f->driver, TRB_TRANSFER_EVENT, &event));
	g_assert_cmpuint(event.code, ==, CODE_TRB_ERROR);
}

/* What the controller itself cannot do without. */

static void test_ring_outside_of_memory(struct fixture *f, gconstpointer data)
{
	xhci_driver_write(f->driver, COMMAND, 0);
	xhci_driver_write(f->driver, XHCI_OPERATIONAL + CRCR_LOW, NOWHERE | CRCR_CYCLE);
	xhci_driver_write(f->driver, XHCI_OPERATIONAL + CRCR_HIGH, 0);
	xhci_driver_write(f->driver, COMMAND, USBCMD_RUN);
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	expect_dead(f);
}

static void test_links_without_end(struct fixture *f, gconstpointer data)
{
	uint8_t *command = f->ram + DRIVER_COMMANDS;

	config_set32(command, DRIVER_COMMANDS);
	config_set32(command + 12, TYPE(TRB_LINK) | TRB_CYCLE);
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	expect_dead(f);
}

static void test_chain_without_end(struct fixture *f, gconstpointer data)
{
	unsigned slot = xhci_driver_open(f->driver, 5);
	struct xhci_driver_event event;

	for (unsigned i = 0; i < DRIVER_RING_SIZE - 1; i++)
		xhci_driver_put(f->driver, slot, 1, DRIVER_BUFFER, 8, TYPE(TRB_NORMAL) | TRB_CHAIN);
	config_set32(f->ram + RING_1 + (DRIVER_RING_SIZE - 1) * TRB_BYTES, RING_1);
	config_set32(f->ram + RING_1 + (DRIVER_RING_SIZE - 1) * TRB_BYTES + 12,
		TYPE(TRB_LINK) | TRB_CYCLE);
	xhci_driver_ring(f->driver, slot, 1);
	g_assert_true(xhci_driver_event_of(f->driver, TRB_TRANSFER_EVENT, &event));
	g_assert_cmpuint(event.code, ==, CODE_TRB_ERROR);
}

static void test_event_ring_outside_of_memory(struct fixture *f, gconstpointer data)
{
	config_set32(f->ram + DRIVER_TABLE, NOWHERE);
	xhci_driver_write(f->driver, XHCI_RUNTIME + INTERRUPTERS + ERDP_LOW, NOWHERE);
	xhci_driver_write(f->driver, XHCI_RUNTIME + INTERRUPTERS + ERSTBA_HIGH, 0);
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	config_set32(f->ram + DRIVER_COMMANDS + 12, TYPE(TRB_NO_OP_COMMAND) | TRB_CYCLE);
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	expect_dead(f);
}

static void test_event_ring_sizes(struct fixture *f, gconstpointer data)
{
	static const uint32_t wrong[] = { 0, 1, 15, 4097, 0xffff };

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		config_set32(f->ram + DRIVER_TABLE + 8, wrong[i]);
		xhci_driver_write(f->driver, XHCI_RUNTIME + INTERRUPTERS + ERSTBA_HIGH, 0);
		expect_dead(f);
	}
	xhci_driver_write(f->driver, XHCI_RUNTIME + INTERRUPTERS + ERSTSZ, 2);
	xhci_driver_write(f->driver, XHCI_RUNTIME + INTERRUPTERS + ERSTBA_HIGH, 0);
	expect_dead(f);
}

/* The last place of an event ring that nobody reads tells that it is full. */
static void test_event_ring_full(struct fixture *f, gconstpointer data)
{
	struct xhci_driver_event event = { .code = 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < 2 * DRIVER_EVENTS_SIZE; i++)
		config_set32(f->ram + DRIVER_COMMANDS + i * TRB_BYTES + 12,
			TYPE(TRB_NO_OP_COMMAND) | TRB_CYCLE);
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	while (count < DRIVER_EVENTS_SIZE - 1 && xhci_driver_event(f->driver, &event))
		count++;
	g_assert_cmpuint(count, ==, DRIVER_EVENTS_SIZE - 1);
	g_assert_cmpuint(event.type, ==, TRB_CONTROLLER_EVENT);
	g_assert_cmpuint(event.code, ==, CODE_EVENT_RING_FULL);
}

static void test_interrupt_pin(struct fixture *f, gconstpointer data)
{
	struct fake_machine *fake = f->driver->fake;
	unsigned interrupter = XHCI_RUNTIME + INTERRUPTERS;

	g_assert_false(fake->levels[16]);
	config_set32(f->ram + DRIVER_COMMANDS + 12, TYPE(TRB_NO_OP_COMMAND) | TRB_CYCLE);
	xhci_driver_write(f->driver, XHCI_DOORBELLS, 0);
	g_assert_true(fake->levels[16]);
	g_assert_true(xhci_driver_read(f->driver, STATUS) & USBSTS_INTERRUPT);
	xhci_driver_write(f->driver, interrupter + IMAN, IMAN_PENDING | IMAN_ENABLED);
	g_assert_false(fake->levels[16]);
	/* What was not read is told again. */
	xhci_driver_write(f->driver, interrupter + ERDP_LOW, DRIVER_EVENTS | ERDP_BUSY);
	g_assert_true(fake->levels[16]);
	xhci_driver_write(f->driver, COMMAND, USBCMD_RUN);
	g_assert_false(fake->levels[16]);
}

static void enable_messages(struct fixture *f)
{
	uint64_t entry = DRIVER_REGISTERS + XHCI_MSIX_TABLE;

	io_space_write(&f->driver->fake->machine.mmio, entry, 4, 0xfee01000);
	io_space_write(&f->driver->fake->machine.mmio, entry + 8, 4, 0x4041);
	io_space_write(&f->driver->fake->machine.mmio, entry + 12, 4, 0);
	pci_device_config_write(
		(struct pci_device *)f->driver->controller, AT_MSIX + MSIX_CONTROL, 2, MSIX_ENABLE);
	xhci_driver_write(f->driver, XHCI_RUNTIME + INTERRUPTERS + IMOD, 0);
	fake_kvm.messages = 0;
}

/* One message for what was not read yet; and what happened while interrupts were off is told when they are enabled, by the
 * controller or by the interrupter. */
static void test_messages(struct fixture *f, gconstpointer data)
{
	unsigned interrupter = XHCI_RUNTIME + INTERRUPTERS;

	enable_messages(f);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, CODE_SUCCESS);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4041);
	g_assert_false(f->driver->fake->levels[16]);

	xhci_driver_write(f->driver, COMMAND, USBCMD_RUN);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, CODE_SUCCESS);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	xhci_driver_write(f->driver, COMMAND, USBCMD_RUN | USBCMD_INTERRUPTS);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);
	xhci_driver_write(f->driver, COMMAND, USBCMD_RUN | USBCMD_INTERRUPTS);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);

	xhci_driver_write(f->driver, interrupter + IMAN, 0);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, CODE_SUCCESS);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);
	xhci_driver_write(f->driver, interrupter + IMAN, IMAN_ENABLED);
	g_assert_cmpuint(fake_kvm.messages, ==, 3);
}

/* A machine that is paused has a controller that waits. */
static void test_paused_machine(struct fixture *f, gconstpointer data)
{
	struct device *controller = f->driver->controller;
	struct xhci_driver_event event;

	controller->class->set_running(controller, false);
	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, 0);
	controller->class->set_running(controller, true);
	while (!xhci_driver_event(f->driver, &event))
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(event.code, ==, CODE_SUCCESS);
}

static void test_ring_stops(struct fixture *f, gconstpointer data)
{
	struct xhci_driver_event event;

	g_assert_cmpuint(run(f, 0, TYPE(TRB_NO_OP_COMMAND)), ==, CODE_SUCCESS);
	g_assert_cmphex(xhci_driver_read(f->driver, XHCI_OPERATIONAL + CRCR_LOW), ==, CRCR_RUNNING);
	xhci_driver_write(f->driver, XHCI_OPERATIONAL + CRCR_LOW, CRCR_STOP);
	xhci_driver_write(f->driver, XHCI_OPERATIONAL + CRCR_HIGH, 0);
	g_assert_true(xhci_driver_event(f->driver, &event));
	g_assert_cmpuint(event.code, ==, CODE_COMMAND_RING_STOPPED);
	g_assert_cmphex(xhci_driver_read(f->driver, XHCI_OPERATIONAL + CRCR_LOW), ==, 0);
}

#define ADD(name, test) g_test_add(name, struct fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/registers", test_registers);
	ADD("/port", test_port);
	ADD("/commands/without-a-slot", test_commands_without_a_slot);
	ADD("/commands/slots-run-out", test_slots_run_out);
	ADD("/commands/address", test_address);
	ADD("/commands/endpoints", test_endpoints);
	ADD("/commands/ring-stops", test_ring_stops);
	ADD("/transfers/stop-and-go", test_stop_and_go);
	ADD("/transfers/chain", test_chain);
	ADD("/transfers/half", test_half_a_transfer);
	ADD("/events/full", test_event_ring_full);
	ADD("/events/pin", test_interrupt_pin);
	ADD("/events/messages", test_messages);
	ADD("/paused", test_paused_machine);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong_cases); i++)
		g_test_add_data_func(wrong_cases[i].name, &wrong_cases[i], check_wrong);
	ADD("/wrong/data-outside-of-memory", test_data_outside_of_memory);
	ADD("/wrong/chain-without-end", test_chain_without_end);
	ADD("/dead/ring-outside-of-memory", test_ring_outside_of_memory);
	ADD("/dead/links-without-end", test_links_without_end);
	ADD("/dead/event-ring-outside-of-memory", test_event_ring_outside_of_memory);
	ADD("/dead/event-ring-sizes", test_event_ring_sizes);
	return g_test_run();
}
