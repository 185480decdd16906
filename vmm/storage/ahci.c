/* ICH9 AHCI: PCI identity, global registers, interrupt. Specification: AHCI 1.3.1 sections 2 and 3.1; ICH9 datasheet section 14
 * (D31:F2) for what is Intel's.
 */
#include "vmm/storage/ahci.h"

#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum {
	CAP = 0x00,
	GHC = 0x04,
	IS = 0x08,
	PI = 0x0c,
	VS = 0x10,
	PORTS = 0x100,
	PORT_SIZE = 0x80,
	REGISTERS_SIZE = 4096,
	REGISTERS_BAR = 5,

	CAP_SLOTS = (AHCI_SLOTS - 1) << 8,
	CAP_AHCI_ONLY = 1 << 18,
	CAP_GENERATION_1 = 1 << 20,
	CAP_QUEUES = 1 << 30,
	VERSION_1_0 = 0x00010000,

	INDEX_BAR = 4,
	INDEX_SIZE = 32,
	INDEX = 0x10,
	DATA = 0x14,

	MSI_AT = 0x80,
	MAP = 0x90, /* address map: AHCI mode */
	MAP_AHCI = 1 << 6,
	SATA_CAPABILITY = 0x12,
	SATA_AT = 0xa8,
	SATA_SIZE = 8,
};

#define CAP_64BIT (UINT32_C(1) << 31)

enum global_control {
	CONTROL_RESET = 1 << 0,
	CONTROL_INTERRUPTS = 1 << 1,
};

#define CONTROL_AHCI (UINT32_C(1) << 31) /* always on, as the controller is nothing else */

static const struct state_field ahci_state[] = {
	STATE_UINT32(struct ahci, control),
	STATE_UINT32(struct ahci, index),
	STATE_END,
};

/* Interrupt */

static uint32_t pending_ports(const struct ahci *ahci)
{
	uint32_t pending = 0;

	for (unsigned i = 0; i < ahci->port_count; i++)
		if (ahci->ports[i].events & ahci->ports[i].enabled)
			pending |= 1u << i;
	return pending;
}

void ahci_update_interrupt(struct ahci *ahci)
{
	bool level = ahci->control & CONTROL_INTERRUPTS && pending_ports(ahci) != 0;

	if (!pci_device_uses_messages(&ahci->pci))
		pci_device_set_interrupt(&ahci->pci, level);
	else if (level)
		pci_device_signal(&ahci->pci, 0);
}

/* Registers */

static uint32_t read_global(const struct ahci *ahci, unsigned offset)
{
	switch (offset) {
	case CAP:
		return (AHCI_PORTS - 1) | CAP_SLOTS | CAP_AHCI_ONLY | CAP_GENERATION_1 |
		       CAP_QUEUES | CAP_64BIT;
	case GHC:
		return ahci->control;
	case IS:
		return pending_ports(ahci);
	case PI:
		return (1 << AHCI_PORTS) - 1;
	case VS:
		return VERSION_1_0;
	default:
		return 0;
	}
}

static void reset_all(struct ahci *ahci)
{
	ahci->control = CONTROL_AHCI;
	for (unsigned i = 0; i < ahci->port_count; i++)
		ahci_port_reset(&ahci->ports[i]);
	ahci_update_interrupt(ahci);
}

/* What is pending is what the ports say; writing IS clears nothing that they have not cleared. */
static void write_global(struct ahci *ahci, unsigned offset, uint32_t value)
{
	if (offset == GHC && value & CONTROL_RESET)
		reset_all(ahci);
	else if (offset == GHC)
		ahci->control = CONTROL_AHCI | (value & CONTROL_INTERRUPTS);
	ahci_update_interrupt(ahci);
}

static uint32_t read_register(const struct ahci *ahci, unsigned offset)
{
	unsigned port = (offset - PORTS) / PORT_SIZE;

	if (offset < PORTS)
		return read_global(ahci, offset);
	return port < ahci->port_count
		       ? ahci_port_read(&ahci->ports[port], (offset - PORTS) % PORT_SIZE)
		       : 0;
}

static void write_register(struct ahci *ahci, unsigned offset, uint32_t value)
{
	unsigned port = (offset - PORTS) / PORT_SIZE;

	if (offset < PORTS)
		write_global(ahci, offset, value);
	else if (port < ahci->port_count)
		ahci_port_write(&ahci->ports[port], (offset - PORTS) % PORT_SIZE, value);
}

