/* The q35 board: how slots are wired to the chipset's interrupt lines. */
#include "vmm/chipset/ich9-lpc.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/machine/boards.h"
#include "vmm/pci/pci.h"

enum {
	FIRST_CHIPSET_SLOT = 25, /* slots of the ICH9 itself, which it wires by registers */
	PIRQ_E = 4,
};

static struct device *lpc(struct machine *machine)
{
	return machine_device_of_class(machine, &ich9_lpc_class);
}

/* Slots below go round PIRQ E to H, one further with each slot; the chipset's own have registers for it. */
static unsigned q35_line(void *opaque, unsigned slot, unsigned pin)
{
	struct machine *machine = opaque;

	if (slot >= FIRST_CHIPSET_SLOT && lpc(machine))
		return ich9_slot_pirq(lpc(machine), slot, pin);
	return PIRQ_E + (slot + pin) % 4;
}

static void q35_set(void *opaque, unsigned line, bool level)
{
	struct machine *machine = opaque;

	if (lpc(machine))
		ich9_set_pirq(lpc(machine), line, level);
}

static struct pci_bus *q35_new_bus(struct machine *machine)
{
	struct pci_interrupts interrupts = { .line = q35_line, .set = q35_set, .board = machine };

	return pci_bus_new(machine, "pcie.0", &interrupts);
}

static void q35_finish(struct machine *machine)
{
	struct device *rtc = machine_device_of_class(machine, &mc146818_class);

	if (rtc)
		rtc_set_memory(rtc, machine->low_memory, machine->high_memory, machine->cpu_count);
}

const struct board board_q35 = {
	.name = "q35",
	.new_bus = q35_new_bus,
	.finish = q35_finish,
};
