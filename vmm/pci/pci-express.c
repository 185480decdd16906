/* The PCI Express capability: what endpoints and root ports say about themselves and their links. */
#include "vmm/pci/pci-express.h"

#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum {
	VERSION_2 = 2,
	TYPE_ENDPOINT = 0x0 << 4,
	TYPE_ROOT_PORT = 0x4 << 4,

	DEVICE_ROLE_BASED_ERRORS = 1 << 15,
	DEVICE_FUNCTION_RESET = 1 << 28,
	DEVICE_CONTROL_ERRORS = 0x000f,
	DEVICE_CONTROL_RESET = 1 << 15,
	DEVICE_STATUS_ERRORS = 0x000f,

	LINK_ENDPOINT = 0x00000411, /* L0s, one lane, 2.5 GT/s */
	LINK_ROOT_PORT =
		0x00300604, /* L0s, 32 lanes, 16 GT/s; reports that it is active and its bandwidth */
	LINK_PORT_SHIFT = 24,
	LINK_CONTROL_ENDPOINT = 0x00c0,
	LINK_STATUS_ENDPOINT = 0x0011,
	LINK_SPEEDS_ROOT_PORT = 0x1e,
	LINK_TARGET_ROOT_PORT = 4,

	ROOT_CONTROL_ERRORS = 0x0007,

	DEVICE_2_ENDPOINT = 0x00300000, /* prefixes */
	DEVICE_2_ROOT_PORT = 0x00300020,
	DEVICE_CONTROL_2_ENDPOINT = 0x8000,
	DEVICE_CONTROL_2_ROOT_PORT = 0x8020,
};

#define ROOT_STATUS_PME (1u << 16)

enum {
	EXTENDED_FIRST = 0x100,
	EXTENDED_ID_ERRORS = 0x0001,
	EXTENDED_ID_ACCESS = 0x000d,

	ERRORS_VERSION = 2,
	ERRORS_SIZE = 0x48,
	ERRORS_STATUS = 0x04,
	ERRORS_SEVERITY = 0x0c,
	ERRORS_CORRECTABLE_STATUS = 0x10,
	ERRORS_CORRECTABLE_MASK = 0x14,
	ERRORS_CONTROL = 0x18,
	ERRORS_ROOT_COMMAND = 0x2c,
	ERRORS_ROOT_STATUS = 0x30,
	ERRORS_ALL = 0x03fff030,
	ERRORS_SEVERITY_AT_RESET = 0x00462030,
	ERRORS_CORRECTABLE_ALL = 0xf1c1,
	ERRORS_CORRECTABLE_MASK_AT_RESET = 0xe000,
	ERRORS_CONTROL_CAPABILITIES = 0x2a0,
	ERRORS_CONTROL_WRITABLE = 0x540,
	ERRORS_ROOT_COMMAND_WRITABLE = 7,
	ERRORS_ROOT_STATUS_BITS = 0x7f,

	ACCESS_VERSION = 1,
	ACCESS_SIZE = 8,
	ACCESS_CAPABILITIES = 4,
	ACCESS_CONTROL = 6,
	ACCESS_ALL = 0x5f,
};

static uint8_t add_express(struct pci_device *device, uint16_t flags, uint32_t capabilities)
{
	uint8_t at = pci_device_add_capability(device, PCI_CAPABILITY_EXPRESS, EXPRESS_SIZE);

	device->express_capability = at;
	config_set16(device->config + at + EXPRESS_FLAGS, VERSION_2 | flags);
	config_set32(device->config + at + EXPRESS_DEVICE_CAPABILITIES,
		DEVICE_ROLE_BASED_ERRORS | capabilities);
	config_set16(device->write_mask + at + EXPRESS_DEVICE_CONTROL, DEVICE_CONTROL_ERRORS);
	config_set16(device->clear_mask + at + EXPRESS_DEVICE_STATUS, DEVICE_STATUS_ERRORS);
	return at;
}

void pci_device_add_express_endpoint(struct pci_device *device)
{
	uint8_t at = add_express(device, TYPE_ENDPOINT, DEVICE_FUNCTION_RESET);
	uint8_t *config = device->config + at, *writable = device->write_mask + at;

	config_set16(
		writable + EXPRESS_DEVICE_CONTROL, DEVICE_CONTROL_ERRORS | DEVICE_CONTROL_RESET);
	config_set32(config + EXPRESS_LINK_CAPABILITIES, LINK_ENDPOINT);
	config_set16(writable + EXPRESS_LINK_CONTROL, LINK_CONTROL_ENDPOINT);
	config_set16(config + EXPRESS_LINK_STATUS, LINK_STATUS_ENDPOINT);
	config_set32(config + EXPRESS_DEVICE_CAPABILITIES_2, DEVICE_2_ENDPOINT);
	config_set16(writable + EXPRESS_DEVICE_CONTROL_2, DEVICE_CONTROL_2_ENDPOINT);
}

