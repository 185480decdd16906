/* Where a device stands in the tree of objects that clients of the control protocol see: see vmm/control/qom.h. */
#include "vmm/device.h"
#include "vmm/machine/machine.h"

char *device_path(const struct device *device)
{
	const struct machine *machine = device->machine;
	unsigned number = 0;

	if (device->id)
		return g_strdup_printf("/machine/peripheral/%s", device->id);
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *other = machine->devices->pdata[i];

		if (other == device && i < machine->fixed_devices)
			return g_strdup_printf(
				"/machine/unattached/device[%u]", machine->cpu_count + i);
		if (other == device)
			break;
		number += i >= machine->fixed_devices && !other->id;
	}
	return g_strdup_printf("/machine/peripheral-anon/device[%u]", number);
}
