/* The buses of a machine: their names, and which one a device goes to. */
#include "vmm/bus.h"

#include "base/error.h"
#include "vmm/machine/machine.h"

static const char *const kind_names[BUS_KINDS] = {
	[BUS_SYSTEM] = "system",
	[BUS_ISA] = "ISA",
	[BUS_PCI] = "PCI",
	[BUS_USB] = "USB",
	[BUS_SCSI] = "SCSI",
	[BUS_IDE] = "IDE",
	[BUS_HDA] = "HDA",
	[BUS_VIRTIO_SERIAL] = "virtio-serial",
};

const char *bus_kind_name(enum device_bus kind)
{
	return kind_names[kind];
}

void bus_init(struct bus *bus, enum device_bus kind, const char *name, struct machine *machine,
	struct device *parent, const struct bus_ops *ops)
{
	*bus = (struct bus) {
		.kind = kind,
		.name = g_strdup(name),
		.machine = machine,
		.parent = parent,
		.ops = ops,
		.children = g_ptr_array_new(),
	};
	if (machine->buses)
		g_ptr_array_add(machine->buses, bus);
}

void bus_finish(struct bus *bus)
{
	if (!bus->children)
		return;
	g_assert(bus->children->len == 0);
	if (bus->machine->buses)
		g_ptr_array_remove(bus->machine->buses, bus);
	g_clear_pointer(&bus->children, g_ptr_array_unref);
	g_clear_pointer(&bus->name, g_free);
}

char *bus_make_name(const struct device *parent, const char *kind, unsigned index)
{
	if (parent && parent->id)
		return g_strdup_printf("%s.%u", parent->id, index);
	for (unsigned i = 0;; i++) {
		char *name = g_strdup_printf("%s.%u", kind, i);

		if (!parent || !machine_bus(parent->machine, name))
			return name;
		g_free(name);
	}
}

struct bus *machine_bus(struct machine *machine, const char *name)
{
	for (guint i = 0; machine->buses && i < machine->buses->len; i++) {
		struct bus *bus = machine->buses->pdata[i];

		if (g_strcmp0(bus->name, name) == 0)
			return bus;
	}
	return NULL;
}

static char *list_buses(const struct machine *machine, enum device_bus kind)
{
	GString *names = g_string_new(NULL);

	for (guint i = 0; i < machine->buses->len; i++) {
		const struct bus *bus = machine->buses->pdata[i];

		if (bus->kind == kind)
			g_string_append_printf(
				names, "%s%s", names->len > 0 ? ", " : "", bus->name);
	}
	return g_string_free(names, FALSE);
}

struct bus *bus_choose(
	struct machine *machine, enum device_bus kind, const char *name, GError **error)
{
	g_autofree char *names = list_buses(machine, kind);
	struct bus *bus = name ? machine_bus(machine, name) : NULL;

	if (bus && bus->kind == kind)
		return bus;
	if (name) {
		fail(error, VITRINE_ERROR_INPUT, "bus=%s: there is no such %s bus; there is %s",
			name, bus_kind_name(kind), names[0] ? names : "none");
		return NULL;
	}
	for (guint i = 0; i < machine->buses->len; i++) {
		bus = machine->buses->pdata[i];
		if (bus->kind == kind && !(bus->ops->is_full && bus->ops->is_full(bus)))
			return bus;
	}
	if (names[0])
		fail(error, VITRINE_ERROR_INPUT, "every %s bus is full: %s", bus_kind_name(kind),
			names);
	else
		fail(error, VITRINE_ERROR_INPUT, "the machine has no %s bus", bus_kind_name(kind));
	return NULL;
}
