/* Options for the guest: its name, machine type, processors and memory. */
#include "vmm/options/option-rows.h"

#include "base/checked.h"
#include "vmm/machine/machine.h"

enum {
	MINIMUM_MEMORY = 8 * MiB, /* SeaBIOS, its tables, and room for a boot loader */
	MAXIMUM_CPU_PARTS = MACHINE_MAX_CPUS,
};

#define MAXIMUM_MEMORY (UINT64_C(1024) * GiB)

static const char *const entry_points[] = { "32", "64", NULL };
static const char *const accelerators[] = { "kvm", "kvm:tcg", NULL };
static const char *const only_on[] = { "on", "yes", "true", NULL };
static const char *const off_or_auto[] = { "off", "auto", NULL };

static const struct option_key name_keys[] = {
	{ "guest", OPTION_STRING, "the guest's name, also of its folder for sockets",
		.required = true },
	{ "debug-threads", OPTION_BOOL, "threads carry names in any case" },
	{},
};

static const struct option_key uuid_keys[] = {
	{ "uuid", OPTION_UUID, "the guest's UUID", .required = true },
	{},
};

static const struct option_key machine_keys[] = {
	{ "type", OPTION_STRING, "a machine type; \"-machine help\" lists them" },
	{ "accel", OPTION_CHOICE, "what runs the guest's code", .choices = accelerators },
	{ "kernel", OPTION_STRING,
		"a kernel to start without a boot loader: a Linux bzImage, or ELF with PVH's "
		"entry" },
	{ "initrd", OPTION_STRING, "its initial RAM disk" },
	{ "append", OPTION_STRING, "its command line", .may_be_empty = true },
	{ "smbios-entry-point-type", OPTION_CHOICE, "32: SMBIOS 2.8; 64: 3.0",
		.choices = entry_points },
	{ "memory-backend", OPTION_STRING, "the -object that is the guest's RAM" },
	{ "dump-guest-core", OPTION_BOOL, "accepted; core files never have the guest's RAM" },
	{ "mem-merge", OPTION_BOOL, "accepted; see -object memory-backend-ram,merge=" },
	{ "acpi", OPTION_CHOICE, "there is ACPI always", .choices = only_on },
	{ "usb", OPTION_BOOL, "a USB controller, as -usb" },
	{ "vmport", OPTION_CHOICE, "there is no VMware port", .choices = off_or_auto },
	{ "smm", OPTION_CHOICE, "there is no system management mode", .choices = off_or_auto },
	{ "kernel-irqchip", OPTION_CHOICE, "interrupt controllers are KVM's", .choices = only_on },
	{ "firmware", OPTION_STRING, "firmware file instead of the machine type's" },
	{ "pflash0", OPTION_STRING, "the -blockdev that is the flash chip with the firmware" },
	{ "pflash1", OPTION_STRING, "the -blockdev that is the flash chip with its variables" },
	{ "hpet", OPTION_BOOL, "the event timers (HPET) that the machine type has" },
	{},
};

static const struct option_key accel_keys[] = {
	{ "accel", OPTION_CHOICE, "what runs the guest's code", .required = true,
		.choices = accelerators },
	{},
};

static const struct option_key cpu_keys[] = {
	{ "model", OPTION_STRING, "the processor that the guest sees", .required = true },
	{},
};

static const struct option_key memory_keys[] = {
	{ "size", OPTION_SIZE, "RAM; a plain number counts MiB", .required = true,
		.minimum = MINIMUM_MEMORY, .maximum = MAXIMUM_MEMORY, .unit = MiB },
	{ "slots", OPTION_NUMBER, "accepted; memory cannot be added to a running guest",
		.maximum = 256 },
	{ "maxmem", OPTION_SIZE, "accepted; memory cannot be added to a running guest",
		.maximum = MAXIMUM_MEMORY, .unit = MiB },
	{},
};

static const struct option_key smp_keys[] = {
	{ "cpus", OPTION_NUMBER, "processors", .minimum = 1, .maximum = MAXIMUM_CPU_PARTS },
	{ "maxcpus", OPTION_NUMBER, "the same as cpus", .minimum = 1,
		.maximum = MAXIMUM_CPU_PARTS },
	{ "dies", OPTION_NUMBER, "dies of a socket: one", .minimum = 1, .maximum = 1 },
	{ "sockets", OPTION_NUMBER, "packages", .minimum = 1, .maximum = MAXIMUM_CPU_PARTS },
	{ "cores", OPTION_NUMBER, "cores of a package", .minimum = 1,
		.maximum = MAXIMUM_CPU_PARTS },
	{ "threads", OPTION_NUMBER, "threads of a core", .minimum = 1,
		.maximum = MAXIMUM_CPU_PARTS },
	{},
};

static const char *const clocks[] = { "host", "rt", "vm", NULL };
static const char *const drift_fixes[] = { "none", "slew", NULL };

static const struct option_key rtc_keys[] = {
	{ "base", OPTION_STRING, "utc, localtime, or a time such as 2026-01-31T12:00:00" },
	{ "clock", OPTION_CHOICE, "what the clock goes by", .choices = clocks },
	{ "driftfix", OPTION_CHOICE, "whether missed periodic interrupts come later",
		.choices = drift_fixes },
	{},
};

const struct option_spec option_rows_machine[] = {
	{ "name", .group = "name", .implied = "guest", .merges = true, .keys = name_keys,
		.argument = "NAME", .description = "name of the guest (default: guest-PID)",
		.section = "The guest" },
	{ "uuid", .group = "uuid", .kind = OPTION_VALUE, .implied = "uuid", .keys = uuid_keys,
		.argument = "UUID", .description = "UUID that the guest sees" },
	{ "machine", "M", .group = "machine", .implied = "type", .merges = true,
		.keys = machine_keys, .argument = "[type=]TYPE[,KEY=VALUE...]",
		.description = "machine type; a bare family name means its newest version" },
	{ "accel", .group = "accel", .implied = "accel", .keys = accel_keys, .argument = "kvm",
		.description = "KVM, the only accelerator there is" },
	{ "enable-kvm", .group = "enable-kvm", .kind = OPTION_FLAG,
		.description = "the same as -accel kvm: there is nothing else" },
	{ "cpu", .group = "cpu", .kind = OPTION_VALUE, .implied = "model", .keys = cpu_keys,
		.argument = "MODEL[,+FEATURE][,-FEATURE][,enforce][,KEY=VALUE]...",
		.description = "processor model; \"-cpu help\" lists models and features" },
	{ "m", .group = "memory", .implied = "size", .merges = true, .keys = memory_keys,
		.argument = "[size=]SIZE",
		.description = "RAM, in MiB without a letter (default: the machine type's)" },
	{ "smp", .group = "smp-opts", .implied = "cpus", .merges = true, .keys = smp_keys,
		.argument = "[cpus=]N[,sockets=N][,cores=N][,threads=N]",
		.description = "processors (default: 1)" },
	{ "rtc", .group = "rtc", .keys = rtc_keys,
		.argument = "[base=utc|localtime|TIME][,clock=host|rt|vm][,driftfix=none|slew]",
		.description = "the real-time clock (default: the host's time, UTC)" },
	{ "no-hpet", .group = "no-hpet", .kind = OPTION_FLAG,
		.description = "leave out the event timers (HPET), as -machine hpet=off does" },
	{ "nodefaults", .group = "nodefaults", .kind = OPTION_FLAG,
		.description =
			"leave out the display and the serial port that a guest has by default" },
	{},
};
