/* PS/2 keyboard controller: one byte at a time from the keyboard, from the mouse or from itself, with translation of scan
 * codes to set 1; and two lines of the board that ended up here, reset and A20. Memory above 1 MiB never wraps, whatever
 * A20 says: nothing that runs under KVM wants it to.
 *
 * Specification: IBM PS/2 Technical Reference, "Keyboard and Auxiliary Device Controller"; Intel 8042 (UPI-42).
 */
#include "vmm/chipset/i8042.h"

#include <string.h>

#include "vmm/chipset/ps2.h"
#include "vmm/chipset/scancodes.h"
#include "vmm/machine/machine.h"

enum i8042_port {
	PORT_DATA = 0x60,
	PORT_STATUS = 0x64, /* written: command */
};

enum {
	IRQ_KEYBOARD = 1,
	IRQ_AUXILIARY = 12,
};

enum i8042_status {
	STATUS_OUTPUT_FULL = 1 << 0,
	STATUS_SYSTEM = 1 << 2,
	STATUS_COMMAND = 1 << 3, /* the last write was a command */
	STATUS_UNLOCKED = 1 << 4,
	STATUS_AUXILIARY = 1 << 5, /* the output byte is the mouse's */
};

/* The command byte, which is byte 0 of the controller's memory. */
enum i8042_mode {
	MODE_KEYBOARD_INTERRUPT = 1 << 0,
	MODE_AUXILIARY_INTERRUPT = 1 << 1,
	MODE_SYSTEM = 1 << 2,
	MODE_KEYBOARD_DISABLED = 1 << 4,
	MODE_AUXILIARY_DISABLED = 1 << 5,
	MODE_TRANSLATE = 1 << 6,
};

enum i8042_command {
	COMMAND_READ_MEMORY = 0x20,
	COMMAND_WRITE_MEMORY = 0x60,
	COMMAND_TEST_PASSWORD = 0xa4,
	COMMAND_DISABLE_AUXILIARY = 0xa7,
	COMMAND_ENABLE_AUXILIARY = 0xa8,
	COMMAND_TEST_AUXILIARY = 0xa9,
	COMMAND_SELF_TEST = 0xaa,
	COMMAND_TEST_KEYBOARD = 0xab,
	COMMAND_DISABLE_KEYBOARD = 0xad,
	COMMAND_ENABLE_KEYBOARD = 0xae,
	COMMAND_READ_INPUT_PORT = 0xc0,
	COMMAND_READ_OUTPUT_PORT = 0xd0,
	COMMAND_WRITE_OUTPUT_PORT = 0xd1,
	COMMAND_WRITE_KEYBOARD_OUTPUT = 0xd2,
	COMMAND_WRITE_AUXILIARY_OUTPUT = 0xd3,
	COMMAND_WRITE_AUXILIARY = 0xd4,
	COMMAND_DISABLE_A20 = 0xdd,
	COMMAND_ENABLE_A20 = 0xdf,
	COMMAND_READ_TEST_INPUTS = 0xe0,
	COMMAND_PULSE = 0xf0,
};

enum i8042_output_port {
	OUTPUT_PORT_NOT_RESET = 1 << 0,
	OUTPUT_PORT_A20 = 1 << 1,
	OUTPUT_PORT_KEYBOARD_FULL = 1 << 4,
	OUTPUT_PORT_AUXILIARY_FULL = 1 << 5,
	OUTPUT_PORT_CLOCK = 1 << 6,
	OUTPUT_PORT_DATA = 1 << 7,
};

enum {
	MEMORY_SIZE = 32,
	MEMORY_GROUP = 0xe0, /* of a command byte: the rest is an address */
	REPLIES = 4,
	NO_PASSWORD = 0xf1,
	SELF_TEST_PASSED = 0x55,
	TEST_PASSED = 0x00,
	INPUT_PORT_UNLOCKED = 0x80,
	RELEASE = 0xf0,     /* before the code of a key that went up, in set 2 */
	RELEASE_BIT = 0x80, /* the same in set 1 */
};

