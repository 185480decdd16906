/* SMBus host controller. A transaction is over as soon as it is started: the busy bit is never seen. */
#include "vmm/chipset/smbus-host.h"

#include <string.h>

#include "vmm/machine/machine.h"

enum smbus_register {
	HOST_STATUS = 0x00,
	HOST_CONTROL = 0x02,
	HOST_COMMAND = 0x03,
	HOST_ADDRESS = 0x04, /* bit 0: read */
	HOST_DATA_0 = 0x05,
	HOST_DATA_1 = 0x06,
	HOST_BLOCK = 0x07,
	HOST_AUXILIARY = 0x0d, /* ICH9 */
};

enum smbus_status {
	STATUS_DONE = 1 << 1,
	STATUS_DEVICE_ERROR = 1 << 2,
	STATUS_FAILED = 1 << 4,
	STATUS_IN_USE = 1 << 6,
	STATUS_BYTE_DONE = 1 << 7,
	STATUS_INTERRUPTS = STATUS_DONE | STATUS_DEVICE_ERROR | STATUS_FAILED | STATUS_BYTE_DONE,
	STATUS_CLEARED_BY_ONE = 0xfe,
};

enum smbus_control {
	CONTROL_INTERRUPT = 1 << 0,
	CONTROL_KILL = 1 << 1,
	CONTROL_PROTOCOL_SHIFT = 2,
	CONTROL_PROTOCOL = 7,
	CONTROL_LAST_BYTE = 1 << 5,
	CONTROL_START = 1 << 6,
	CONTROL_KEPT = 0xbf, /* START reads as zero */
};

enum smbus_protocol {
	PROTOCOL_QUICK,
	PROTOCOL_BYTE,
	PROTOCOL_BYTE_DATA,
	PROTOCOL_WORD_DATA,
	PROTOCOL_PROCESS_CALL,
	PROTOCOL_BLOCK,
	PROTOCOL_I2C_READ,
	PROTOCOL_BLOCK_PROCESS_CALL,
	PROTOCOLS,
};

enum {
	ADDRESS_READ = 1 << 0,
	AUXILIARY_BUFFER = 1 << 1, /* the block register goes round a buffer of 32 bytes */
	AUXILIARY_MASK = 0x03,
};

static bool is_read(const struct smbus_host *host)
{
	return host->address & ADDRESS_READ;
}

static bool goes_by_bytes(const struct smbus_host *host)
{
	return host->has_byte_mode && !(host->auxiliary & AUXILIARY_BUFFER);
}

static struct smbus_slave *slave_of(struct smbus_host *host)
{
	return &host->slaves[host->address >> 1];
}

static void update_interrupt(struct smbus_host *host)
{
	host->interrupt_changed(
		host->owner, host->control & CONTROL_INTERRUPT && host->status & STATUS_INTERRUPTS);
}

/* Protocols: false when the device refuses. */

static void slave_write(struct smbus_host *host, const uint8_t *bytes, unsigned count)
{
	const struct smbus_slave *slave = slave_of(host);

	slave->write(slave->device, bytes, count);
}

static uint8_t slave_read(struct smbus_host *host)
{
	const struct smbus_slave *slave = slave_of(host);

	return slave->read(slave->device);
}

static bool quick(struct smbus_host *host)
{
	return true;
}

static bool one_byte(struct smbus_host *host)
{
	if (is_read(host))
		host->data0 = slave_read(host);
	else
		slave_write(host, &host->command, 1);
	return true;
}

static bool byte_data(struct smbus_host *host)
{
	const uint8_t bytes[] = { host->command, host->data0 };

	slave_write(host, bytes, is_read(host) ? 1 : 2);
	if (is_read(host))
		host->data0 = slave_read(host);
	return true;
}

static bool word_data(struct smbus_host *host)
{
	const uint8_t bytes[] = { host->command, host->data0, host->data1 };

	slave_write(host, bytes, is_read(host) ? 1 : 3);
	if (is_read(host)) {
		host->data0 = slave_read(host);
		host->data1 = slave_read(host);
	}
	return true;
}

