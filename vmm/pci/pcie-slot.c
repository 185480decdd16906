/* The slot of a PCI Express port.
 *
 * A device that is put in is announced by presence and the attention button; the guest powers the slot. A device that is to
 * go is announced by the button alone: the guest, when it has let go of it, switches power and indicator off, and the
 * device is taken out.
 */
#include "vmm/pci/pcie-slot.h"

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-bus.h"
#include "vmm/pci/pci-express.h"

enum slot_capabilities {
	SLOT_BUTTON = 1 << 0,
	SLOT_POWER_CONTROLLER = 1 << 1,
	SLOT_ATTENTION_INDICATOR = 1 << 3,
	SLOT_POWER_INDICATOR = 1 << 4,
	SLOT_SURPRISE = 1 << 5,
	SLOT_HOTPLUG = 1 << 6,
	SLOT_INTERLOCK = 1 << 17,
	SLOT_NUMBER_SHIFT = 19,
	SLOT_NUMBER_MASK = 0x1fff,
};

/* The enable bits of control and the event bits of status are the same. */
enum slot_events {
	EVENT_BUTTON = 1 << 0,
	EVENT_PRESENCE = 1 << 3,
	EVENT_COMPLETED = 1 << 4,
	EVENTS = EVENT_BUTTON | EVENT_PRESENCE | EVENT_COMPLETED,
};

enum slot_control {
	CONTROL_INTERRUPT = 1 << 5,
	CONTROL_ATTENTION = 3 << 6,
	CONTROL_ATTENTION_OFF = 3 << 6,
	CONTROL_POWER_INDICATOR = 3 << 8,
	CONTROL_POWER_INDICATOR_ON = 1 << 8,
	CONTROL_POWER_INDICATOR_BLINKS = 2 << 8,
	CONTROL_POWER_INDICATOR_OFF = 3 << 8,
	CONTROL_POWER_OFF = 1 << 10,
	CONTROL_INTERLOCK = 1 << 11, /* turns it; reads as 0 */
	CONTROL_WRITABLE = EVENTS | CONTROL_INTERRUPT | CONTROL_ATTENTION |
			   CONTROL_POWER_INDICATOR | CONTROL_POWER_OFF | CONTROL_INTERLOCK,
};

enum slot_status {
	STATUS_PRESENT = 1 << 6,
	STATUS_INTERLOCK = 1 << 7,
};

enum {
	LINK_UP = 0x0011, /* one lane, 2.5 GT/s, as every endpoint here */
	LINK_DOWN = 0x0204,
	UNPLUG_PATIENCE = 5 * G_USEC_PER_SEC, /* so long a request keeps others away */
};

static uint8_t *register_at(const struct pcie_slot *slot, unsigned offset)
{
	return slot->port->config + slot->port->express_capability + offset;
}

static uint16_t get(const struct pcie_slot *slot, unsigned offset)
{
	return config_get16(register_at(slot, offset));
}

static void set(struct pcie_slot *slot, unsigned offset, uint16_t value)
{
	config_set16(register_at(slot, offset), value);
}

/* Whether there is a device that is not on its way out. */
static bool is_populated(const struct pcie_slot *slot)
{
	struct pci_bus *bus = slot->port->secondary;

	for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
		const struct pci_device *device = pci_bus_device(bus, 0, i);

		if (device && !device->device.leaving)
			return true;
	}
	return false;
}

/* Whether something on the bus, or behind a bridge there, is a part of the machine to its end: the guest may switch off its
 * power, and on again. */
static bool has_to_stay(const struct pci_bus *bus)
{
	for (guint i = 0; i < bus->bus.children->len; i++) {
		const struct pci_device *device = bus->bus.children->pdata[i];

		if (device->device.class->cold_plug_only ||
			(device->secondary && has_to_stay(device->secondary)))
			return true;
	}
	return false;
}

/* An interrupt for events that are enabled: a message when there is news, the line as long as there is any. */
static void notify(struct pcie_slot *slot)
{
	uint16_t control = get(slot, EXPRESS_SLOT_CONTROL);
	uint16_t status = get(slot, EXPRESS_SLOT_STATUS);
	bool due = control & CONTROL_INTERRUPT && control & status & EVENTS;
	bool news = due && !slot->notified;

	slot->notified = due;
	if (news)
		pci_device_signal(slot->port, 0);
	pci_device_set_interrupt(slot->port, due);
}

static void raise_events(struct pcie_slot *slot, uint16_t events)
{
	set(slot, EXPRESS_SLOT_STATUS, get(slot, EXPRESS_SLOT_STATUS) | events);
	notify(slot);
}

static bool is_powered(const struct pcie_slot *slot)
{
	return !slot->power_controller || !(get(slot, EXPRESS_SLOT_CONTROL) & CONTROL_POWER_OFF);
}

/* Presence, link and the power of what is in the slot. */
static void follow_slot(struct pcie_slot *slot)
{
	bool populated = is_populated(slot), powered = is_powered(slot);
	uint16_t status = get(slot, EXPRESS_SLOT_STATUS) & ~STATUS_PRESENT;

	set(slot, EXPRESS_SLOT_STATUS, status | (populated ? STATUS_PRESENT : 0));
	set(slot, EXPRESS_LINK_STATUS,
		(populated ? LINK_UP : LINK_DOWN) |
			(populated && powered ? EXPRESS_LINK_ACTIVE : 0));
	for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
		struct pci_device *device = pci_bus_device(slot->port->secondary, 0, i);

		if (device)
			pci_device_set_power(device, powered && !device->device.leaving);
	}
}

