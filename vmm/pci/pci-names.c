/* Names of PCI classes. Specification: PCI Code and ID Assignment; names in firmware paths: PCI Bus Binding to IEEE 1275,
 * as far as SeaBIOS, OVMF and QEMU use them. */
#include "vmm/pci/pci-names.h"

#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

static const struct {
	uint16_t class;
	const char *description;
	const char *firmware; /* NULL: vendor and device instead */
} names[] = {
	{ 0x0001, "VGA controller", "display" },
	{ 0x0100, "SCSI controller", "scsi" },
	{ 0x0101, "IDE controller", "ide" },
	{ 0x0102, "Floppy controller", "fdc" },
	{ 0x0104, "RAID controller", "raid" },
	{ 0x0106, "SATA controller", NULL },
	{ 0x0107, "SAS controller", NULL },
	{ 0x0180, "Storage controller", NULL },
	{ 0x0200, "Ethernet controller", "ethernet" },
	{ 0x0280, "Network controller", NULL },
	{ 0x0300, "VGA controller", "display" },
	{ 0x0301, "XGA controller", NULL },
	{ 0x0302, "3D controller", NULL },
	{ 0x0380, "Display controller", NULL },
	{ 0x0400, "Video controller", "video" },
	{ 0x0401, "Audio controller", "sound" },
	{ 0x0403, "Audio controller", "sound" },
	{ 0x0480, "Multimedia controller", NULL },
	{ 0x0500, "RAM controller", "memory" },
	{ 0x0501, "Flash controller", "flash" },
	{ 0x0580, "Memory controller", NULL },
	{ 0x0600, "Host bridge", "host" },
	{ 0x0601, "ISA bridge", "isa" },
	{ 0x0604, "PCI bridge", "pci-bridge" },
	{ 0x0680, "Bridge", NULL },
	{ 0x0700, "Serial port", "serial" },
	{ 0x0701, "Parallel port", "parallel" },
	{ 0x0800, "Interrupt controller", "interrupt-controller" },
	{ 0x0801, "DMA controller", "dma-controller" },
	{ 0x0802, "Timer", "timer" },
	{ 0x0803, "RTC", "rtc" },
	{ 0x0900, "Keyboard", "keyboard" },
	{ 0x0901, "Pen", "pen" },
	{ 0x0902, "Mouse", "mouse" },
	{ 0x0c00, "Firewire controller", "firewire" },
	{ 0x0c03, "USB controller", "usb" },
	{ 0x0c04, "Fibre channel controller", "fibre-channel" },
	{ 0x0c05, "SMBus", NULL },
};

const char *pci_class_description(uint16_t class)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].class == class)
			return names[i].description;
	return NULL;
}

char *pci_device_firmware_name(const struct pci_device *device)
{
	uint16_t class = config_get16(device->config + PCI_CLASS_CODE + 1);
	g_autofree char *name = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].class == class)
			name = g_strdup(names[i].firmware);
	if (!name)
		name = g_strdup_printf("pci%04x,%04x", config_get16(device->config + PCI_VENDOR_ID),
			config_get16(device->config + PCI_DEVICE_ID));
	if (device->function == 0)
		return g_strdup_printf("%s@%x", name, device->slot);
	return g_strdup_printf("%s@%x,%x", name, device->slot, device->function);
}
