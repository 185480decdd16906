/* What a guest may do to the registers of hot-plug, of a root port's slot and of the pc board, while devices are put in and
 * asked for. */
#include "base/reader.h"
#include "tests/unit/vmm/pci-fixture.h"
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/pci/pci-bridge-device.h"
#include "vmm/pci/pci-express.h"
#include "vmm/pci/pcie-root-port.h"

enum step {
	STEP_SLOT,
	STEP_ACPI_WRITE,
	STEP_ACPI_READ,
	STEP_PLUG,
	STEP_UNPLUG,
	STEP_REMOVE,
	STEP_CONFIG,
	STEP_RESET,
	STEPS,
};

enum {
	PORT_SLOT = 1,
	DEVICES_MAX = 16,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

void acpi_gpe_raise(struct acpi_pm *pm, unsigned event)
{
}

static void plug(struct pci_fixture *pci, uint8_t where)
{
	static const char *const places[] = { "bus=port", "bus=port,addr=0.1", "bus=pcie.0",
		"bus=bridge,multifunction=on", "bus=bridge,addr=3.1", "bus=bridge,addr=3.0" };

	if (pci->machine.devices->len < DEVICES_MAX)
		pci_fixture_try(
			pci, &probe_class, NULL, places[where % G_N_ELEMENTS(places)], NULL);
}

static void unplug(struct device *device)
{
	if (!device->leaving && device->bus && device->bus->ops->unplug)
		device->bus->ops->unplug(device->bus, device, NULL);
}

static void run(struct pci_fixture *pci, struct reader *in)
{
	struct machine *machine = &pci->machine;
	uint8_t step = reader_u8(in) % STEPS, first = reader_u8(in);
	uint32_t value = reader_u32(in);
	struct pci_device *port = pci_bus_device(machine->pci, PORT_SLOT, 0);

	switch (step) {
	case STEP_SLOT:
		pci_config_write(machine, 0, PORT_SLOT, 0,
			port->express_capability +
				(first & 1 ? EXPRESS_SLOT_CONTROL : EXPRESS_SLOT_STATUS),
			2, value);
		break;
	case STEP_ACPI_WRITE:
		io_space_write(&machine->ports, ACPI_PCI_HOTPLUG_PORTS + first % 0x18, 4, value);
		break;
	case STEP_ACPI_READ:
		io_space_read(
			&machine->ports, ACPI_PCI_HOTPLUG_PORTS + first % 0x18, 1u << value % 3);
		break;
	case STEP_PLUG:
		plug(pci, first);
		break;
	case STEP_UNPLUG:
		unplug(machine->devices->pdata[first % machine->devices->len]);
		break;
	case STEP_REMOVE:
		pci_fixture_remove_leaving(pci);
		break;
	case STEP_CONFIG:
		pci_config_write(machine, 0, PORT_SLOT, 0, first, 1, value);
		break;
	case STEP_RESET:
		pci_fixture_reset(pci);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct pci_fixture *pci = pci_fixture_new("pcie.0");
	struct reader in = reader_from(bytes, length);
	struct pci_device *bridge, *registers;
	struct acpi_pm pm = { 0 };

	pci_fixture_add(pci, &pcie_root_port_class, "port", "addr=1");
	bridge = pci_fixture_add(pci, &pci_bridge_class, "bridge", "addr=2");
	registers = pci_fixture_add(pci, &acpi_pci_hotplug_class, NULL, NULL);
	acpi_pci_hotplug_take_bus(&registers->device, bridge->secondary);
	pci->machine.acpi_pm = &pm;
	pci->machine.started = true;
	while (reader_left(&in) > 0 && !in.ran_out)
		run(pci, &in);
	pci_fixture_free(pci);
	return 0;
}
