/* A disk controller on the chips' machine, with a drive in memory behind it: what tests and fuzz targets of AHCI and IDE share. */
#pragma once

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/storage/fake-drive.h"
#include "vmm/pci/pci.h"

struct fake_controller {
	struct fake_machine *machine;
	struct fake_drive *drive;
	struct pci_device *pci;
};

/* @bar: of the configuration space, for the address @base; @command: for the command register. */
void fake_controller_set_up(struct fake_controller *controller, const struct device_class *class,
	uint8_t bar, uint32_t base, uint16_t command);
/* Several of them may share the one drive. */
struct device *fake_controller_add(
	struct fake_controller *controller, const struct device_class *class);
/* Fails when the drive was asked for what it does not have. */
void fake_controller_tear_down(struct fake_controller *controller);
