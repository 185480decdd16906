/* A machine for tests of virtio devices, and what the devices call. */
#include "tests/unit/virtio/virtio-machine.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "vmm/chardev/chardev.h"
#include "vmm/firmware/files.h"
#include "vmm/machine/run-state.h"
#include "vmm/objects/random.h"
#include "vmm/pci/pci.h"

enum {
	FIRST_FREE = 0x10000,
};

static struct virtio_machine *the_machine;

/* --- what devices call --- */

/* Each on its own source; @func is NULL once the device is gone. */
struct soon {
	void (*func)(struct machine *machine, void *device);
	struct machine *machine;
	void *device;
};

static gboolean run_now(gpointer data)
{
	struct soon *soon = data;

	g_mutex_lock(&soon->machine->lock);
	g_mutex_lock(&the_machine->soon_lock);
	g_ptr_array_remove(the_machine->soon, soon);
	g_mutex_unlock(&the_machine->soon_lock);
	if (soon->func)
		soon->func(soon->machine, soon->device);
	g_mutex_unlock(&soon->machine->lock);
	return G_SOURCE_REMOVE;
}

void machine_run_soon(
	struct machine *machine, void (*func)(struct machine *machine, void *device), void *device)
{
	struct soon *soon = g_new(struct soon, 1);

	*soon = (struct soon) { func, machine, device };
	g_mutex_lock(&the_machine->soon_lock);
	g_ptr_array_add(the_machine->soon, soon);
	g_mutex_unlock(&the_machine->soon_lock);
	g_idle_add_full(G_PRIORITY_DEFAULT, run_now, soon, g_free);
}

static void forget_calls(struct virtio_machine *vm, const void *device)
{
	g_mutex_lock(&vm->soon_lock);
	for (guint i = 0; i < vm->soon->len; i++) {
		struct soon *soon = vm->soon->pdata[i];

		if (soon->device == device)
			soon->func = NULL;
	}
	g_mutex_unlock(&vm->soon_lock);
}

void machine_emit(struct machine *machine, const char *name, JsonObject *data)
{
	g_autofree char *text = NULL;

	if (data) {
		g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

		json_node_take_object(node, data);
		text = json_to_string(node, FALSE);
	}
	g_string_append_printf(the_machine->events, "%s %s\n", name, text ? text : "{}");
}

void machine_set_irq(struct machine *machine, unsigned gsi, bool level)
{
}

void machine_request_stop(struct machine *machine, enum run_state state)
{
}

const struct property *device_bus_properties(enum device_bus bus)
{
	static const struct property none[] = { { .type = PROPERTY_END } };

	return none;
}

GBytes *firmware_file_load(const char *name, GError **error)
{
	fail(error, VITRINE_ERROR_HOST, "no firmware here");
	return NULL;
}

/* --- character devices --- */

static struct fake_chardev *fake_of(const struct chardev *chardev)
{
	return (struct fake_chardev *)(void *)chardev;
}

const char *chardev_id(const struct chardev *chardev)
{
	return fake_of(chardev)->id;
}

bool chardev_is_taken(const struct chardev *chardev)
{
	return fake_of(chardev)->ops;
}

bool chardev_is_open(const struct chardev *chardev)
{
	return fake_of(chardev)->open;
}

void chardev_attach(struct chardev *chardev, const struct chardev_ops *ops, void *front_end)
{
	struct fake_chardev *fake = fake_of(chardev);

	fake->ops = ops;
	fake->front_end = front_end;
	if (ops && ops->event && fake->open)
		ops->event(front_end, CHARDEV_OPENED);
}

void chardev_write(struct chardev *chardev, const void *bytes, size_t length)
{
	struct fake_chardev *fake = fake_of(chardev);

	g_string_append_len(fake->output, bytes, length);
	fake->room -= MIN(length, fake->room);
}

size_t chardev_room(struct chardev *chardev, size_t wanted)
{
	return MIN(fake_of(chardev)->room, wanted);
}

