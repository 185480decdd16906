/* PCI hot-plug by ACPI: which slots have news, and devices that the guest ejects. */
#include "vmm/chipset/acpi-pci-hotplug.h"

#include "base/error.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/machine/machine.h"

enum {
	UNPLUG_PATIENCE = 5 * G_USEC_PER_SEC, /* so long a request keeps others away */
};

struct hotplug_bus {
	struct acpi_pci_hotplug *owner;
	struct pci_bus *bus;
};

struct acpi_pci_hotplug {
	struct device device;
	struct io_region ports;
	struct hotplug_bus buses[ACPI_PCI_HOTPLUG_BUSES];
	unsigned bus_count;
	uint32_t up[ACPI_PCI_HOTPLUG_BUSES], down[ACPI_PCI_HOTPLUG_BUSES];
	uint32_t select;
};

static const struct state_field hotplug_state[] = {
	STATE_UINT32_ARRAY(struct acpi_pci_hotplug, up, ACPI_PCI_HOTPLUG_BUSES),
	STATE_UINT32_ARRAY(struct acpi_pci_hotplug, down, ACPI_PCI_HOTPLUG_BUSES),
	STATE_UINT32(struct acpi_pci_hotplug, select),
	STATE_END,
};

static void tell_guest(struct acpi_pci_hotplug *hotplug)
{
	struct acpi_pm *pm = hotplug->device.machine->acpi_pm;

	if (pm)
		acpi_gpe_raise(pm, ACPI_PCI_HOTPLUG_EVENT);
}

static bool stays(const struct pci_device *device)
{
	const struct device_class *class = device->device.class;

	return device->secondary || class->cold_plug_only || !class->user_creatable;
}

/* Slots that are empty, or have nothing in them that has to stay. */
static uint32_t removable_slots(struct pci_bus *bus)
{
	uint32_t slots = 0;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		bool all = true;

		for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
			const struct pci_device *device = pci_bus_device(bus, slot, i);

			all = all && !(device && stays(device));
		}
		slots |= all ? UINT32_C(1) << slot : 0;
	}
	return slots;
}

static void eject(struct acpi_pci_hotplug *hotplug, unsigned number, uint32_t slots)
{
	struct pci_bus *bus = hotplug->buses[number].bus;

	slots &= removable_slots(bus);
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned i = 0; slots >> slot & 1 && i < PCI_FUNCTIONS; i++) {
			struct pci_device *device = pci_bus_device(bus, slot, i);

			if (!device)
				continue;
			pci_device_set_power(device, false);
			machine_remove_device(device->device.machine, &device->device);
		}
	}
	hotplug->down[number] &= ~slots;
}

static uint64_t read_ports(void *opaque, uint64_t offset, unsigned size)
{
	struct acpi_pci_hotplug *hotplug = opaque;
	unsigned number = hotplug->select;
	uint32_t value = 0;

	if (size != 4)
		return 0;
	if (offset == ACPI_PCI_HOTPLUG_SELECT)
		return number;
	if (number >= hotplug->bus_count)
		return 0;
	switch (offset) {
	case ACPI_PCI_HOTPLUG_UP:
		value = hotplug->up[number];
		hotplug->up[number] = 0;
		break;
	case ACPI_PCI_HOTPLUG_DOWN:
		value = hotplug->down[number];
		break;
	case ACPI_PCI_HOTPLUG_REMOVE:
		value = removable_slots(hotplug->buses[number].bus);
		break;
	}
	return value;
}

static void write_ports(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pci_hotplug *hotplug = opaque;

	if (size != 4)
		return;
	if (offset == ACPI_PCI_HOTPLUG_SELECT)
		hotplug->select = value;
	else if (offset == ACPI_PCI_HOTPLUG_EJECT && hotplug->select < hotplug->bus_count)
		eject(hotplug, hotplug->select, value);
}

static const struct io_ops port_ops = {
	.read = read_ports,
	.write = write_ports,
	.max_access = 4,
};

/* The guest learns of a slot's devices by function 0, which is put in last. */
static void plugged(void *owner, struct pci_bus *bus, struct pci_device *device)
{
	struct hotplug_bus *place = owner;
	struct acpi_pci_hotplug *hotplug = place->owner;

	if (device->function != 0)
		return;
	hotplug->up[place - hotplug->buses] |= UINT32_C(1) << device->slot;
	tell_guest(hotplug);
}

