/* A machine: what it consists of, made and unmade in one order. */
#include "vmm/machine/machine.h"

#include <string.h>

#include "base/error.h"
#include "vmm/cpu/definition.h"
#include "vmm/chipset/debugcon.h"
#include "vmm/chipset/hpet.h"
#include "vmm/chipset/pflash.h"
#include "vmm/chipset/serial.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/firmware/tables.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/boards.h"
#include "vmm/machine/hotplug.h"
#include "vmm/machine/machine-types.h"
#include "vmm/machine/ram.h"
#include "vmm/machine/run-state.h"
#include "vmm/pci/pci.h"

void machine_drive_irq(struct machine *machine, enum irq_driver driver, unsigned gsi, bool level)
{
	uint8_t bit = 1 << driver;

	machine->irq_drivers[gsi] = (machine->irq_drivers[gsi] & ~bit) | (level ? bit : 0);
	kvm_set_irq(machine->kvm, gsi, machine->irq_drivers[gsi] != 0);
}

void machine_set_irq(struct machine *machine, unsigned gsi, bool level)
{
	machine_drive_irq(machine, IRQ_OF_ISA, gsi, level);
}

struct device *machine_device(struct machine *machine, const char *id)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		struct device *device = machine->devices->pdata[i];

		if (g_strcmp0(device->id, id) == 0)
			return device;
	}
	return NULL;
}

struct device *machine_device_of_class(struct machine *machine, const struct device_class *class)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		struct device *device = machine->devices->pdata[i];

		if (device->class == class)
			return device;
	}
	return NULL;
}

/* What the type's file says about devices of this class that are added to it. */
static bool set_type_defaults(struct device *device, GError **error)
{
	const struct machine_type *type = device->machine->config->type;

	for (guint i = 0; i < type->default_count; i++) {
		const struct machine_type_device *defaults = &type->defaults[i];

		if (strcmp(defaults->class, device->class->name) != 0)
			continue;
		for (guint j = 0; j < defaults->property_count; j++)
			if (!device_set_property(device, defaults->properties[j].name,
				    defaults->properties[j].value, error))
				return false;
	}
	return true;
}

/* Ports that do not move have one owner. */
static bool check_ports(const struct machine *machine, GError **error)
{
	const struct io_region *one, *other;

	if (!io_space_find_conflict(&machine->ports, &one, &other))
		return true;
	return fail(error, VITRINE_ERROR_INPUT,
		"the ports 0x%x to 0x%x (%s) are taken by %s, at 0x%x to 0x%x; leave one of the "
		"two out, or "
		"move it",
		(unsigned)one->base, (unsigned)(one->base + one->size - 1), one->name, other->name,
		(unsigned)other->base, (unsigned)(other->base + other->size - 1));
}

static bool check_boot_index(const struct device *device, GError **error)
{
	const GPtrArray *devices = device->machine->devices;

	for (guint i = 0; device->boot_index >= 0 && i < devices->len; i++) {
		const struct device *other = devices->pdata[i];

		if (other != device && other->boot_index == device->boot_index)
			return fail(error, VITRINE_ERROR_INPUT,
				"bootindex=%d is that of %s already; each is given once",
				device->boot_index, other->id ? other->id : other->class->name);
	}
	return true;
}

static bool set_globals(struct device *device, GError **error)
{
	const struct machine_config *config = device->machine->config;

	for (guint i = 0; i < config->global_count; i++) {
		const struct machine_global *global = &config->globals[i];

		if (global->class == device->class &&
			!device_set_property(device, global->property, global->value, error))
			return false;
	}
	return true;
}

bool machine_add_device(struct machine *machine, const struct device_class *class, const char *id,
	const struct machine_property *properties, unsigned count, GError **error)
{
	struct device *device = device_new(machine, class, id);
	bool done;

	g_mutex_lock(&machine->lock);
	done = !machine->started || hotplug_is_possible(machine, class, id, error);
	done = done && set_type_defaults(device, error) && set_globals(device, error);
	for (unsigned i = 0; done && i < count; i++)
		done = device_set_property(device, properties[i].name, properties[i].value, error);
	done = done && check_boot_index(device, error) && device_realize(device, error);
	if (done && !machine->started && !check_ports(machine, error)) {
		g_prefix_error(error, "device %s: ", id ? id : class->name);
		g_ptr_array_remove(machine->devices, device);
		done = false;
	}
	if (!done)
		device_free(device);
	else if (machine->started)
		hotplug_complete(device);
	g_mutex_unlock(&machine->lock);
	return done;
}

static bool add_fixed_devices(struct machine *machine, GError **error)
{
	const struct machine_type *type = machine->config->type;

	for (guint i = 0; i < type->device_count; i++) {
		const struct machine_type_device *fixed = &type->devices[i];
		const struct device_class *class = device_class_find(fixed->class);

		if (class == &hpet_class && machine->config->no_hpet)
			continue;
		if (!class)
			return fail(error, VITRINE_ERROR_INPUT,
				"machine type %s: [device %s] type=%s: there is no such device",
				type->name, fixed->name, fixed->class);
		if (!machine_add_device(machine, class, NULL, fixed->properties,
			    fixed->property_count, error)) {
			g_prefix_error(error, "machine type %s: ", type->name);
			return false;
		}
	}
	return true;
}

/* The firmware's chip comes first, as the other one lies below it. */
static bool add_flash(struct machine *machine, GError **error)
{
	for (unsigned i = 0; i < MACHINE_FLASH_CHIPS; i++) {
		char unit[2] = { '0' + i, '\0' };
		struct machine_property property = { (char *)"unit", unit };

		if (machine->config->flash[i].file &&
			!machine_add_device(machine, &pflash_class, NULL, &property, 1, error)) {
			g_prefix_error(error, "-drive if=pflash: ");
			return false;
		}
	}
	return true;
}

