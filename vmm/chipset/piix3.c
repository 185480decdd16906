/* PIIX3 ISA bridge: which line a PCI interrupt takes, and the reset control register. The edge and level registers of its
 * interrupt controllers (0x4d0, 0x4d1) are the kernel's, with the controllers themselves.
 *
 * Specification: Intel 82371FB (PIIX) and 82371SB (PIIX3) datasheet (290550), section 2.2 (configuration), 2.5.5 (RC).
 */
#include "vmm/chipset/piix3.h"

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum piix3_register {
	PIIX3_IO_RECOVERY = 0x4c,   /* 1 byte */
	PIIX3_BUS_SELECT = 0x4e,    /* 2: which BIOS areas and chips are enabled */
	PIIX3_PIRQA = 0x60,         /* 4: A to D */
	PIIX3_TOP_OF_MEMORY = 0x69, /* 1 */
	PIIX3_STATUS = 0x6a,        /* 2 */
	PIIX3_BOARD_IRQ = 0x70,     /* 1 */
	PIIX3_BOARD_DMA = 0x76,     /* 2 */
	PIIX3_CHIP_SELECT = 0x78,   /* 2 */
	PIIX3_APIC_BASE = 0x80,     /* 1 */
	PIIX3_LATENCY = 0x82,       /* 1 */
	PIIX3_SMI_CONTROL = 0xa0,   /* 1 */
	PIIX3_SMI_ENABLE = 0xa2,    /* 2 */
	PIIX3_SYSTEM_EVENT = 0xa4,  /* 4 */
	PIIX3_FAST_OFF = 0xa8,      /* 1 */
	PIIX3_SMI_REQUEST = 0xaa,   /* 2 */
	PIIX3_CLOCK_LOW = 0xac,     /* 1 */
	PIIX3_CLOCK_HIGH = 0xae,    /* 1 */
};

enum {
	PORT_RESET = 0xcf9,
	ROUTE_OFF = 0x80,
	ROUTE_LINE = 0x0f,
	LINES = 16,
};

enum reset_control {
	RESET_SYSTEM = 1 << 1,
	RESET_CPU = 1 << 2,
	RESET_MASK = RESET_SYSTEM | RESET_CPU,
};

struct piix3 {
	struct pci_device pci;
	struct io_region reset;

	bool pirqs[PIIX3_PIRQS];
	bool lines[LINES]; /* as driven from here */
	uint8_t reset_control;
};

static const struct state_field piix3_state[] = {
	STATE_ARRAY_OF(STATE_TYPE_BOOL, struct piix3, pirqs, PIIX3_PIRQS),
	STATE_UINT8(struct piix3, reset_control),
	STATE_END,
};

/* Lines that a PIRQ can be routed to; the others of the datasheet's table are reserved. */
static bool is_routable(unsigned line)
{
	return line >= 3 && line != 8 && line != 13;
}

/* Drives every line from what is routed to it now. */
static void update_lines(struct piix3 *piix3)
{
	bool lines[LINES] = { false };

	for (unsigned pirq = 0; pirq < PIIX3_PIRQS; pirq++) {
		uint8_t route = piix3->pci.config[PIIX3_PIRQA + pirq];

		if (piix3->pirqs[pirq] && !(route & ROUTE_OFF) && is_routable(route & ROUTE_LINE))
			lines[route & ROUTE_LINE] = true;
	}
	for (unsigned line = 0; line < LINES; line++) {
		if (lines[line] == piix3->lines[line])
			continue;
		piix3->lines[line] = lines[line];
		machine_drive_irq(piix3->pci.device.machine, IRQ_OF_PCI, line, lines[line]);
	}
}

void piix3_set_pirq(struct device *device, unsigned pirq, bool level)
{
	struct piix3 *piix3 = (struct piix3 *)device;

	piix3->pirqs[pirq] = level;
	update_lines(piix3);
}

/* Reset control: a reset on the rise of the processor bit. */

static uint64_t reset_read(void *device, uint64_t offset, unsigned size)
{
	return ((const struct piix3 *)device)->reset_control;
}

