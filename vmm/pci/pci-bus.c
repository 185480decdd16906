/* A PCI bus: which device sits where, and what may go there. */
#include "vmm/pci/pci-bus.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-names.h"
#include "vmm/pci/pci-registers.h"

static bool attach(struct bus *bus, struct device *device, GError **error)
{
	return pci_device_attach((struct pci_device *)device, (struct pci_bus *)bus, error);
}

static void detach(struct bus *bus, struct device *device)
{
	pci_device_detach((struct pci_device *)device);
}

static void reset(struct bus *bus, struct device *device)
{
	pci_device_reset((struct pci_device *)device);
}

static bool first_free(const struct pci_bus *bus, unsigned *slot)
{
	/* A slot whose function 0 is yet to come is taken as well. */
	for (*slot = 0; *slot < bus->slots; (*slot)++) {
		bool taken = false;

		for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
			taken = taken || bus->devices[*slot][i];
		if (!taken)
			return true;
	}
	return false;
}

static bool is_full(struct bus *bus)
{
	unsigned slot;

	return !first_free((struct pci_bus *)bus, &slot);
}

static char *place(struct bus *bus, const struct device *device)
{
	const struct pci_device *pci = (const struct pci_device *)device;

	uint16_t class = config_get16(pci->config + PCI_CLASS_CODE + 1);
	const char *description = pci_class_description(class);
	GString *text = g_string_new(NULL);

	if (description)
		g_string_append_printf(text, "class %s", description);
	else
		g_string_append_printf(text, "class Class %04x", class);
	g_string_append_printf(text, ", addr %02x:%02x.%x, pci id %04x:%04x (sub %04x:%04x)",
		pci_bus_number(pci->bus), pci->slot, pci->function,
		config_get16(pci->config + PCI_VENDOR_ID),
		config_get16(pci->config + PCI_DEVICE_ID),
		config_get16(pci->config + PCI_SUBSYSTEM_VENDOR_ID),
		config_get16(pci->config + PCI_SUBSYSTEM_ID));
	for (unsigned i = 0; i <= PCI_BARS; i++) {
		const struct pci_bar *bar = &pci->bars[i];

		if (bar->size > 0)
			g_string_append_printf(text,
				"\nbar %u: %s at 0x%" PRIx64 " [0x%" PRIx64 "]", i,
				bar->flags & PCI_BAR_PORTS ? "i/o" : "mem", bar->address,
				bar->address + bar->size - 1);
	}
	return g_string_free(text, FALSE);
}

static char *firmware_path(struct bus *bus, const struct device *device)
{
	return pci_device_firmware_name((const struct pci_device *)device);
}

/* The expanders are counted in the order of their numbers. */
static char *firmware_root(struct bus *bus)
{
	struct pci_bus *pci = (struct pci_bus *)bus, *other = NULL;
	unsigned position = 0;

	if (pci->bridge)
		return NULL;
	if (!pci->expander)
		return g_strdup("/pci@i0cf8");
	while ((other = pci_next_root(bus->machine, other)))
		position += other->expander && other->number <= pci->number;
	return g_strdup_printf("/pci@i0cf8,%x", position);
}

static void plugged(struct bus *bus, struct device *device)
{
	struct pci_bus *pci = (struct pci_bus *)bus;

	pci->hotplug->plugged(pci->hotplug_owner, pci, (struct pci_device *)device);
}

static bool unplug(struct bus *bus, struct device *device, GError **error)
{
	struct pci_bus *pci = (struct pci_bus *)bus;

	return pci->hotplug->unplug(pci->hotplug_owner, pci, (struct pci_device *)device, error);
}

static const struct bus_ops fixed_ops = {
	.attach = attach,
	.detach = detach,
	.reset = reset,
	.is_full = is_full,
	.place = place,
	.firmware_path = firmware_path,
	.firmware_root = firmware_root,
};

static const struct bus_ops hotplug_ops = {
	.attach = attach,
	.detach = detach,
	.reset = reset,
	.is_full = is_full,
	.place = place,
	.firmware_path = firmware_path,
	.firmware_root = firmware_root,
	.plugged = plugged,
	.unplug = unplug,
};

static struct pci_bus *new_bus(
	struct machine *machine, const char *name, struct pci_device *device, bool express)
{
	struct pci_bus *bus = g_new0(struct pci_bus, 1);

	bus_init(&bus->bus, BUS_PCI, name, machine, device ? &device->device : NULL, &fixed_ops);
	bus->express = express;
	bus->slots = PCI_SLOTS;
	bus->numa_node = PCI_NO_NUMA_NODE;
	return bus;
}

struct pci_bus *pci_bus_new(
	struct machine *machine, const char *name, const struct pci_interrupts *interrupts)
{
	struct pci_bus *bus = new_bus(machine, name, NULL, g_str_has_prefix(name, "pcie"));

	bus->interrupts = *interrupts;
	return bus;
}

struct pci_bus *pci_bus_new_root(struct pci_device *device, const char *name, bool express,
	uint8_t number, unsigned numa_node)
{
	struct pci_bus *bus = new_bus(device->device.machine, name, device, express);

	bus->expander = device;
	bus->number = number;
	bus->numa_node = numa_node;
	return bus;
}

struct pci_bus *pci_bus_new_behind(
	struct pci_device *bridge, const char *name, bool express, unsigned slots)
{
	g_autofree char *own = bridge->device.id ? g_strdup(bridge->device.id)
						 : bus_make_name(&bridge->device, "pci", 0);
	struct pci_bus *bus = new_bus(bridge->device.machine, name ? name : own, bridge, express);

	bus->bridge = bridge;
	bus->slots = slots;
	bridge->secondary = bus;
	return bus;
}

