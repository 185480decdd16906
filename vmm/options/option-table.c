/* The table of options: what the command line and configuration files may say, and what --help tells about it.
 *
 * Names, groups and keys are QEMU's where QEMU has the option. A row here is all that an option needs to be read, written,
 * checked and listed.
 */
#include "vmm/options/options.h"

#include <string.h>

#include "base/checked.h"
#include "vmm/machine/machine.h"

enum {
	MINIMUM_MEMORY = 8 * MiB, /* SeaBIOS, its tables, and room for a boot loader */
	MINIMUM_RING = 16,        /* bytes */
	MAXIMUM_RING = 16 * MiB,
	MAXIMUM_CPU_PARTS = MACHINE_MAX_CPUS,
};

#define MAXIMUM_MEMORY (UINT64_C(1024) * GiB)

static const char *const accelerators[] = { "kvm", NULL };
static const char *const cpu_models[] = { "host", NULL };
static const char *const drive_formats[] = { "raw", NULL };
static const char *const drive_interfaces[] = { "virtio", "none", NULL };
static const char *const drive_discard[] = { "ignore", "off", "unmap", "on", NULL };
static const char *const drive_caches[] = { "writeback", "none", "unsafe", NULL };
static const char *const drive_media[] = { "disk", NULL };
static const char *const drive_aio[] = { "io_uring", NULL };
static const char *const chardev_backends[] = {
	"stdio",
	"file",
	"socket",
	"pty",
	"null",
	"ringbuf",
	NULL,
};
static const char *const display_types[] = { "none", "dbus", "gtk", "viewer", NULL };

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
	{ "kernel", OPTION_STRING, "a Linux kernel (bzImage) to start without a boot loader" },
	{ "initrd", OPTION_STRING, "its initial RAM disk" },
	{ "append", OPTION_STRING, "its command line", .may_be_empty = true },
	{ "firmware", OPTION_STRING, "firmware file instead of the machine type's" },
	{},
};

static const struct option_key accel_keys[] = {
	{ "accel", OPTION_CHOICE, "what runs the guest's code", .required = true,
		.choices = accelerators },
	{},
};

static const struct option_key cpu_keys[] = {
	{ "model", OPTION_CHOICE, "the processor that the guest sees", .required = true,
		.choices = cpu_models },
	{},
};

static const struct option_key memory_keys[] = {
	{ "size", OPTION_SIZE, "RAM; a plain number counts MiB", .required = true,
		.minimum = MINIMUM_MEMORY, .maximum = MAXIMUM_MEMORY, .unit = MiB },
	{},
};

static const struct option_key smp_keys[] = {
	{ "cpus", OPTION_NUMBER, "processors", .minimum = 1, .maximum = MAXIMUM_CPU_PARTS },
	{ "maxcpus", OPTION_NUMBER, "the same as cpus", .minimum = 1,
		.maximum = MAXIMUM_CPU_PARTS },
	{ "sockets", OPTION_NUMBER, "packages", .minimum = 1, .maximum = MAXIMUM_CPU_PARTS },
	{ "cores", OPTION_NUMBER, "cores of a package", .minimum = 1,
		.maximum = MAXIMUM_CPU_PARTS },
	{ "threads", OPTION_NUMBER, "threads of a core", .minimum = 1,
		.maximum = MAXIMUM_CPU_PARTS },
	{},
};

static const struct option_key drive_keys[] = {
	{ "file", OPTION_STRING, "the image: a file or a block device", .required = true },
	{ "format", OPTION_CHOICE, "how the image is laid out", .choices = drive_formats },
	{ "if", OPTION_CHOICE, "virtio adds the disk; none leaves that to a -device with drive=ID",
		.choices = drive_interfaces },
	{ "readonly", OPTION_BOOL, "the guest may not write" },
	{ "discard", OPTION_CHOICE, "whether freed blocks are given back to the host",
		.choices = drive_discard },
	{ "cache", OPTION_CHOICE,
		"writeback; none goes past the host's cache; unsafe ignores flushes",
		.choices = drive_caches },
	{ "aio", OPTION_CHOICE, "how the image is read and written", .choices = drive_aio },
	{ "media", OPTION_CHOICE, "what kind of medium", .choices = drive_media },
	{},
};

