/* What a guest may write to the configuration space of bridges and of what is behind them: any register of any function on
 * any bus, while interrupts are raised and memory and ports are looked at. */
#include "base/reader.h"
#include "tests/unit/vmm/pci-fixture.h"
#include "vmm/pci/pci-bridge-device.h"
#include "vmm/pci/pcie-root-port.h"
#include "vmm/pci/pxb.h"

enum step {
	STEP_WRITE,
	STEP_READ,
	STEP_SET_UP, /* numbers that make sense, which a fuzzer would be long in finding */
	STEP_INTERRUPT,
	STEP_MESSAGE,
	STEP_MEMORY,
	STEP_PORTS,
	STEP_RESET,
	STEPS,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void set_up(struct pci_fixture *pci)
{
	pci_config_write(&pci->machine, 0, 1, 0, 0x18, 4, 0x020100);
	pci_config_write(&pci->machine, 1, 1, 0, 0x18, 4, 0x020201);
	pci_config_write(&pci->machine, 0, 2, 0, 0x18, 4, 0x030300);
}

static void run(struct pci_fixture *pci, struct reader *in)
{
	uint8_t step = reader_u8(in) % STEPS, first = reader_u8(in), second = reader_u8(in);
	struct machine *machine = &pci->machine;
	struct pci_device *device =
		machine->devices->pdata[(unsigned)first % machine->devices->len];
	uint32_t value = reader_u32(in);
	unsigned size = 1u << (first >> 6) % 3;
	uint16_t offset = reader_u16(in) & (PCI_CONFIG_SIZE - size);

	switch (step) {
	case STEP_WRITE:
		pci_config_write(machine, first % 5 == 4 ? 64 : first % 5, second >> 3 & 3,
			second & 1, offset, size, value);
		break;
	case STEP_READ:
		pci_config_read(machine, first, second >> 3, second & 7, offset, size);
		break;
	case STEP_SET_UP:
		set_up(pci);
		break;
	case STEP_INTERRUPT:
		pci_device_set_interrupt(device, second & 1);
		break;
	case STEP_MESSAGE:
		pci_device_signal(device, second);
		break;
	case STEP_MEMORY:
		io_space_write(&machine->mmio, value, size, second);
		break;
	case STEP_PORTS:
		io_space_read(&machine->ports, offset, size);
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

	pci_fixture_add(pci, &pci_bridge_class, "outer", "addr=1");
	pci_fixture_add(pci, &pci_bridge_class, "inner", "bus=outer,addr=1");
	pci_fixture_add(pci, &pcie_root_port_class, "port", "addr=2");
	pci_fixture_add(pci, &pxb_class, "far", "addr=3,bus_nr=64");
	pci_fixture_add(pci, &probe_class, NULL, "bus=inner,addr=1");
	pci_fixture_add(pci, &probe_class, NULL, "bus=port");
	pci_fixture_add(pci, &probe_class, NULL, "bus=far,addr=1");
	pci_fixture_add(pci, &probe_class, NULL, "addr=0");
	while (reader_left(&in) > 0 && !in.ran_out)
		run(pci, &in);
	pci_fixture_free(pci);
	return 0;
}
