/* A PCI device: its configuration header, what the guest's writes to it mean, and its INTx pin. */
#include "vmm/pci/pci.h"

#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/firmware/files.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-messages.h"
#include "vmm/pci/pci-bars.h"
#include "vmm/pci/pci-express.h"
#include "vmm/pci/pci-registers.h"

enum {
	ROM_MAX = 4 * MiB
};

static void write_header(struct pci_device *device)
{
	const struct pci_identity *identity = device->device.class->pci;
	uint8_t *config = device->config;

	config_set16(config + PCI_VENDOR_ID, identity->vendor);
	config_set16(config + PCI_DEVICE_ID, identity->device);
	config[PCI_REVISION_ID] = identity->revision;
	config[PCI_CLASS_CODE] = identity->class_code & 0xff;
	config[PCI_CLASS_CODE + 1] = identity->class_code >> 8 & 0xff;
	config[PCI_CLASS_CODE + 2] = identity->class_code >> 16 & 0xff;
	config_set16(config + PCI_SUBSYSTEM_VENDOR_ID, identity->subsystem_vendor);
	config_set16(config + PCI_SUBSYSTEM_ID, identity->subsystem);
	config[PCI_INTERRUPT_PIN] = identity->interrupt_pin;

	config_set16(device->write_mask + PCI_COMMAND,
		PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
			PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	device->write_mask[PCI_CACHE_LINE_SIZE] = 0xff;
	device->write_mask[PCI_INTERRUPT_LINE] = 0xff;
	device->next_capability = PCI_HEADER_END;
	device->powered = true;
}

/* The expansion ROM is a copy, so that the file may change while the guest runs. */
static bool load_rom(struct pci_device *device, GError **error)
{
	g_autoptr(GBytes) file = NULL;
	uint64_t size = 4 * KiB;

	if (!device->rom_file)
		device->rom_file = g_strdup(device->device.class->rom_file);
	if (!device->rom_file || device->rom_file[0] == '\0' || !device->rom_bar)
		return true;
	file = firmware_file_load(device->rom_file, error);
	if (!file)
		return false;
	if (g_bytes_get_size(file) == 0 || g_bytes_get_size(file) > ROM_MAX)
		return fail(error, VITRINE_ERROR_INPUT,
			"romfile=%s is no option ROM: %zu bytes, 1 to %d are possible",
			device->rom_file, g_bytes_get_size(file), ROM_MAX);
	while (size < g_bytes_get_size(file))
		size *= 2;
	device->rom_bytes =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (device->rom_bytes == MAP_FAILED) {
		device->rom_bytes = NULL;
		return fail_errno(error, VITRINE_ERROR_HOST, "no memory for %s", device->rom_file);
	}
	memcpy(device->rom_bytes, g_bytes_get_data(file, NULL), g_bytes_get_size(file));
	device->rom = memory_slot_new(device->device.machine->memory, device->rom_file,
		device->rom_bytes, size, MEMORY_SLOT_READ_ONLY);
	pci_device_add_bar(device, PCI_ROM_BAR, 0, size, NULL, device->rom);
	return true;
}

static void unload_rom(struct pci_device *device)
{
	if (!device->rom_bytes)
		return;
	munmap(device->rom_bytes, device->bars[PCI_ROM_BAR].size);
	g_clear_pointer(&device->rom, memory_slot_free);
	device->rom_bytes = NULL;
}

/* The pin goes through the command register's disable bit; the status bit shows the pin itself. */
static void update_interrupt(struct pci_device *device)
{
	bool disabled = config_get16(device->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
	/* Section 6.8: with messages enabled the pin is silent. */
	bool on_wire = device->interrupt_level && !disabled && device->powered &&
		       !pci_device_uses_messages(device);

	if (device->interrupt_level)
		device->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		device->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	if (on_wire == device->interrupt_on_wire)
		return;
	device->interrupt_on_wire = on_wire;
	pci_bus_interrupt_changed(device->bus, device, on_wire);
}

bool pci_device_attach(struct pci_device *device, struct pci_bus *bus, GError **error)
{
	write_header(device);
	for (unsigned i = 0; i < G_N_ELEMENTS(device->bars); i++)
		device->bars[i].address = PCI_UNMAPPED;
	if (!pci_bus_add(bus, device, error))
		return false;
	device->vga_reached = pci_bus_is_reached_by_vga(bus);
	if (load_rom(device, error))
		return true;
	pci_device_detach(device);
	return false;
}

void pci_device_detach(struct pci_device *device)
{
	pci_device_set_interrupt(device, false);
	pci_device_unmap_bars(device);
	pci_device_free_messages(device);
	unload_rom(device);
	pci_bus_remove(device->bus, device);
}

void pci_device_reset(struct pci_device *device)
{
	pci_device_set_interrupt(device, false);
	config_set16(device->config + PCI_COMMAND, 0);
	device->config[PCI_CACHE_LINE_SIZE] = 0;
	device->config[PCI_INTERRUPT_LINE] = 0;
	pci_device_clear_bars(device);
	pci_device_update_bars(device);
	pci_device_reset_messages(device);
	pci_device_reset_express(device);
}

char *pci_device_path(const struct pci_device *device)
{
	const struct pci_device *bridge = pci_bus_bridge(device->bus);
	g_autofree char *above = bridge ? pci_device_path(bridge) : g_strdup("pci/0000");

	return g_strdup_printf("%s/%02x.%x", above, device->slot, device->function);
}

void pci_device_set_power(struct pci_device *device, bool on)
{
	if (device->powered == on)
		return;
	device->powered = on;
	pci_device_update_bars(device);
	pci_device_messages_changed(device);
	if (device->secondary)
		pci_bus_windows_changed(device->secondary);
	update_interrupt(device);
}

void pci_device_unmap(struct pci_device *device)
{
	pci_device_unmap_bars(device);
	for (unsigned i = 0; i < PCI_BARS; i++)
		device->bars[i].size = 0;
}

uint8_t pci_device_add_capability(struct pci_device *device, uint8_t id, uint8_t size)
{
	uint8_t at = device->next_capability;
	uint8_t *link = &device->config[PCI_CAPABILITIES];

	g_assert(at + size <= 256);
	while (*link != 0)
		link = &device->config[*link + 1];
	*link = at;
	device->config[at] = id;
	device->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	device->next_capability = (at + size + 3) & ~3;
	return at;
}

void pci_device_set_interrupt(struct pci_device *device, bool level)
{
	device->interrupt_level = level && device->config[PCI_INTERRUPT_PIN] != 0;
	update_interrupt(device);
}

bool pci_device_is_bus_master(const struct pci_device *device)
{
	return device->powered && config_get16(device->config + PCI_COMMAND) & PCI_COMMAND_MASTER &&
	       pci_bus_is_powered(device->bus);
}

static bool touches(uint16_t offset, unsigned size, uint16_t start, unsigned length)
{
	return offset < start + length && start < offset + size;
}

void pci_device_config_write(
	struct pci_device *device, uint16_t offset, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++, value >>= 8) {
		uint8_t *byte = &device->config[offset + i];
		uint8_t writable = device->write_mask[offset + i];

		*byte = (*byte & ~writable) | (value & writable);
		*byte &= ~(value & device->clear_mask[offset + i]);
	}
	if (touches(offset, size, PCI_COMMAND, 2) ||
		touches(offset, size, PCI_BAR_0, 4 * PCI_BARS) ||
		touches(offset, size, PCI_ROM_ADDRESS, 4) ||
		touches(offset, size, PCI_BRIDGE_ROM_ADDRESS, 4))
		pci_device_update_bars(device);
	pci_device_messages_changed(device);
	update_interrupt(device);
	if (device->config_written)
		device->config_written(device, offset, size);
	pci_device_express_written(device, offset, size);
}
