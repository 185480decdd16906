/* ICH9 LPC bridge: which line a PCI interrupt takes, where the power management ports are, the chipset configuration
 * registers and the reset control register.
 *
 * Specification: Intel I/O Controller Hub 9 datasheet, section 13.1 (configuration), 10.1 (chipset configuration: DxxIR),
 * 13.7.5 (RST_CNT).
 */
#include "vmm/chipset/ich9-lpc.h"

#include <string.h>

#include "base/checked.h"
#include "vmm/chipset/acpi-pm-ich9.h"
#include "vmm/machine/machine.h"

/* Configuration space */
enum lpc_register {
	LPC_PMBASE = 0x40,       /* 4 bytes */
	LPC_ACPI_CONTROL = 0x44, /* 1 */
	LPC_GPIO_BASE = 0x48,    /* 4 */
	LPC_GPIO_CONTROL = 0x4c, /* 1 */
	LPC_PIRQA = 0x60,        /* 4: A to D */
	LPC_SERIAL_IRQ = 0x64,   /* 1 */
	LPC_PIRQE = 0x68,        /* 4: E to H */
	LPC_IO_DECODE = 0x80,    /* 2 */
	LPC_ENABLES = 0x82,      /* 2 */
	LPC_GEN_DECODE = 0x84,   /* 16 */
	LPC_GEN_PMCON = 0xa0,    /* 6 */
	LPC_RCBA = 0xf0,         /* 4 */
};

enum {
	PMBASE_IS_PORTS = 1 << 0,
	PMBASE_ADDRESS = 0xff80,
	ACPI_CONTROL_SCI = 7 << 0,
	ACPI_CONTROL_ENABLE = 1 << 7,
	PIRQ_LINE = 0x0f,
	PIRQ_OFF = 0x80,
	RCBA_ENABLE = 1 << 0,
	PIC_LINES = 16,
	PIRQS_PER_GROUP = 4,
};

#define RCBA_ADDRESS 0xffffc000u

/* Chipset configuration registers that mean something here: interrupt routes of slots 25 to 31. */
enum {
	RCBA_SIZE = 16 * KiB,
	RCBA_ROUTES = 0x3140,
	RCBA_ROUTES_SIZE = 0x20,
	RCBA_GENERAL = 0x3410, /* general control and status, 4 bytes */
	GENERAL_NO_REBOOT = 1 << 5,
	GENERAL_AT_RESET = GENERAL_NO_REBOOT,
	ROUTE_AT_RESET = 0x3210, /* INTA to PIRQA, INTB to PIRQB ... */
	FIRST_ROUTED_SLOT = 25,
};

static const uint8_t route_offsets[PCI_SLOTS - FIRST_ROUTED_SLOT] = {
	0x10, 0x0c, 0x08, 0x06, 0x04, 0x02, 0x00 /* D25IR .. D31IR */
};

enum reset_control {
	RESET_SYSTEM = 1 << 1,
	RESET_CPU = 1 << 2,
	RESET_FULL = 1 << 3,
	RESET_MASK = RESET_SYSTEM | RESET_CPU | RESET_FULL,
};

struct ich9_lpc {
	struct pci_device pci;
	struct ich9_pm pm;
	struct io_region rcba, reset;

	uint8_t routes[RCBA_ROUTES_SIZE];
	bool pirqs[ICH9_PIRQS];
	bool lines[PIC_LINES]; /* as driven from here */
	bool sci;
	uint8_t reset_control;
	uint8_t general[4];
	bool no_reboot; /* property: the strap on the speaker's pin */
};

static const struct state_field ich9_lpc_state[] = {
	STATE_UINT8_ARRAY(struct ich9_lpc, routes, RCBA_ROUTES_SIZE),
	STATE_ARRAY_OF(STATE_TYPE_BOOL, struct ich9_lpc, pirqs, ICH9_PIRQS),
	STATE_BOOL(struct ich9_lpc, sci),
	ACPI_PM_STATE(struct ich9_lpc, pm.acpi),
	STATE_UINT32(struct ich9_lpc, pm.smi_enable),
	STATE_UINT8(struct ich9_lpc, reset_control),
	STATE_UINT8_ARRAY(struct ich9_lpc, general, 4),
	ICH9_TCO_STATE(struct ich9_lpc, pm.tco),
	STATE_END,
};

