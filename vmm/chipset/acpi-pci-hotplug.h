/* PCI hot-plug as the pc board has it: registers that the AML of the board reads and writes, and a general purpose event.
 *
 * Ports, from 0xae00 on, each of 32 bits, one bit for each slot of the selected bus:
 *
 *   0x00 up       slots into which a device was put; cleared by being read
 *   0x04 down     slots whose device is asked for
 *   0x08 eject    written: the devices in these slots are given up; reads as 0
 *   0x0c remove   slots whose device can be given up, or that are empty
 *   0x10 select   number of the bus that the others speak of (its BSEL in the AML)
 *   0x14 index    reads as 0: no device has a number of the firmware's
 *
 * A change raises general purpose event 1 (_E01): the AML then looks at up and down of every bus and notifies the slots'
 * devices with 1 (device check) or 3 (eject request); _EJ0 of slot N writes 1 << N to eject with the bus selected.
 *
 * Layout: QEMU's docs/specs/acpi_pci_hotplug.rst.
 */
#pragma once

#include "vmm/pci/pci.h"

enum acpi_pci_hotplug_register {
	ACPI_PCI_HOTPLUG_UP = 0x00,
	ACPI_PCI_HOTPLUG_DOWN = 0x04,
	ACPI_PCI_HOTPLUG_EJECT = 0x08,
	ACPI_PCI_HOTPLUG_REMOVE = 0x0c,
	ACPI_PCI_HOTPLUG_SELECT = 0x10,
	ACPI_PCI_HOTPLUG_INDEX = 0x14,
	ACPI_PCI_HOTPLUG_SIZE = 0x18,
};

enum {
	ACPI_PCI_HOTPLUG_PORTS = 0xae00,
	ACPI_PCI_HOTPLUG_EVENT = 1,
	ACPI_PCI_HOTPLUG_BUSES = 32,
};

extern const struct device_class acpi_pci_hotplug_class; /* "acpi-pci-hotplug", on no bus */

/* Once all devices of the machine's start are there: conventional buses take devices from now on. They are numbered from 0,
 * the root bus first. With the lock. */
void acpi_pci_hotplug_take_buses(struct device *device);
/* One bus alone, which gets the next number; nothing when all numbers are taken. */
void acpi_pci_hotplug_take_bus(struct device *device, struct pci_bus *bus);

/* The bus of a number, NULL from the first number on that there is none of. For the AML, after the above. */
struct pci_bus *acpi_pci_hotplug_bus(struct device *device, unsigned number);
