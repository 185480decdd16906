/* The pc board: how slots are wired to the PIIX3's four interrupt inputs. */
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/chipset/piix3.h"
#include "vmm/machine/boards.h"
#include "vmm/pci/pci.h"

static struct device *piix3(struct machine *machine)
{
	return machine_device_of_class(machine, &piix3_class);
}

/* Slot 1, the PIIX3 itself, has INTA at PIRQA; each slot further on is turned by one. */
static unsigned pc_line(void *opaque, unsigned slot, unsigned pin)
{
	return (slot + PIIX3_PIRQS - 1 + pin) % PIIX3_PIRQS;
}

static void pc_set(void *opaque, unsigned line, bool level)
{
	struct machine *machine = opaque;

	if (piix3(machine))
		piix3_set_pirq(piix3(machine), line, level);
}

static struct pci_bus *pc_new_bus(struct machine *machine)
{
	struct pci_interrupts interrupts = { .line = pc_line, .set = pc_set, .board = machine };

	return pci_bus_new(machine, "pci.0", &interrupts);
}

static void pc_finish(struct machine *machine)
{
	struct device *rtc = machine_device_of_class(machine, &mc146818_class);
	struct device *hotplug = machine_device_of_class(machine, &acpi_pci_hotplug_class);

	if (hotplug)
		acpi_pci_hotplug_take_buses(hotplug);
	if (rtc)
		rtc_set_memory(rtc, machine->low_memory, machine->high_memory, machine->cpu_count);
}

const struct board board_pc = {
	.name = "pc",
	.new_bus = pc_new_bus,
	.finish = pc_finish,
};
