/* PIIX4 power management: ACPI ports at PMBA, general purpose events at a fixed place of the board, the SMBus host. The bit
 * that would let firmware install a handler for system management mode reads as taken.
 *
 * Specification: Intel 82371AB (PIIX4) datasheet (290562), section 7.1 (configuration), 7.2 (I/O).
 */
#include "vmm/chipset/piix4-pm.h"

#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/smbus-host.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum piix4_pm_register {
	PM_BASE = 0x40,                /* 4 bytes */
	PM_DEVICE_ACTIVITY_B = 0x58,   /* 4 */
	PM_DEVICE_RESOURCE_D = 0x5f,   /* 1: which legacy ports are decoded, as firmware finds it */
	PM_DEVICE_RESOURCE_H = 0x63,   /* 1 */
	PM_DEVICE_RESOURCE_J = 0x67,   /* 1 */
	PM_MISCELLANEOUS = 0x80,       /* 1 */
	PM_SMBUS_BASE = 0x90,          /* 4 */
	PM_SMBUS_CONFIGURATION = 0xd2, /* 1 */
};

enum {
	BASE_IS_PORTS = 1 << 0,
	PM_BASE_ADDRESS = 0xffc0,
	SMBUS_BASE_ADDRESS = 0xfff0,
	MISCELLANEOUS_ENABLE = 1 << 0,
	APMC_ENABLE_BYTE = PM_DEVICE_ACTIVITY_B + 3,
	APMC_ENABLE = 1 << 1, /* bit 25 of the register */
	SMBUS_ENABLE = 1 << 0,
	SMBUS_INTERRUPT_IRQ9 = 4 << 1,
	SCI_LINE = 9,
};

struct piix4_pm {
	struct pci_device pci;
	struct acpi_pm acpi;
	struct io_region region, gpe;
	struct smbus_host smbus;
	uint32_t smbus_base; /* property */

	bool sci, smbus_interrupt;
};

static const struct state_field piix4_pm_state[] = {
	ACPI_PM_STATE(struct piix4_pm, acpi),
	SMBUS_HOST_STATE(struct piix4_pm, smbus),
	STATE_BOOL(struct piix4_pm, sci),
	STATE_BOOL(struct piix4_pm, smbus_interrupt),
	STATE_END,
};

static const struct property piix4_pm_properties[] = {
	{ "smb_io_base", PROPERTY_UINT32, offsetof(struct piix4_pm, smbus_base), "0xb100",
		"first port of the SMBus host until firmware moves it", .maximum = 0xfff0 },
	ACPI_PM_PROPERTIES(struct piix4_pm, acpi),
	{ NULL },
};

/* The line is shared by the system control interrupt and the SMBus host. */
static void update_line(struct piix4_pm *pm)
{
	machine_drive_irq(
		pm->pci.device.machine, IRQ_OF_POWER, SCI_LINE, pm->sci || pm->smbus_interrupt);
}

static void sci_changed(void *bridge, bool level)
{
	struct piix4_pm *pm = bridge;

	if (pm->sci == level)
		return;
	pm->sci = level;
	update_line(pm);
}

static void smbus_interrupt_changed(void *owner, bool level)
{
	struct piix4_pm *pm = owner;

	if (pm->smbus_interrupt == level)
		return;
	pm->smbus_interrupt = level;
	update_line(pm);
}

/* Ports */

static uint64_t pm_read(void *device, uint64_t offset, unsigned size)
{
	struct piix4_pm *pm = device;
	uint64_t value = 0;

	/* Read at once, or the bytes would not belong together. */
	if (offset >= ACPI_PM1_TIMER && offset < ACPI_PM1_TIMER + 4)
		return acpi_pm_timer(&pm->acpi) >> 8 * (offset - ACPI_PM1_TIMER);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)acpi_pm1_read(&pm->acpi, offset + i) << 8 * i;
	return value;
}

static void pm_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct piix4_pm *pm = device;

	for (unsigned i = 0; i < size; i++)
		acpi_pm1_write(&pm->acpi, offset + i, value >> 8 * i);
	acpi_pm_update(&pm->acpi);
}

static const struct io_ops pm_ops = { pm_read, pm_write, .max_access = 4 };

static uint64_t gpe_read(void *device, uint64_t offset, unsigned size)
{
	return acpi_gpe_read(&((struct piix4_pm *)device)->acpi, offset);
}

static void gpe_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct piix4_pm *pm = device;

	acpi_gpe_write(&pm->acpi, offset, value);
	acpi_pm_update(&pm->acpi);
}

static const struct io_ops gpe_ops = { gpe_read, gpe_write, .max_access = 1 };

/* Configuration space */

static void map(struct io_space *ports, struct io_region *region, bool on, uint16_t base)
{
	if (!on)
		io_region_unmap(region);
	else if (!region->space || region->base != base)
		io_space_map(ports, region, base);
}

