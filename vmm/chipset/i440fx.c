/* i440FX host bridge (82441FX PMC): configuration access by ports, what lies behind the addresses of the firmware.
 *
 * Specification: Intel 82441FX PCI and Memory Controller datasheet (290549), section 3.2.
 */
#include "vmm/chipset/i440fx.h"

#include "base/checked.h"
#include "vmm/chipset/pam.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config-ports.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum i440fx_register {
	REGISTER_MEMORY_SIZE =
		0x57, /* of no datasheet: coreboot reads RAM below 4 GiB there, in 8 MiB */
	REGISTER_PAM0 = 0x59,
	REGISTER_SMRAM = 0x72,
};

enum {
	SMRAM_DEFAULT = 0x02,
	SMRAM_WRITABLE = 0x78,
};

struct i440fx {
	struct pci_device pci;
	struct pci_config_ports ports;
};

static const struct state_field i440fx_state[] = {
	STATE_UINT32(struct i440fx, ports.address),
	STATE_END,
};

static void i440fx_config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	if (offset < REGISTER_PAM0 + PAM_REGISTERS && offset + size > REGISTER_PAM0)
		pam_apply(device->device.machine, device->config + REGISTER_PAM0);
}

static bool i440fx_realize(struct device *device, GError **error)
{
	struct i440fx *bridge = (struct i440fx *)device;

	config_set16(bridge->pci.config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
	memcpy(bridge->pci.write_mask + REGISTER_PAM0, pam_write_masks, PAM_REGISTERS);
	bridge->pci.write_mask[REGISTER_SMRAM] = SMRAM_WRITABLE;
	bridge->pci.config_written = i440fx_config_written;
	pci_config_ports_init(&bridge->ports, device->machine);
	return true;
}

static void i440fx_reset(struct device *device)
{
	struct i440fx *bridge = (struct i440fx *)device;
	uint8_t *config = bridge->pci.config;

	pci_config_ports_reset(&bridge->ports);
	config_set16(config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	config[REGISTER_MEMORY_SIZE] = MIN(device->machine->low_memory / (8 * MiB), UINT8_MAX);
	/* Firmware goes on from its copy in RAM after a sleep. */
	if (!device->machine->waking)
		memset(config + REGISTER_PAM0, 0, PAM_REGISTERS);
	config[REGISTER_SMRAM] = SMRAM_DEFAULT;
	pam_apply(device->machine, config + REGISTER_PAM0);
}

static void i440fx_unrealize(struct device *device)
{
	pci_config_ports_finish(&((struct i440fx *)device)->ports);
}

static const struct pci_identity i440fx_identity = {
	.vendor = 0x8086,
	.device = 0x1237,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060000,
	.revision = 2,
};

const struct device_class i440fx_class = {
	.name = "i440FX",
	.description = "i440FX host bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct i440fx),
	.pci = &i440fx_identity,
	.state = i440fx_state,
	.realize = i440fx_realize,
	.reset = i440fx_reset,
	.unrealize = i440fx_unrealize,
};