struct i8042 {
	struct device device;
	struct io_region data, status;
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;

	uint8_t memory[MEMORY_SIZE]; /* byte 0: enum i8042_mode */
	uint8_t output;              /* what the guest reads next, when there is something */
	bool output_full, output_is_auxiliary;
	bool last_was_command, system;
	uint8_t output_port;
	uint8_t argument_of;      /* the command whose argument comes next, 0: none */
	uint8_t replies[REPLIES]; /* of the controller itself, not yet in the output */
	bool replies_are_auxiliary[REPLIES];
	uint8_t reply_count;
	bool release;                       /* the keyboard sent the release prefix */
	bool keyboard_line, auxiliary_line; /* the interrupts, as they were last told */
};

static const struct state_field i8042_state[] = {
	STATE_UINT8_ARRAY(struct i8042, memory, MEMORY_SIZE),
	STATE_UINT8(struct i8042, output),
	STATE_BOOL(struct i8042, output_full),
	STATE_BOOL(struct i8042, output_is_auxiliary),
	STATE_BOOL(struct i8042, last_was_command),
	STATE_BOOL(struct i8042, system),
	STATE_UINT8(struct i8042, output_port),
	STATE_UINT8(struct i8042, argument_of),
	STATE_UINT8_ARRAY(struct i8042, replies, REPLIES),
	STATE_ARRAY_OF(STATE_TYPE_BOOL, struct i8042, replies_are_auxiliary, REPLIES),
	STATE_UINT8(struct i8042, reply_count),
	STATE_BOOL(struct i8042, release),
	STATE_END,
};

static void set_interrupt(struct i8042 *i8042, bool *line, unsigned irq, bool level)
{
	if (*line == level)
		return;
	*line = level;
	machine_set_irq(i8042->device.machine, irq, level);
}

static void update_interrupts(struct i8042 *i8042)
{
	bool keyboard = i8042->output_full && !i8042->output_is_auxiliary &&
			i8042->memory[0] & MODE_KEYBOARD_INTERRUPT;
	bool auxiliary = i8042->output_full && i8042->output_is_auxiliary &&
			 i8042->memory[0] & MODE_AUXILIARY_INTERRUPT;

	set_interrupt(i8042, &i8042->keyboard_line, IRQ_KEYBOARD, keyboard);
	set_interrupt(i8042, &i8042->auxiliary_line, IRQ_AUXILIARY, auxiliary);
}

/* The output */

static void put_output(struct i8042 *i8042, uint8_t byte, bool auxiliary)
{
	i8042->output = byte;
	i8042->output_is_auxiliary = auxiliary;
	i8042->output_full = true;
}

static bool take_reply(struct i8042 *i8042)
{
	if (i8042->reply_count == 0)
		return false;
	put_output(i8042, i8042->replies[0], i8042->replies_are_auxiliary[0]);
	i8042->reply_count--;
	for (unsigned i = 0; i < i8042->reply_count; i++) {
		i8042->replies[i] = i8042->replies[i + 1];
		i8042->replies_are_auxiliary[i] = i8042->replies_are_auxiliary[i + 1];
	}
	return true;
}

/* While it translates, the controller keeps the release prefix of set 2 and puts it into the next byte. */
static bool take_from_keyboard(struct i8042 *i8042)
{
	uint8_t byte;

	if (i8042->memory[0] & MODE_KEYBOARD_DISABLED)
		return false;
	while (ps2_keyboard_read(&i8042->keyboard, &byte)) {
		if (!(i8042->memory[0] & MODE_TRANSLATE)) {
			put_output(i8042, byte, false);
			return true;
		}
		if (byte == RELEASE) {
			i8042->release = true;
			continue;
		}
		put_output(i8042, scancode_translate(byte) | (i8042->release ? RELEASE_BIT : 0),
			false);
		i8042->release = false;
		return true;
	}
	return false;
}

