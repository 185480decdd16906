/* A PCI bus: which device sits where, and how its interrupt pins are wired. */
#include "vmm/pci/pci.h"

#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci-registers.h"

struct pci_bus {
	struct bus bus;
	struct pci_interrupts interrupts;
	struct pci_device *devices[PCI_SLOTS][PCI_FUNCTIONS];
	unsigned raised[PCI_LINES]; /* how many devices hold each line */
};

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
	for (*slot = 1; *slot < PCI_SLOTS; (*slot)++)
		if (!bus->devices[*slot][0])
			return true;
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

	return g_strdup_printf("addr %02x.%x", pci->slot, pci->function);
}

static const struct bus_ops pci_bus_ops = {
	.attach = attach,
	.detach = detach,
	.reset = reset,
	.is_full = is_full,
	.place = place,
};

struct pci_bus *pci_bus_new(
	struct machine *machine, const char *name, const struct pci_interrupts *interrupts)
{
	struct pci_bus *bus = g_new0(struct pci_bus, 1);

	bus_init(&bus->bus, BUS_PCI, name, machine, NULL, &pci_bus_ops);
	bus->interrupts = *interrupts;
	return bus;
}

void pci_bus_free(struct pci_bus *bus)
{
	if (!bus)
		return;
	bus_finish(&bus->bus);
	g_free(bus);
}

const char *pci_bus_name(const struct pci_bus *bus)
{
	return bus->bus.name;
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

/* Function 0 tells that there are others. */
static void tell_functions(struct pci_bus *bus, unsigned slot)
{
	for (unsigned i = 1; i < PCI_FUNCTIONS; i++)
		if (bus->devices[slot][0] && bus->devices[slot][i])
			bus->devices[slot][0]->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
}

bool pci_bus_add(struct pci_bus *bus, struct pci_device *device, GError **error)
{
	unsigned slot, function = 0;

	if (!device->address_option) {
		if (!first_free(bus, &slot))
			return fail(error, VITRINE_ERROR_INPUT, "bus %s has no free slot left",
				bus->bus.name);
	} else if (!parse_address(device->address_option, &slot, &function)) {
		return fail(error, VITRINE_ERROR_INPUT,
			"addr=%s is no PCI address; SLOT or SLOT.FUNCTION in hexadecimal is, 0 to "
			"1f and 0 to 7",
			device->address_option);
	}
	if (bus->devices[slot][function])
		return fail(error, VITRINE_ERROR_INPUT,
			"addr=%02x.%x is taken by %s; choose another", slot, function,
			bus->devices[slot][function]->device.class->name);
	device->bus = bus;
	device->slot = slot;
	device->function = function;
	bus->devices[slot][function] = device;
	tell_functions(bus, slot);
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

void pci_bus_interrupt_changed(struct pci_bus *bus, struct pci_device *device, bool level)
{
	unsigned pin = device->config[PCI_INTERRUPT_PIN] - 1;
	unsigned line = bus->interrupts.line(bus->interrupts.board, device->slot, pin & 3);
	bool was = bus->raised[line] > 0;

	bus->raised[line] += level ? 1 : -1;
	if ((bus->raised[line] > 0) != was)
		bus->interrupts.set(bus->interrupts.board, line, bus->raised[line] > 0);
}

uint32_t pci_bus_config_read(
	struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset, unsigned size)
{
	struct pci_device *device = pci_bus_device(bus, slot, function);
	uint32_t value = 0;

	if (!device || offset + size > PCI_CONFIG_SIZE)
		return UINT32_MAX;
	if (device->config_read)
		device->config_read(device, offset, size);
	memcpy(&value, device->config + offset, size);
	return GUINT32_FROM_LE(value);
}

void pci_bus_config_write(struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset,
	unsigned size, uint32_t value)
{
	struct pci_device *device = pci_bus_device(bus, slot, function);

	if (device && offset + size <= PCI_CONFIG_SIZE)
		pci_device_config_write(device, offset, size, value);
}
