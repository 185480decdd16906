/* 16550A UART on the ISA bus. What it sends is gone at once: there is no line and so no line speed. Input waits in the
 * character device until the receive FIFO has room. The modem on the other end is always there and ready.
 *
 * Specification: National Semiconductor PC16550D data sheet.
 */
#include "vmm/chipset/serial.h"

#include "base/error.h"
#include "vmm/chardev/chardev.h"
#include "vmm/chipset/isa-chardev.h"
#include "vmm/machine/machine.h"

enum uart_register {
	REGISTER_DATA,             /* RBR, THR; with DLAB the divisor's low byte */
	REGISTER_INTERRUPT_ENABLE, /* IER; with DLAB the divisor's high byte */
	REGISTER_INTERRUPT_ID,     /* IIR; written: FCR */
	REGISTER_LINE_CONTROL,     /* LCR */
	REGISTER_MODEM_CONTROL,    /* MCR */
	REGISTER_LINE_STATUS,      /* LSR */
	REGISTER_MODEM_STATUS,     /* MSR */
	REGISTER_SCRATCH,          /* SCR */
	REGISTERS,
};

enum uart_interrupt_enable {
	ENABLE_DATA = 1 << 0,
	ENABLE_TRANSMITTER = 1 << 1,
	ENABLE_LINE_STATUS = 1 << 2,
	ENABLE_MODEM_STATUS = 1 << 3,
	ENABLE_MASK = 0x0f,
};

enum uart_interrupt_id {
	INTERRUPT_MODEM_STATUS = 0x00,
	INTERRUPT_NONE = 0x01,
	INTERRUPT_TRANSMITTER = 0x02,
	INTERRUPT_DATA = 0x04,
	INTERRUPT_LINE_STATUS = 0x06,
	INTERRUPT_TIMEOUT = 0x0c,
	INTERRUPT_FIFOS = 0xc0,
};

enum uart_fifo_control {
	FIFO_ENABLE = 1 << 0,
	FIFO_CLEAR_RECEIVER = 1 << 1,
	FIFO_TRIGGER_SHIFT = 6,
};

enum uart_line_control {
	LINE_DIVISOR_LATCH = 1 << 7,
};

enum uart_modem_control {
	MODEM_DTR = 1 << 0,
	MODEM_RTS = 1 << 1,
	MODEM_OUT1 = 1 << 2,
	MODEM_OUT2 = 1 << 3,
	MODEM_LOOP = 1 << 4,
	MODEM_MASK = 0x1f,
};

enum uart_line_status {
	LINE_DATA_READY = 1 << 0,
	LINE_OVERRUN = 1 << 1,
	LINE_ERRORS = 0x1e,
	LINE_HOLDING_EMPTY = 1 << 5,
	LINE_TRANSMITTER_EMPTY = 1 << 6,
};

enum uart_modem_status {
	STATUS_DELTAS = 0x0f, /* what changed since the last read: CTS, DSR, RI (ended), DCD */
	STATUS_RING_ENDED = 1 << 2,
	STATUS_CTS = 1 << 4,
	STATUS_DSR = 1 << 5,
	STATUS_RING = 1 << 6,
	STATUS_DCD = 1 << 7,
	STATUS_READY = STATUS_CTS | STATUS_DSR | STATUS_DCD,
};

enum {
	FIFO_SIZE = 16,
	DIVISOR_AT_RESET = 12, /* 9600 baud */
};

static const uint8_t fifo_triggers[] = { 1, 4, 8, 14 };

/* COM1 to COM4. */
static const struct {
	uint16_t port;
	uint8_t irq;
} places[MACHINE_SERIAL_PORTS] = {
	{ 0x3f8, 4 },
	{ 0x2f8, 3 },
	{ 0x3e8, 4 },
	{ 0x2e8, 3 },
};

struct serial {
	struct device device;
	char *chardev_name;
	uint32_t index_choice; /* 0: the first free one, else the index and one */
	uint32_t port;         /* 0: by the index */
	uint8_t irq;           /* 0: by the index */
	unsigned index;
	struct chardev *chardev;
	struct io_region region;

	uint8_t interrupt_enable, fifo_control, line_control, modem_control;
	uint8_t line_status; /* errors only; the rest follows from the FIFO */
	uint8_t modem_status, scratch;
	uint16_t divisor;
	bool transmitter_pending; /* the holding register became empty and nobody was told */
	uint8_t fifo[FIFO_SIZE];
	uint8_t fifo_first, fifo_used;
	bool line; /* the interrupt, as it was last told */
};

