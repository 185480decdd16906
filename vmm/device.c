/* Devices: creation, realization, reset and end. */
#include "vmm/device.h"

#include "base/error.h"
#include "vmm/bus.h"
#include "vmm/machine/machine.h"

static void set_defaults(struct device *device, const struct property *properties)
{
	for (const struct property *p = properties; p && p->type != PROPERTY_END; p++) {
		g_autoptr(GError) error = NULL;

		if (p->default_value &&
			!device_set_property(device, p->name, p->default_value, &error))
			g_error("default of %s.%s: %s", device->class->name, p->name,
				error->message);
	}
}

struct device *device_new(struct machine *machine, const struct device_class *class, const char *id)
{
	struct device *device = g_malloc0(class->size);

	device->class = class;
	device->machine = machine;
	device->id = g_strdup(id);
	device->boot_index = -1;
	set_defaults(device, device_bus_properties(class->bus));
	set_defaults(device, class->properties);
	return device;
}

static bool is_on_bus(const struct device *device)
{
	return device->class->bus != BUS_SYSTEM && device->class->bus != BUS_ISA;
}

static bool attach(struct device *device, GError **error)
{
	struct bus *bus;

	if (!is_on_bus(device))
		return true;
	bus = bus_choose(device->machine, device->class->bus, device->bus_option, error);
	if (!bus)
		return false;
	if (device->machine->started && !bus->ops->plugged)
		return fail(error, VITRINE_ERROR_STATE, "Bus '%s' does not support hotplugging",
			bus->name);
	if (!bus->ops->attach(bus, device, error))
		return false;
	device->bus = bus;
	g_ptr_array_add(bus->children, device);
	return true;
}

static void detach(struct device *device)
{
	if (!device->bus)
		return;
	device->bus->ops->detach(device->bus, device);
	g_ptr_array_remove(device->bus->children, device);
	device->bus = NULL;
}

bool device_realize(struct device *device, GError **error)
{
	bool attached = attach(device, error);

	if (!attached || !device->class->realize(device, error)) {
		if (attached && device->class->unrealize)
			device->class->unrealize(device);
		detach(device);
		/* Whoever adds one to a running machine knows which it was. */
		if (!device->machine->started)
			g_prefix_error(error,
				"device %s: ", device->id ? device->id : device->class->name);
		return false;
	}
	device->realized = true;
	g_ptr_array_add(device->machine->devices, device);
	return true;
}

void device_reset(struct device *device)
{
	if (device->bus && device->bus->ops->reset)
		device->bus->ops->reset(device->bus, device);
	if (device->class->reset)
		device->class->reset(device);
}

void device_unrealize(struct device *device)
{
	if (!device->realized)
		return;
	if (device->class->unrealize)
		device->class->unrealize(device);
	detach(device);
	device->realized = false;
}

void device_free(struct device *device)
{
	device_unrealize(device);
	properties_free_strings(device, device_bus_properties(device->class->bus));
	properties_free_strings(device, device->class->properties);
	g_free(device->id);
	g_free(device);
}