void chardev_accept_input(struct chardev *chardev)
{
}

size_t fake_chardev_send(struct fake_chardev *chardev, const void *bytes, size_t length)
{
	size_t taken = chardev->ops ? chardev->ops->can_receive(chardev->front_end) : 0;

	taken = MIN(taken, length);
	if (taken > 0)
		chardev->ops->receive(chardev->front_end, bytes, taken);
	return taken;
}

void fake_chardev_drain(struct fake_chardev *chardev, size_t room)
{
	chardev->room = room;
	if (chardev->ops && chardev->ops->drained)
		chardev->ops->drained(chardev->front_end);
}

void fake_chardev_open(struct fake_chardev *chardev, bool open)
{
	chardev->open = open;
	if (chardev->ops && chardev->ops->event)
		chardev->ops->event(chardev->front_end, open ? CHARDEV_OPENED : CHARDEV_CLOSED);
}

/* --- the machine --- */

/* As the removal of a device goes, see vmm/machine/hotplug.c. */
static void end_device(struct virtio_machine *vm, struct device *device)
{
	device_unrealize(device);
	forget_calls(vm, device);
	/* A property of the bus, which this machine has no table of. */
	if (device->class->bus == BUS_PCI)
		g_clear_pointer(&((struct pci_device *)device)->rom_file, g_free);
	device_free(device);
}

static unsigned line_of(void *board, unsigned slot, unsigned pin)
{
	return (slot + pin) % PCI_LINES;
}

static void set_line(void *board, unsigned line, bool level)
{
	struct virtio_machine *vm = board;

	vm->line = line;
	vm->level = level;
}

static void add_chardevs(struct virtio_machine *vm)
{
	vm->machine.chardevs = g_ptr_array_new();
	for (unsigned i = 0; i < VIRTIO_MACHINE_CHARDEVS; i++) {
		struct fake_chardev *chardev = &vm->chardevs[i];

		g_snprintf(chardev->id, sizeof(chardev->id), "char%u", i);
		chardev->output = g_string_new(NULL);
		chardev->room = SIZE_MAX;
		chardev->open = true;
		g_ptr_array_add(vm->machine.chardevs, chardev);
	}
}

struct virtio_machine *virtio_machine_new(void)
{
	struct virtio_machine *vm = g_new0(struct virtio_machine, 1);
	struct machine *machine = &vm->machine;
	struct pci_interrupts interrupts = { line_of, set_line, vm };

