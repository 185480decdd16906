/* Devices that come and go: the slot of a root port as an operating system drives it, and the registers of the pc board. */
#include <string.h>

#include "base/error.h"
#include "tests/unit/vmm/pci-fixture.h"
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/pci/pci-bridge-device.h"
#include "vmm/pci/pci-express.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/pci/pcie-root-port.h"

/* Bits of slot control and status, PCI Express Base 5.0 sections 7.5.3.10 and 7.5.3.11. */
enum {
	BUTTON = 1 << 0,
	PRESENCE = 1 << 3,
	COMPLETED = 1 << 4,
	INTERRUPT = 1 << 5,
	ATTENTION_OFF = 3 << 6,
	INDICATOR_ON = 1 << 8,
	INDICATOR_BLINKS = 2 << 8,
	INDICATOR_OFF = 3 << 8,
	POWER_OFF = 1 << 10,
	INTERLOCK = 1 << 11,
	PRESENT = 1 << 6,
	INTERLOCKED = 1 << 7,
	ENABLES = BUTTON | PRESENCE | COMPLETED | INTERRUPT,
	SLOT = 4,
};

struct fixture {
	struct pci_fixture *pci;
	struct pci_device *port;
};

static struct acpi_pm fake_pm;
static unsigned events;

void acpi_gpe_raise(struct acpi_pm *pm, unsigned event)
{
	g_assert_cmpuint(event, ==, ACPI_PCI_HOTPLUG_EVENT);
	events++;
}

static uint16_t get(struct fixture *f, unsigned offset)
{
	return pci_config_read(
		&f->pci->machine, 0, SLOT, 0, f->port->express_capability + offset, 2);
}

static void set(struct fixture *f, unsigned offset, uint16_t value)
{
	pci_config_write(
		&f->pci->machine, 0, SLOT, 0, f->port->express_capability + offset, 2, value);
}

/* As an operating system: everything that happened is taken note of. Returns it. */
static uint16_t take_events(struct fixture *f)
{
	uint16_t status = get(f, EXPRESS_SLOT_STATUS);

	set(f, EXPRESS_SLOT_STATUS, status & (BUTTON | PRESENCE | COMPLETED));
	return status;
}

static bool line(const struct fixture *f)
{
	return f->pci->lines[SLOT];
}

static bool unplug(struct pci_device *device, GError **error)
{
	struct bus *bus = device->device.bus;

	return bus->ops->unplug(bus, &device->device, error);
}

static void start(struct fixture *f, const char *properties)
{
	f->port = pci_fixture_add(f->pci, &pcie_root_port_class, "port", properties);
	pci_config_write(&f->pci->machine, 0, SLOT, 0, PCI_PRIMARY_BUS, 4, 0x010100);
	f->pci->machine.started = true;
	set(f, EXPRESS_SLOT_CONTROL, ENABLES | ATTENTION_OFF | INDICATOR_OFF | POWER_OFF);
	take_events(f);
}

static uint32_t seen(struct fixture *f)
{
	return pci_config_read(&f->pci->machine, 1, 0, 0, 0, 4);
}

static void test_in_and_out(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe;

	start(f, "addr=4");
	g_assert_false(line(f));
	for (unsigned i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");
		g_assert_true(line(f));
		g_assert_cmphex(take_events(f), ==, BUTTON | PRESENCE | PRESENT);
		g_assert_false(line(f));
		g_assert_cmphex(seen(f), ==, UINT32_MAX);
		set(f, EXPRESS_SLOT_CONTROL, ENABLES | ATTENTION_OFF | INDICATOR_BLINKS);
		g_assert_cmphex(take_events(f), ==, COMPLETED | PRESENT);
		g_assert_cmphex(get(f, EXPRESS_LINK_STATUS), ==, 0x2011);
		g_assert_cmphex(seen(f), ==, 0x56781234);
		g_assert_false(unplug(probe, &error));
		g_assert_cmpstr(error->message, ==,
			"Hot-unplug failed: guest is busy (power indicator blinking)");
		g_clear_error(&error);
		set(f, EXPRESS_SLOT_CONTROL, ENABLES | ATTENTION_OFF | INDICATOR_ON);
		take_events(f);

		g_assert_true(unplug(probe, NULL));
		g_assert_cmphex(take_events(f), ==, BUTTON | PRESENT);
		g_assert_false(unplug(probe, &error));
		g_assert_cmpstr(
			error->message, ==, "Device probe is already in the process of unplug");
		set(f, EXPRESS_SLOT_CONTROL, ENABLES | ATTENTION_OFF | INDICATOR_BLINKS);
		set(f, EXPRESS_SLOT_CONTROL,
			ENABLES | ATTENTION_OFF | INDICATOR_BLINKS | POWER_OFF);
		take_events(f);
		g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 0);
		set(f, EXPRESS_SLOT_CONTROL, ENABLES | ATTENTION_OFF | INDICATOR_OFF | POWER_OFF);
		g_assert_cmphex(take_events(f), ==, PRESENCE | COMPLETED);
		g_assert_cmphex(seen(f), ==, UINT32_MAX);
		g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 1);
		g_assert_cmphex(get(f, EXPRESS_LINK_STATUS), ==, 0x0204);
	}
}

