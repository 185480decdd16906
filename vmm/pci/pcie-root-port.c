/* The device "pcie-root-port": one slot of PCI Express, into which devices may be put while the guest runs.
 *
 * Identity and layout are those of QEMU's generic root port. Specification: PCI Express Base 5.0, section 7.5.
 */
#include "vmm/pci/pcie-root-port.h"

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-bridge.h"
#include "vmm/pci/pci-express.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/pci/pcie-slot.h"

enum {
	BAR_MSIX = 0,
	SUBSYSTEM_SIZE = 8,
	SUBSYSTEM_VENDOR = 4,
	SLOT_MAX = 0x1fff,
};

struct pcie_root_port {
	struct pci_device pci;
	uint8_t port, chassis;
	uint16_t slot_number;
	bool hotplug, power_controller;
	struct pcie_slot slot;
};

static const struct property root_port_properties[] = {
	{ "port", PROPERTY_UINT8, offsetof(struct pcie_root_port, port), "0",
		"number of the port, as the guest reads it" },
	{ "chassis", PROPERTY_UINT8, offsetof(struct pcie_root_port, chassis), "0",
		"number of the chassis; with the slot's number it names one slot" },
	{ "slot", PROPERTY_UINT16, offsetof(struct pcie_root_port, slot_number), "0",
		"number of the slot in its chassis", .maximum = SLOT_MAX },
	{ "hotplug", PROPERTY_BOOL, offsetof(struct pcie_root_port, hotplug), "on",
		"take and give up devices while the guest runs" },
	{ "power_controller_present", PROPERTY_BOOL,
		offsetof(struct pcie_root_port, power_controller), "on",
		"the guest switches the slot's power" },
	{ .type = PROPERTY_END },
};

/* Chassis and slot together name one slot of the machine. */
static bool check_slot(const struct pcie_root_port *port, GError **error)
{
	const struct machine *machine = port->pci.device.machine;

	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];
		const struct pcie_root_port *other = (const struct pcie_root_port *)device;

		if (device->class == &pcie_root_port_class && other->chassis == port->chassis &&
			other->slot_number == port->slot_number)
			return fail(error, VITRINE_ERROR_INPUT,
				"chassis=%u,slot=%u is that of %s already; choose another chassis "
				"or slot",
				port->chassis, port->slot_number,
				device->id ? device->id : "another port");
	}
	return true;
}

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct pcie_root_port *port = (struct pcie_root_port *)device;

	pci_bridge_config_written(device, offset, size);
	pcie_slot_config_written(&port->slot, offset, size);
}

static bool root_port_realize(struct device *device, GError **error)
{
	static const struct pci_bridge_header header = { .express = true, .slots = 1 };
	struct pcie_root_port *port = (struct pcie_root_port *)device;
	uint8_t subsystem;

	if (!pci_bus_is_express(port->pci.bus) || !pci_bus_is_root(port->pci.bus))
		return fail(error, VITRINE_ERROR_INPUT,
			"a root port goes on a root bus of PCI Express, and bus %s is none",
			pci_bus_name(port->pci.bus));
	if (!check_slot(port, error))
		return false;
	pci_bridge_init(&port->pci, &header);
	subsystem = pci_device_add_capability(&port->pci, PCI_CAPABILITY_SUBSYSTEM, SUBSYSTEM_SIZE);
	config_set16(port->pci.config + subsystem + SUBSYSTEM_VENDOR, device->class->pci->vendor);
	if (!pci_device_add_msix(&port->pci, BAR_MSIX, 1, error))
		return false;
	pci_device_add_express_root_port(&port->pci, port->port);
	pci_device_add_root_port_errors(&port->pci);
	pci_device_add_access_control(&port->pci);
	pcie_slot_init(
		&port->slot, &port->pci, port->slot_number, port->hotplug, port->power_controller);
	port->pci.config_written = config_written;
	return true;
}

static void root_port_reset(struct device *device)
{
	struct pcie_root_port *port = (struct pcie_root_port *)device;

	pci_bridge_reset(&port->pci);
	pcie_slot_reset(&port->slot);
}

static void root_port_unrealize(struct device *device)
{
	pci_bridge_finish((struct pci_device *)device);
}

static const struct pci_identity root_port_identity = {
	.vendor = 0x1b36,
	.device = 0x000c,
	.class_code = 0x060400,
	.interrupt_pin = 1,
};

const struct device_class pcie_root_port_class = {
	.name = "pcie-root-port",
	.description = "PCI Express root port with one slot",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct pcie_root_port),
	.pci = &root_port_identity,
	.properties = root_port_properties,
	.realize = root_port_realize,
	.reset = root_port_reset,
	.unrealize = root_port_unrealize,
};