static void reset_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct piix3 *piix3 = device;
	bool rises = value & RESET_CPU && !(piix3->reset_control & RESET_CPU);

	piix3->reset_control = value & RESET_MASK & ~RESET_CPU;
	if (rises)
		machine_request_reset(piix3->pci.device.machine, CAUSE_GUEST_RESET);
}

static const struct io_ops reset_ops = { reset_read, reset_write, .max_access = 1 };

/* Configuration space */

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	if (offset < PIIX3_PIRQA + PIIX3_PIRQS && offset + size > PIIX3_PIRQA)
		update_lines((struct piix3 *)device);
}

static const struct {
	uint16_t offset, size;
	uint8_t write_mask, at_reset;
} config_bytes[] = {
	{ PIIX3_IO_RECOVERY, 1, 0xff, 0x4d },
	{ PIIX3_BUS_SELECT, 1, 0xff, 0x03 },
	{ PIIX3_BUS_SELECT + 1, 1, 0x01, 0 },
	{ PIIX3_PIRQA, PIIX3_PIRQS, ROUTE_OFF | ROUTE_LINE, ROUTE_OFF },
	{ PIIX3_TOP_OF_MEMORY, 1, 0xfe, 0x02 },
	{ PIIX3_STATUS, 2, 0xd1, 0 },
	{ PIIX3_BOARD_IRQ, 1, 0xef, 0x80 },
	{ PIIX3_BOARD_DMA, 2, 0x8f, 0x0c },
	{ PIIX3_CHIP_SELECT, 1, 0xff, 0x02 },
	{ PIIX3_CHIP_SELECT + 1, 1, 0xff, 0 },
	{ PIIX3_APIC_BASE, 1, 0x7f, 0 },
	{ PIIX3_LATENCY, 1, 0x0f, 0 },
	{ PIIX3_SMI_CONTROL, 1, 0x1f, 0x08 },
	{ PIIX3_SMI_ENABLE, 2, 0xff, 0 },
	{ PIIX3_SYSTEM_EVENT, 4, 0xff, 0 },
	{ PIIX3_FAST_OFF, 1, 0xff, 0x0f },
	{ PIIX3_SMI_REQUEST, 2, 0xff, 0 },
	{ PIIX3_CLOCK_LOW, 1, 0xff, 0 },
	{ PIIX3_CLOCK_HIGH, 1, 0xff, 0 },
};

static void reset_config(struct piix3 *piix3)
{
	for (size_t i = 0; i < G_N_ELEMENTS(config_bytes); i++) {
		memset(piix3->pci.write_mask + config_bytes[i].offset, config_bytes[i].write_mask,
			config_bytes[i].size);
		memset(piix3->pci.config + config_bytes[i].offset, config_bytes[i].at_reset,
			config_bytes[i].size);
	}
	/* Always a master of everything; nothing reads these bits. */
	config_set16(piix3->pci.config + PCI_COMMAND,
		PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Life */

static bool piix3_realize(struct device *device, GError **error)
{
	struct piix3 *piix3 = (struct piix3 *)device;

	/* Above the configuration address port, whose bytes these ports also are. */
	piix3->reset = (struct io_region) {
		.name = "reset control",
		.ops = &reset_ops,
		.device = piix3,
		.size = 1,
		.priority = 1,
	};
	io_space_map(&device->machine->ports, &piix3->reset, PORT_RESET);
	config_set16(piix3->pci.config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
	reset_config(piix3);
	piix3->pci.config_written = config_written;
	return true;
}

static void piix3_reset(struct device *device)
{
	struct piix3 *piix3 = (struct piix3 *)device;

	piix3->reset_control = 0;
	reset_config(piix3);
	update_lines(piix3);
}

static void piix3_unrealize(struct device *device)
{
	io_region_unmap(&((struct piix3 *)device)->reset);
}

static const struct pci_identity piix3_identity = {
	.vendor = 0x8086,
	.device = 0x7000,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060100,
};

const struct device_class piix3_class = {
	.name = "PIIX3",
	.description = "PIIX3 ISA bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct piix3),
	.pci = &piix3_identity,
	.state = piix3_state,
	.realize = piix3_realize,
	.reset = piix3_reset,
	.unrealize = piix3_unrealize,
};