/* A UART for each -serial, a debug port for -debugcon. */
static bool add_ports(struct machine *machine, GError **error)
{
	for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++) {
		char index[2] = { '0' + i, '\0' };
		struct machine_property property = { (char *)"index", index };

		if (machine->serial[i] &&
			!machine_add_device(machine, &isa_serial_class, NULL, &property, 1, error))
			return false;
	}
	return !machine->debugcon ||
	       machine_add_device(machine, &isa_debugcon_class, NULL, NULL, 0, error);
}

static bool define_cpu(struct machine *machine, GError **error)
{
	struct cpu_request *request = cpu_request_parse(machine->config->cpu, error);

	if (request)
		machine->cpu_definition = cpu_definition_new(request, machine->kvm->cpuid, error);
	cpu_request_free(request);
	return machine->cpu_definition != NULL;
}

static bool add_cpus(struct machine *machine, GError **error)
{
	if (!define_cpu(machine, error))
		return false;
	for (unsigned i = 0; i < machine->config->cpus; i++) {
		machine->cpus[i] = vcpu_new(machine, i, error);
		if (!machine->cpus[i])
			return false;
		machine->cpu_count++;
	}
	return true;
}

static bool build(struct machine *machine, GError **error)
{
	const struct board *board = board_find(machine->config->type->board, error);

	if (!board)
		return false;
	machine->kvm = kvm_new(error);
	if (!machine->kvm)
		return false;
	machine->memory = guest_memory_new(machine->kvm);
	if (!machine_add_ram(machine, error) || !machine_add_firmware(machine, error) ||
		!kvm_create_chips(machine->kvm, error))
		return false;
	machine->pci = board->new_bus(machine);
	machine->fw_cfg = fw_cfg_new(machine);
	return add_flash(machine, error) && add_fixed_devices(machine, error) &&
	       add_ports(machine, error) && add_cpus(machine, error);
}

struct machine *machine_new(
	const struct machine_config *config, const struct machine_parts *parts, GError **error)
{
	struct machine *machine = g_new0(struct machine, 1);

	machine->config = config;
	machine->no_reboot = config->no_reboot;
	machine->no_shutdown = config->no_shutdown;
	machine->watchdog = config->watchdog;
	memcpy(machine->serial, parts->serial, sizeof(machine->serial));
	machine->debugcon = parts->debugcon;
	machine->chardevs = parts->chardevs;
	machine->drives = parts->drives;
	machine->netdevs = parts->netdevs;
	machine->audiodevs = parts->audiodevs;
	machine->objects = parts->objects;
	machine->clock.stopped = true;
	g_mutex_init(&machine->lock);
	io_space_init(&machine->ports, "ports");
	io_space_init(&machine->mmio, "memory");
	machine->devices = g_ptr_array_new();
	machine->buses = g_ptr_array_new();
	machine->memory_blocks = g_ptr_array_new();
	machine->watchers = machine_watchers_new();
	machine->requests = machine_requests_new();
	machine->display = display_new(&machine->lock);
	if (build(machine, error)) {
		machine->fixed_devices = machine->devices->len;
		return machine;
	}
	machine_free(machine);
	return NULL;
}

static bool check_functions(struct machine *machine, GError **error)
{
	for (guint i = 0; i < machine->buses->len; i++) {
		struct bus *bus = machine->buses->pdata[i];

		if (bus->kind == BUS_PCI && !pci_bus_check_functions((struct pci_bus *)bus, error))
			return false;
	}
	return true;
}

bool machine_finish(struct machine *machine, GError **error)
{
	bool done;

	g_mutex_lock(&machine->lock);
	board_find(machine->config->type->board, NULL)->finish(machine);
	done = check_functions(machine, error) && firmware_tables_add(machine, error);
	machine->started = done;
	g_mutex_unlock(&machine->lock);
	if (done)
		machine_reset_parts(machine);
	return done;
}

void machine_reset_parts(struct machine *machine)
{
	g_mutex_lock(&machine->lock);
	kvm_reset_chips(machine->kvm);
	firmware_tables_start(machine);
	for (guint i = 0; i < machine->devices->len; i++)
		device_reset(machine->devices->pdata[i]);
	fw_cfg_reset(machine->fw_cfg);
	for (unsigned i = 0; i < machine->cpu_count; i++)
		vcpu_reset(machine->cpus[i]);
	g_mutex_unlock(&machine->lock);
}

void machine_free(struct machine *machine)
{
	for (unsigned i = 0; i < machine->cpu_count; i++)
		vcpu_free(machine->cpus[i]);
	machine->cpu_count = 0;
	g_clear_pointer(&machine->cpu_definition, cpu_definition_free);
	g_mutex_lock(&machine->lock);
	/* The newest first; a device may take others that it made with it. */
	while (machine->devices->len > 0)
		device_free(g_ptr_array_steal_index(machine->devices, machine->devices->len - 1));
	g_clear_pointer(&machine->fw_cfg, fw_cfg_free);
	g_clear_pointer(&machine->pci, pci_bus_free);
	g_mutex_unlock(&machine->lock);
	machine_free_ram(machine);
	g_clear_pointer(&machine->memory, guest_memory_free);
	g_clear_pointer(&machine->kvm, kvm_free);
	display_free(machine->display);
	g_ptr_array_unref(machine->devices);
	g_ptr_array_unref(machine->buses);
	g_ptr_array_unref(machine->memory_blocks);
	g_array_unref(machine->watchers);
	machine_requests_free(machine->requests);
	io_space_clear(&machine->ports);
	io_space_clear(&machine->mmio);
	g_mutex_clear(&machine->lock);
	g_free(machine);
}