static const struct state_field serial_state[] = {
	STATE_UINT8(struct serial, interrupt_enable),
	STATE_UINT8(struct serial, fifo_control),
	STATE_UINT8(struct serial, line_control),
	STATE_UINT8(struct serial, modem_control),
	STATE_UINT8(struct serial, line_status),
	STATE_UINT8(struct serial, modem_status),
	STATE_UINT8(struct serial, scratch),
	STATE_UINT16(struct serial, divisor),
	STATE_BOOL(struct serial, transmitter_pending),
	STATE_UINT8_ARRAY(struct serial, fifo, FIFO_SIZE),
	STATE_UINT8(struct serial, fifo_first),
	STATE_UINT8(struct serial, fifo_used),
	STATE_END,
};

static const char *const index_choices[] = { "auto", "0", "1", "2", "3", NULL };

static const struct property serial_properties[] = {
	{ "chardev", PROPERTY_STRING, offsetof(struct serial, chardev_name),
		.description = "character device at the other end of the line" },
	{ "index", PROPERTY_CHOICE, offsetof(struct serial, index_choice), "auto",
		"which of COM1 to COM4 it is, counted from 0", .choices = index_choices },
	{ "iobase", PROPERTY_UINT32, offsetof(struct serial, port), "0x0",
		"first of its eight ports; 0: as the index says", .maximum = 0xfff8 },
	{ "irq", PROPERTY_UINT8, offsetof(struct serial, irq), "0",
		"interrupt line; 0: as the index says", .maximum = 15 },
	{ NULL },
};

/* Interrupts, most urgent first */

static unsigned fifo_trigger(const struct serial *serial)
{
	if (!(serial->fifo_control & FIFO_ENABLE))
		return 1;
	return fifo_triggers[serial->fifo_control >> FIFO_TRIGGER_SHIFT];
}

static enum uart_interrupt_id pending_interrupt(const struct serial *serial)
{
	uint8_t enabled = serial->interrupt_enable;

	if (enabled & ENABLE_LINE_STATUS && serial->line_status & LINE_ERRORS)
		return INTERRUPT_LINE_STATUS;
	/* Bytes below the trigger level time out at once: the next ones would not come any later. */
	if (enabled & ENABLE_DATA && serial->fifo_used > 0)
		return serial->fifo_used >= fifo_trigger(serial) ? INTERRUPT_DATA
								 : INTERRUPT_TIMEOUT;
	if (enabled & ENABLE_TRANSMITTER && serial->transmitter_pending)
		return INTERRUPT_TRANSMITTER;
	if (enabled & ENABLE_MODEM_STATUS && serial->modem_status & STATUS_DELTAS)
		return INTERRUPT_MODEM_STATUS;
	return INTERRUPT_NONE;
}

/* The line is not gated by OUT2 as it was on IBM's board: small kernels never set it. */
static void update_interrupt(struct serial *serial)
{
	bool line = pending_interrupt(serial) != INTERRUPT_NONE;

	if (line == serial->line)
		return;
	serial->line = line;
	machine_set_irq(serial->device.machine, serial->irq, line);
}

/* Data */

static void fifo_clear(struct serial *serial)
{
	serial->fifo_first = 0;
	serial->fifo_used = 0;
}

static unsigned fifo_size(const struct serial *serial)
{
	return serial->fifo_control & FIFO_ENABLE ? FIFO_SIZE : 1;
}

static void fifo_add(struct serial *serial, uint8_t byte)
{
	if (serial->fifo_used >= fifo_size(serial)) {
		serial->line_status |= LINE_OVERRUN;
		return;
	}
	serial->fifo[(serial->fifo_first + serial->fifo_used) % FIFO_SIZE] = byte;
	serial->fifo_used++;
}

static uint8_t receive_byte(struct serial *serial)
{
	uint8_t byte = serial->fifo[serial->fifo_first];

	if (serial->fifo_used == 0)
		return 0;
	serial->fifo_first = (serial->fifo_first + 1) % FIFO_SIZE;
	serial->fifo_used--;
	if (serial->fifo_used == 0)
		chardev_accept_input(serial->chardev);
	return byte;
}

static void send_byte(struct serial *serial, uint8_t byte)
{
	if (serial->modem_control & MODEM_LOOP)
		fifo_add(serial, byte);
	else
		chardev_write(serial->chardev, &byte, 1);
	serial->transmitter_pending = true;
}

