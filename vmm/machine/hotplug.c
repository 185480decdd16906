/* Devices that come and go while the guest runs.
 *
 * The bus decides how the guest is told and asked. The removal itself is the main loop's, as it is often a register write of
 * the guest that says that a device may go, and that write is still inside the device's own bus then.
 */
#include "vmm/machine/hotplug.h"

#include <json-glib/json-glib.h>

#include "base/error.h"
#include "vmm/bus.h"
#include "vmm/machine/run-state.h"

bool hotplug_is_possible(
	struct machine *machine, const struct device_class *class, const char *id, GError **error)
{
	if (id && machine_device(machine, id))
		return fail(error, VITRINE_ERROR_INPUT, "Duplicate device ID '%s'", id);
	if (class->cold_plug_only || class->bus == BUS_SYSTEM || class->bus == BUS_ISA)
		return fail(error, VITRINE_ERROR_STATE, "Device '%s' does not support hotplugging",
			class->name);
	return true;
}

void hotplug_complete(struct device *device)
{
	device_reset(device);
	if (device->class->set_running)
		device->class->set_running(device, device->machine->active);
	device->bus->ops->plugged(device->bus, device);
}

static void emit_deleted(const struct device *device)
{
	JsonObject *data = json_object_new();
	g_autofree char *path = device_path(device);

	if (device->id)
		json_object_set_string_member(data, "device", device->id);
	json_object_set_string_member(data, "path", path);
	machine_emit(device->machine, "DEVICE_DELETED", data);
}

static void remove_now(struct machine *machine, void *opaque);

static struct device *first_child(const struct machine *machine, const struct device *device)
{
	for (guint i = 0; i < machine->buses->len; i++) {
		const struct bus *bus = machine->buses->pdata[i];

		if (bus->parent == device && bus->children->len > 0)
			return bus->children->pdata[bus->children->len - 1];
	}
	return NULL;
}

static void remove_now(struct machine *machine, void *opaque)
{
	struct device *device = opaque, *child;

	while ((child = first_child(machine, device)))
		remove_now(machine, child);
	emit_deleted(device);
	g_ptr_array_remove(machine->devices, device);
	device_unrealize(device);
	/* Not before: until then its threads may ask for more. */
	machine_forget_calls(machine, device);
	device_free(device);
}

void machine_remove_device(struct machine *machine, struct device *device)
{
	if (device->leaving)
		return;
	device->leaving = true;
	machine_run_soon(machine, remove_now, device);
}

static bool request_unplug(struct machine *machine, struct device *device, GError **error)
{
	const struct bus *bus = device->bus;

	if (!bus || device->class->cold_plug_only)
		return fail(error, VITRINE_ERROR_STATE, "Device '%s' does not support hotplugging",
			device->class->name);
	if (!bus->ops->plugged)
		return fail(error, VITRINE_ERROR_STATE, "Bus '%s' does not support hotplugging",
			bus->name);
	if (device->leaving)
		return fail(error, VITRINE_ERROR_STATE,
			"Device %s is already in the process of unplug", device->id);
	if (bus->ops->unplug)
		return bus->ops->unplug(device->bus, device, error);
	machine_remove_device(machine, device);
	return true;
}

bool machine_request_unplug(struct machine *machine, struct device *device, GError **error)
{
	bool done;

	g_mutex_lock(&machine->lock);
	done = request_unplug(machine, device, error);
	g_mutex_unlock(&machine->lock);
	return done;
}
