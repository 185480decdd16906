/* VGA's own ports and memory, for the PCI devices that have them: where accesses reach the VGA core of display/devices/. */
#pragma once

#include "display/devices/vga.h"
#include "vmm/memory/io-space.h"
#include "vmm/pci/pci.h"

struct vga_legacy {
	struct pci_device *pci;
	struct vga *vga;
	bool present; /* the device has them */
	struct memory_slot
		*window_slot; /* what of the legacy window is plain memory now, or NULL */
	unsigned window_serial;
	struct io_region ports, dispi_ports, window;
};

/* @present: false for a device that leaves VGA's places to another one. */
void vga_legacy_init(
	struct vga_legacy *legacy, struct pci_device *pci, struct vga *vga, bool present);
/* Also of one that was never initialized. */
void vga_legacy_finish(struct vga_legacy *legacy);

/* After any register of the core was written, and after its reset. */
void vga_legacy_update(struct vga_legacy *legacy);
/* For pci_device.vga_changed. */
void vga_legacy_moved(struct vga_legacy *legacy);
