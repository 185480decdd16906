/* The PCI Express capability, and capabilities beyond the first 256 bytes.
 *
 * Specification: PCI Express Base 5.0, sections 7.5.3 (capability), 7.6.3 (extended capabilities), 7.8.4 (advanced error
 * reporting), 7.7.8 (access control).
 */
#pragma once

#include "vmm/pci/pci.h"

/* Offsets from the start of the capability. */
enum {
	EXPRESS_FLAGS = 0x02,
	EXPRESS_DEVICE_CAPABILITIES = 0x04,
	EXPRESS_DEVICE_CONTROL = 0x08,
	EXPRESS_DEVICE_STATUS = 0x0a,
	EXPRESS_LINK_CAPABILITIES = 0x0c,
	EXPRESS_LINK_CONTROL = 0x10,
	EXPRESS_LINK_STATUS = 0x12,
	EXPRESS_SLOT_CAPABILITIES = 0x14,
	EXPRESS_SLOT_CONTROL = 0x18,
	EXPRESS_SLOT_STATUS = 0x1a,
	EXPRESS_ROOT_CONTROL = 0x1c,
	EXPRESS_ROOT_STATUS = 0x20,
	EXPRESS_DEVICE_CAPABILITIES_2 = 0x24,
	EXPRESS_DEVICE_CONTROL_2 = 0x28,
	EXPRESS_LINK_CAPABILITIES_2 = 0x2c,
	EXPRESS_LINK_CONTROL_2 = 0x30,
	EXPRESS_SIZE = 0x3c,

	EXPRESS_FLAGS_SLOT = 1 << 8,
	EXPRESS_LINK_ACTIVE = 1 << 13, /* of the link's status */
};

/* Endpoints behind a port: a link of one lane at 2.5 GT/s, and function level reset. */
void pci_device_add_express_endpoint(struct pci_device *device);
/* Root ports with a slot: 32 lanes at 16 GT/s. @port: its number. */
void pci_device_add_express_root_port(struct pci_device *device, uint8_t port);

/* Whether the device belongs behind a port: its bus is an express one and not the root complex itself. */
bool pci_device_is_express_endpoint(const struct pci_device *device);

/* Reserves and chains an extended capability; returns its offset. Only after the express capability. */
uint16_t pci_device_add_extended(
	struct pci_device *device, uint16_t id, uint8_t version, uint16_t size);
/* Advanced error reporting of a root port, with room for no log: no errors happen here. */
void pci_device_add_root_port_errors(struct pci_device *device);
void pci_device_add_access_control(struct pci_device *device);

/* What pci_device_reset() and a write to configuration space mean for these capabilities. */
void pci_device_reset_express(struct pci_device *device);
void pci_device_express_written(struct pci_device *device, uint16_t offset, unsigned size);
