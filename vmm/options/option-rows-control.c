/* Options for control, configuration files, and the program itself. */
#include "vmm/options/option-rows.h"

static const struct option_key runtime_dir_keys[] = {
	{ "path", OPTION_STRING, "where the guests' folders for sockets are", .required = true },
	{},
};

static const char *const mon_modes[] = { "readline", "control", NULL };

static const struct option_key mon_keys[] = {
	{ "chardev", OPTION_STRING, "the chardev that it is on", .required = true },
	{ "mode", OPTION_CHOICE, "for people, or QMP", .choices = mon_modes },
	{ "pretty", OPTION_BOOL, "control: answers in lines that people can read" },
	{},
};

const struct option_spec option_rows_control[] = {
	{ "qmp", .group = "qmp", .implied = "dev", .many = true, .keys = option_line_keys,
		.argument = "unix:PATH,server=on,wait=off|stdio|chardev:ID",
		.description = "one more place for QMP besides the socket in the guest's folder",
		.section = "Control" },
	{ "qmp-pretty", .group = "qmp-pretty", .implied = "dev", .many = true,
		.keys = option_line_keys,
		.argument = "unix:PATH,server=on,wait=off|stdio|chardev:ID",
		.description = "the same, with answers in lines that people can read" },
	{ "monitor", .group = "monitor", .implied = "dev", .many = true, .keys = option_line_keys,
		.argument = "stdio|pty|none|unix:PATH,server=on|chardev:ID",
		.description = "the monitor for people: lines such as \"info status\"" },
	{ "mon", .group = "mon", .implied = "chardev", .many = true, .has_id = true,
		.keys = mon_keys, .argument = "[chardev=]ID[,mode=readline|control][,pretty=on]",
		.description = "the monitor (readline) or QMP (control) on a -chardev" },
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