static bool take_from_mouse(struct i8042 *i8042)
{
	uint8_t byte;

	if (i8042->memory[0] & MODE_AUXILIARY_DISABLED || !ps2_mouse_read(&i8042->mouse, &byte))
		return false;
	put_output(i8042, byte, true);
	return true;
}

/* Fills the output when it is free and somebody has a byte for it. */
static void refill(struct i8042 *i8042)
{
	if (!i8042->output_full && !take_reply(i8042) && !take_from_keyboard(i8042))
		take_from_mouse(i8042);
	update_interrupts(i8042);
}

static void ps2_ready(void *controller)
{
	machine_request_wakeup(((struct i8042 *)controller)->device.machine, WAKEUP_OTHER);
	refill(controller);
}

static void reply(struct i8042 *i8042, uint8_t byte, bool auxiliary)
{
	if (i8042->reply_count == REPLIES)
		return;
	i8042->replies[i8042->reply_count] = byte;
	i8042->replies_are_auxiliary[i8042->reply_count] = auxiliary;
	i8042->reply_count++;
}

/* Commands. Those from which an argument follows have it in the second function. */

static void set_mode(struct i8042 *i8042, uint8_t set, uint8_t clear)
{
	i8042->memory[0] = (i8042->memory[0] & ~clear) | set;
}

static void read_memory(struct i8042 *i8042, uint8_t command)
{
	reply(i8042, i8042->memory[command & ~MEMORY_GROUP], false);
}

static void write_memory(struct i8042 *i8042, uint8_t command, uint8_t argument)
{
	i8042->memory[command & ~MEMORY_GROUP] = argument;
	i8042->system = i8042->memory[0] & MODE_SYSTEM;
}

static void test_password(struct i8042 *i8042, uint8_t command)
{
	reply(i8042, NO_PASSWORD, false);
}

static void disable_auxiliary(struct i8042 *i8042, uint8_t command)
{
	set_mode(i8042, MODE_AUXILIARY_DISABLED, 0);
}

static void enable_auxiliary(struct i8042 *i8042, uint8_t command)
{
	set_mode(i8042, 0, MODE_AUXILIARY_DISABLED);
}

static void test_device(struct i8042 *i8042, uint8_t command)
{
	reply(i8042, TEST_PASSED, false);
}

static void self_test(struct i8042 *i8042, uint8_t command)
{
	i8042->system = true;
	reply(i8042, SELF_TEST_PASSED, false);
}

static void disable_keyboard(struct i8042 *i8042, uint8_t command)
{
	set_mode(i8042, MODE_KEYBOARD_DISABLED, 0);
}

static void enable_keyboard(struct i8042 *i8042, uint8_t command)
{
	set_mode(i8042, 0, MODE_KEYBOARD_DISABLED);
}

static void read_input_port(struct i8042 *i8042, uint8_t command)
{
	reply(i8042, INPUT_PORT_UNLOCKED, false);
}

static void read_output_port(struct i8042 *i8042, uint8_t command)
{
	uint8_t full = 0;

	if (i8042->output_full)
		full = i8042->output_is_auxiliary ? OUTPUT_PORT_AUXILIARY_FULL
						  : OUTPUT_PORT_KEYBOARD_FULL;
	reply(i8042, i8042->output_port | full, false);
}

static void set_output_port(struct i8042 *i8042, uint8_t value)
{
	i8042->output_port = (value & OUTPUT_PORT_A20) | OUTPUT_PORT_NOT_RESET | OUTPUT_PORT_CLOCK |
			     OUTPUT_PORT_DATA;
	if (!(value & OUTPUT_PORT_NOT_RESET))
		machine_request_reset(i8042->device.machine, CAUSE_GUEST_RESET);
}

static void write_output_port(struct i8042 *i8042, uint8_t command, uint8_t argument)
{
	set_output_port(i8042, argument);
}