static void test_messages(struct fixture *f, gconstpointer data)
{
	struct machine *machine = &f->pci->machine;
	const uint32_t bar = 0xfe000000;

	start(f, "addr=4");
	pci_config_write(machine, 0, SLOT, 0, PCI_BAR_0, 4, bar);
	pci_config_write(
		machine, 0, SLOT, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	io_space_write(&machine->mmio, bar, 4, 0xfee00000);
	io_space_write(&machine->mmio, bar + 12, 4, 0);
	pci_config_write(machine, 0, SLOT, 0, 0x48 + MSIX_CONTROL, 2, MSIX_ENABLE);
	pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	g_assert_false(line(f));
	take_events(f);
	set(f, EXPRESS_SLOT_CONTROL, ENABLES | ATTENTION_OFF | INDICATOR_ON);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);
}

static void test_never_powered(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe;

	start(f, "addr=4");
	probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");
	g_assert_true(unplug(probe, NULL));
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 1);
}

static void test_functions(struct fixture *f, gconstpointer data)
{
	struct pci_device *first;

	start(f, "addr=4");
	pci_fixture_add(f->pci, &probe_class, "one", "bus=port,addr=0.1");
	g_assert_cmphex(take_events(f), ==, 0);
	first = pci_fixture_add(f->pci, &probe_class, "zero", "bus=port,addr=0.0,multifunction=on");
	g_assert_cmphex(take_events(f), ==, BUTTON | PRESENCE | PRESENT);
	set(f, EXPRESS_SLOT_CONTROL, ATTENTION_OFF | INDICATOR_ON);
	g_assert_true(unplug(first, NULL));
	set(f, EXPRESS_SLOT_CONTROL, ATTENTION_OFF | INDICATOR_OFF | POWER_OFF);
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 2);
}

static void test_there_from_the_start(struct fixture *f, gconstpointer data)
{
	f->port = pci_fixture_add(f->pci, &pcie_root_port_class, "port", "addr=4");
	pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");
	pci_fixture_reset(f->pci);
	pci_config_write(&f->pci->machine, 0, SLOT, 0, PCI_PRIMARY_BUS, 4, 0x010100);
	g_assert_cmphex(get(f, EXPRESS_SLOT_STATUS), ==, PRESENT);
	g_assert_cmphex(get(f, EXPRESS_SLOT_CONTROL), ==, ATTENTION_OFF | INDICATOR_ON);
	g_assert_cmphex(seen(f), ==, 0x56781234);
	/* The interlock turns, and its control reads as 0. */
	set(f, EXPRESS_SLOT_CONTROL, ATTENTION_OFF | INDICATOR_ON | INTERLOCK);
	g_assert_cmphex(get(f, EXPRESS_SLOT_STATUS), ==, PRESENT | INTERLOCKED | COMPLETED);
	g_assert_cmphex(get(f, EXPRESS_SLOT_CONTROL), ==, ATTENTION_OFF | INDICATOR_ON);
}

/* What is a part of the machine to its end loses its power, and gets it back. */
static void test_stays(struct fixture *f, gconstpointer data)
{
	static struct device_class fixed;
	g_autoptr(GError) error = NULL;

	fixed = probe_class;
	fixed.cold_plug_only = true;
	f->port = pci_fixture_add(f->pci, &pcie_root_port_class, "port", "addr=4");
	pci_fixture_add(f->pci, &probe_class, "probe", "bus=port,multifunction=on");
	pci_fixture_add(f->pci, &fixed, "fixed", "bus=port,addr=0.1");
	pci_fixture_reset(f->pci);
	pci_config_write(&f->pci->machine, 0, SLOT, 0, PCI_PRIMARY_BUS, 4, 0x010100);
	g_assert_cmphex(seen(f), ==, 0x56781234);
	set(f, EXPRESS_SLOT_CONTROL, ATTENTION_OFF | INDICATOR_OFF | POWER_OFF);
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 0);
	g_assert_cmphex(seen(f), ==, UINT32_MAX);
	g_assert_false(unplug(pci_bus_device(f->port->secondary, 0, 0), &error));
	g_assert_nonnull(strstr(error->message, "does not support hotplugging"));
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 0);
	set(f, EXPRESS_SLOT_CONTROL, ATTENTION_OFF | INDICATOR_ON);
	g_assert_cmphex(seen(f), ==, 0x56781234);
}