/* Modem lines: the control lines come back as status lines in loopback, else the modem is ready. */
static void update_modem_status(struct serial *serial)
{
	static const struct {
		uint8_t control, status;
	} loop[] = {
		{ MODEM_RTS, STATUS_CTS },
		{ MODEM_DTR, STATUS_DSR },
		{ MODEM_OUT1, STATUS_RING },
		{ MODEM_OUT2, STATUS_DCD },
	};
	uint8_t now = STATUS_READY, changed;

	if (serial->modem_control & MODEM_LOOP) {
		now = 0;
		for (size_t i = 0; i < G_N_ELEMENTS(loop); i++)
			if (serial->modem_control & loop[i].control)
				now |= loop[i].status;
	}
	changed = (serial->modem_status ^ now) >> 4;
	if (now & STATUS_RING)
		changed &= ~STATUS_RING_ENDED;
	serial->modem_status = now | (serial->modem_status & STATUS_DELTAS) | changed;
}

/* Registers */

static bool divisor_latch(const struct serial *serial)
{
	return serial->line_control & LINE_DIVISOR_LATCH;
}

static uint8_t read_data(struct serial *serial)
{
	return divisor_latch(serial) ? serial->divisor & 0xff : receive_byte(serial);
}

static void write_data(struct serial *serial, uint8_t value)
{
	if (divisor_latch(serial))
		serial->divisor = (serial->divisor & 0xff00) | value;
	else
		send_byte(serial, value);
}

static uint8_t read_interrupt_enable(struct serial *serial)
{
	return divisor_latch(serial) ? serial->divisor >> 8 : serial->interrupt_enable;
}

/* The holding register is always empty, so enabling its interrupt raises it. */
static void write_interrupt_enable(struct serial *serial, uint8_t value)
{
	if (divisor_latch(serial)) {
		serial->divisor = value << 8 | (serial->divisor & 0xff);
		return;
	}
	if (value & ~serial->interrupt_enable & ENABLE_TRANSMITTER)
		serial->transmitter_pending = true;
	serial->interrupt_enable = value & ENABLE_MASK;
}

static uint8_t read_interrupt_id(struct serial *serial)
{
	enum uart_interrupt_id id = pending_interrupt(serial);

	if (id == INTERRUPT_TRANSMITTER)
		serial->transmitter_pending = false;
	return id | (serial->fifo_control & FIFO_ENABLE ? INTERRUPT_FIFOS : 0);
}

static void write_fifo_control(struct serial *serial, uint8_t value)
{
	bool switched = (value ^ serial->fifo_control) & FIFO_ENABLE;

	if (switched || value & FIFO_CLEAR_RECEIVER) {
		fifo_clear(serial);
		chardev_accept_input(serial->chardev);
	}
	serial->fifo_control = value & FIFO_ENABLE ? value : 0;
}

static uint8_t read_line_control(struct serial *serial)
{
	return serial->line_control;
}

static void write_line_control(struct serial *serial, uint8_t value)
{
	serial->line_control = value;
}

static uint8_t read_modem_control(struct serial *serial)
{
	return serial->modem_control;
}

static void write_modem_control(struct serial *serial, uint8_t value)
{
	bool loop_ends = serial->modem_control & MODEM_LOOP && !(value & MODEM_LOOP);

	serial->modem_control = value & MODEM_MASK;
	update_modem_status(serial);
	if (loop_ends)
		chardev_accept_input(serial->chardev);
}

static uint8_t read_line_status(struct serial *serial)
{
	uint8_t status = serial->line_status | LINE_HOLDING_EMPTY | LINE_TRANSMITTER_EMPTY |
			 (serial->fifo_used > 0 ? LINE_DATA_READY : 0);

	serial->line_status &= ~LINE_ERRORS;
	return status;
}

static uint8_t read_modem_status(struct serial *serial)
{
	uint8_t status = serial->modem_status;

	serial->modem_status &= ~STATUS_DELTAS;
	return status;
}

static uint8_t read_scratch(struct serial *serial)
{
	return serial->scratch;
}

static void write_scratch(struct serial *serial, uint8_t value)
{
	serial->scratch = value;
}

static const struct {
	uint8_t (*read)(struct serial *serial);
	void (*write)(struct serial *serial, uint8_t value);
} registers[REGISTERS] = {
	[REGISTER_DATA] = { read_data, write_data },
	[REGISTER_INTERRUPT_ENABLE] = { read_interrupt_enable, write_interrupt_enable },
	[REGISTER_INTERRUPT_ID] = { read_interrupt_id, write_fifo_control },
	[REGISTER_LINE_CONTROL] = { read_line_control, write_line_control },
	[REGISTER_MODEM_CONTROL] = { read_modem_control, write_modem_control },
	[REGISTER_LINE_STATUS] = { read_line_status, NULL },
	[REGISTER_MODEM_STATUS] = { read_modem_status, NULL },
	[REGISTER_SCRATCH] = { read_scratch, write_scratch },
};

