/* What query-pci answers: buses, functions, regions and bridges as the guest has set them up. */
#include "vmm/pci/pci-describe.h"

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-bridge.h"
#include "vmm/pci/pci-names.h"
#include "vmm/pci/pci-registers.h"

static JsonArray *describe_devices(struct pci_bus *bus);

static JsonObject *describe_class(const struct pci_device *device)
{
	uint16_t class = config_get16(device->config + PCI_CLASS_CODE + 1);
	const char *description = pci_class_description(class);
	JsonObject *object = json_object_new();

	if (description)
		json_object_set_string_member(object, "desc", description);
	json_object_set_int_member(object, "class", class);
	return object;
}

static JsonObject *describe_id(const struct pci_device *device)
{
	const uint8_t *config = device->config;
	JsonObject *object = json_object_new();

	json_object_set_int_member(object, "device", config_get16(config + PCI_DEVICE_ID));
	json_object_set_int_member(object, "vendor", config_get16(config + PCI_VENDOR_ID));
	if (!device->secondary) {
		json_object_set_int_member(
			object, "subsystem", config_get16(config + PCI_SUBSYSTEM_ID));
		json_object_set_int_member(
			object, "subsystem-vendor", config_get16(config + PCI_SUBSYSTEM_VENDOR_ID));
	}
	return object;
}

/* A region that is nowhere has the address -1. */
static JsonObject *describe_region(const struct pci_bar *bar, unsigned index)
{
	bool ports = bar->flags & PCI_BAR_PORTS;
	JsonObject *object = json_object_new();

	json_object_set_int_member(object, "bar", index);
	json_object_set_string_member(object, "type", ports ? "io" : "memory");
	json_object_set_int_member(object, "address", (gint64)bar->address);
	json_object_set_int_member(object, "size", (gint64)bar->size);
	if (!ports) {
		json_object_set_boolean_member(
			object, "prefetch", (bar->flags & PCI_BAR_PREFETCHABLE) != 0);
		json_object_set_boolean_member(
			object, "mem_type_64", (bar->flags & PCI_BAR_64BIT) != 0);
	}
	return object;
}

static JsonArray *describe_regions(const struct pci_device *device)
{
	JsonArray *list = json_array_new();

	for (unsigned i = 0; i < G_N_ELEMENTS(device->bars); i++)
		if (device->bars[i].size > 0)
			json_array_add_object_element(list, describe_region(&device->bars[i], i));
	return list;
}

static JsonObject *describe_bridge(const struct pci_device *device)
{
	static const char *const names[PCI_WINDOWS] = {
		[PCI_WINDOW_PORTS] = "io_range",
		[PCI_WINDOW_MEMORY] = "memory_range",
		[PCI_WINDOW_PREFETCHABLE] = "prefetchable_range",
	};
	JsonObject *object = json_object_new(), *bus = json_object_new();

	json_object_set_int_member(bus, "number", device->config[PCI_PRIMARY_BUS]);
	json_object_set_int_member(bus, "secondary", device->config[PCI_SECONDARY_BUS]);
	json_object_set_int_member(bus, "subordinate", device->config[PCI_SUBORDINATE_BUS]);
	for (enum pci_window i = 0; i < PCI_WINDOWS; i++) {
		JsonObject *range = json_object_new();
		uint64_t base, limit;

		pci_bridge_window(device, i, &base, &limit);
		json_object_set_int_member(range, "base", (gint64)base);
		json_object_set_int_member(range, "limit", (gint64)limit);
		json_object_set_object_member(bus, names[i], range);
	}
	json_object_set_object_member(object, "bus", bus);
	if (device->config[PCI_SECONDARY_BUS] != 0)
		json_object_set_array_member(
			object, "devices", describe_devices(device->secondary));
	return object;
}

static JsonObject *describe_device(const struct pci_device *device)
{
	JsonObject *object = json_object_new();

	json_object_set_int_member(object, "bus", pci_bus_number(device->bus));
	json_object_set_int_member(object, "slot", device->slot);
	json_object_set_int_member(object, "function", device->function);
	json_object_set_object_member(object, "class_info", describe_class(device));
	json_object_set_object_member(object, "id", describe_id(device));
	if (device->config[PCI_INTERRUPT_PIN] != 0)
		json_object_set_int_member(object, "irq", device->config[PCI_INTERRUPT_LINE]);
	json_object_set_int_member(object, "irq_pin", device->config[PCI_INTERRUPT_PIN]);
	json_object_set_string_member(
		object, "qdev_id", device->device.id ? device->device.id : "");
	if (device->secondary)
		json_object_set_object_member(object, "pci_bridge", describe_bridge(device));
	json_object_set_array_member(object, "regions", describe_regions(device));
	return object;
}

static JsonArray *describe_devices(struct pci_bus *bus)
{
	JsonArray *list = json_array_new();

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
			const struct pci_device *device = pci_bus_device(bus, slot, i);

			if (device)
				json_array_add_object_element(list, describe_device(device));
		}
	}
	return list;
}

JsonArray *pci_describe(struct machine *machine)
{
	JsonArray *list = json_array_new();
	struct pci_bus *root = NULL;

	while ((root = pci_next_root(machine, root))) {
		JsonObject *object = json_object_new();

		json_object_set_int_member(object, "bus", pci_bus_number(root));
		json_object_set_array_member(object, "devices", describe_devices(root));
		json_array_add_object_element(list, object);
	}
	return list;
}
