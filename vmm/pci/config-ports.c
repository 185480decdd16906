/* Configuration access by ports: an address at 0xcf8, data at 0xcfc. */
#include "vmm/pci/config-ports.h"

#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"

enum {
	PORT_ADDRESS = 0xcf8,
	PORT_DATA = 0xcfc,
	PORT_BYTES = 4,
};

#define ADDRESS_ENABLE (1u << 31)

static uint64_t read_address(void *opaque, uint64_t offset, unsigned size)
{
	const struct pci_config_ports *ports = opaque;

	return ports->address >> (offset * 8);
}

/* Only a write of all four bytes is one to this register; smaller ones at these ports belong to others (0xcf9). */
static void write_address(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_config_ports *ports = opaque;

	if (offset == 0 && size == PORT_BYTES)
		ports->address = value;
}

static uint64_t read_data(void *opaque, uint64_t at, unsigned size)
{
	const struct pci_config_ports *ports = opaque;
	uint32_t address = ports->address;

	if (!(address & ADDRESS_ENABLE))
		return UINT32_MAX;
	return pci_config_read(ports->machine, address >> 16, address >> 11 & 0x1f,
		address >> 8 & 7, (address & 0xfc) + at, size);
}

static void write_data(void *opaque, uint64_t at, unsigned size, uint64_t value)
{
	const struct pci_config_ports *ports = opaque;
	uint32_t address = ports->address;

	if (address & ADDRESS_ENABLE)
		pci_config_write(ports->machine, address >> 16, address >> 11 & 0x1f,
			address >> 8 & 7, (address & 0xfc) + at, size, value);
}

static const struct io_ops address_ops = { .read = read_address, .write = write_address };
static const struct io_ops data_ops = { .read = read_data, .write = write_data, .max_access = 4 };

void pci_config_ports_init(struct pci_config_ports *ports, struct machine *machine)
{
	*ports = (struct pci_config_ports) {
		.machine = machine,
		.address_port = { .name = "pci-address", .ops = &address_ops, .size = PORT_BYTES },
		.data_ports = { .name = "pci-data", .ops = &data_ops, .size = PORT_BYTES },
	};
	ports->address_port.device = ports->data_ports.device = ports;
	io_space_map(&machine->ports, &ports->address_port, PORT_ADDRESS);
	io_space_map(&machine->ports, &ports->data_ports, PORT_DATA);
}

void pci_config_ports_reset(struct pci_config_ports *ports)
{
	ports->address = 0;
}

void pci_config_ports_finish(struct pci_config_ports *ports)
{
	io_region_unmap(&ports->address_port);
	io_region_unmap(&ports->data_ports);
}
