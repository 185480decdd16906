/* The back end of an ISA device that prints or talks. */
#include "vmm/chipset/isa-chardev.h"

#include "base/error.h"
#include "vmm/chardev/mux.h"
#include "vmm/machine/machine.h"

static struct chardev *by_id(const struct machine *machine, const char *id)
{
	for (guint i = 0; machine->chardevs && i < machine->chardevs->len; i++) {
		struct chardev *chardev = machine->chardevs->pdata[i];

		if (g_strcmp0(chardev_id(chardev), id) == 0)
			return chardev;
	}
	return NULL;
}

struct chardev *isa_chardev_find(
	const struct device *device, const char *id, struct chardev *fallback, GError **error)
{
	struct chardev *found = id ? by_id(device->machine, id) : fallback;

	if (!found && id) {
		fail(error, VITRINE_ERROR_NOT_FOUND, "there is no chardev '%s'", id);
		return NULL;
	}
	if (!found) {
		fail(error, VITRINE_ERROR_INPUT, "chardev=ID is missing");
		return NULL;
	}
	return chardev_channel(found, error);
}