static void write_keyboard_output(struct i8042 *i8042, uint8_t command, uint8_t argument)
{
	reply(i8042, argument, false);
}

static void write_auxiliary_output(struct i8042 *i8042, uint8_t command, uint8_t argument)
{
	reply(i8042, argument, true);
}

static void write_auxiliary(struct i8042 *i8042, uint8_t command, uint8_t argument)
{
	enable_auxiliary(i8042, command);
	ps2_mouse_write(&i8042->mouse, argument);
}

static void disable_a20(struct i8042 *i8042, uint8_t command)
{
	set_output_port(i8042, OUTPUT_PORT_NOT_RESET);
}

static void enable_a20(struct i8042 *i8042, uint8_t command)
{
	set_output_port(i8042, OUTPUT_PORT_NOT_RESET | OUTPUT_PORT_A20);
}

static void read_test_inputs(struct i8042 *i8042, uint8_t command)
{
	reply(i8042, 0, false);
}

/* A clear bit in the low half of the command pulses that line of the output port low. */
static void pulse(struct i8042 *i8042, uint8_t command)
{
	if (!(command & OUTPUT_PORT_NOT_RESET))
		machine_request_reset(i8042->device.machine, CAUSE_GUEST_RESET);
}

static const struct {
	uint8_t mask, command;
	void (*run)(struct i8042 *i8042, uint8_t command);
	void (*argument)(struct i8042 *i8042, uint8_t command, uint8_t argument);
} commands[] = {
	{ MEMORY_GROUP, COMMAND_READ_MEMORY, read_memory },
	{ MEMORY_GROUP, COMMAND_WRITE_MEMORY, NULL, write_memory },
	{ 0xff, COMMAND_TEST_PASSWORD, test_password },
	{ 0xff, COMMAND_DISABLE_AUXILIARY, disable_auxiliary },
	{ 0xff, COMMAND_ENABLE_AUXILIARY, enable_auxiliary },
	{ 0xff, COMMAND_TEST_AUXILIARY, test_device },
	{ 0xff, COMMAND_SELF_TEST, self_test },
	{ 0xff, COMMAND_TEST_KEYBOARD, test_device },
	{ 0xff, COMMAND_DISABLE_KEYBOARD, disable_keyboard },
	{ 0xff, COMMAND_ENABLE_KEYBOARD, enable_keyboard },
	{ 0xff, COMMAND_READ_INPUT_PORT, read_input_port },
	{ 0xff, COMMAND_READ_OUTPUT_PORT, read_output_port },
	{ 0xff, COMMAND_WRITE_OUTPUT_PORT, NULL, write_output_port },
	{ 0xff, COMMAND_WRITE_KEYBOARD_OUTPUT, NULL, write_keyboard_output },
	{ 0xff, COMMAND_WRITE_AUXILIARY_OUTPUT, NULL, write_auxiliary_output },
	{ 0xff, COMMAND_WRITE_AUXILIARY, NULL, write_auxiliary },
	{ 0xff, COMMAND_DISABLE_A20, disable_a20 },
	{ 0xff, COMMAND_ENABLE_A20, enable_a20 },
	{ 0xff, COMMAND_READ_TEST_INPUTS, read_test_inputs },
	{ 0xf0, COMMAND_PULSE, pulse },
};

/* Ports */

static uint64_t data_read(void *device, uint64_t offset, unsigned size)
{
	struct i8042 *i8042 = device;
	uint8_t byte = i8042->output;

	if (i8042->output_full) {
		i8042->output_full = false;
		update_interrupts(i8042);
		refill(i8042);
	}
	return byte;
}