static const struct option_key device_keys[] = {
	{ "driver", OPTION_STRING, "the kind of device; \"-device help\" lists them",
		.required = true },
	{},
};

static const struct option_key chardev_keys[] = {
	{ "backend", OPTION_CHOICE, "the kind of back end", .required = true,
		.choices = chardev_backends },
	{ "path", OPTION_STRING, "file: written to; socket: listens there" },
	{ "server", OPTION_BOOL, "socket: has to be on, listens for clients" },
	{ "wait", OPTION_BOOL, "socket: has to be off, the guest starts without a client" },
	{ "append", OPTION_BOOL, "file: keeps what is in the file" },
	{ "size", OPTION_SIZE, "ringbuf: how much it keeps, a power of two",
		.minimum = MINIMUM_RING, .maximum = MAXIMUM_RING },
	{ "signal", OPTION_BOOL, "stdio: Ctrl-C and Ctrl-Z act on vitrine, not on the guest" },
	{},
};

/* -serial, -debugcon and -qmp: a back end in one word, as config.c takes it apart. */
static const struct option_key line_keys[] = {
	{ "dev", OPTION_STRING, "stdio, pty, null, none, file:PATH, unix:PATH or chardev:ID",
		.required = true },
	{ "server", OPTION_BOOL, "unix: has to be on, listens for clients" },
	{ "wait", OPTION_BOOL, "unix: has to be off, the guest starts without a client" },
	{ "append", OPTION_BOOL, "file: keeps what is in the file" },
	{},
};

static const struct option_key vnc_keys[] = {
	{ "vnc", OPTION_STRING, "[HOST]:N is port 5900 + N; unix:PATH; none", .required = true },
	{},
};

static const struct option_key display_keys[] = {
	{ "type", OPTION_CHOICE,
		"none: no window; dbus: the same, the display bus is always there; gtk, viewer: a "
		"window",
		.required = true, .choices = display_types },
	{},
};

static const struct option_key runtime_dir_keys[] = {
	{ "path", OPTION_STRING, "where the guests' folders for sockets are", .required = true },
	{},
};