static bool unplug(void *owner, struct pci_bus *bus, struct pci_device *device, GError **error)
{
	struct hotplug_bus *place = owner;
	struct acpi_pci_hotplug *hotplug = place->owner;
	int64_t asked = device->device.unplug_asked;

	if (asked && g_get_monotonic_time() - asked < UNPLUG_PATIENCE)
		return fail(error, VITRINE_ERROR_STATE,
			"Device %s is already in the process of unplug", device->device.id);
	if (!(removable_slots(bus) >> device->slot & 1))
		return fail(error, VITRINE_ERROR_STATE, "Device '%s' does not support hotplugging",
			device->device.class->name);
	if (device->function != 0 && !pci_bus_device(bus, device->slot, 0)) {
		machine_remove_device(device->device.machine, &device->device);
		return true;
	}
	device->device.unplug_asked = g_get_monotonic_time();
	hotplug->down[place - hotplug->buses] |= UINT32_C(1) << device->slot;
	tell_guest(hotplug);
	return true;
}

static const struct pci_hotplug_ops hotplug_ops = { .plugged = plugged, .unplug = unplug };

void acpi_pci_hotplug_take_bus(struct device *device, struct pci_bus *bus)
{
	struct acpi_pci_hotplug *hotplug = (struct acpi_pci_hotplug *)device;
	struct hotplug_bus *place = &hotplug->buses[hotplug->bus_count];

	if (hotplug->bus_count == ACPI_PCI_HOTPLUG_BUSES)
		return;
	hotplug->bus_count++;
	*place = (struct hotplug_bus) { .owner = hotplug, .bus = bus };
	pci_bus_set_hotplug(bus, &hotplug_ops, place);
}

static void take_buses_below(struct acpi_pci_hotplug *hotplug, struct pci_bus *bus)
{
	if (pci_bus_is_express(bus))
		return;
	acpi_pci_hotplug_take_bus(&hotplug->device, bus);
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
			struct pci_device *device = pci_bus_device(bus, slot, i);

			if (device && device->secondary)
				take_buses_below(hotplug, device->secondary);
		}
	}
}

void acpi_pci_hotplug_take_buses(struct device *device)
{
	take_buses_below((struct acpi_pci_hotplug *)device, device->machine->pci);
}

struct pci_bus *acpi_pci_hotplug_bus(struct device *device, unsigned number)
{
	struct acpi_pci_hotplug *hotplug = (struct acpi_pci_hotplug *)device;

	return number < hotplug->bus_count ? hotplug->buses[number].bus : NULL;
}

static bool hotplug_realize(struct device *device, GError **error)
{
	struct acpi_pci_hotplug *hotplug = (struct acpi_pci_hotplug *)device;

	hotplug->ports = (struct io_region) {
		.name = "acpi-pci-hotplug",
		.ops = &port_ops,
		.device = hotplug,
		.size = ACPI_PCI_HOTPLUG_SIZE,
	};
	io_space_map(&device->machine->ports, &hotplug->ports, ACPI_PCI_HOTPLUG_PORTS);
	return true;
}

/* A guest that starts anew knows nothing of what it was asked: what was on its way out goes. */
static void hotplug_reset(struct device *device)
{
	struct acpi_pci_hotplug *hotplug = (struct acpi_pci_hotplug *)device;

	for (unsigned i = 0; i < hotplug->bus_count; i++) {
		eject(hotplug, i, hotplug->down[i]);
		hotplug->up[i] = hotplug->down[i] = 0;
	}
	hotplug->select = 0;
}

static void hotplug_unrealize(struct device *device)
{
	io_region_unmap(&((struct acpi_pci_hotplug *)device)->ports);
}

const struct device_class acpi_pci_hotplug_class = {
	.name = "acpi-pci-hotplug",
	.description = "registers for PCI hot-plug by ACPI",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct acpi_pci_hotplug),
	.state = hotplug_state,
	.realize = hotplug_realize,
	.reset = hotplug_reset,
	.unrealize = hotplug_unrealize,
};
