/* Configuration access by ports, as every host bridge of a PC has it.
 *
 * Specification: PCI Local Bus 3.0, section 3.2.2.3.2 (configuration mechanism #1).
 */
#pragma once

#include "vmm/memory/io-space.h"

struct machine;

/* Part of the host bridge's struct; the bridge saves @address as its state. */
struct pci_config_ports {
	struct machine *machine;
	uint32_t address; /* what 0xcf8 holds */
	struct io_region address_port, data_ports;
};

/* Ports 0xcf8 to 0xcff of the machine. */
void pci_config_ports_init(struct pci_config_ports *ports, struct machine *machine);
void pci_config_ports_reset(struct pci_config_ports *ports);
void pci_config_ports_finish(struct pci_config_ports *ports);
