/* A machine that is a PCI root bus alone. */
#include "tests/unit/vmm/pci-fixture.h"

#include <string.h>

#include "base/error.h"
#include "vmm/firmware/files.h"
#include "vmm/pci/pci-express.h"

struct probe {
	struct pci_device pci;
	struct io_region ports, memory, wide;
};

static uint64_t read_offset(void *opaque, uint64_t offset, unsigned size)
{
	return offset;
}

static void write_nothing(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
}

static const struct io_ops probe_ops = { .read = read_offset, .write = write_nothing };

static bool probe_realize(struct device *device, GError **error)
{
	struct probe *probe = (struct probe *)device;
	struct io_region region = { .name = "probe", .ops = &probe_ops, .size = PROBE_BYTES };

	probe->ports = probe->memory = probe->wide = region;
	pci_device_add_bar(
		&probe->pci, PROBE_BAR_PORTS, PCI_BAR_PORTS, PROBE_BYTES, &probe->ports, NULL);
	pci_device_add_bar(&probe->pci, PROBE_BAR_MEMORY, 0, PROBE_BYTES, &probe->memory, NULL);
	pci_device_add_bar(&probe->pci, PROBE_BAR_WIDE, PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE,
		PROBE_BYTES, &probe->wide, NULL);
	if (pci_device_is_express_endpoint(&probe->pci))
		pci_device_add_express_endpoint(&probe->pci);
	pci_device_add_msi(&probe->pci);
	return true;
}

static void probe_reset(struct device *device)
{
	((struct pci_fixture *)device->machine)->resets++;
}

static const struct pci_identity probe_identity = {
	.vendor = 0x1234,
	.device = 0x5678,
	.class_code = 0x020000,
	.interrupt_pin = 1,
};

const struct device_class probe_class = {
	.name = "probe",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct probe),
	.pci = &probe_identity,
	.boot_suffix = "ethernet-phy@0",
	.realize = probe_realize,
	.reset = probe_reset,
};

GBytes *firmware_file_load(const char *name, GError **error)
{
	fail(error, VITRINE_ERROR_NOT_FOUND, "%s", name);
	return NULL;
}

static const struct property pci_properties[] = {
	{ "addr", PROPERTY_STRING, offsetof(struct pci_device, address_option), NULL, "place" },
	{ "bus", PROPERTY_STRING, offsetof(struct device, bus_option), NULL, "bus" },
	{ "bootindex", PROPERTY_INDEX, offsetof(struct device, boot_index), "-1", "boot order" },
	{ "multifunction", PROPERTY_BOOL, offsetof(struct pci_device, multifunction), "off",
		"others" },
	{ .type = PROPERTY_END },
};

const struct property *device_bus_properties(enum device_bus bus)
{
	static const struct property none[] = { { .type = PROPERTY_END } };

	return bus == BUS_PCI ? pci_properties : none;
}

void machine_remove_device(struct machine *machine, struct device *device)
{
	device->leaving = true;
}

static unsigned line_of(void *opaque, unsigned slot, unsigned pin)
{
	return (slot + pin) % PCI_LINES;
}

static void set_line(void *opaque, unsigned line, bool level)
{
	((struct pci_fixture *)opaque)->lines[line] = level;
}

struct pci_fixture *pci_fixture_new(const char *root)
{
	struct pci_fixture *fixture = g_new0(struct pci_fixture, 1);
	struct pci_interrupts interrupts = { line_of, set_line, fixture };
	struct machine *machine = &fixture->machine;

	memset(&fake_kvm, 0, sizeof(fake_kvm));
	machine->kvm = &fixture->kvm;
	machine->memory = guest_memory_new(&fixture->kvm);
	machine->devices = g_ptr_array_new();
	machine->buses = g_ptr_array_new();
	io_space_init(&machine->ports, "ports");
	io_space_init(&machine->mmio, "memory");
	machine->pci = pci_bus_new(machine, root, &interrupts);
	return fixture;
}

void pci_fixture_free(struct pci_fixture *fixture)
{
	struct machine *machine = &fixture->machine;

	while (machine->devices->len > 0)
		device_free(g_ptr_array_steal_index(machine->devices, machine->devices->len - 1));
	pci_bus_free(machine->pci);
	guest_memory_free(machine->memory);
	g_ptr_array_unref(machine->devices);
	g_ptr_array_unref(machine->buses);
	io_space_clear(&machine->ports);
	io_space_clear(&machine->mmio);
	g_free(fixture);
}

struct pci_device *pci_fixture_try(struct pci_fixture *fixture, const struct device_class *class,
	const char *id, const char *properties, GError **error)
{
	struct device *device = device_new(&fixture->machine, class, id);
	g_auto(GStrv) list = g_strsplit(properties ? properties : "", ",", -1);

	for (unsigned i = 0; list[i]; i++) {
		g_auto(GStrv) pair = g_strsplit(list[i], "=", 2);

		g_assert_true(device_set_property(device, pair[0], pair[1], NULL));
	}
	if (!device_realize(device, error)) {
		device_free(device);
		return NULL;
	}
	device_reset(device);
	if (fixture->machine.started && device->bus)
		device->bus->ops->plugged(device->bus, device);
	return (struct pci_device *)device;
}

struct pci_device *pci_fixture_add(struct pci_fixture *fixture, const struct device_class *class,
	const char *id, const char *properties)
{
	g_autoptr(GError) error = NULL;
	struct pci_device *device = pci_fixture_try(fixture, class, id, properties, &error);

	g_assert_no_error(error);
	return device;
}

unsigned pci_fixture_remove_leaving(struct pci_fixture *fixture)
{
	GPtrArray *devices = fixture->machine.devices;
	unsigned count = 0;

	for (guint i = devices->len; i > 0; i--) {
		struct device *device = devices->pdata[i - 1];

		if (!device->leaving)
			continue;
		g_ptr_array_remove_index(devices, i - 1);
		device_free(device);
		count++;
	}
	return count;
}

void pci_fixture_reset(struct pci_fixture *fixture)
{
	for (guint i = 0; i < fixture->machine.devices->len; i++)
		device_reset(fixture->machine.devices->pdata[i]);
}