void pci_device_add_express_root_port(struct pci_device *device, uint8_t port)
{
	uint8_t at = add_express(device, TYPE_ROOT_PORT | EXPRESS_FLAGS_SLOT, 0);
	uint8_t *config = device->config + at, *writable = device->write_mask + at;

	config_set32(config + EXPRESS_LINK_CAPABILITIES,
		LINK_ROOT_PORT | (uint32_t)port << LINK_PORT_SHIFT);
	config_set32(config + EXPRESS_LINK_CAPABILITIES_2, LINK_SPEEDS_ROOT_PORT);
	config_set16(config + EXPRESS_LINK_CONTROL_2, LINK_TARGET_ROOT_PORT);
	config_set16(writable + EXPRESS_ROOT_CONTROL, ROOT_CONTROL_ERRORS);
	config_set32(device->clear_mask + at + EXPRESS_ROOT_STATUS, ROOT_STATUS_PME);
	config_set32(config + EXPRESS_DEVICE_CAPABILITIES_2, DEVICE_2_ROOT_PORT);
	config_set16(writable + EXPRESS_DEVICE_CONTROL_2, DEVICE_CONTROL_2_ROOT_PORT);
}

bool pci_device_is_express_endpoint(const struct pci_device *device)
{
	return pci_bus_is_express(device->bus) && !pci_bus_is_root(device->bus);
}

uint16_t pci_device_add_extended(
	struct pci_device *device, uint16_t id, uint8_t version, uint16_t size)
{
	uint16_t last = device->last_extended;
	uint16_t at = last ? device->end_extended : EXTENDED_FIRST;

	g_assert(device->express_capability && at + size <= PCI_CONFIG_SIZE);
	if (last)
		config_set32(device->config + last,
			config_get32(device->config + last) | (uint32_t)at << 20);
	config_set32(device->config + at, id | (uint32_t)version << 16);
	device->last_extended = at;
	device->end_extended = (at + size + 3) & ~3;
	return at;
}

void pci_device_add_root_port_errors(struct pci_device *device)
{
	uint16_t at =
		pci_device_add_extended(device, EXTENDED_ID_ERRORS, ERRORS_VERSION, ERRORS_SIZE);
	uint8_t *writable = device->write_mask + at, *clears = device->clear_mask + at;

	device->errors_capability = at;
	config_set32(clears + ERRORS_STATUS, ERRORS_ALL);
	config_set32(writable + ERRORS_SEVERITY, ERRORS_ALL);
	config_set32(clears + ERRORS_CORRECTABLE_STATUS, ERRORS_CORRECTABLE_ALL);
	config_set32(writable + ERRORS_CORRECTABLE_MASK, ERRORS_CORRECTABLE_ALL);
	config_set32(device->config + at + ERRORS_CONTROL, ERRORS_CONTROL_CAPABILITIES);
	config_set32(writable + ERRORS_CONTROL, ERRORS_CONTROL_WRITABLE);
	config_set32(writable + ERRORS_ROOT_COMMAND, ERRORS_ROOT_COMMAND_WRITABLE);
	config_set32(clears + ERRORS_ROOT_STATUS, ERRORS_ROOT_STATUS_BITS);
}

void pci_device_add_access_control(struct pci_device *device)
{
	uint16_t at =
		pci_device_add_extended(device, EXTENDED_ID_ACCESS, ACCESS_VERSION, ACCESS_SIZE);

	config_set16(device->config + at + ACCESS_CAPABILITIES, ACCESS_ALL);
	config_set16(device->write_mask + at + ACCESS_CONTROL, ACCESS_ALL);
}

static void clear_writable(struct pci_device *device, unsigned first, unsigned end)
{
	for (unsigned at = first; at < end; at++)
		device->config[at] &= ~(device->write_mask[at] | device->clear_mask[at]);
}

void pci_device_reset_express(struct pci_device *device)
{
	uint8_t *errors = device->config + device->errors_capability;

	if (!device->express_capability)
		return;
	clear_writable(
		device, device->express_capability, device->express_capability + EXPRESS_SIZE);
	clear_writable(device, EXTENDED_FIRST, device->end_extended);
	if (!device->errors_capability)
		return;
	config_set32(errors + ERRORS_SEVERITY, ERRORS_SEVERITY_AT_RESET);
	config_set32(errors + ERRORS_CORRECTABLE_MASK, ERRORS_CORRECTABLE_MASK_AT_RESET);
}

void pci_device_express_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	uint8_t *control = device->config + device->express_capability + EXPRESS_DEVICE_CONTROL;

	if (!device->express_capability || !(config_get16(control) & DEVICE_CONTROL_RESET))
		return;
	config_set16(control, config_get16(control) & ~DEVICE_CONTROL_RESET);
	device_reset(&device->device);
}
