/* Options for devices, and for the objects that they use. */
#include "vmm/options/option-rows.h"

static const struct option_key device_keys[] = {
	{ "driver", OPTION_STRING, "the kind of device; \"-device help\" lists them",
		.required = true },
	{},
};

static const struct option_key object_keys[] = {
	{ "qom-type", OPTION_STRING, "the kind of object; \"-object help\" lists them",
		.required = true },
	{},
};

const struct option_spec option_rows_devices[] = {
	{ "device", .group = "device", .implied = "driver", .many = true, .has_id = true,
		.json = true, .open = true, .keys = device_keys,
		.argument = "DRIVER[,id=ID][,PROPERTY=VALUE...]",
		.description = "add a device; \"-device help\" lists them, \"-device DRIVER,help\" "
			       "its properties" },
	{ "object", .group = "object", .implied = "qom-type", .many = true, .has_id = true,
		.requires_id = true, .json = true, .open = true, .keys = object_keys,
		.argument = "TYPE,id=ID[,PROPERTY=VALUE...]",
		.description = "make an object for devices and others to use; \"-object help\" "
			       "lists the\ntypes, \"-object TYPE,help\" their properties" },
	{},
};