static const struct property ich9_lpc_properties[] = {
	ACPI_PM_PROPERTIES(struct ich9_lpc, pm.acpi),
	{ "noreboot", PROPERTY_BOOL, offsetof(struct ich9_lpc, no_reboot), "on",
		"the watchdog does nothing when it runs out; off: what -watchdog-action says" },
	{ .type = PROPERTY_END },
};

/* Interrupts */

/* The line of the PIC that a PIRQ is routed to, -1 when it is to none. */
static int pirq_line(const struct ich9_lpc *lpc, unsigned pirq)
{
	unsigned offset =
		pirq < PIRQS_PER_GROUP ? LPC_PIRQA + pirq : LPC_PIRQE + pirq - PIRQS_PER_GROUP;
	uint8_t route = lpc->pci.config[offset];

	return route & PIRQ_OFF ? -1 : route & PIRQ_LINE;
}

/* Interrupt line of the system control interrupt: 9, 10 or 11, or one of the I/O APIC's own. */
static unsigned sci_line(const struct ich9_lpc *lpc)
{
	static const uint8_t lines[] = { 9, 10, 11, 9, 20, 21, 9, 9 };

	return lines[lpc->pci.config[LPC_ACPI_CONTROL] & ACPI_CONTROL_SCI];
}

/* Drives every line of the PIC from what is routed to it now. */
static void update_lines(struct ich9_lpc *lpc)
{
	bool lines[PIC_LINES] = { false };

	for (unsigned pirq = 0; pirq < ICH9_PIRQS; pirq++)
		if (lpc->pirqs[pirq] && pirq_line(lpc, pirq) >= 0)
			lines[pirq_line(lpc, pirq)] = true;
	if (lpc->sci && sci_line(lpc) < PIC_LINES)
		lines[sci_line(lpc)] = true;
	for (unsigned line = 0; line < PIC_LINES; line++) {
		if (lines[line] == lpc->lines[line])
			continue;
		lpc->lines[line] = lines[line];
		machine_drive_irq(lpc->pci.device.machine, IRQ_OF_PCI, line, lines[line]);
	}
}

static void update_gsi(struct ich9_lpc *lpc, unsigned pirq)
{
	unsigned gsi = ICH9_FIRST_PIRQ_GSI + pirq;

	machine_drive_irq(lpc->pci.device.machine, IRQ_OF_PCI, gsi,
		lpc->pirqs[pirq] || (lpc->sci && sci_line(lpc) == gsi));
}

void ich9_set_pirq(struct device *device, unsigned pirq, bool level)
{
	struct ich9_lpc *lpc = (struct ich9_lpc *)device;

	if (lpc->pirqs[pirq] == level)
		return;
	lpc->pirqs[pirq] = level;
	update_gsi(lpc, pirq);
	update_lines(lpc);
}

static void sci_changed(void *bridge, bool level)
{
	struct ich9_lpc *lpc = bridge;

	if (lpc->sci == level)
		return;
	lpc->sci = level;
	if (sci_line(lpc) >= ICH9_FIRST_PIRQ_GSI)
		update_gsi(lpc, sci_line(lpc) - ICH9_FIRST_PIRQ_GSI);
	update_lines(lpc);
}

static bool watchdog_is_off(void *bridge)
{
	const struct ich9_lpc *lpc = bridge;

	return lpc->no_reboot || lpc->general[0] & GENERAL_NO_REBOOT;
}