void pci_bus_free(struct pci_bus *bus)
{
	if (!bus)
		return;
	if (bus->bridge)
		bus->bridge->secondary = NULL;
	bus_finish(&bus->bus);
	g_free(bus);
}

void pci_bus_set_hotplug(struct pci_bus *bus, const struct pci_hotplug_ops *ops, void *owner)
{
	bus->hotplug = ops;
	bus->hotplug_owner = owner;
	bus->bus.ops = ops ? &hotplug_ops : &fixed_ops;
}

const char *pci_bus_name(const struct pci_bus *bus)
{
	return bus->bus.name;
}

struct machine *pci_bus_machine(const struct pci_bus *bus)
{
	return bus->bus.machine;
}

bool pci_bus_is_express(const struct pci_bus *bus)
{
	return bus->express;
}

bool pci_bus_is_root(const struct pci_bus *bus)
{
	return !bus->bridge;
}

uint8_t pci_bus_number(const struct pci_bus *bus)
{
	return bus->bridge ? bus->bridge->config[PCI_SECONDARY_BUS] : bus->number;
}

unsigned pci_bus_numa_node(const struct pci_bus *bus)
{
	return bus->numa_node;
}

struct pci_device *pci_bus_bridge(const struct pci_bus *bus)
{
	return bus->bridge;
}

/* SLOT or SLOT.FUNCTION, both hexadecimal. */
static bool parse_address(const char *text, unsigned *slot, unsigned *function)
{
	char *end;

	*function = 0;
	if (!g_ascii_isxdigit(text[0]))
		return false;
	*slot = strtoul(text, &end, 16);
	if (*end == '.' && g_ascii_isxdigit(end[1]))
		*function = strtoul(end + 1, &end, 16);
	return *end == '\0' && *slot < PCI_SLOTS && *function < PCI_FUNCTIONS;
}

static bool choose_place(const struct pci_bus *bus, const struct pci_device *device, unsigned *slot,
	unsigned *function, GError **error)
{
	const struct pci_device *there;

	*slot = *function = 0;
	if (!device->address_option)
		return first_free(bus, slot) ||
		       fail(error, VITRINE_ERROR_INPUT, "bus %s has no free slot left",
			       bus->bus.name);
	if (!parse_address(device->address_option, slot, function))
		return fail(error, VITRINE_ERROR_INPUT,
			"addr=%s is no PCI address; SLOT or SLOT.FUNCTION in hexadecimal is, 0 to "
			"1f and 0 to 7",
			device->address_option);
	if (*slot >= bus->slots)
		return fail(error, VITRINE_ERROR_INPUT,
			"addr=%02x.%x is not on bus %s: it has slot 0 alone", *slot, *function,
			bus->bus.name);
	there = bus->devices[*slot][*function];
	if (!there)
		return true;
	return fail(error, VITRINE_ERROR_INPUT, "addr=%02x.%x is taken by %s; choose another",
		*slot, *function, there->device.class->name);
}

/* Whether others may share a slot with this function 0. A board's own devices need not say so. */
static bool shares_slot(const struct pci_device *device)
{
	return device->multifunction || !device->device.class->user_creatable;
}

static bool check_sharing(const struct pci_bus *bus, const struct pci_device *device, unsigned slot,
	unsigned function, GError **error)
{
	const struct pci_device *first = bus->devices[slot][0];

	if (function > 0 && first && !shares_slot(first))
		return fail(error, VITRINE_ERROR_INPUT,
			"addr=%02x.%x: function 0 there (%s) is not multifunction=on", slot,
			function, first->device.class->name);
	for (unsigned i = 1; function == 0 && i < PCI_FUNCTIONS; i++)
		if (bus->devices[slot][i] && !shares_slot(device))
			return fail(error, VITRINE_ERROR_INPUT,
				"addr=%02x.0: there is a function %u already, so function 0 has to "
				"be multifunction=on",
				slot, i);
	return true;
}

/* Function 0 tells that there are others, and whoever is said to be one of many tells it too. */
static void tell_functions(struct pci_bus *bus, struct pci_device *device)
{
	struct pci_device *first = bus->devices[device->slot][0];

	if (device->multifunction)
		device->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
	for (unsigned i = 1; first && i < PCI_FUNCTIONS; i++)
		if (bus->devices[device->slot][i])
			first->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
}

bool pci_bus_add(struct pci_bus *bus, struct pci_device *device, GError **error)
{
	unsigned slot, function;

	if (!choose_place(bus, device, &slot, &function, error) ||
		!check_sharing(bus, device, slot, function, error))
		return false;
	device->bus = bus;
	device->slot = slot;
	device->function = function;
	bus->devices[slot][function] = device;
	tell_functions(bus, device);
	return true;
}

void pci_bus_remove(struct pci_bus *bus, struct pci_device *device)
{
	bus->devices[device->slot][device->function] = NULL;
}

struct pci_device *pci_bus_device(struct pci_bus *bus, unsigned slot, unsigned function)
{
	return slot < PCI_SLOTS && function < PCI_FUNCTIONS ? bus->devices[slot][function] : NULL;
}

bool pci_bus_check_functions(struct pci_bus *bus, GError **error)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
		for (unsigned i = 1; i < PCI_FUNCTIONS; i++)
			if (bus->devices[slot][i] && !bus->devices[slot][0])
				return fail(error, VITRINE_ERROR_INPUT,
					"bus %s has %s at %02x.%x and nothing at %02x.0: a guest "
					"looks for functions only where there is a function 0",
					bus->bus.name, bus->devices[slot][i]->device.class->name,
					slot, i, slot);
	return true;
}