static uint64_t registers_read(void *device, uint64_t offset, unsigned size)
{
	uint32_t value = read_register(device, offset & ~UINT64_C(3));

	return value >> 8 * (offset & 3) & (UINT64_MAX >> (64 - 8 * size));
}

/* Registers are 32 bits wide (section 3); a narrower write goes nowhere. */
static void registers_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	if (size == 4 && offset % 4 == 0)
		write_register(device, offset, value);
}

static const struct io_ops registers_ops = { registers_read, registers_write, .max_access = 4 };

/* The same registers through two ports (ICH9 section 14.2). */
static uint64_t index_read(void *device, uint64_t offset, unsigned size)
{
	const struct ahci *ahci = device;

	if (size != 4)
		return UINT64_MAX;
	if (offset == INDEX)
		return ahci->index;
	return offset == DATA ? read_register(ahci, ahci->index) : 0;
}

static void index_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct ahci *ahci = device;

	if (size != 4)
		return;
	if (offset == INDEX)
		ahci->index = value & (REGISTERS_SIZE - 4);
	else if (offset == DATA)
		write_register(ahci, ahci->index, value);
}

static const struct io_ops index_ops = { index_read, index_write, .max_access = 4 };

/* Life */

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct ahci *ahci = (struct ahci *)device;

	if (offset > PCI_COMMAND + 1 || offset + size <= PCI_COMMAND)
		return;
	for (unsigned i = 0; i < ahci->port_count; i++)
		ahci_port_run(&ahci->ports[i]);
}

static void add_capabilities(struct ahci *ahci)
{
	uint8_t *config = ahci->pci.config;
	uint8_t at;

	config[MAP] = MAP_AHCI;
	ahci->pci.next_capability = SATA_AT;
	at = pci_device_add_capability(&ahci->pci, SATA_CAPABILITY, SATA_SIZE);
	config_set16(config + at + 2, 0x10); /* revision 1.0 */
	config_set32(config + at + 4, (INDEX_BAR + 4) | (INDEX / 4) << 4);
	ahci->pci.next_capability = MSI_AT;
	pci_device_add_msi(&ahci->pci);
	ahci->pci.next_capability = SATA_AT + SATA_SIZE;
}

static bool ahci_realize(struct device *device, GError **error)
{
	struct ahci *ahci = (struct ahci *)device;

	add_capabilities(ahci);
	ahci->pci.config_written = config_written;
	ahci->registers = (struct io_region) {
		.name = "AHCI", .ops = &registers_ops, .device = ahci, .size = REGISTERS_SIZE
	};
	ahci->index_data = (struct io_region) {
		.name = "AHCI index and data", .ops = &index_ops, .device = ahci, .size = INDEX_SIZE
	};
	pci_device_add_bar(
		&ahci->pci, INDEX_BAR, PCI_BAR_PORTS, INDEX_SIZE, &ahci->index_data, NULL);
	pci_device_add_bar(&ahci->pci, REGISTERS_BAR, 0, REGISTERS_SIZE, &ahci->registers, NULL);
	while (ahci->port_count < AHCI_PORTS)
		ahci_port_init(ahci, ahci->port_count++);
	return true;
}

static void ahci_reset(struct device *device)
{
	struct ahci *ahci = (struct ahci *)device;

	ahci->index = 0;
	reset_all(ahci);
}

static void ahci_unrealize(struct device *device)
{
	struct ahci *ahci = (struct ahci *)device;

	pci_device_unmap(&ahci->pci);
	while (ahci->port_count > 0)
		ahci_port_finish(&ahci->ports[--ahci->port_count]);
}

static const struct pci_identity ahci_identity = {
	.vendor = 0x8086,
	.device = 0x2922,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x010601,
	.revision = 2,
	.interrupt_pin = 1,
};

const struct device_class ich9_ahci_class = {
	.name = "ich9-ahci",
	.description = "SATA controller with six ports (ICH9 AHCI)",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct ahci),
	.pci = &ahci_identity,
	.state = ahci_state,
	.realize = ahci_realize,
	.reset = ahci_reset,
	.unrealize = ahci_unrealize,
};