static bool process_call(struct smbus_host *host)
{
	const uint8_t bytes[] = { host->command, host->data0, host->data1 };

	slave_write(host, bytes, 3);
	host->data0 = slave_read(host);
	host->data1 = slave_read(host);
	return true;
}

static void send_block(struct smbus_host *host)
{
	uint8_t bytes[2 + SMBUS_BLOCK_MAX] = { host->command, host->count };

	memcpy(bytes + 2, host->block, host->count);
	slave_write(host, bytes, 2 + host->count);
}

static void receive_block(struct smbus_host *host)
{
	for (unsigned i = 0; i < host->count; i++)
		host->block[i] = slave_read(host);
}

static bool block(struct smbus_host *host)
{
	if (is_read(host)) {
		slave_write(host, &host->command, 1);
		host->data0 = slave_read(host);
	}
	host->count = host->data0;
	if (host->count == 0 || host->count > SMBUS_BLOCK_MAX) {
		host->count = 0;
		return false;
	}
	host->in_block = goes_by_bytes(host);
	if (is_read(host))
		receive_block(host);
	else if (!host->in_block)
		send_block(host);
	return true;
}

/* Of as many bytes as the host wants: one by one, or what the buffer holds. */
static bool i2c_read(struct smbus_host *host)
{
	slave_write(host, &host->data1, 1);
	host->in_block = goes_by_bytes(host);
	host->count = SMBUS_BLOCK_MAX;
	receive_block(host);
	return true;
}

static bool block_process_call(struct smbus_host *host)
{
	if (goes_by_bytes(host) || host->data0 == 0 || host->data0 > SMBUS_BLOCK_MAX)
		return false;
	host->count = host->data0;
	send_block(host);
	host->data0 = slave_read(host);
	if (host->data0 == 0 || host->data0 > SMBUS_BLOCK_MAX)
		return false;
	host->count = host->data0;
	receive_block(host);
	return true;
}

static bool (*const protocols[PROTOCOLS])(struct smbus_host *host) = {
	[PROTOCOL_QUICK] = quick,
	[PROTOCOL_BYTE] = one_byte,
	[PROTOCOL_BYTE_DATA] = byte_data,
	[PROTOCOL_WORD_DATA] = word_data,
	[PROTOCOL_PROCESS_CALL] = process_call,
	[PROTOCOL_BLOCK] = block,
	[PROTOCOL_I2C_READ] = i2c_read,
	[PROTOCOL_BLOCK_PROCESS_CALL] = block_process_call,
};

/* The byte at hand of a read is in the register, that of a write has been taken from it. */
static void byte_done(struct smbus_host *host)
{
	host->status |= STATUS_BYTE_DONE;
}

static void start(struct smbus_host *host)
{
	unsigned protocol = host->control >> CONTROL_PROTOCOL_SHIFT & CONTROL_PROTOCOL;

	host->at = 0;
	host->in_block = false;
	if (!slave_of(host)->write || !protocols[protocol](host))
		host->status |= STATUS_DEVICE_ERROR;
	else if (host->in_block)
		byte_done(host);
	else
		host->status |= STATUS_DONE;
}

/* The guest has dealt with a byte of a block. */
static void next_byte(struct smbus_host *host)
{
	bool last = host->control & CONTROL_LAST_BYTE;

	host->at++;
	if (host->at < host->count && !(is_read(host) && last)) {
		byte_done(host);
		return;
	}
	if (!is_read(host))
		send_block(host);
	host->in_block = false;
	host->at = 0;
	host->status |= STATUS_DONE;
}

static uint8_t read_status(struct smbus_host *host)
{
	uint8_t value = host->status;

	if (host->has_byte_mode)
		host->status |= STATUS_IN_USE;
	return value;
}

static void write_status(struct smbus_host *host, uint8_t ones)
{
	bool was_done = host->status & STATUS_BYTE_DONE;

	host->status &= ~(ones & STATUS_CLEARED_BY_ONE);
	if (host->in_block && was_done && ones & STATUS_BYTE_DONE)
		next_byte(host);
}