static void test_takes_none(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	start(f, "addr=4,hotplug=off");
	g_assert_null(pci_fixture_try(f->pci, &probe_class, "probe", "bus=port", &error));
	g_assert_cmpstr(error->message, ==, "Bus 'port' does not support hotplugging");
	g_clear_error(&error);
	g_assert_null(pci_fixture_try(f->pci, &probe_class, "probe", "bus=pcie.0", &error));
	g_assert_cmpstr(error->message, ==, "Bus 'pcie.0' does not support hotplugging");
}

/* ACPI */

static uint32_t get_acpi(struct fixture *f, unsigned offset)
{
	return io_space_read(&f->pci->machine.ports, ACPI_PCI_HOTPLUG_PORTS + offset, 4);
}

static void set_acpi(struct fixture *f, unsigned offset, uint32_t value)
{
	io_space_write(&f->pci->machine.ports, ACPI_PCI_HOTPLUG_PORTS + offset, 4, value);
}

static void start_acpi(struct fixture *f)
{
	struct device *registers;

	pci_fixture_add(f->pci, &pci_bridge_class, "bridge", "addr=2");
	registers = (struct device *)pci_fixture_add(f->pci, &acpi_pci_hotplug_class, NULL, NULL);
	acpi_pci_hotplug_take_buses(registers);
	g_assert_true(acpi_pci_hotplug_bus(registers, 0) == f->pci->machine.pci);
	g_assert_cmpstr(pci_bus_name(acpi_pci_hotplug_bus(registers, 1)), ==, "bridge");
	g_assert_null(acpi_pci_hotplug_bus(registers, 2));
	f->pci->machine.acpi_pm = &fake_pm;
	f->pci->machine.started = true;
	events = 0;
}

static void test_acpi(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe;
	g_autoptr(GError) error = NULL;

	start_acpi(f);
	probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=bridge,addr=7");
	g_assert_cmpuint(events, ==, 1);
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_UP), ==, 0);
	set_acpi(f, ACPI_PCI_HOTPLUG_SELECT, 1);
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_UP), ==, 1 << 7);
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_UP), ==, 0);
	g_assert_true(unplug(probe, NULL));
	g_assert_cmpuint(events, ==, 2);
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_DOWN), ==, 1 << 7);
	g_assert_false(unplug(probe, &error));
	g_assert_cmpstr(error->message, ==, "Device probe is already in the process of unplug");
	set_acpi(f, ACPI_PCI_HOTPLUG_EJECT, 1 << 6);
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 0);
	set_acpi(f, ACPI_PCI_HOTPLUG_EJECT, 1 << 7);
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_DOWN), ==, 0);
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 1);
}

static void test_acpi_limits(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe;

	start_acpi(f);
	/* The bridge stays, whatever is written; buses that do not exist have nothing. */
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_REMOVE), ==, ~(1u << 2));
	set_acpi(f, ACPI_PCI_HOTPLUG_EJECT, UINT32_MAX);
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 0);
	for (uint32_t select = 2; select != 0; select = select << 1) {
		set_acpi(f, ACPI_PCI_HOTPLUG_SELECT, select);
		g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_REMOVE), ==, 0);
		set_acpi(f, ACPI_PCI_HOTPLUG_EJECT, UINT32_MAX);
	}
	/* What was asked for goes when the guest starts anew. */
	probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=pci.0,addr=7");
	g_assert_true(unplug(probe, NULL));
	pci_fixture_reset(f->pci);
	g_assert_cmpuint(pci_fixture_remove_leaving(f->pci), ==, 1);
	g_assert_cmphex(get_acpi(f, ACPI_PCI_HOTPLUG_DOWN), ==, 0);
}

static void set_up(struct fixture *f, gconstpointer root)
{
	f->pci = pci_fixture_new(root);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	pci_fixture_free(f->pci);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, root, func) g_test_add(path, struct fixture, root, set_up, func, tear_down)
	ADD("/slot/in-and-out", "pcie.0", test_in_and_out);
	ADD("/slot/messages", "pcie.0", test_messages);
	ADD("/slot/never-powered", "pcie.0", test_never_powered);
	ADD("/slot/functions", "pcie.0", test_functions);
	ADD("/slot/there-from-the-start", "pcie.0", test_there_from_the_start);
	ADD("/slot/stays", "pcie.0", test_stays);
	ADD("/slot/takes-none", "pcie.0", test_takes_none);
	ADD("/acpi/in-and-out", "pci.0", test_acpi);
	ADD("/acpi/limits", "pci.0", test_acpi_limits);
	return g_test_run();
}
