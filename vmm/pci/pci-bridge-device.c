/* The device "pci-bridge": a conventional bus behind a slot, without a hot-plug controller of its own.
 *
 * Specification: PCI-to-PCI Bridge Architecture 1.2; slot identification: section 13.
 */
#include "vmm/pci/pci-bridge-device.h"

#include "vmm/pci/pci-bridge.h"
#include "vmm/pci/pci-registers.h"

enum {
	SLOT_ID_SIZE = 4,
	SLOT_ID_SLOTS = 2,   /* offsets from the start of the capability */
	SLOT_ID_CHASSIS = 3, /* the guest may write it */
	FIRST_IN_CHASSIS = 1 << 5,
};

struct pci_bridge_device {
	struct pci_device pci;
	uint8_t chassis, slot_id;
};

static const struct property bridge_properties[] = {
	{ "chassis_nr", PROPERTY_UINT8, offsetof(struct pci_bridge_device, chassis), "0",
		"number of the chassis, as the guest reads it" },
	{ .type = PROPERTY_END },
};

static bool bridge_realize(struct device *device, GError **error)
{
	static const struct pci_bridge_header header = { .slots = PCI_SLOTS };
	struct pci_bridge_device *bridge = (struct pci_bridge_device *)device;

	pci_bridge_init(&bridge->pci, &header);
	bridge->slot_id =
		pci_device_add_capability(&bridge->pci, PCI_CAPABILITY_SLOT_ID, SLOT_ID_SIZE);
	bridge->pci.config[bridge->slot_id + SLOT_ID_SLOTS] = FIRST_IN_CHASSIS;
	bridge->pci.write_mask[bridge->slot_id + SLOT_ID_CHASSIS] = 0xff;
	bridge->pci.config_written = pci_bridge_config_written;
	return true;
}

static void bridge_reset(struct device *device)
{
	struct pci_bridge_device *bridge = (struct pci_bridge_device *)device;

	bridge->pci.config[bridge->slot_id + SLOT_ID_CHASSIS] = bridge->chassis;
	pci_bridge_reset(&bridge->pci);
}

static void bridge_unrealize(struct device *device)
{
	pci_bridge_finish((struct pci_device *)device);
}

static const struct pci_identity bridge_identity = {
	.vendor = 0x1b36,
	.device = 0x0001,
	.class_code = 0x060400,
};

const struct device_class pci_bridge_class = {
	.name = "pci-bridge",
	.description = "PCI bridge with 32 slots",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct pci_bridge_device),
	.pci = &bridge_identity,
	.properties = bridge_properties,
	.realize = bridge_realize,
	.reset = bridge_reset,
	.unrealize = bridge_unrealize,
};
