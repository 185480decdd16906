/* Options for devices, and for the objects that they use. */
#include "vmm/options/option-rows.h"

static const struct option_key device_keys[] = {
	{ "driver", OPTION_STRING, "the kind of device; \"-device help\" lists them",
		.required = true },
	{},
};

static const struct option_key global_keys[] = {
	{ "driver", OPTION_STRING, "the kind of device" },
	{ "property", OPTION_STRING, "the property" },
	{ "value", OPTION_STRING, "its default from now on", .may_be_empty = true },
	{},
};

static const char *const audiodev_drivers[] = { "none", "dbus", NULL };

static const struct option_key audiodev_keys[] = {
	{ "driver", OPTION_CHOICE,
		"none: nobody hears it; dbus: the display bus, where viewers listen",
		.required = true, .choices = audiodev_drivers },
	{},
};

static const struct option_key object_keys[] = {
	{ "qom-type", OPTION_STRING, "the kind of object; \"-object help\" lists them",
		.required = true },
	{},
};

static const char *const usb_kinds[] = { "tablet", "mouse", "keyboard", NULL };

static const struct option_key usb_device_keys[] = {
	{ "kind", OPTION_CHOICE, "the device", .required = true, .choices = usb_kinds },
	{},
};

const struct option_spec option_rows_devices[] = {
	{ "device", .group = "device", .implied = "driver", .many = true, .has_id = true,
		.json = true, .open = true, .keys = device_keys,
		.argument = "DRIVER[,id=ID][,PROPERTY=VALUE...]",
		.description = "add a device; \"-device help\" lists them, \"-device DRIVER,help\" "
			       "its properties" },
	{ "usb", .group = "usb", .kind = OPTION_FLAG,
		.description =
			"add the USB controller that the machine has a place for: on pc,\n"
			"-device piix3-usb-uhci; q35 has none, and -device qemu-xhci does there" },
	{ "usbdevice", .group = "usbdevice", .kind = OPTION_VALUE, .implied = "kind", .many = true,
		.keys = usb_device_keys, .argument = "tablet|mouse|keyboard",
		.description = "add -device usb-tablet, usb-mouse or usb-kbd, and a controller\n"
			       "when there is none" },
	{ "global", .group = "global", .many = true, .open = true, .keys = global_keys,
		.argument = "DRIVER.PROPERTY=VALUE",
		.description = "a property of all devices of a kind that do not say otherwise" },
	{ "audiodev", .group = "audiodev", .implied = "driver", .many = true, .has_id = true,
		.requires_id = true, .json = true, .keys = audiodev_keys,
		.argument = "none|dbus,id=ID",
		.description = "where the sound of devices goes that name it (-device "
			       "hda-duplex,audiodev=ID);\nothers use the display bus" },
	{ "object", .group = "object", .implied = "qom-type", .many = true, .has_id = true,
		.requires_id = true, .json = true, .open = true, .keys = object_keys,
		.argument = "TYPE,id=ID[,PROPERTY=VALUE...]",
		.description = "make an object for devices and others to use; \"-object help\" "
			       "lists the\ntypes, \"-object TYPE,help\" their properties" },
	{},
};