static uint64_t serial_read(void *device, uint64_t offset, unsigned size)
{
	struct serial *serial = device;
	uint8_t value = registers[offset].read(serial);

	update_interrupt(serial);
	return value;
}

static void serial_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct serial *serial = device;

	if (!registers[offset].write)
		return;
	registers[offset].write(serial, value);
	update_interrupt(serial);
}

static const struct io_ops serial_ops = { serial_read, serial_write, .max_access = 1 };

/* Character device, on the main loop without the lock */

static size_t serial_can_receive(void *front_end)
{
	struct serial *serial = front_end;
	size_t room;

	g_mutex_lock(&serial->device.machine->lock);
	room = serial->modem_control & MODEM_LOOP ? 0 : fifo_size(serial) - serial->fifo_used;
	g_mutex_unlock(&serial->device.machine->lock);
	return room;
}

static void serial_receive(void *front_end, const uint8_t *bytes, size_t length)
{
	struct serial *serial = front_end;

	g_mutex_lock(&serial->device.machine->lock);
	for (size_t i = 0; i < length; i++)
		fifo_add(serial, bytes[i]);
	update_interrupt(serial);
	g_mutex_unlock(&serial->device.machine->lock);
}

static const struct chardev_ops chardev_ops = {
	.can_receive = serial_can_receive,
	.receive = serial_receive,
};

/* Life */

static bool index_is_taken(const struct machine *machine, unsigned index)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *other = machine->devices->pdata[i];

		if (other->class == &isa_serial_class && other->realized &&
			((const struct serial *)other)->index == index)
			return true;
	}
	return false;
}

static bool choose_index(struct serial *serial, GError **error)
{
	const struct machine *machine = serial->device.machine;

	if (serial->index_choice > 0) {
		serial->index = serial->index_choice - 1;
		return !index_is_taken(machine, serial->index) ||
		       fail(error, VITRINE_ERROR_BUSY,
			       "there is a serial port with index %u already", serial->index);
	}
	for (serial->index = 0; serial->index < MACHINE_SERIAL_PORTS; serial->index++)
		if (!index_is_taken(machine, serial->index))
			return true;
	return fail(error, VITRINE_ERROR_INPUT, "there are %u serial ports already",
		MACHINE_SERIAL_PORTS);
}

static bool serial_realize(struct device *device, GError **error)
{
	struct serial *serial = (struct serial *)device;

	if (!choose_index(serial, error))
		return false;
	serial->chardev = isa_chardev_find(
		device, serial->chardev_name, device->machine->serial[serial->index], error);
	if (!serial->chardev)
		return false;
	if (serial->port == 0)
		serial->port = places[serial->index].port;
	if (serial->irq == 0)
		serial->irq = places[serial->index].irq;
	serial->region = (struct io_region) {
		.name = "serial", .ops = &serial_ops, .device = serial, .size = REGISTERS
	};
	io_space_map(&device->machine->ports, &serial->region, serial->port);
	chardev_attach(serial->chardev, &chardev_ops, serial);
	return true;
}

void isa_serial_place(const struct device *device, uint16_t *port, uint8_t *irq)
{
	const struct serial *serial = (const struct serial *)device;

	*port = serial->port;
	*irq = serial->irq;
}

static void serial_reset(struct device *device)
{
	struct serial *serial = (struct serial *)device;

	serial->interrupt_enable = 0;
	serial->fifo_control = 0;
	serial->line_control = 0;
	serial->modem_control = MODEM_OUT2;
	serial->line_status = 0;
	serial->modem_status = STATUS_READY;
	serial->scratch = 0;
	serial->divisor = DIVISOR_AT_RESET;
	serial->transmitter_pending = false;
	fifo_clear(serial);
	serial->line = false;
	machine_set_irq(serial->device.machine, serial->irq, false);
	chardev_accept_input(serial->chardev);
}

static void serial_unrealize(struct device *device)
{
	struct serial *serial = (struct serial *)device;

	io_region_unmap(&serial->region);
	if (serial->chardev)
		chardev_attach(serial->chardev, NULL, NULL);
	serial->chardev = NULL;
}

const struct device_class isa_serial_class = {
	.name = "isa-serial",
	.description = "serial port (16550A)",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct serial),
	.properties = serial_properties,
	.state = serial_state,
	.realize = serial_realize,
	.reset = serial_reset,
	.unrealize = serial_unrealize,
};
