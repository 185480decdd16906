/* PCI configuration space through ports 0xcf8 and 0xcfc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	PCI_COMMAND = 0x04,
	PCI_CLASS_REVISION = 0x08,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR_0 = 0x10,
	PCI_BAR_2 = 0x18,
	PCI_COMMAND_IO = 1 << 0,
	PCI_COMMAND_MEMORY = 1 << 1,
};

struct pci_function {
	uint8_t bus, device, function;
};

uint32_t pci_read(struct pci_function at, uint8_t offset);
void pci_write(struct pci_function at, uint8_t offset, uint32_t value);

/* Finds the function with this vendor and device (vendor in the low half) and class and
 * subclass. */
bool pci_find(uint32_t id, uint16_t class_code, struct pci_function *found);

/* The address that a memory BAR holds; 0 for none, or one beyond 4 GiB. */
uint32_t pci_bar_address(struct pci_function at, uint8_t bar);