unsigned ich9_slot_pirq(const struct device *device, unsigned slot, unsigned pin)
{
	const struct ich9_lpc *lpc = (const struct ich9_lpc *)device;
	unsigned offset = route_offsets[slot - FIRST_ROUTED_SLOT];
	uint16_t route = lpc->routes[offset] | lpc->routes[offset + 1] << 8;

	return route >> 4 * pin & (ICH9_PIRQS - 1);
}

/* Chipset configuration registers */

static uint64_t rcba_read(void *device, uint64_t offset, unsigned size)
{
	const struct ich9_lpc *lpc = device;

	if (offset >= RCBA_GENERAL && offset < RCBA_GENERAL + sizeof(lpc->general))
		return lpc->general[offset - RCBA_GENERAL];
	if (offset < RCBA_ROUTES || offset >= RCBA_ROUTES + RCBA_ROUTES_SIZE)
		return 0;
	return lpc->routes[offset - RCBA_ROUTES];
}

static void rcba_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct ich9_lpc *lpc = device;

	if (offset >= RCBA_GENERAL && offset < RCBA_GENERAL + sizeof(lpc->general))
		lpc->general[offset - RCBA_GENERAL] = value;
	if (offset >= RCBA_ROUTES && offset < RCBA_ROUTES + RCBA_ROUTES_SIZE)
		lpc->routes[offset - RCBA_ROUTES] = value;
}

static const struct io_ops rcba_ops = { rcba_read, rcba_write, .max_access = 1 };

/* Reset control: a reset on the rise of the processor bit. */

static uint64_t reset_read(void *device, uint64_t offset, unsigned size)
{
	return ((const struct ich9_lpc *)device)->reset_control;
}

static void reset_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct ich9_lpc *lpc = device;
	bool rises = value & RESET_CPU && !(lpc->reset_control & RESET_CPU);

	lpc->reset_control = value & RESET_MASK & ~RESET_CPU;
	if (rises)
		machine_request_reset(lpc->pci.device.machine, CAUSE_GUEST_RESET);
}

static const struct io_ops reset_ops = { reset_read, reset_write, .max_access = 1 };

/* Configuration space */

