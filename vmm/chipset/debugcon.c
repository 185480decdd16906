/* A port that prints what is written to it, and says that it is there by reading as 0xe9.
 *
 * Specification: Bochs' port 0xe9 hack; SeaBIOS and OVMF write their logs to such a port (0x402).
 */
#include "vmm/chipset/debugcon.h"

#include "vmm/chardev/chardev.h"
#include "vmm/chipset/isa-chardev.h"
#include "vmm/machine/machine.h"

struct debugcon {
	struct device device;
	char *chardev_name;
	uint32_t port;
	uint32_t readback;
	struct chardev *chardev;
	struct io_region region;
};

static const struct property debugcon_properties[] = {
	{ "chardev", PROPERTY_STRING, offsetof(struct debugcon, chardev_name),
		.description = "character device that it prints to" },
	{ "iobase", PROPERTY_UINT32, offsetof(struct debugcon, port), "0xe9", "its port",
		.minimum = 1, .maximum = 0xffff },
	{ "readback", PROPERTY_UINT32, offsetof(struct debugcon, readback), "0xe9",
		"what reading the port gives", .maximum = 0xff },
	{ NULL },
};

static uint64_t debugcon_read(void *device, uint64_t offset, unsigned size)
{
	return ((const struct debugcon *)device)->readback;
}

static void debugcon_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct debugcon *debugcon = device;
	uint8_t byte = value;

	chardev_write(debugcon->chardev, &byte, 1);
}

static const struct io_ops debugcon_ops = { debugcon_read, debugcon_write, .max_access = 1 };

/* What is typed there goes nowhere. */
static size_t debugcon_can_receive(void *front_end)
{
	return 4096;
}

static void debugcon_receive(void *front_end, const uint8_t *bytes, size_t length)
{
}

static const struct chardev_ops chardev_ops = {
	.can_receive = debugcon_can_receive,
	.receive = debugcon_receive,
};

static bool debugcon_realize(struct device *device, GError **error)
{
	struct debugcon *debugcon = (struct debugcon *)device;

	debugcon->chardev =
		isa_chardev_find(device, debugcon->chardev_name, device->machine->debugcon, error);
	if (!debugcon->chardev)
		return false;
	debugcon->region = (struct io_region) {
		.name = "isa-debugcon", .ops = &debugcon_ops, .device = debugcon, .size = 1
	};
	io_space_map(&device->machine->ports, &debugcon->region, debugcon->port);
	chardev_attach(debugcon->chardev, &chardev_ops, debugcon);
	return true;
}

static void debugcon_unrealize(struct device *device)
{
	struct debugcon *debugcon = (struct debugcon *)device;

	io_region_unmap(&debugcon->region);
	if (debugcon->chardev)
		chardev_attach(debugcon->chardev, NULL, NULL);
	debugcon->chardev = NULL;
}

const struct device_class isa_debugcon_class = {
	.name = "isa-debugcon",
	.description = "port that prints to a character device",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct debugcon),
	.properties = debugcon_properties,
	.realize = debugcon_realize,
	.unrealize = debugcon_unrealize,
};
