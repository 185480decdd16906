/* PCI expander bridges: a function on the board's bus that only tells that there is another root bus.
 *
 * Behind a pxb there is one conventional bridge, whose bus is what a user names; behind a pxb-pcie its root bus itself,
 * where root ports go. Identities and layout are QEMU's.
 */
#include "vmm/pci/pxb.h"

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-bridge-device.h"
#include "vmm/pci/pci-registers.h"

enum {
	FIRST_NUMBER = 1,
};

struct pxb {
	struct pci_device pci;
	uint8_t number;
	uint16_t numa_node;
	struct pci_bus *root;
	struct device *bridge; /* of a pxb */
};

static const struct property pxb_properties[] = {
	{ "bus_nr", PROPERTY_UINT8, offsetof(struct pxb, number), "0",
		"number of the root bus; buses behind it count on from there" },
	{ "numa_node", PROPERTY_UINT16, offsetof(struct pxb, numa_node), "128",
		"NUMA node that the bus belongs to; 128: none", .maximum = PCI_NO_NUMA_NODE },
	{ .type = PROPERTY_END },
};

static bool check_number(const struct pxb *pxb, GError **error)
{
	struct machine *machine = pxb->pci.device.machine;
	struct pci_bus *root = NULL;

	if (pxb->pci.bus != machine->pci)
		return fail(error, VITRINE_ERROR_INPUT,
			"an expander goes on the board's root bus (%s), and bus %s is another",
			pci_bus_name(machine->pci), pci_bus_name(pxb->pci.bus));
	if (pxb->number < FIRST_NUMBER)
		return fail(error, VITRINE_ERROR_INPUT,
			"bus_nr=%u is that of the board's root bus; %u to 255 are possible",
			pxb->number, FIRST_NUMBER);
	while ((root = pci_next_root(machine, root)))
		if (pci_bus_number(root) == pxb->number)
			return fail(error, VITRINE_ERROR_INPUT,
				"bus_nr=%u is that of bus %s already; choose another", pxb->number,
				pci_bus_name(root));
	return true;
}

/* A pxb's own bus has no name a user could give; the bridge on it takes the expander's. */
static bool add_bridge(struct pxb *pxb, GError **error)
{
	struct machine *machine = pxb->pci.device.machine;
	g_autofree char *chassis = g_strdup_printf("%u", pxb->number);
	struct device *bridge = device_new(machine, &pci_bridge_class, pxb->pci.device.id);

	if (!device_set_property(bridge, "chassis_nr", chassis, error) ||
		!device_set_property(bridge, "bus", pci_bus_name(pxb->root), error) ||
		!device_realize(bridge, error)) {
		device_free(bridge);
		return false;
	}
	pxb->bridge = bridge;
	return true;
}

static bool realize_pxb(struct pxb *pxb, bool express, GError **error)
{
	g_autofree char *internal = g_strdup_printf("pxb-internal.%u", pxb->number);
	const char *id = pxb->pci.device.id;
	g_autofree char *name = id && express ? g_strdup(id)
				: express     ? bus_make_name(&pxb->pci.device, "pcie", 0)
					      : g_strdup(internal);

	if (!check_number(pxb, error))
		return false;
	config_set16(pxb->pci.config + PCI_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK_TO_BACK);
	pxb->root = pci_bus_new_root(&pxb->pci, name, express, pxb->number, pxb->numa_node);
	return express || add_bridge(pxb, error);
}

static bool pxb_realize(struct device *device, GError **error)
{
	return realize_pxb((struct pxb *)device, false, error);
}

static bool pxb_pcie_realize(struct device *device, GError **error)
{
	struct pxb *pxb = (struct pxb *)device;

	if (!pci_bus_is_express(pxb->pci.bus))
		return fail(error, VITRINE_ERROR_INPUT,
			"bus %s is not one of PCI Express; a pxb goes there",
			pci_bus_name(pxb->pci.bus));
	return realize_pxb(pxb, true, error);
}

static void pxb_unrealize(struct device *device)
{
	struct pxb *pxb = (struct pxb *)device;

	if (pxb->bridge) {
		g_ptr_array_remove(device->machine->devices, pxb->bridge);
		g_clear_pointer(&pxb->bridge, device_free);
	}
	g_clear_pointer(&pxb->root, pci_bus_free);
}

static const struct pci_identity pxb_identity = {
	.vendor = 0x1b36,
	.device = 0x0009,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060000,
};

static const struct pci_identity pxb_pcie_identity = {
	.vendor = 0x1b36,
	.device = 0x000b,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060000,
};

const struct device_class pxb_class = {
	.name = "pxb",
	.description = "PCI expander: a conventional root bus of its own",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_plug_only = true,
	.size = sizeof(struct pxb),
	.pci = &pxb_identity,
	.properties = pxb_properties,
	.realize = pxb_realize,
	.unrealize = pxb_unrealize,
};

const struct device_class pxb_pcie_class = {
	.name = "pxb-pcie",
	.description = "PCI Express expander: a root bus of its own",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_plug_only = true,
	.size = sizeof(struct pxb),
	.pci = &pxb_pcie_identity,
	.properties = pxb_properties,
	.realize = pxb_pcie_realize,
	.unrealize = pxb_unrealize,
};
