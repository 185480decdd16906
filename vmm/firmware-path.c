/* Firmware paths: one component for each device between the board and a device. */
#include "vmm/firmware-path.h"

#include "vmm/bus.h"
#include "vmm/machine/machine.h"

/* The device's own component behind that of what its bus is part of. */
static char *place_path(const struct device *device)
{
	struct bus *bus = device->bus;
	g_autofree char *own = NULL, *above = NULL;

	if (!bus || !bus->ops->firmware_path)
		return NULL;
	own = bus->ops->firmware_path(bus, device);
	if (bus->ops->firmware_root)
		above = bus->ops->firmware_root(bus);
	if (!above && bus->parent)
		above = place_path(bus->parent);
	return own && above ? g_strdup_printf("%s/%s", above, own) : NULL;
}

char *device_firmware_path(const struct device *device)
{
	g_autofree char *place = place_path(device);

	if (!place || !device->class->boot_suffix)
		return g_steal_pointer(&place);
	return g_strdup_printf("%s/%s", place, device->class->boot_suffix);
}

static int compare_order(const void *a, const void *b)
{
	const struct device *one = *(const struct device *const *)a;
	const struct device *other = *(const struct device *const *)b;

	return one->boot_index < other->boot_index ? -1 : one->boot_index > other->boot_index;
}

char **machine_boot_order(struct machine *machine)
{
	g_autoptr(GPtrArray) devices = g_ptr_array_new();
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	for (guint i = 0; i < machine->devices->len; i++) {
		struct device *device = machine->devices->pdata[i];

		if (device->boot_index >= 0)
			g_ptr_array_add(devices, device);
	}
	g_ptr_array_sort(devices, compare_order);
	for (guint i = 0; i < devices->len; i++) {
		char *path = device_firmware_path(devices->pdata[i]);

		if (path)
			g_ptr_array_add(paths, path);
	}
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&paths), FALSE);
}