static void take_out(struct pcie_slot *slot)
{
	for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
		struct pci_device *device = pci_bus_device(slot->port->secondary, 0, i);

		if (device)
			machine_remove_device(device->device.machine, &device->device);
	}
	follow_slot(slot);
	raise_events(slot, EVENT_PRESENCE);
}

/* The guest learns of a slot's device by function 0, which is put in last. */
static void plugged(void *owner, struct pci_bus *bus, struct pci_device *device)
{
	struct pcie_slot *slot = owner;

	pci_device_set_power(device, is_powered(slot));
	if (device->function != 0)
		return;
	follow_slot(slot);
	raise_events(slot, EVENT_PRESENCE | EVENT_BUTTON);
}

static bool is_switched_off(uint16_t control)
{
	return control & CONTROL_POWER_OFF &&
	       (control & CONTROL_POWER_INDICATOR) == CONTROL_POWER_INDICATOR_OFF;
}

static bool unplug(void *owner, struct pci_bus *bus, struct pci_device *device, GError **error)
{
	struct pcie_slot *slot = owner;
	uint16_t control = get(slot, EXPRESS_SLOT_CONTROL);

	if (has_to_stay(bus))
		return fail(error, VITRINE_ERROR_STATE,
			"Device '%s' does not support hotplugging: what it shares the slot with "
			"does not",
			device->device.class->name);
	if (device->device.unplug_asked &&
		g_get_monotonic_time() - device->device.unplug_asked < UNPLUG_PATIENCE)
		return fail(error, VITRINE_ERROR_STATE,
			"Device %s is already in the process of unplug", device->device.id);
	if (device->function != 0 && !pci_bus_device(bus, 0, 0)) {
		machine_remove_device(device->device.machine, &device->device);
		return true;
	}
	if (is_switched_off(control)) {
		take_out(slot);
		return true;
	}
	if ((control & CONTROL_POWER_INDICATOR) == CONTROL_POWER_INDICATOR_BLINKS)
		return fail(error, VITRINE_ERROR_STATE,
			"Hot-unplug failed: guest is busy (power indicator blinking)");
	device->device.unplug_asked = g_get_monotonic_time();
	raise_events(slot, EVENT_BUTTON);
	return true;
}

static const struct pci_hotplug_ops hotplug_ops = { .plugged = plugged, .unplug = unplug };

void pcie_slot_init(struct pcie_slot *slot, struct pci_device *port, uint16_t number, bool hotplug,
	bool power_controller)
{
	uint8_t *registers = port->config + port->express_capability;
	uint8_t *writable = port->write_mask + port->express_capability;
	uint8_t *clears = port->clear_mask + port->express_capability;
	uint32_t capabilities = (uint32_t)(number & SLOT_NUMBER_MASK) << SLOT_NUMBER_SHIFT |
				SLOT_BUTTON | SLOT_ATTENTION_INDICATOR | SLOT_POWER_INDICATOR |
				SLOT_INTERLOCK;

	*slot = (struct pcie_slot) {
		.port = port,
		.hotplug = hotplug,
		.power_controller = power_controller,
	};
	if (hotplug)
		capabilities |= SLOT_SURPRISE | SLOT_HOTPLUG;
	if (power_controller)
		capabilities |= SLOT_POWER_CONTROLLER;
	config_set32(registers + EXPRESS_SLOT_CAPABILITIES, capabilities);
	config_set16(writable + EXPRESS_SLOT_CONTROL,
		power_controller ? CONTROL_WRITABLE : CONTROL_WRITABLE & ~CONTROL_POWER_OFF);
	config_set16(clears + EXPRESS_SLOT_STATUS, EVENTS);
	if (hotplug)
		pci_bus_set_hotplug(port->secondary, &hotplug_ops, slot);
}

void pcie_slot_reset(struct pcie_slot *slot)
{
	bool populated = is_populated(slot);
	uint16_t control = CONTROL_ATTENTION_OFF;

	control |= populated ? CONTROL_POWER_INDICATOR_ON : CONTROL_POWER_INDICATOR_OFF;
	if (!populated && slot->power_controller)
		control |= CONTROL_POWER_OFF;
	set(slot, EXPRESS_SLOT_CONTROL, control);
	set(slot, EXPRESS_SLOT_STATUS, 0);
	follow_slot(slot);
	notify(slot);
	slot->control = control;
}

static void control_written(struct pcie_slot *slot)
{
	uint16_t control = get(slot, EXPRESS_SLOT_CONTROL);

	if (control & CONTROL_INTERLOCK) {
		control &= ~CONTROL_INTERLOCK;
		set(slot, EXPRESS_SLOT_CONTROL, control);
		set(slot, EXPRESS_SLOT_STATUS, get(slot, EXPRESS_SLOT_STATUS) ^ STATUS_INTERLOCK);
	}
	/* Only when it goes off now: a slot that was off may have its control written before it is powered. */
	if (slot->hotplug && is_populated(slot) && is_switched_off(control) &&
		!is_switched_off(slot->control) && !has_to_stay(slot->port->secondary))
		take_out(slot);
	follow_slot(slot);
	raise_events(slot, EVENT_COMPLETED);
}

static bool touches(uint16_t offset, unsigned size, unsigned start)
{
	return offset < start + 2 && start < offset + size;
}

void pcie_slot_config_written(struct pcie_slot *slot, uint16_t offset, unsigned size)
{
	unsigned capability = slot->port->express_capability;

	if (touches(offset, size, capability + EXPRESS_SLOT_CONTROL))
		control_written(slot);
	notify(slot);
	slot->control = get(slot, EXPRESS_SLOT_CONTROL);
}
