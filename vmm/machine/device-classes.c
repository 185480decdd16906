/* The table of device classes. The order is that of -device help. */
#include <string.h>

#include "vmm/audio/hda.h"
#include "vmm/audio/virtio-snd.h"
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/chipset/debug-exit.h"
#include "vmm/chipset/debugcon.h"
#include "vmm/chipset/i8042.h"
#include "vmm/chipset/i8257.h"
#include "vmm/chipset/hpet.h"
#include "vmm/chipset/i440fx.h"
#include "vmm/chipset/ich9-lpc.h"
#include "vmm/chipset/ich9-smbus.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/chipset/mch.h"
#include "vmm/chipset/piix3.h"
#include "vmm/chipset/piix4-pm.h"
#include "vmm/chipset/pflash.h"
#include "vmm/chipset/port92.h"
#include "vmm/chipset/serial.h"
#include "vmm/chipset/smbus-eeprom.h"
#include "vmm/device.h"
#include "vmm/display/bochs-display-pci.h"
#include "vmm/display/qxl-pci.h"
#include "vmm/display/ramfb-device.h"
#include "vmm/display/vga-pci.h"
#include "vmm/display/virtio-gpu-pci.h"
#include "vmm/display/virtio-vga.h"
#include "vmm/pci/pci-bridge-device.h"
#include "vmm/pci/pci.h"
#include "vmm/pci/pcie-root-port.h"
#include "vmm/pci/pxb.h"
#include "vmm/storage/ahci.h"
#include "vmm/storage/ata.h"
#include "vmm/storage/ide.h"
#include "vmm/storage/scsi-bus.h"
#include "vmm/usb/piix3-uhci.h"
#include "vmm/usb/qemu-xhci.h"
#include "vmm/usb/usb-input.h"
#include "vmm/usb/usb-storage.h"
#include "vmm/usb/usb.h"
#include "vmm/virtio/virtio-balloon.h"
#include "vmm/virtio/virtio-blk.h"
#include "vmm/virtio/virtio-input.h"
#include "vmm/virtio/virtio-net.h"
#include "vmm/virtio/virtio-rng.h"
#include "vmm/virtio/virtio-scsi.h"
#include "vmm/virtio/virtio-serial.h"

static const struct device_class *const classes[] = {
	&vga_pci_class,
	&secondary_vga_pci_class,
	&bochs_display_pci_class,
	&qxl_vga_pci_class,
	&qxl_pci_class,
	&virtio_gpu_pci_class,
	&virtio_vga_class,
	&ramfb_class,
	&virtio_blk_class,
	&virtio_net_class,
	&virtio_rng_class,
	&virtio_scsi_class,
	&qemu_xhci_class,
	&nec_xhci_class,
	&piix3_uhci_class,
	&piix4_uhci_class,
	&usb_keyboard_class,
	&usb_mouse_class,
	&usb_tablet_class,
	&usb_storage_class,
	&intel_hda_class,
	&ich9_intel_hda_class,
	&hda_output_class,
	&hda_duplex_class,
	&hda_micro_class,
	&virtio_snd_class,
	&virtio_balloon_class,
	&ich9_ahci_class,
	&piix3_ide_class,
	&isa_ide_class,
	&ide_hd_class,
	&ide_cd_class,
	&virtio_keyboard_class,
	&virtio_mouse_class,
	&virtio_tablet_class,
	&virtio_multitouch_class,
	&virtio_serial_class,
	&virtserialport_class,
	&virtconsole_class,
	&scsi_hd_class,
	&scsi_cd_class,
	&scsi_block_class,
	&scsi_generic_class,
	&pcie_root_port_class,
	&pci_bridge_class,
	&pxb_class,
	&pxb_pcie_class,
	&acpi_pci_hotplug_class,
	&isa_serial_class,
	&isa_debugcon_class,
	&isa_debug_exit_class,
	&i8042_class,
	&port92_class,
	&mc146818_class,
	&i8257_class,
	&hpet_class,
	&smbus_eeprom_class,
	&pflash_class,
	&mch_class,
	&ich9_lpc_class,
	&ich9_smbus_class,
	&i440fx_class,
	&piix3_class,
	&piix4_pm_class,
	NULL,
};

#define BUS_PROPERTY \
	{ \
		"bus", PROPERTY_STRING, offsetof(struct device, bus_option), NULL, \
			"name of the bus" \
	}

#define BOOT_PROPERTY \
	{ \
		"bootindex", PROPERTY_INDEX, offsetof(struct device, boot_index), "-1", \
			"place in the boot order, the lowest first; -1: none" \
	}

static const struct property pci_properties[] = {
	{ "addr", PROPERTY_STRING, offsetof(struct pci_device, address_option), NULL,
		"place on the bus: SLOT or SLOT.FUNCTION, hexadecimal" },
	BUS_PROPERTY,
	BOOT_PROPERTY,
	{ "multifunction", PROPERTY_BOOL, offsetof(struct pci_device, multifunction), "off",
		"there may be other functions in the same slot" },
	{ "rombar", PROPERTY_BOOL, offsetof(struct pci_device, rom_bar), "on",
		"show the option ROM to the guest" },
	{ "romfile", PROPERTY_STRING, offsetof(struct pci_device, rom_file), NULL,
		"file with the option ROM; empty for none" },
	{ .type = PROPERTY_END },
};

static const struct property bus_properties[] = {
	BUS_PROPERTY,
	BOOT_PROPERTY,
	{ .type = PROPERTY_END },
};

static const struct property usb_properties[] = {
	BUS_PROPERTY,
	BOOT_PROPERTY,
	{ "port", PROPERTY_STRING, offsetof(struct usb_device, port_option), NULL,
		"port on the bus, from 1" },
	{ "serial", PROPERTY_STRING, offsetof(struct usb_device, serial), NULL,
		"serial number the guest sees, in place of one made of the port" },
	{ .type = PROPERTY_END },
};

static const struct property no_properties[] = {
	{ .type = PROPERTY_END },
};

const struct device_class *const *device_classes(void)
{
	return classes;
}

/* What QEMU's users write for short. */
static const struct {
	const char *name, *class;
} aliases[] = {
	{ "virtio-balloon", "virtio-balloon-pci" },
	{ "virtio-blk", "virtio-blk-pci" },
	{ "virtio-gpu", "virtio-gpu-pci" },
	{ "virtio-keyboard", "virtio-keyboard-pci" },
	{ "virtio-mouse", "virtio-mouse-pci" },
	{ "virtio-net", "virtio-net-pci" },
	{ "virtio-rng", "virtio-rng-pci" },
	{ "virtio-scsi", "virtio-scsi-pci" },
	{ "virtio-serial", "virtio-serial-pci" },
	{ "virtio-tablet", "virtio-tablet-pci" },
};

const struct device_class *device_class_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0)
			name = aliases[i].class;
	for (size_t i = 0; classes[i]; i++)
		if (strcmp(classes[i]->name, name) == 0)
			return classes[i];
	return NULL;
}

const struct property *device_bus_properties(enum device_bus bus)
{
	if (bus == BUS_PCI)
		return pci_properties;
	if (bus == BUS_USB)
		return usb_properties;
	return bus == BUS_SYSTEM || bus == BUS_ISA ? no_properties : bus_properties;
}
