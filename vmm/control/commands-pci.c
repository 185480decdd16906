/* The command that tells what is on the PCI buses. */
#include "vmm/control/qmp-commands.h"

#include "vmm/pci/pci-describe.h"

static JsonNode *query_pci(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	JsonArray *list;

	g_mutex_lock(&machine->lock);
	list = pci_describe(machine);
	g_mutex_unlock(&machine->lock);
	return command_array(list);
}

const struct command pci_commands[] = {
	{ "query-pci", query_pci, .returns = "[{bus: int, devices: [PciDeviceInfo]}]" },
	{},
};