static void data_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8042 *i8042 = device;
	uint8_t argument_of = i8042->argument_of;

	i8042->last_was_command = false;
	i8042->argument_of = 0;
	for (size_t i = 0; argument_of != 0 && i < G_N_ELEMENTS(commands); i++) {
		if ((argument_of & commands[i].mask) != commands[i].command)
			continue;
		commands[i].argument(i8042, argument_of, value);
		refill(i8042);
		return;
	}
	set_mode(i8042, 0, MODE_KEYBOARD_DISABLED);
	ps2_keyboard_write(&i8042->keyboard, value);
}

static const struct io_ops data_ops = { data_read, data_write, .max_access = 1 };

static uint64_t status_read(void *device, uint64_t offset, unsigned size)
{
	const struct i8042 *i8042 = device;
	uint8_t status = STATUS_UNLOCKED;

	if (i8042->output_full)
		status |= STATUS_OUTPUT_FULL | (i8042->output_is_auxiliary ? STATUS_AUXILIARY : 0);
	if (i8042->system)
		status |= STATUS_SYSTEM;
	if (i8042->last_was_command)
		status |= STATUS_COMMAND;
	return status;
}

static void command_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8042 *i8042 = device;

	i8042->last_was_command = true;
	i8042->argument_of = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if ((value & commands[i].mask) != commands[i].command)
			continue;
		if (commands[i].run)
			commands[i].run(i8042, value);
		if (commands[i].argument)
			i8042->argument_of = value;
		break;
	}
	refill(i8042);
}

static const struct io_ops status_ops = { status_read, command_write, .max_access = 1 };

/* Life */

static bool i8042_realize(struct device *device, GError **error)
{
	struct i8042 *i8042 = (struct i8042 *)device;
	struct ps2_port port = { .ready = ps2_ready, .controller = i8042 };
	struct machine *machine = device->machine;

	i8042->data = (struct io_region) {
		.name = "i8042 data", .ops = &data_ops, .device = i8042, .size = 1
	};
	i8042->status = (struct io_region) {
		.name = "i8042 status", .ops = &status_ops, .device = i8042, .size = 1
	};
	io_space_map(&machine->ports, &i8042->data, PORT_DATA);
	io_space_map(&machine->ports, &i8042->status, PORT_STATUS);
	ps2_keyboard_init(&i8042->keyboard, machine->display, &port);
	ps2_mouse_init(&i8042->mouse, machine->display, &port);
	return true;
}

static void i8042_reset(struct device *device)
{
	struct i8042 *i8042 = (struct i8042 *)device;

	memset(i8042->memory, 0, sizeof(i8042->memory));
	i8042->memory[0] = MODE_KEYBOARD_INTERRUPT | MODE_TRANSLATE;
	i8042->output_full = false;
	i8042->output = 0;
	i8042->last_was_command = false;
	i8042->system = false;
	i8042->output_port =
		OUTPUT_PORT_NOT_RESET | OUTPUT_PORT_A20 | OUTPUT_PORT_CLOCK | OUTPUT_PORT_DATA;
	i8042->argument_of = 0;
	i8042->reply_count = 0;
	i8042->release = false;
	ps2_keyboard_reset(&i8042->keyboard);
	ps2_mouse_reset(&i8042->mouse);
	i8042->keyboard_line = false;
	i8042->auxiliary_line = false;
	machine_set_irq(device->machine, IRQ_KEYBOARD, false);
	machine_set_irq(device->machine, IRQ_AUXILIARY, false);
}

static void i8042_unrealize(struct device *device)
{
	struct i8042 *i8042 = (struct i8042 *)device;

	ps2_keyboard_finish(&i8042->keyboard);
	ps2_mouse_finish(&i8042->mouse);
	io_region_unmap(&i8042->data);
	io_region_unmap(&i8042->status);
}

const struct device_class i8042_class = {
	.name = "i8042",
	.description = "PS/2 controller with keyboard and mouse",
	.bus = BUS_ISA,
	.size = sizeof(struct i8042),
	.state = i8042_state,
	.realize = i8042_realize,
	.reset = i8042_reset,
	.unrealize = i8042_unrealize,
};