static uint8_t read_control(struct smbus_host *host)
{
	if (!host->in_block)
		host->at = 0;
	return host->control;
}

static void write_control(struct smbus_host *host, uint8_t value)
{
	host->control = value & CONTROL_KEPT;
	if (value & CONTROL_KILL) {
		host->status |= STATUS_FAILED;
		host->in_block = false;
	} else if (value & CONTROL_START) {
		start(host);
	}
}

static uint8_t read_block(struct smbus_host *host)
{
	uint8_t value = host->block[host->at];

	if (!host->in_block)
		host->at = (host->at + 1) % SMBUS_BLOCK_MAX;
	return value;
}

static void write_block(struct smbus_host *host, uint8_t value)
{
	/* While a byte is waiting to be cleared, this is the one behind it. */
	unsigned at = host->in_block ? host->at + 1u : host->at;

	if (at < SMBUS_BLOCK_MAX)
		host->block[at] = value;
	if (!goes_by_bytes(host))
		host->at = (host->at + 1) % SMBUS_BLOCK_MAX;
}

static uint64_t smbus_read(void *device, uint64_t offset, unsigned size)
{
	struct smbus_host *host = device;

	if (!host->enabled)
		return 0xff;
	switch (offset) {
	case HOST_STATUS:
		return read_status(host);
	case HOST_CONTROL:
		return read_control(host);
	case HOST_COMMAND:
		return host->command;
	case HOST_ADDRESS:
		return host->address;
	case HOST_DATA_0:
		return host->data0;
	case HOST_DATA_1:
		return host->data1;
	case HOST_BLOCK:
		return read_block(host);
	case HOST_AUXILIARY:
		return host->auxiliary;
	default:
		return 0;
	}
}

static void smbus_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct smbus_host *host = device;

	if (!host->enabled)
		return;
	switch (offset) {
	case HOST_STATUS:
		write_status(host, value);
		break;
	case HOST_CONTROL:
		write_control(host, value);
		break;
	case HOST_COMMAND:
		host->command = value;
		break;
	case HOST_ADDRESS:
		host->address = value;
		break;
	case HOST_DATA_0:
		host->data0 = value;
		break;
	case HOST_DATA_1:
		host->data1 = value;
		break;
	case HOST_BLOCK:
		write_block(host, value);
		break;
	case HOST_AUXILIARY:
		if (host->has_byte_mode)
			host->auxiliary = value & AUXILIARY_MASK;
		break;
	}
	update_interrupt(host);
}

static const struct io_ops smbus_ops = { smbus_read, smbus_write, .max_access = 1 };

void smbus_host_init(struct smbus_host *host, struct machine *machine,
	void (*interrupt_changed)(void *owner, bool level), void *owner)
{
	host->machine = machine;
	host->enabled = true;
	host->interrupt_changed = interrupt_changed;
	host->owner = owner;
	host->region = (struct io_region) {
		.name = "SMBus", .ops = &smbus_ops, .device = host, .size = SMBUS_HOST_SIZE
	};
	machine->smbus = host;
}

void smbus_host_finish(struct smbus_host *host)
{
	if (!host->machine)
		return;
	io_region_unmap(&host->region);
	host->machine->smbus = NULL;
	host->machine = NULL;
}

void smbus_host_reset(struct smbus_host *host)
{
	host->status = host->control = host->command = host->address = 0;
	host->data0 = host->data1 = host->auxiliary = 0;
	memset(host->block, 0, sizeof(host->block));
	host->at = host->count = 0;
	host->in_block = false;
	update_interrupt(host);
}

bool smbus_host_attach(struct smbus_host *host, uint8_t address, const struct smbus_slave *slave)
{
	if (slave && host->slaves[address].write)
		return false;
	host->slaves[address] = slave ? *slave : (struct smbus_slave) { 0 };
	return true;
}
