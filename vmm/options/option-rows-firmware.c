/* Options for what the guest starts. */
#include "vmm/options/option-rows.h"

const struct option_spec option_rows_firmware[] = {
	{ "bios", .group = "machine", .kind = OPTION_SHORT, .implied = "firmware",
		.argument = "FILE", .description = "firmware (default: the machine type's)",
		.section = "What it starts" },
	{ "kernel", .group = "machine", .kind = OPTION_SHORT, .implied = "kernel",
		.argument = "FILE",
		.description = "start this Linux kernel (bzImage) without a boot loader" },
	{ "initrd", .group = "machine", .kind = OPTION_SHORT, .implied = "initrd",
		.argument = "FILE", .description = "initial RAM disk for -kernel" },
	{ "append", .group = "machine", .kind = OPTION_SHORT, .implied = "append",
		.argument = "TEXT", .description = "command line for -kernel" },
	{},
};