static void follow_config(struct piix4_pm *pm)
{
	const uint8_t *config = pm->pci.config;
	struct io_space *ports = &pm->pci.device.machine->ports;

	map(ports, &pm->region, config[PM_MISCELLANEOUS] & MISCELLANEOUS_ENABLE,
		config_get32(config + PM_BASE) & PM_BASE_ADDRESS);
	map(ports, &pm->smbus.region, config[PM_SMBUS_CONFIGURATION] & SMBUS_ENABLE,
		config_get32(config + PM_SMBUS_BASE) & SMBUS_BASE_ADDRESS);
}

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct piix4_pm *pm = (struct piix4_pm *)device;

	device->config[APMC_ENABLE_BYTE] |= APMC_ENABLE;
	if (offset >= PM_BASE)
		follow_config(pm);
}

static const struct {
	uint16_t offset, size;
	uint8_t write_mask, at_reset;
} config_bytes[] = {
	{ PM_BASE, 1, PM_BASE_ADDRESS & 0xff, BASE_IS_PORTS },
	{ PM_BASE + 1, 1, 0xff, 0 },
	{ PM_DEVICE_ACTIVITY_B, 3, 0xff, 0 },
	{ APMC_ENABLE_BYTE, 1, 0xff, APMC_ENABLE },
	{ PM_DEVICE_RESOURCE_D, 1, 0xff, 0x10 },
	{ PM_DEVICE_RESOURCE_H, 1, 0xff, 0x60 },
	{ PM_DEVICE_RESOURCE_J, 1, 0xff, 0x98 },
	{ PM_MISCELLANEOUS, 1, MISCELLANEOUS_ENABLE, 0 },
	{ PM_SMBUS_BASE, 1, SMBUS_BASE_ADDRESS & 0xff, BASE_IS_PORTS },
	{ PM_SMBUS_BASE + 1, 1, 0xff, 0 },
	{ PM_SMBUS_CONFIGURATION, 1, 0x0f, SMBUS_INTERRUPT_IRQ9 | SMBUS_ENABLE },
};

static void reset_config(struct piix4_pm *pm)
{
	for (size_t i = 0; i < G_N_ELEMENTS(config_bytes); i++) {
		memset(pm->pci.write_mask + config_bytes[i].offset, config_bytes[i].write_mask,
			config_bytes[i].size);
		memset(pm->pci.config + config_bytes[i].offset, config_bytes[i].at_reset,
			config_bytes[i].size);
	}
	config_set16(pm->pci.config + PM_SMBUS_BASE, pm->smbus_base | BASE_IS_PORTS);
}

/* Life */

static bool piix4_pm_realize(struct device *device, GError **error)
{
	struct piix4_pm *pm = (struct piix4_pm *)device;

	pm->region = (struct io_region) {
		.name = "PIIX4 power management",
		.ops = &pm_ops,
		.device = pm,
		.size = PIIX4_PM_SIZE,
	};
	pm->gpe = (struct io_region) {
		.name = "general purpose events",
		.ops = &gpe_ops,
		.device = pm,
		.size = PIIX4_GPE0_SIZE,
	};
	io_space_map(&device->machine->ports, &pm->gpe, PIIX4_GPE0_BASE);
	config_set16(pm->pci.config + PCI_STATUS,
		PCI_STATUS_FAST_BACK_TO_BACK | PCI_STATUS_DEVSEL_MEDIUM);
	pm->pci.config_written = config_written;
	acpi_pm_init(&pm->acpi, device->machine, PIIX4_GPE0_SIZE, sci_changed, pm);
	smbus_host_init(&pm->smbus, device->machine, smbus_interrupt_changed, pm);
	return true;
}

static void piix4_pm_reset(struct device *device)
{
	struct piix4_pm *pm = (struct piix4_pm *)device;

	reset_config(pm);
	acpi_pm_reset(&pm->acpi);
	smbus_host_reset(&pm->smbus);
	follow_config(pm);
}

static void piix4_pm_set_running(struct device *device, bool running)
{
	acpi_pm_set_running(&((struct piix4_pm *)device)->acpi, running);
}

static void piix4_pm_unrealize(struct device *device)
{
	struct piix4_pm *pm = (struct piix4_pm *)device;

	io_region_unmap(&pm->region);
	io_region_unmap(&pm->gpe);
	smbus_host_finish(&pm->smbus);
	acpi_pm_finish(&pm->acpi);
}

static const struct pci_identity piix4_pm_identity = {
	.vendor = 0x8086,
	.device = 0x7113,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x068000,
	.revision = 3,
	.interrupt_pin = 1,
};

const struct device_class piix4_pm_class = {
	.name = "PIIX4_PM",
	.description = "PIIX4 power management",
	.bus = BUS_PCI,
	.size = sizeof(struct piix4_pm),
	.pci = &piix4_pm_identity,
	.properties = piix4_pm_properties,
	.state = piix4_pm_state,
	.realize = piix4_pm_realize,
	.reset = piix4_pm_reset,
	.unrealize = piix4_pm_unrealize,
	.set_running = piix4_pm_set_running,
};
