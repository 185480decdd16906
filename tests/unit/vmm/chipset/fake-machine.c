/* A machine without KVM, for tests of single chips. */
#include "tests/unit/vmm/chipset/fake-machine.h"

#include <json-glib/json-glib.h>

#include "base/error.h"
#include "vmm/chardev/mux.h"
#include "vmm/firmware/files.h"
#include "vmm/machine/run-state.h"
#include "vmm/pci/pci.h"

static struct fake_machine *the_machine;
static struct chardev *const the_chardev = (struct chardev *)"line";

/* What chips call */

void machine_set_irq(struct machine *machine, unsigned gsi, bool level)
{
	machine_drive_irq(machine, IRQ_OF_ISA, gsi, level);
}

void machine_drive_irq(struct machine *machine, enum irq_driver driver, unsigned gsi, bool level)
{
	g_assert_cmpuint(gsi, <, MACHINE_GSIS);
	if (level && !the_machine->levels[gsi])
		the_machine->rises[gsi]++;
	the_machine->levels[gsi] = level;
}

void machine_request_reset(struct machine *machine, enum machine_cause cause)
{
	the_machine->resets++;
}

void machine_watchdog_expired(struct machine *machine)
{
	the_machine->watchdogs++;
}

void machine_request_suspend(struct machine *machine)
{
	the_machine->suspends++;
}

void machine_request_wakeup(struct machine *machine, enum machine_wakeup reason)
{
	the_machine->wakeups++;
}

void machine_request_shutdown(struct machine *machine, enum machine_cause cause)
{
	the_machine->shutdowns++;
}

void machine_exit(struct machine *machine, int status)
{
	the_machine->exit_status = status;
}

void machine_set_power_button(struct machine *machine, void (*press)(void *device), void *device)
{
	the_machine->press = press;
	the_machine->button = device;
}

void display_set_keyboard(struct display *display, const struct keyboard_ops *ops, void *device)
{
	the_machine->keyboard = ops;
	the_machine->keyboard_device = device;
}

void display_set_pointer(struct display *display, const struct pointer_ops *ops, void *device)
{
	the_machine->pointer = ops;
	the_machine->pointer_device = device;
}

void display_set_lights(struct display *display, uint32_t lights)
{
	the_machine->lights = lights;
}

const char *chardev_id(const struct chardev *chardev)
{
	return (const char *)chardev;
}

struct chardev *chardev_channel(struct chardev *chardev, GError **error)
{
	return chardev;
}

bool chardev_is_taken(const struct chardev *chardev)
{
	return the_machine->front_end_ops != NULL;
}

void chardev_attach(struct chardev *chardev, const struct chardev_ops *ops, void *front_end)
{
	the_machine->front_end_ops = ops;
	the_machine->front_end = front_end;
}

void chardev_write(struct chardev *chardev, const void *bytes, size_t length)
{
	g_string_append_len(the_machine->output, bytes, length);
}

void chardev_accept_input(struct chardev *chardev)
{
	the_machine->accepts++;
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

void machine_run_soon(
	struct machine *machine, void (*func)(struct machine *machine, void *device), void *device)
{
	the_machine->soon = func;
	the_machine->soon_device = device;
}

void machine_emit(struct machine *machine, const char *name, JsonObject *data)
{
	the_machine->event = name;
	if (!data)
		return;
	if (json_object_has_member(data, "offset"))
		the_machine->event_offset = json_object_get_int_member(data, "offset");
	json_object_unref(data);
}

/* The machine */

struct chardev *fake_chardev(void)
{
	return the_chardev;
}

struct fake_machine *fake_machine_new(void)
{
	struct fake_machine *fake = g_new0(struct fake_machine, 1);

	the_machine = fake;
	fake->exit_status = -1;
	fake->output = g_string_new(NULL);
	fake->ram = g_aligned_alloc0(1, FAKE_MEMORY, 4096);
	g_mutex_init(&fake->machine.lock);
	io_space_init(&fake->machine.ports, "ports");
	io_space_init(&fake->machine.mmio, "memory");
	fake->machine.devices = g_ptr_array_new();
	fake->machine.buses = g_ptr_array_new();
	fake->machine.chardevs = g_ptr_array_new();
	g_ptr_array_add(fake->machine.chardevs, the_chardev);
	fake->machine.display = (struct display *)fake;
	fake->machine.memory = guest_memory_new(NULL);
	fake->slot = memory_slot_new(
		fake->machine.memory, "RAM", fake->ram, FAKE_MEMORY, MEMORY_SLOT_RAM);
	g_assert_true(memory_slot_map(fake->slot, 0, NULL));
	return fake;
}

void fake_machine_free(struct fake_machine *fake)
{
	for (guint i = fake->machine.devices->len; i > 0; i--)
		device_free(fake->machine.devices->pdata[i - 1]);
	pci_bus_free(fake->machine.pci);
	g_ptr_array_unref(fake->machine.devices);
	g_ptr_array_unref(fake->machine.buses);
	g_ptr_array_unref(fake->machine.chardevs);
	memory_slot_free(fake->slot);
	guest_memory_free(fake->machine.memory);
	io_space_clear(&fake->machine.ports);
	io_space_clear(&fake->machine.mmio);
	g_mutex_clear(&fake->machine.lock);
	g_aligned_free(fake->ram);
	g_string_free(fake->output, TRUE);
	g_free(fake);
	the_machine = NULL;
}

struct device *fake_machine_add(struct fake_machine *fake, const struct device_class *class,
	const char *const *properties, GError **error)
{
	struct device *device = device_new(&fake->machine, class, NULL);
	bool done = true;

	for (; done && properties && *properties; properties += 2)
		done = device_set_property(device, properties[0], properties[1], error);
	if (!done || !device_realize(device, error)) {
		device_free(device);
		return NULL;
	}
	device_reset(device);
	return device;
}

uint8_t fake_in(struct fake_machine *fake, uint16_t port)
{
	return io_space_read(&fake->machine.ports, port, 1);
}

uint32_t fake_in_long(struct fake_machine *fake, uint16_t port)
{
	return io_space_read(&fake->machine.ports, port, 4);
}

void fake_out(struct fake_machine *fake, uint16_t port, uint8_t value)
{
	io_space_write(&fake->machine.ports, port, 1, value);
}
