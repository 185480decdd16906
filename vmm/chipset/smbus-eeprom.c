/* Memory of 256 bytes on the SMBus. All zeros at first, which no operating system takes for a memory module.
 *
 * Specification: Atmel AT24C02: the first byte written is the address, reads go on from there.
 */
#include "vmm/chipset/smbus-eeprom.h"

#include "base/error.h"
#include "vmm/chipset/smbus-host.h"
#include "vmm/machine/machine.h"

enum {
	EEPROM_SIZE = 256
};

struct smbus_eeprom {
	struct device device;
	uint32_t address; /* property */
	bool attached;

	uint8_t bytes[EEPROM_SIZE];
	uint8_t at;
};

static const struct state_field smbus_eeprom_state[] = {
	STATE_UINT8_ARRAY(struct smbus_eeprom, bytes, EEPROM_SIZE),
	STATE_UINT8(struct smbus_eeprom, at),
	STATE_END,
};

static const struct property smbus_eeprom_properties[] = {
	{ "address", PROPERTY_UINT32, offsetof(struct smbus_eeprom, address), "0x50",
		"its address on the bus", .minimum = 0x08, .maximum = 0x77 },
	{ NULL },
};

static void smbus_eeprom_write(void *device, const uint8_t *bytes, unsigned count)
{
	struct smbus_eeprom *eeprom = device;

	eeprom->at = bytes[0];
	for (unsigned i = 1; i < count; i++)
		eeprom->bytes[eeprom->at++] = bytes[i];
}

static uint8_t smbus_eeprom_read(void *device)
{
	struct smbus_eeprom *eeprom = device;

	return eeprom->bytes[eeprom->at++];
}

static bool smbus_eeprom_realize(struct device *device, GError **error)
{
	struct smbus_eeprom *eeprom = (struct smbus_eeprom *)device;
	struct smbus_slave slave = { smbus_eeprom_write, smbus_eeprom_read, eeprom };

	if (!device->machine->smbus)
		return fail(error, VITRINE_ERROR_INPUT, "the machine has no SMBus");
	if (!smbus_host_attach(device->machine->smbus, eeprom->address, &slave))
		return fail(error, VITRINE_ERROR_INPUT,
			"address=0x%x is taken by another device of the SMBus", eeprom->address);
	eeprom->attached = true;
	return true;
}

static void smbus_eeprom_reset(struct device *device)
{
	((struct smbus_eeprom *)device)->at = 0;
}

static void smbus_eeprom_unrealize(struct device *device)
{
	struct smbus_eeprom *eeprom = (struct smbus_eeprom *)device;

	if (eeprom->attached && device->machine->smbus)
		smbus_host_attach(device->machine->smbus, eeprom->address, NULL);
	eeprom->attached = false;
}

const struct device_class smbus_eeprom_class = {
	.name = "smbus-eeprom",
	.description = "memory on the SMBus",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct smbus_eeprom),
	.properties = smbus_eeprom_properties,
	.state = smbus_eeprom_state,
	.realize = smbus_eeprom_realize,
	.reset = smbus_eeprom_reset,
	.unrealize = smbus_eeprom_unrealize,
};
