/* System control port A: A20, which always stays on under KVM whatever is written, and a reset on the rise of bit 0.
 *
 * Specification: IBM PS/2 Technical Reference, "System Control Port A"; Intel ICH9 section 13.7.3.
 */
#include "vmm/chipset/port92.h"

#include "vmm/machine/machine.h"

enum {
	PORT_CONTROL = 0x92
};

enum port92_bit {
	CONTROL_RESET = 1 << 0,
	CONTROL_A20 = 1 << 1,
};

struct port92 {
	struct device device;
	struct io_region region;

	uint8_t control;
};

static const struct state_field port92_state[] = {
	STATE_UINT8(struct port92, control),
	STATE_END,
};

static uint64_t port92_read(void *device, uint64_t offset, unsigned size)
{
	return ((const struct port92 *)device)->control;
}

static void port92_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct port92 *port92 = device;
	bool rises = value & CONTROL_RESET && !(port92->control & CONTROL_RESET);

	port92->control = value & (CONTROL_RESET | CONTROL_A20);
	if (rises)
		machine_request_reset(port92->device.machine, CAUSE_GUEST_RESET);
}

static const struct io_ops port92_ops = { port92_read, port92_write, .max_access = 1 };

static bool port92_realize(struct device *device, GError **error)
{
	struct port92 *port92 = (struct port92 *)device;

	port92->region = (struct io_region) {
		.name = "port 92", .ops = &port92_ops, .device = port92, .size = 1
	};
	io_space_map(&device->machine->ports, &port92->region, PORT_CONTROL);
	return true;
}

static void port92_reset(struct device *device)
{
	((struct port92 *)device)->control = CONTROL_A20;
}

static void port92_unrealize(struct device *device)
{
	io_region_unmap(&((struct port92 *)device)->region);
}

const struct device_class port92_class = {
	.name = "port92",
	.description = "system control port A",
	.bus = BUS_ISA,
	.size = sizeof(struct port92),
	.state = port92_state,
	.realize = port92_realize,
	.reset = port92_reset,
	.unrealize = port92_unrealize,
};