static const struct option_spec specs[] = {
	{ "name", .group = "name", .implied = "guest", .keys = name_keys, .argument = "NAME",
		.description = "name of the guest (default: guest-PID)", .section = "The guest" },
	{ "uuid", .group = "uuid", .kind = OPTION_VALUE, .implied = "uuid", .keys = uuid_keys,
		.argument = "UUID", .description = "UUID that the guest sees" },
	{ "machine", "M", .group = "machine", .implied = "type", .keys = machine_keys,
		.argument = "[type=]TYPE[,KEY=VALUE...]",
		.description = "machine type; a bare family name means its newest version" },
	{ "accel", .group = "accel", .implied = "accel", .keys = accel_keys, .argument = "kvm",
		.description = "KVM, the only accelerator there is" },
	{ "cpu", .group = "cpu", .implied = "model", .keys = cpu_keys, .argument = "MODEL",
		.description = "processor model" },
	{ "m", .group = "memory", .implied = "size", .keys = memory_keys, .argument = "[size=]SIZE",
		.description = "RAM, in MiB without a letter (default: the machine type's)" },
	{ "smp", .group = "smp-opts", .implied = "cpus", .keys = smp_keys,
		.argument = "[cpus=]N[,sockets=N][,cores=N][,threads=N]",
		.description = "processors (default: 1)" },
	{ "nodefaults", .group = "nodefaults", .kind = OPTION_FLAG,
		.description =
			"leave out the display and the serial port that a guest has by default" },

	{ "drive", .group = "drive", .implied = NULL, .many = true, .has_id = true,
		.keys = drive_keys,
		.argument = "file=FILE[,format=raw][,if=virtio|none][,id=ID][,readonly=on]...",
		.description = "disk", .section = "Disks and devices" },
	{ "device", .group = "device", .implied = "driver", .many = true, .has_id = true,
		.open = true, .keys = device_keys, .argument = "DRIVER[,id=ID][,PROPERTY=VALUE...]",
		.description = "add a device; \"-device help\" lists them, \"-device DRIVER,help\" "
			       "its properties" },

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

	{ "display", .group = "display", .implied = "type", .keys = display_keys,
		.argument = "none|dbus|gtk|viewer",
		.description = "gtk, viewer: open a window with vitrine-viewer (default: none)",
		.section = "Display" },
	{ "vnc", .group = "vnc", .implied = "vnc", .many = true, .keys = vnc_keys,
		.only = "an address only: :N, HOST:N, unix:PATH or none",
		.argument = "[HOST]:N|unix:PATH|none",
		.description =
			"serve the display to VNC clients on port 5900 + N or on a UNIX socket" },
	{ "nographic", .group = "nographic", .kind = OPTION_FLAG,
		.description = "no window, and the first serial port on the terminal" },

	{ "serial", .group = "serial", .implied = "dev", .many = true, .keys = line_keys,
		.argument = "stdio|pty|null|none|file:PATH|unix:PATH,server=on|chardev:ID",
		.description = "where a serial port ends; the first is for ttyS0, up to four\n"
			       "(default: one port on a socket that vitrine-console attaches to)",
		.section = "Serial lines" },
	{ "chardev", .group = "chardev", .implied = "backend", .many = true, .has_id = true,
		.requires_id = true, .keys = chardev_keys,
		.argument = "BACKEND,id=ID[,KEY=VALUE...]",
		.description =
			"back end for a serial port, a device or QMP, to be named by its id" },
	{ "debugcon", .group = "debugcon", .implied = "dev", .keys = line_keys,
		.argument = "stdio|pty|null|file:PATH|unix:PATH,server=on|chardev:ID",
		.description = "where what the firmware writes to port 0xe9 goes" },

	{ "qmp", .group = "qmp", .implied = "dev", .many = true, .keys = line_keys,
		.argument = "unix:PATH,server=on,wait=off|stdio|chardev:ID",
		.description = "one more place for QMP besides the socket in the guest's folder",
		.section = "Control" },
	{ "S", .group = "S", .kind = OPTION_FLAG,
		.description = "do not start the processors before QMP's cont" },
	{ "no-reboot", .group = "no-reboot", .kind = OPTION_FLAG,
		.description = "exit when the guest resets itself" },
	{ "no-shutdown", .group = "no-shutdown", .kind = OPTION_FLAG,
		.description = "stay when the guest switches itself off" },
	{ "runtime-dir", .group = "runtime-dir", .kind = OPTION_VALUE, .implied = "path",
		.keys = runtime_dir_keys, .argument = "DIR",
		.description = "where the guest's folder for sockets, DIR/NAME, is made\n"
			       "(default: $XDG_RUNTIME_DIR/vitrine, or /run/vitrine)" },

	{ "readconfig", .kind = OPTION_FILE, .argument = "FILE",
		.description = "read options from a file", .section = "Configuration files" },
	{ "writeconfig", .kind = OPTION_FILE, .argument = "FILE",
		.description = "write all options to a file (\"-\": standard output)" },

	{ "help", "h", .kind = OPTION_INFO, .description = "show this text",
		.section = "About vitrine" },
	{ "version", .kind = OPTION_INFO, .description = "show the version" },
	{},
};

const struct option_spec *option_specs(void)
{
	return specs;
}

const struct option_spec *option_spec_find(const char *name)
{
	for (const struct option_spec *spec = specs; spec->name; spec++) {
		if (strcmp(spec->name, name) == 0 ||
			(spec->alias && strcmp(spec->alias, name) == 0))
			return spec;
	}
	return NULL;
}

const struct option_spec *option_spec_find_group(const char *group)
{
	for (const struct option_spec *spec = specs; spec->name; spec++) {
		if (spec->group && spec->kind != OPTION_SHORT && strcmp(spec->group, group) == 0)
			return spec;
	}
	return NULL;
}

const struct option_key *option_spec_key(const struct option_spec *spec, const char *name)
{
	for (const struct option_key *key = spec->keys; key && key->name; key++) {
		if (strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}
