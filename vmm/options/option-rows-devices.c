/* Options for devices. */
#include "vmm/options/option-rows.h"

static const struct option_key device_keys[] = {
	{ "driver", OPTION_STRING, "the kind of device; \"-device help\" lists them",
		.required = true },
	{},
};

const struct option_spec option_rows_devices[] = {
	{ "device", .group = "device", .implied = "driver", .many = true, .has_id = true,
		.open = true, .keys = device_keys, .argument = "DRIVER[,id=ID][,PROPERTY=VALUE...]",
		.description = "add a device; \"-device help\" lists them, \"-device DRIVER,help\" "
			       "its properties" },
	{},
};