	the_machine = vm;
	g_mutex_init(&vm->soon_lock);
	vm->soon = g_ptr_array_new();
	memset(&fake_kvm, 0, sizeof(fake_kvm));
	g_mutex_init(&machine->lock);
	machine->kvm = &vm->kvm;
	machine->memory = guest_memory_new(&vm->kvm);
	vm->ram = mmap(NULL, VIRTIO_MACHINE_RAM, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	g_assert_true(vm->ram != MAP_FAILED);
	vm->slot = memory_slot_new(
		machine->memory, "ram", vm->ram, VIRTIO_MACHINE_RAM, MEMORY_SLOT_RAM);
	g_assert_true(memory_slot_map(vm->slot, 0, NULL));
	vm->next_free = FIRST_FREE;
	machine->low_memory = VIRTIO_MACHINE_RAM;
	machine->state = RUN_STATE_RUNNING;
	machine->devices = g_ptr_array_new();
	machine->buses = g_ptr_array_new();
	machine->display = display_new(&machine->lock);
	io_space_init(&machine->ports, "ports");
	io_space_init(&machine->mmio, "memory");
	machine->pci = pci_bus_new(machine, "pcie.0", &interrupts);
	vm->events = g_string_new(NULL);
	add_chardevs(vm);
	return vm;
}

void virtio_machine_free(struct virtio_machine *vm)
{
	struct machine *machine = &vm->machine;

	virtio_machine_settle(vm);
	for (guint i = machine->devices->len; i > 0; i--)
		virtio_machine_remove(vm, machine->devices->pdata[i - 1]);
	g_mutex_lock(&machine->lock);
	pci_bus_free(machine->pci);
	g_mutex_unlock(&machine->lock);
	virtio_machine_settle(vm);
	display_free(machine->display);
	memory_slot_free(vm->slot);
	guest_memory_free(machine->memory);
	munmap(vm->ram, VIRTIO_MACHINE_RAM);
	io_space_clear(&machine->ports);
	io_space_clear(&machine->mmio);
	g_ptr_array_unref(machine->devices);
	g_ptr_array_unref(machine->buses);
	g_ptr_array_unref(machine->chardevs);
	for (unsigned i = 0; i < VIRTIO_MACHINE_CHARDEVS; i++)
		g_string_free(vm->chardevs[i].output, TRUE);
	g_string_free(vm->events, TRUE);
	g_ptr_array_unref(vm->soon);
	g_mutex_clear(&vm->soon_lock);
	g_mutex_clear(&machine->lock);
	g_free(vm);
}

struct device *virtio_machine_add(struct virtio_machine *vm, const struct device_class *class,
	const char *id, const char *const *properties, GError **error)
{
	struct device *device = device_new(&vm->machine, class, id);
	bool done = true;

	g_mutex_lock(&vm->machine.lock);
	for (unsigned i = 0; done && properties && properties[i]; i += 2)
		done = device_set_property(device, properties[i], properties[i + 1], error);
	done = done && device_realize(device, error);
	if (done)
		device_reset(device);
	else
		device_free(device);
	g_mutex_unlock(&vm->machine.lock);
	return done ? device : NULL;
}

void virtio_machine_remove(struct virtio_machine *vm, struct device *device)
{
	g_mutex_lock(&vm->machine.lock);
	g_ptr_array_remove(vm->machine.devices, device);
	end_device(vm, device);
	g_mutex_unlock(&vm->machine.lock);
}

void virtio_machine_set_running(struct virtio_machine *vm, bool running)
{
	g_mutex_lock(&vm->machine.lock);
	vm->machine.state = running ? RUN_STATE_RUNNING : RUN_STATE_PAUSED;
	for (guint i = 0; i < vm->machine.devices->len; i++) {
		struct device *device = vm->machine.devices->pdata[i];

		if (device->class->set_running)
			device->class->set_running(device, running);
	}
	g_mutex_unlock(&vm->machine.lock);
}

uint64_t virtio_machine_alloc(struct virtio_machine *vm, size_t length, size_t align)
{
	uint64_t at = (vm->next_free + align - 1) / align * align;

	g_assert_cmpuint(at + length, <=, VIRTIO_MACHINE_RAM);
	vm->next_free = at + length;
	memset(vm->ram + at, 0, length);
	return at;
}

void *virtio_machine_ram(struct virtio_machine *vm, uint64_t address)
{
	return vm->ram + address;
}

void virtio_machine_settle(struct virtio_machine *vm)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
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

/* --- a source of random numbers, "rng0": eight bytes at a time, all of them 0x5a --- */

struct object *objects_take(
	struct objects *objects, const char *id, enum object_kind kind, GError **error)
{
	if (g_strcmp0(id, "rng0") == 0 && kind == OBJECT_RANDOM)
		return (struct object *)the_machine;
	fail(error, VITRINE_ERROR_NOT_FOUND, "there is no object '%s'", id);
	return NULL;
}

void object_release(struct object *object)
{
	the_machine->released++;
}

ssize_t random_read(struct object *object, void *bytes, size_t length)
{
	length = MIN(length, MIN(8, the_machine->random_left));
	memset(bytes, 0x5a, length);
	the_machine->random_left -= length;
	return length;
}

int random_fd(const struct object *object)
{
	return -1;
}