static uint32_t config_long(const struct ich9_lpc *lpc, uint16_t offset)
{
	uint32_t value;

	memcpy(&value, lpc->pci.config + offset, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* Everything outside that follows from configuration space. */
static void follow_config(struct ich9_lpc *lpc)
{
	uint32_t rcba = config_long(lpc, LPC_RCBA);

	ich9_pm_map(&lpc->pm, lpc->pci.config[LPC_ACPI_CONTROL] & ACPI_CONTROL_ENABLE,
		config_long(lpc, LPC_PMBASE) & PMBASE_ADDRESS);
	if (!(rcba & RCBA_ENABLE))
		io_region_unmap(&lpc->rcba);
	else if (!lpc->rcba.space || lpc->rcba.base != (rcba & RCBA_ADDRESS))
		io_space_map(&lpc->pci.device.machine->mmio, &lpc->rcba, rcba & RCBA_ADDRESS);
	for (unsigned pirq = 0; pirq < ICH9_PIRQS; pirq++)
		update_gsi(lpc, pirq);
	update_lines(lpc);
}

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	if (offset >= LPC_PMBASE)
		follow_config((struct ich9_lpc *)device);
}

static const struct {
	uint16_t offset, size;
	uint8_t write_mask, at_reset;
} config_bytes[] = {
	{ LPC_PMBASE, 1, 0x80, PMBASE_IS_PORTS },
	{ LPC_PMBASE + 1, 1, 0xff, 0 },
	{ LPC_ACPI_CONTROL, 1, ACPI_CONTROL_SCI | ACPI_CONTROL_ENABLE, 0 },
	{ LPC_GPIO_BASE, 1, 0x80, 1 },
	{ LPC_GPIO_BASE + 1, 1, 0xff, 0 },
	{ LPC_GPIO_CONTROL, 1, 0x11, 0 },
	{ LPC_PIRQA, PIRQS_PER_GROUP, PIRQ_OFF | PIRQ_LINE, PIRQ_OFF },
	{ LPC_SERIAL_IRQ, 1, 0xff, 0x10 },
	{ LPC_PIRQE, PIRQS_PER_GROUP, PIRQ_OFF | PIRQ_LINE, PIRQ_OFF },
	{ LPC_IO_DECODE, 2, 0x77, 0 },
	{ LPC_ENABLES, 2, 0xff, 0 },
	{ LPC_GEN_DECODE, 16, 0xff, 0 },
	{ LPC_GEN_PMCON, 6, 0xff, 0 },
	{ LPC_RCBA, 1, RCBA_ENABLE, 0 },
	{ LPC_RCBA + 1, 1, 0xc0, 0 },
	{ LPC_RCBA + 2, 2, 0xff, 0 },
};

static void reset_config(struct ich9_lpc *lpc)
{
	for (size_t i = 0; i < G_N_ELEMENTS(config_bytes); i++) {
		memset(lpc->pci.write_mask + config_bytes[i].offset, config_bytes[i].write_mask,
			config_bytes[i].size);
		memset(lpc->pci.config + config_bytes[i].offset, config_bytes[i].at_reset,
			config_bytes[i].size);
	}
}

/* Life */

static bool ich9_lpc_realize(struct device *device, GError **error)
{
	struct ich9_lpc *lpc = (struct ich9_lpc *)device;

	lpc->rcba = (struct io_region) {
		.name = "ICH9 configuration", .ops = &rcba_ops, .device = lpc, .size = RCBA_SIZE
	};
	/* Above the configuration address port, whose bytes these ports also are. */
	lpc->reset = (struct io_region) {
		.name = "reset control",
		.ops = &reset_ops,
		.device = lpc,
		.size = 1,
		.priority = 1,
	};
	io_space_map(&device->machine->ports, &lpc->reset, ICH9_PORT_RESET);
	reset_config(lpc);
	lpc->pci.config_written = config_written;
	ich9_pm_init(&lpc->pm, device->machine, sci_changed, watchdog_is_off, lpc);
	return true;
}

static void ich9_lpc_reset(struct device *device)
{
	struct ich9_lpc *lpc = (struct ich9_lpc *)device;

	reset_config(lpc);
	for (unsigned slot = 0; slot < G_N_ELEMENTS(route_offsets); slot++) {
		lpc->routes[route_offsets[slot]] = ROUTE_AT_RESET & 0xff;
		lpc->routes[route_offsets[slot] + 1] = ROUTE_AT_RESET >> 8;
	}
	lpc->reset_control = 0;
	memset(lpc->general, 0, sizeof(lpc->general));
	lpc->general[0] = GENERAL_AT_RESET;
	ich9_pm_reset(&lpc->pm);
	follow_config(lpc);
}

static void ich9_lpc_set_running(struct device *device, bool running)
{
	struct ich9_lpc *lpc = (struct ich9_lpc *)device;

	acpi_pm_set_running(&lpc->pm.acpi, running);
	ich9_tco_set_running(&lpc->pm.tco);
}

static void ich9_lpc_unrealize(struct device *device)
{
	struct ich9_lpc *lpc = (struct ich9_lpc *)device;

	ich9_pm_finish(&lpc->pm);
	io_region_unmap(&lpc->rcba);
	io_region_unmap(&lpc->reset);
}

static const struct pci_identity ich9_lpc_identity = {
	.vendor = 0x8086,
	.device = 0x2918,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060100,
	.revision = 2,
};

const struct device_class ich9_lpc_class = {
	.name = "ICH9-LPC",
	.description = "ICH9 LPC bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct ich9_lpc),
	.pci = &ich9_lpc_identity,
	.properties = ich9_lpc_properties,
	.state = ich9_lpc_state,
	.realize = ich9_lpc_realize,
	.reset = ich9_lpc_reset,
	.unrealize = ich9_lpc_unrealize,
	.set_running = ich9_lpc_set_running,
};
