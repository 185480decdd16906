/* A disk controller on the chips' machine, with a drive in memory behind it. */
#include "tests/unit/vmm/storage/fake-controller.h"

#include "vmm/pci/pci-registers.h"

void fake_controller_set_up(struct fake_controller *controller, const struct device_class *class,
	uint8_t bar, uint32_t base, uint16_t command)
{
	static const struct pci_interrupts interrupts;
	struct device *device;
	struct machine *machine;

	controller->machine = fake_machine_new();
	controller->drive = fake_drive_new();
	machine = &controller->machine->machine;
	machine->pci = pci_bus_new(machine, "pci.0", &interrupts);
	device = device_new(machine, class, NULL);
	g_assert_true(device_realize(device, NULL));
	device_reset(device);
	controller->pci = (struct pci_device *)device;
	pci_bus_config_write(machine->pci, controller->pci->slot, 0, bar, 4, base);
	pci_bus_config_write(machine->pci, controller->pci->slot, 0, PCI_COMMAND, 2, command);
}

struct device *fake_controller_add(
	struct fake_controller *controller, const struct device_class *class)
{
	const char *const properties[] = { "drive", "drive", NULL };
	struct device *device = fake_machine_add(controller->machine, class, properties, NULL);

	g_assert_nonnull(device);
	return device;
}

void fake_controller_tear_down(struct fake_controller *controller)
{
	GPtrArray *devices = controller->machine->machine.devices;

	g_assert_cmpuint(controller->drive->failed_bounds, ==, 0);
	for (guint i = devices->len; i > 0; i--)
		device_free(devices->pdata[i - 1]);
	g_ptr_array_set_size(devices, 0);
	fake_drive_free(controller->drive);
	fake_machine_free(controller->machine);
}
