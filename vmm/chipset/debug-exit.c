/* A port that ends the program with an odd exit status that the guest chose.
 *
 * Specification: QEMU's isa-debug-exit: status (value << 1) | 1.
 */
#include "vmm/chipset/debug-exit.h"

#include "vmm/machine/machine.h"

struct debug_exit {
	struct device device;
	uint32_t port, size;
	struct io_region region;
};

static const struct property debug_exit_properties[] = {
	{ "iobase", PROPERTY_UINT32, offsetof(struct debug_exit, port), "0x501", "its first port",
		.minimum = 1, .maximum = 0xfffc },
	{ "iosize", PROPERTY_UINT32, offsetof(struct debug_exit, size), "2",
		"how many ports it has", .minimum = 1, .maximum = 4 },
	{ NULL },
};

static uint64_t debug_exit_read(void *device, uint64_t offset, unsigned size)
{
	return 0;
}

static void debug_exit_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct debug_exit *debug_exit = device;

	machine_exit(debug_exit->device.machine, (value << 1 | 1) & 0xff);
}

static const struct io_ops debug_exit_ops = { debug_exit_read, debug_exit_write, .max_access = 4 };

static bool debug_exit_realize(struct device *device, GError **error)
{
	struct debug_exit *debug_exit = (struct debug_exit *)device;

	debug_exit->region = (struct io_region) {
		.name = "isa-debug-exit",
		.ops = &debug_exit_ops,
		.device = debug_exit,
		.size = debug_exit->size,
	};
	io_space_map(&device->machine->ports, &debug_exit->region, debug_exit->port);
	return true;
}

static void debug_exit_unrealize(struct device *device)
{
	io_region_unmap(&((struct debug_exit *)device)->region);
}

const struct device_class isa_debug_exit_class = {
	.name = "isa-debug-exit",
	.description = "port that ends the program with a status",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct debug_exit),
	.properties = debug_exit_properties,
	.realize = debug_exit_realize,
	.unrealize = debug_exit_unrealize,
};
