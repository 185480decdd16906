/* ICH9 SMBus controller: a PCI function around the host that it shares with the PIIX4.
 *
 * Specification: Intel I/O Controller Hub 9 datasheet, section 18.1 (configuration).
 */
#include "vmm/chipset/ich9-smbus.h"

#include "vmm/chipset/smbus-host.h"
#include "vmm/machine/machine.h"

enum {
	SMBUS_BAR = 4,
	HOST_CONFIGURATION = 0x40,
	HOST_ENABLE = 1 << 0,
	HOST_CONFIGURATION_WRITABLE = 0x0f,
};

struct ich9_smbus {
	struct pci_device pci;
	struct smbus_host host;
};

static const struct state_field ich9_smbus_state[] = {
	SMBUS_HOST_STATE(struct ich9_smbus, host),
	STATE_END,
};

static void interrupt_changed(void *owner, bool level)
{
	pci_device_set_interrupt(owner, level);
}

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct ich9_smbus *smbus = (struct ich9_smbus *)device;

	smbus->host.enabled = device->config[HOST_CONFIGURATION] & HOST_ENABLE;
}

static bool ich9_smbus_realize(struct device *device, GError **error)
{
	struct ich9_smbus *smbus = (struct ich9_smbus *)device;

	smbus->pci.write_mask[HOST_CONFIGURATION] = HOST_CONFIGURATION_WRITABLE;
	smbus->pci.config_written = config_written;
	smbus->host.has_byte_mode = true;
	smbus_host_init(&smbus->host, device->machine, interrupt_changed, smbus);
	pci_device_add_bar(
		&smbus->pci, SMBUS_BAR, PCI_BAR_PORTS, SMBUS_HOST_SIZE, &smbus->host.region, NULL);
	return true;
}

static void ich9_smbus_reset(struct device *device)
{
	struct ich9_smbus *smbus = (struct ich9_smbus *)device;

	smbus->pci.config[HOST_CONFIGURATION] = 0;
	smbus->host.enabled = false;
	smbus_host_reset(&smbus->host);
}

static void ich9_smbus_unrealize(struct device *device)
{
	struct ich9_smbus *smbus = (struct ich9_smbus *)device;

	pci_device_unmap(&smbus->pci);
	smbus_host_finish(&smbus->host);
}

static const struct pci_identity ich9_smbus_identity = {
	.vendor = 0x8086,
	.device = 0x2930,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x0c0500,
	.revision = 2,
	.interrupt_pin = 1,
};

const struct device_class ich9_smbus_class = {
	.name = "ICH9-SMB",
	.description = "ICH9 SMBus controller",
	.bus = BUS_PCI,
	.size = sizeof(struct ich9_smbus),
	.pci = &ich9_smbus_identity,
	.state = ich9_smbus_state,
	.realize = ich9_smbus_realize,
	.reset = ich9_smbus_reset,
	.unrealize = ich9_smbus_unrealize,
};
