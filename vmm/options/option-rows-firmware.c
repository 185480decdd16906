/* Options for what the guest starts. */
#include "vmm/options/option-rows.h"

#include "vmm/firmware/firmware-config.h"
#include "vmm/machine/machine.h"

static const struct option_key boot_keys[] = {
	{ "order", OPTION_STRING, "letters: a floppy, c disk, d CD-ROM, n network" },
	{ "once", OPTION_STRING, "the same, for the first start only" },
	{ "menu", OPTION_BOOL, "whether the firmware offers a menu" },
	{ "splash", OPTION_STRING, "a picture that SeaBIOS shows with its menu, BMP or JPEG" },
	{ "splash-time", OPTION_NUMBER, "how long, milliseconds", .maximum = BOOT_WAIT_MAX },
	{ "reboot-timeout", OPTION_NUMBER,
		"when nothing boots, try again after so many milliseconds",
		.maximum = BOOT_WAIT_MAX },
	{ "strict", OPTION_BOOL, "try only devices with a bootindex=" },
	{},
};

static const struct option_key fw_cfg_keys[] = {
	{ "name", OPTION_STRING, "what the guest calls it: opt/...", .required = true },
	{ "file", OPTION_STRING, "what it holds: a file's bytes" },
	{ "string", OPTION_STRING, "or this text", .may_be_empty = true },
	{},
};

static const struct option_key rom_keys[] = {
	{ "romfile", OPTION_STRING, "the ROM's file", .required = true },
	{},
};

/* Which key belongs to which type: smbios_option_check(). */
static const struct option_key smbios_keys[] = {
	{ "file", OPTION_STRING, "a structure as a file, instead of those of its type" },
	{ "type", OPTION_NUMBER, "of which structure: 0, 1, 2, 3, 4, 11 or 17",
		.maximum = UINT8_MAX },
	{ "vendor", OPTION_STRING, "type 0" },
	{ "date", OPTION_STRING, "type 0" },
	{ "release", OPTION_STRING, "type 0: MAJOR.MINOR" },
	{ "uefi", OPTION_STRING, "type 0: whether the firmware is UEFI" },
	{ "manufacturer", OPTION_STRING, "types 1, 2, 3, 4, 17" },
	{ "product", OPTION_STRING, "types 1, 2" },
	{ "version", OPTION_STRING, "types 0, 1, 2, 3, 4" },
	{ "serial", OPTION_STRING, "types 1, 2, 3, 4, 17" },
	{ "uuid", OPTION_STRING, "type 1" },
	{ "sku", OPTION_STRING, "types 1, 3" },
	{ "family", OPTION_STRING, "type 1" },
	{ "asset", OPTION_STRING, "types 2, 3, 4, 17" },
	{ "location", OPTION_STRING, "type 2" },
	{ "sock_pfx", OPTION_STRING, "type 4: what comes before a socket's number" },
	{ "part", OPTION_STRING, "types 4, 17" },
	{ "max-speed", OPTION_STRING, "type 4: MHz" },
	{ "current-speed", OPTION_STRING, "type 4: MHz" },
	{ "value", OPTION_STRING, "type 11: a text for programs in the guest" },
	{ "loc_pfx", OPTION_STRING, "type 17: what comes before a module's number" },
	{ "bank", OPTION_STRING, "type 17" },
	{ "speed", OPTION_STRING, "type 17: million transfers a second" },
	{},
};

static const char *const numa_types[] = { "node", "dist", NULL };

static const struct option_key numa_keys[] = {
	{ "type", OPTION_CHOICE, "node: a node; dist: how far one is from another",
		.required = true, .choices = numa_types },
	{ "nodeid", OPTION_NUMBER, "node: its number; default: the next one",
		.maximum = NUMA_NODES_MAX - 1 },
	{ "cpus", OPTION_STRING, "node: its processors, N or N-M" },
	{ "mem", OPTION_SIZE, "node: its memory; a plain number counts MiB", .unit = 1 << 20 },
	{ "memdev", OPTION_STRING, "node: or the -object of its memory" },
	{ "src", OPTION_NUMBER, "dist: from this node", .maximum = NUMA_NODES_MAX - 1 },
	{ "dst", OPTION_NUMBER, "dist: to this one", .maximum = NUMA_NODES_MAX - 1 },
	{ "val", OPTION_NUMBER, "dist: 10 is to itself, 255 unreachable",
		.minimum = NUMA_DISTANCE_SELF, .maximum = NUMA_DISTANCE_UNREACHABLE },
	{},
};

const struct option_spec option_rows_firmware[] = {
	{ "bios", .group = "machine", .kind = OPTION_SHORT, .implied = "firmware",
		.argument = "FILE", .description = "firmware (default: the machine type's)",
		.section = "What it starts" },
	{ "kernel", .group = "machine", .kind = OPTION_SHORT, .implied = "kernel",
		.argument = "FILE",
		.description = "start this kernel (a Linux bzImage, or ELF with PVH) without a "
			       "boot loader" },
	{ "initrd", .group = "machine", .kind = OPTION_SHORT, .implied = "initrd",
		.argument = "FILE", .description = "initial RAM disk for -kernel" },
	{ "append", .group = "machine", .kind = OPTION_SHORT, .implied = "append",
		.argument = "TEXT", .description = "command line for -kernel" },
	{ "boot", .group = "boot-opts", .implied = "order", .merges = true, .keys = boot_keys,
		.argument = "[order=]LETTERS[,once=LETTERS][,menu=on|off][,KEY=VALUE...]",
		.description = "what the firmware starts: a floppy, c disk, d CD-ROM, n network" },
	{ "option-rom", .group = "option-rom", .implied = "romfile", .many = true, .keys = rom_keys,
		.argument = "FILE", .description = "an option ROM that SeaBIOS runs" },
	{ "fw_cfg", .group = "fw_cfg", .implied = "name", .many = true, .keys = fw_cfg_keys,
		.argument = "[name=]opt/NAME,file=FILE|string=TEXT",
		.description = "a file for the firmware or for programs in the guest" },
	{ "smbios", .group = "smbios", .many = true, .keys = smbios_keys,
		.argument = "type=N[,KEY=VALUE...]|file=FILE",
		.description = "what the machine says about itself" },
	{ "numa", .group = "numa", .implied = "type", .many = true, .keys = numa_keys,
		.argument =
			"node[,nodeid=N][,cpus=N[-M]][,mem=SIZE|memdev=ID]|dist,src=N,dst=N,val=N",
		.description = "which processors and memory belong together" },
	{},
};
