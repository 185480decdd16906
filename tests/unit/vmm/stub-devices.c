/* A table of devices for tests of the options: none of them does anything. */
#include "tests/unit/vmm/stub-devices.h"

#include <string.h>

static const char *const colours[] = { "red", "green", NULL };

static const struct property stub_properties[] = {
	{ "drive", PROPERTY_STRING, offsetof(struct stub_device, drive), NULL, "a drive" },
	{ "chardev", PROPERTY_STRING, offsetof(struct stub_device, chardev), NULL, "a chardev" },
	{ "enabled", PROPERTY_BOOL, offsetof(struct stub_device, enabled), "on", "a switch" },
	{ "queues", PROPERTY_UINT16, offsetof(struct stub_device, queues), "1", "a number",
		.minimum = 1, .maximum = 16 },
	{ "octet", PROPERTY_UINT8, offsetof(struct stub_device, octet), "0x0", "a small number" },
	{ "memory", PROPERTY_SIZE, offsetof(struct stub_device, memory), "16M", "a size",
		.minimum = 1 << 20, .maximum = 1 << 28 },
	{ "colour", PROPERTY_CHOICE, offsetof(struct stub_device, colour), "red", "a choice",
		.choices = colours },
	{},
};

static const struct property pci_properties[] = {
	{ "addr", PROPERTY_STRING, offsetof(struct stub_device, addr), NULL, "SLOT.FUNCTION" },
	{},
};

static const struct pci_identity vga_identity = { .class_code = 0x030000 };
static const struct pci_identity disk_identity = { .class_code = 0x010000 };

static const struct device_class vga = { .name = "VGA",
	.description = "standard VGA",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct stub_device),
	.pci = &vga_identity,
	.properties = stub_properties };
static const struct device_class bochs = { .name = "bochs-display",
	.description = "framebuffer",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct stub_device),
	.pci = &vga_identity,
	.properties = stub_properties };
static const struct device_class disk = { .name = "virtio-blk-pci",
	.description = "disk",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct stub_device),
	.pci = &disk_identity,
	.properties = stub_properties };
static const struct device_class mch = { .name = "mch",
	.description = "host bridge",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct stub_device) };

static const struct device_class *const classes[] = { &vga, &bochs, &disk, &mch, NULL };

const struct device_class *const *device_classes(void)
{
	return classes;
}

const struct device_class *device_class_find(const char *name)
{
	for (size_t i = 0; classes[i]; i++) {
		if (strcmp(classes[i]->name, name) == 0)
			return classes[i];
	}
	return NULL;
}

const struct property *device_bus_properties(enum device_bus bus)
{
	return bus == BUS_PCI ? pci_properties : NULL;
}
